"""Reactions: every fact is told once to everybody concerned, and telling it twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core.db import db
from leadgen.entries import confirming, entering, points
from leadgen.entries.models import Entry
from leadgen.fraud import looks
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign, make_sequence


def test_a_confirmation_with_consent_enrols_once_however_often_it_is_told(context: None) -> None:
    campaign = make_campaign()
    make_sequence(campaign)
    entered = entering.enter(cards.by_id(campaign.id), filled(wants_marketing=True))
    confirming.confirm(entered.entry_id, 1, "button_post")

    assert reactions.drain() >= 2
    assert reactions.drain() == 0
    db.session.query(Fact).update({"announced_at": None})
    db.session.commit()
    assert reactions.drain() >= 2

    assert [row["entry_id"] for row in rows("SELECT entry_id FROM enrolment")] == [entered.entry_id]


def test_f27_a_poisonous_fact_stands_alone_and_is_tried_again_five_times(
    context: None, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    campaign = make_campaign()
    card = cards.by_id(campaign.id)
    bad, good = (entering.enter(card, filled(f"{name}@mail.example")).entry_id for name in ("bad", "good"))
    heard: list[int | None] = []

    def react(facts: Sequence[Fact]) -> None:
        if bad in {fact.entry_id for fact in facts}:
            raise RuntimeError("broken on purpose")
        heard.extend(fact.entry_id for fact in facts)

    monkeypatch.setattr(reactions, "REACTIONS", {FactName.ENTRY_CREATED: (react,)})

    for minutes in (0, 1, 2, 3, 4, 5, 6):
        clock.forward(minutes=minutes)
        reactions.drain()

    assert heard == [good]
    assert rows("SELECT entry_id, failures FROM fact WHERE announced_at IS NULL") == [{"entry_id": bad, "failures": 5}]


def test_m8_a_confirmation_locks_no_points_while_it_is_told(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It only asks for a look; whoever serves that takes the lock before any entry."""
    card = cards.by_id(make_campaign().id)
    confirming.confirm(entering.enter(card, filled()).entry_id, 1, "button_post")
    seen: list[int] = []
    _watch_lock(monkeypatch, FactName.ENTRY_CONFIRMED, seen)
    reactions.drain()

    assert seen == [0]
    assert looks.waiting() == [card.id]


def _watch_lock(monkeypatch: pytest.MonkeyPatch, name: FactName, seen: list[int]) -> None:
    """Behind the reactions to facts of this name, note whether the lock of the points is held."""
    is_locked = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted "
        "AND pid = pg_backend_pid()"
    )

    def look(facts: Sequence[Fact]) -> None:
        seen.append(db.session.execute(is_locked, {"lock": points.LOCK}).scalar_one())

    monkeypatch.setattr(reactions, "REACTIONS", {name: (*reactions.REACTIONS[name], look)})


def test_m8_suppressions_are_told_under_the_lock_of_the_points(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    card = cards.by_id(make_campaign().id)
    entry = db.session.get_one(Entry, entering.enter(card, filled()).entry_id)
    contacts.suppress(
        entry.brand_id, contacts.get(entry.contact_id).address_hash or b"", SuppressionReason.HARD_BOUNCE, ""
    )
    db.session.commit()
    seen: list[int] = []
    _watch_lock(monkeypatch, FactName.CONTACT_SUPPRESSED, seen)
    reactions.drain()

    assert seen == [1]
