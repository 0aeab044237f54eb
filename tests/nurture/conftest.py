"""What the tests of sequences share: somebody in front of a due letter, and the claim of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.letters.models import Lane
from leadgen.mail.models import Message
from leadgen.nurture import jobs
from leadgen.nurture.models import Enrolment, Sequence
from tests.factories import make_campaign, make_enrolment, make_entry, make_sequence
from tests.mail.conftest import claimed, mailbox, noon

__all__ = ["mailbox", "noon"]


class Inside(NamedTuple):
    """Somebody in a sequence."""

    entry: Entry
    sequence: Sequence
    enrolment: Enrolment


@pytest.fixture
def campaign(context: None, noon: object) -> Campaign:
    """A contest at noon."""
    return make_campaign()


@pytest.fixture
def inside(campaign: Campaign) -> Callable[..., Inside]:
    """Puts somebody in front of the first letter of a sequence of this definition, due now."""

    def put(definition: dict[str, Any] | None = None, *, at: str = "", **enrolment: Any) -> Inside:
        entry = make_entry(campaign, confirmed=True, marketing=True)
        sequence = make_sequence(campaign, definition=definition, key=f"s{entry.id}")
        if at:
            enrolment["step_key"] = at
        return Inside(entry, sequence, make_enrolment(sequence, entry, **enrolment))

    return put


def messages() -> list[Message]:
    """All messages, oldest first, as the database has them."""
    db.session.expire_all()
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def sent() -> list[tuple[str, str]]:
    """Plan, claim and answer what became of all messages: status and reason."""
    jobs.plan()
    claimed(Lane.NURTURE)
    return [(message.status.value, message.reason) for message in messages()]


def contact_of(entry: Entry) -> Contact:
    """The person behind an entry."""
    return db.session.get_one(Contact, entry.contact_id)


def change(record: Any, **values: Any) -> None:
    """Write these values, and commit."""
    for name, value in values.items():
        setattr(record, name, value)
    db.session.commit()
