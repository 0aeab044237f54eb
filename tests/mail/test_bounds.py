"""The bound on list bombing: how often an address is written to before it confirmed, whatever is lost meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import address
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import confirming, correcting, entering, upkeep, waiting
from leadgen.letters.models import Lane
from leadgen.mail import bounds, outbox
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign

VICTIM = "victim@mail.example"


def _card() -> CampaignCard:
    """Of a contest of a brand of its own."""
    return cards.by_id(make_campaign().id)


def _mails() -> list[tuple[str, str]]:
    found = rows("SELECT status, reason FROM message WHERE lane = 'confirmation' ORDER BY id")
    return [(row["status"], row["reason"]) for row in found]


def _sent() -> int:
    return sum(status not in {"suppressed", "skipped"} for status, _reason in _mails())


@pytest.mark.usefixtures("context")
def test_i38_two_forms_a_day_cause_a_mail_over_all_brands(clock: Clock) -> None:
    for _ in range(4):
        entering.enter(_card(), filled(VICTIM))
    assert _mails() == [("scheduled", "")] * 2 + [("suppressed", "address_limit")] * 2

    clock.forward(hours=24, seconds=1)
    for _ in range(3):
        entering.enter(_card(), filled(VICTIM))
    assert _sent() == 4


@pytest.mark.usefixtures("context")
def test_five_mails_in_thirty_days_over_all_brands(clock: Clock) -> None:
    for _day in range(5):
        entering.enter(_card(), filled(VICTIM))
        entering.enter(_card(), filled(VICTIM))
        clock.forward(days=2)
    assert _sent() == bounds.MAILS_PER_ADDRESS

    clock.forward(days=30)
    entering.enter(_card(), filled(VICTIM))
    assert _mails()[-1] == ("scheduled", "")


@pytest.mark.usefixtures("context")
def test_every_spelling_of_a_mailbox_is_one_address() -> None:
    for spelling in ("vic.tim@gmail.com", "victim+a@gmail.com", "VICTIM@googlemail.com"):
        entering.enter(_card(), filled(spelling))
    assert _sent() == 2


@pytest.mark.usefixtures("context")
def test_repeated_forms_count_as_forms(clock: Clock) -> None:
    card = _card()
    entering.enter(card, filled(VICTIM))
    for _ in range(4):
        clock.forward(hours=2)
        entering.enter(card, filled(VICTIM))
        reactions.drain()
    assert _mails() == [("scheduled", "")] * 2 + [("suppressed", "address_limit")]


@pytest.mark.usefixtures("context")
def test_corrections_count_as_forms() -> None:
    for number in range(4):
        card = _card()
        entered = entering.enter(card, filled(f"attacker{number}@mail.example"))
        correcting.correct(card, entered.entry_id, address.parse(VICTIM))
    mails = rows(
        """SELECT m.status FROM message m JOIN contact c ON c.id = m.contact_id
           WHERE c.email = %(email)s ORDER BY m.id""",
        email=VICTIM,
    )
    assert [mail["status"] for mail in mails] == ["scheduled", "scheduled", "suppressed", "suppressed"]


@pytest.mark.usefixtures("context")
def test_the_browser_that_entered_may_ask_beyond_the_two_forms_and_within_the_five_mails(clock: Clock) -> None:
    first, second = entering.enter(_card(), filled(VICTIM)), entering.enter(_card(), filled(VICTIM))
    for entered in (first, second):
        for pause in waiting.RESEND_PAUSES:
            clock.forward(seconds=pause.total_seconds() + 1)
            waiting.ask(entered.entry_id, is_own=True)
            reactions.drain()
    assert _sent() == bounds.MAILS_PER_ADDRESS


@pytest.mark.usefixtures("context")
def test_somebody_who_only_typed_the_address_asks_as_often_as_forms_may(clock: Clock) -> None:
    entered = entering.enter(_card(), filled(VICTIM))
    for pause in waiting.RESEND_PAUSES:
        clock.forward(seconds=pause.total_seconds() + 1)
        waiting.ask(entered.entry_id, is_own=False)
        reactions.drain()
    assert _sent() == bounds.FORMS_A_DAY


@pytest.mark.usefixtures("context")
def test_what_is_asked_for_does_not_use_up_the_forms(clock: Clock) -> None:
    """Whoever asked again in one contest is still written to when they enter the next."""
    entered = entering.enter(_card(), filled())
    clock.forward(seconds=61)
    waiting.ask(entered.entry_id, is_own=True)
    reactions.drain()
    entering.enter(_card(), filled())
    assert _mails() == [("scheduled", "")] * 3


@pytest.mark.usefixtures("context")
def test_f8_the_bound_survives_a_flush_of_redis(redis_client: redis.Redis) -> None:
    for _ in range(3):
        entering.enter(_card(), filled(VICTIM))
        redis_client.flushall()
    assert _sent() == 2


@pytest.mark.usefixtures("context")
def test_the_bound_survives_being_purged(clock: Clock) -> None:
    """Two contests that end soon: their entries are forgotten while the month is not over."""
    for _ in range(4):
        entering.enter(_card(), filled(VICTIM))
        clock.forward(hours=13)
    assert _sent() == 4
    clock.forward(days=14)
    upkeep.purge()
    upkeep.purge()
    assert rows("SELECT email FROM contact WHERE email IS NOT NULL") == []
    assert rows("SELECT mails FROM forgotten_address") == [{"mails": 4}]

    for _ in range(2):
        entering.enter(_card(), filled(VICTIM))
    assert _mails()[-2:] == [("scheduled", ""), ("suppressed", "address_limit")]


@pytest.mark.usefixtures("context")
def test_what_was_kept_of_a_forgotten_address_ends_with_the_month(clock: Clock) -> None:
    entering.enter(_card(), filled(VICTIM))
    clock.forward(days=15)
    upkeep.purge()
    assert rows("SELECT mails FROM forgotten_address") == [{"mails": 1}]
    clock.forward(days=16)
    upkeep.purge()
    assert rows("SELECT mails FROM forgotten_address") == []


@pytest.mark.usefixtures("context")
def test_who_confirmed_leaves_no_count_behind() -> None:
    entered = entering.enter(_card(), filled())
    confirming.confirm(entered.entry_id, 1, "button_post")
    bounds.remember(rows("SELECT contact_id FROM entry")[0]["contact_id"])
    db.session.commit()
    assert rows("SELECT mails FROM forgotten_address") == []


@pytest.mark.usefixtures("context")
def test_i38_twelve_forms_at_one_instant_cause_two_mails() -> None:
    """None of them saw the others' mails: the claim does, and lets two leave."""
    contests = [_card() for _ in range(12)]
    together = Barrier(len(contests))

    def send(card: CampaignCard) -> None:
        together.wait()
        try:
            entering.enter(card, filled(VICTIM))
        finally:
            hot.forget()

    with ThreadPoolExecutor(len(contests)) as pool:
        list(pool.map(send, contests))

    assert _claimed() == bounds.FORMS_A_DAY
    assert _mails().count(("suppressed", "address_limit")) == len(contests) - bounds.FORMS_A_DAY


@pytest.mark.usefixtures("context")
def test_rule_6_the_bound_is_looked_at_again_when_the_mail_leaves() -> None:
    """As forms leave it that did not see each other's mails."""
    for _ in range(5):
        entering.enter(_card(), filled(VICTIM))
    rows("UPDATE message SET status = 'scheduled', reason = '' RETURNING id")
    assert _claimed() == bounds.FORMS_A_DAY
    assert _mails()[2:] == [("suppressed", "address_limit")] * 3


def _claimed() -> int:
    """How many mails leave."""
    claimed = 0
    while claim := outbox.claim(Lane.CONFIRMATION, 3):
        db.session.commit()
        if not claim.decided:
            break
        claimed += len(claim.recipients)
    return claimed
