"""Reactions: every fact is told once to everybody concerned, and telling it twice changes nothing."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import confirming, entering, points, referrals, waiting
from leadgen.entries.models import Entry, ReferralReason
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


_WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclasses.dataclass
class Folder:
    """A fold in a thread of its own, started while a reaction works."""

    app: Flask
    answers: list[object] = dataclasses.field(default_factory=list)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._fold)
        self.thread.start()
        deadline = time.monotonic() + 30
        while not rows(_WAITING):  # it has the lock of the points then, and waits for the row that the reaction holds
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _fold(self) -> None:
        with self.app.app_context():
            try:
                self.answers.append(points.fold())
            except OperationalError as error:
                self.answers.append(error)
        hot.forget()


def test_m8_what_locks_entries_is_over_before_a_score_holds_somebody(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card = cards.by_id(make_campaign().id)
    ben = entering.enter(card, filled("ben@mail.example")).entry_id
    confirming.confirm(ben, 1, "button_post")
    code = rows("SELECT code FROM entry")[0]["code"]
    points.fold()
    reactions.drain()
    entering.enter(card, filled("ben@mail.example"))
    anna = entering.enter(card, filled("anna@mail.example", referral_code=code)).entry_id
    confirming.confirm(anna, 1, "button_post")
    folder = Folder(app)

    def answer(facts: Sequence[Fact]) -> None:
        waiting.answer_repeated(facts)
        db.session.flush()
        folder.start()

    def hold(facts: Sequence[Fact]) -> None:
        referrals.hold(anna, ReferralReason.RISK)

    table: dict[FactName, tuple[reactions.Reaction, ...]] = {
        FactName.ENTRY_REPEATED: (answer,),
        FactName.ENTRY_CONFIRMED: (hold,),
    }
    monkeypatch.setattr(reactions, "REACTIONS", table)
    reactions.drain()
    folder.thread.join(60)

    assert "a reaction failed" not in caplog.text
    assert folder.answers
    assert not isinstance(folder.answers[0], Exception)
    assert rows("SELECT referral_state FROM entry WHERE id = %(anna)s", anna=anna) == [{"referral_state": "on_hold"}]


def test_m8_suppressions_are_told_under_the_lock_of_the_points(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    card = cards.by_id(make_campaign().id)
    entry = db.session.get_one(Entry, entering.enter(card, filled()).entry_id)
    contacts.suppress(
        entry.brand_id, contacts.get(entry.contact_id).address_hash or b"", SuppressionReason.HARD_BOUNCE, ""
    )
    db.session.commit()
    is_locked = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted "
        "AND pid = pg_backend_pid()"
    )
    seen: list[int] = []

    def look(facts: Sequence[Fact]) -> None:
        seen.append(db.session.execute(is_locked, {"lock": points.LOCK}).scalar_one())

    monkeypatch.setattr(reactions, "REACTIONS", {FactName.CONTACT_SUPPRESSED: (look,)})
    reactions.drain()

    assert seen == [1]
