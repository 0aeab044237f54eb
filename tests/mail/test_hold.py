"""A mailbox that keeps refusing rests for a month: three soft bounces in the last five mails."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail.models import Message
from tests.conftest import Clock
from tests.factories import make_entry, make_message
from tests.mail.conftest import claimed, state


def letter(entry: Entry, became: str = "", days_ago: int = 4) -> Message:
    """A marketing letter, due now or sent some days ago."""
    status, _, reason = (became or "scheduled").partition(":")
    sent_at = product_clock.now() - timedelta(days=days_ago) if became else None
    return make_message(
        entry,
        letter="broadcast",
        lane=Lane.BULK,
        purpose=MailPurpose.MARKETING,
        status=status,
        reason=reason,
        sent_at=sent_at,
    )


@pytest.mark.parametrize(
    ("before", "is_held"),
    [
        (["bounced:blocked"] * 3, True),
        (["bounced:blocked", "delivered", "bounced:blocked", "delivered", "bounced:blocked"], True),
        (["bounced:blocked"] * 2, False),
        (["bounced:blocked"] * 3 + ["delivered"] * 3, False),
        (["bounced:dropped"] * 5, False),
        ([], False),
    ],
)
def test_three_refusals_of_the_last_five_hold(campaign: Campaign, before: list[str], is_held: bool) -> None:
    entry = make_entry(campaign, confirmed=True, marketing=True)
    for became in before:
        letter(entry, became)
    message = letter(entry)
    assert claimed(Lane.BULK) == ([] if is_held else [message.id])
    assert state(message) == (("skipped", "held") if is_held else ("sending", ""))


def test_after_a_month_one_mail_tries_the_mailbox_again(campaign: Campaign, clock: Clock) -> None:
    entry = make_entry(campaign, confirmed=True, marketing=True)
    for _ in range(3):
        letter(entry, "bounced:blocked", days_ago=29)
    assert claimed(Lane.BULK) == []
    held = letter(entry)
    assert claimed(Lane.BULK) == []
    assert state(held) == ("skipped", "held")
    clock.forward(days=2)
    message = letter(entry)
    assert claimed(Lane.BULK) == [message.id]


def test_other_people_and_service_mails_are_not_held(campaign: Campaign) -> None:
    entry, other = (make_entry(campaign, confirmed=True, marketing=True) for _ in range(2))
    for _ in range(3):
        letter(entry, "bounced:blocked")
    db.session.commit()
    assert claimed(Lane.SERVICE) == []
    service, theirs = make_message(entry), letter(other)
    assert claimed(Lane.SERVICE) == [service.id]
    assert claimed(Lane.BULK) == [theirs.id]
