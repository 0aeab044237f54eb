"""A live campaign, what the file provider wrote, and what the tables say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import outbox, pacing
from leadgen.mail.models import Message
from tests.conftest import Clock
from tests.factories import fresh, make_campaign, make_entry, make_message, make_sequence


@pytest.fixture(autouse=True)
def _forget_installation() -> None:
    address.forget_installation()


@pytest.fixture
def noon(clock: Clock) -> Clock:
    """The clock stands at about noon in Paris, so that no test depends on the hour at which it runs."""
    local = product_clock.now().astimezone(ZoneInfo("Europe/Paris"))
    target = local.replace(hour=12, minute=0, second=0)
    if target < local:
        target += timedelta(days=1)
    clock.forward(seconds=(target - local).total_seconds())
    return clock


@pytest.fixture
def campaign(context: None, noon: Clock) -> Campaign:
    return make_campaign()


@pytest.fixture
def mailbox(settings: Settings) -> Callable[[], list[EmailMessage]]:
    """Reads all mails that the file provider wrote, oldest first."""

    def read() -> list[EmailMessage]:
        paths = sorted(Path(settings.mail_dir).glob("*.eml"))
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]

    return read


def confirmation(campaign: Campaign, **values: Any) -> Message:
    """A due confirmation mail to somebody who waits for it."""
    entry = make_entry(campaign, **values)
    return make_message(entry, letter="confirm", lane=Lane.CONFIRMATION, purpose=MailPurpose.CONFIRMATION)


def nurture(campaign: Campaign, *, message: dict[str, Any] | None = None, **values: Any) -> Message:
    """A due letter of a sequence to somebody who confirmed and wants it."""
    entry = make_entry(campaign, confirmed=True, marketing=True, **values)
    step = make_sequence(campaign, steps=1, key=f"s{entry.id}").steps[0]
    given: dict[str, Any] = {"step_id": step.id, "intent": f"seq:{entry.id}"}
    return make_message(
        entry,
        letter="sequence",
        lane=Lane.NURTURE,
        purpose=MailPurpose.MARKETING,
        **given | (message or {}),
    )


def state(message: Message) -> tuple[str, str]:
    """Status and reason, as the database has them now."""
    now = fresh(message)
    return now.status.value, now.reason


def row(message: Message) -> dict[str, Any]:
    """The whole row, through a connection that no session caches for."""
    found = hot.one("SELECT * FROM message WHERE id = %(id)s", {"id": message.id})
    assert found is not None
    return found


def claimed(lane: Lane, limit: int = 100) -> list[int]:
    """The ids that are claimed now: by one claim, in a lane of streams by as many as there are lots."""
    found: list[int] = []
    while (claim := outbox.claim(lane, limit)).decided:
        db.session.commit()
        found += [person.id for person in claim.recipients]
        if lane in pacing.URGENT:
            break
    db.session.commit()
    return found
