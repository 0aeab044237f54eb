"""People of a brand whose acts are sealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from leadgen.contacts import address, evidence
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from tests.factories import make_contact


@pytest.fixture(autouse=True)
def _forget_installation() -> None:
    address.forget_installation()


@pytest.fixture
def anna(context: None) -> Contact:
    return make_contact(email="anna@mail.example", marketing_at=clock.now())


def seal_everything() -> None:
    """As the job does, without its clock."""
    after: int | None = None
    while (after := evidence.seal(after=after)) is not None:
        db.session.commit()
    db.session.commit()


@contextmanager
def unguarded() -> Iterator[None]:
    """What somebody does who has the database itself: the triggers are off."""
    db.session.commit()
    # For this transaction alone: the pool's connection would take the setting along to a test that comes later.
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    yield
    db.session.commit()
