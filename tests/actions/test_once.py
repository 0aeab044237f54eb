"""However often and in whatever order deeds are repeated, each occurrence earns once (I06, I10)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as some

from leadgen.actions import audit, rules
from leadgen.actions.models import DeedState
from leadgen.actions.rules import Done, Stand
from leadgen.campaigns import cards
from leadgen.campaigns.cards import ActionCard
from leadgen.campaigns.models import ActionKind, Campaign, Proof, Repeat
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from tests.actions.conftest import an, do, total
from tests.factories import make_campaign, make_entry

NETWORKS = ["wa", "fb"]
presses = some.lists(some.tuples(some.integers(0, 3), some.sampled_from(NETWORKS), some.integers(1, 4)), max_size=25)
moments = some.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001 - aware by timezones
zones = some.sampled_from(["Europe/Paris", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"])


@settings(max_examples=12)
@given(pressed=presses)
def test_each_occurrence_earns_once(context: None, pressed: list[tuple[int, str, int]]) -> None:
    campaign = make_campaign(questions=0)
    ben = make_entry(campaign, confirmed=True)
    made = [
        an(ActionKind.SHARE, campaign),
        an(ActionKind.FOLLOW, campaign),
        an(ActionKind.DAILY, campaign, repeat=Repeat.DAILY),
        an(ActionKind.CUSTOM, campaign, repeat=Repeat.UNLIMITED, most_times=3),
    ]
    expected: set[tuple[int, str]] = set()
    numbers = 0
    for which, network, number in pressed:
        do(ben, made[which], network=network, number=number)
        if which == 3:
            numbers = min(3, numbers + 1) if number > numbers else numbers
        else:
            expected.add((which, network if which == 0 else ""))
    assert total(ben) == (2 * (len(expected) + numbers), 2 * (len(expected) + numbers))
    assert audit.audit() == []


@given(moment=moments, zone=zones, repeat=some.sampled_from([Repeat.DAILY, Repeat.WEEKLY]))
def test_what_is_done_opens_again_exactly_with_the_next_period(moment: datetime, zone: str, repeat: Repeat) -> None:
    action = _card(repeat)
    name = rules.period(repeat, moment, zone)
    done = Done(1, name, DeedState.DONE, moment, moment, {})
    [way] = rules.ways([action], [done], moment, zone)
    assert way.stand is Stand.AGAIN
    assert way.at is not None
    [before] = rules.ways([action], [done], way.at - timedelta(seconds=1), zone)
    [after] = rules.ways([action], [done], way.at, zone)
    assert (before.stand, after.stand) == (Stand.AGAIN, Stand.OPEN)


def _card(repeat: Repeat) -> ActionCard:
    return ActionCard(
        id=1, key="a", kind=ActionKind.CUSTOM, texts={}, settings={}, points=1, chances=1, proof=Proof.DECLARED,
        repeat=repeat, most_times=None, needs_others=0, is_mandatory=False, starts_at=None, ends_at=None,
    )  # fmt: skip


def test_ten_presses_at_the_same_instant_are_one(app: Flask) -> None:
    """F6: double click safe, on real connections."""
    with app.app_context():
        campaign: Campaign = make_campaign()
        ben: Entry = make_entry(campaign, confirmed=True)
        action = an(ActionKind.CUSTOM, campaign, repeat=Repeat.UNLIMITED, most_times=50)
        entry_id, action_id = ben.id, action.id
    barrier = threading.Barrier(10)

    def press() -> None:
        with app.app_context():
            entry = db.session.get_one(Entry, entry_id)
            card = next(a for a in cards.by_id(entry.campaign_id).actions if a.id == action_id)
            barrier.wait()
            do(entry, card, number=1)  # type: ignore[arg-type]
            db.session.remove()
        hot.forget()

    threads = [threading.Thread(target=press) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hot.many("SELECT points FROM ledger WHERE kind = 'action'", {}) == [{"points": 2}]
