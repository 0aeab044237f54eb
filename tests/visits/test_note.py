"""Openings and proofs: what is counted as what, in which order they may come, and what a visitor is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.entries.models import Entry
from leadgen.journal import counters
from leadgen.visits import noting
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from leadgen.visits.service import Visitor
from tests.conftest import Clock
from tests.factories import make_campaign, make_entry

_ANNA = Visitor(b"anna today", b"anna yesterday")
_CARL = Visitor(b"carl today", b"carl yesterday")
_PEOPLE = (VisitKind.CANDIDATE, VisitKind.HUMAN)


@pytest.fixture
def ben(context: None) -> Entry:
    return make_entry(make_campaign(), confirmed=True)


def _open(
    ben: Entry, nonce: str, visitor: Visitor = _ANNA, kind: VisitKind = VisitKind.CANDIDATE, channel: str = "wa"
) -> None:
    visits.note(entry_id=ben.id, campaign_id=ben.campaign_id, channel=channel, kind=kind, visitor=visitor, nonce=nonce)


def _rows() -> dict[str, str]:
    return {row["nonce"]: row["kind"] for row in hot.many("SELECT nonce, kind FROM visit", {})}


def _tally_equals_rows() -> bool:
    rows = hot.many("SELECT kind, channel, count(*) AS number FROM visit GROUP BY 1, 2", {})
    sums = hot.many("SELECT kind, channel, number FROM visit_tally WHERE number <> 0", {})
    return {tuple(row.values()) for row in rows} == {tuple(row.values()) for row in sums}


@pytest.mark.parametrize("kind", [kind for kind in VisitKind if kind not in _PEOPLE])
def test_what_is_no_candidate_stays_what_it_is(ben: Entry, kind: VisitKind) -> None:
    _open(ben, "first", kind=kind)
    visits.flush()
    assert _rows() == {"first": kind.value}


@pytest.mark.parametrize("kind", [VisitKind.PREVIEW, VisitKind.SCANNER, VisitKind.SELF])
def test_machines_and_the_owner_never_become_human(ben: Entry, kind: VisitKind) -> None:
    """Issue 4: previews and scanners are kept apart and never rewarded, even when something proves them."""
    _open(ben, "first", kind=kind)
    visits.prove_human("first", _ANNA)
    visits.flush()
    assert _rows() == {"first": kind.value}
    assert visits.human_visits([ben.id]) == {}


def test_f4_within_half_an_hour_it_is_a_repeat(ben: Entry, clock: Clock) -> None:
    _open(ben, "first")
    visits.flush()
    clock.forward(minutes=29)
    _open(ben, "again")
    _open(ben, "somebody else", _CARL)
    visits.flush()
    clock.forward(minutes=2)
    _open(ben, "later")
    visits.flush()
    assert _rows() == {"first": "candidate", "again": "duplicate", "somebody else": "candidate", "later": "candidate"}
    assert _tally_equals_rows()


def test_repeats_are_seen_within_one_batch_and_over_midnight(ben: Entry, clock: Clock) -> None:
    _open(ben, "first")
    _open(ben, "again")
    visits.flush()
    clock.forward(minutes=10)
    _open(ben, "after midnight", Visitor(b"anna tomorrow", b"anna today"))
    visits.flush()
    assert _rows() == {"first": "candidate", "again": "duplicate", "after midnight": "duplicate"}


def test_a_visitor_keeps_one_name_for_24_hours_and_not_longer(ben: Entry, clock: Clock) -> None:
    """So that a reward for each visitor in 24 hours cannot come twice around midnight."""
    _open(ben, "first")
    visits.flush()
    clock.forward(hours=23)
    _open(ben, "tomorrow", Visitor(b"anna tomorrow", b"anna today"))
    visits.flush()
    clock.forward(hours=25)
    _open(ben, "in two days", Visitor(b"anna in two days", b"anna tomorrow"))
    visits.flush()
    found = {row["nonce"]: bytes(row["visitor"]) for row in hot.many("SELECT nonce, visitor FROM visit", {})}
    assert found == {"first": b"anna today", "tomorrow": b"anna today", "in two days": b"anna in two days"}


def test_a_proof_makes_a_candidate_human_once(ben: Entry) -> None:
    _open(ben, "first")
    visits.flush()
    for _ in range(2):
        visits.prove_human("first", _ANNA)
        visits.flush()
    assert _rows() == {"first": "human"}
    assert visits.human_visits([ben.id]) == {ben.id: 1}
    counters.flush()
    counted = hot.one("SELECT number, channel FROM counter WHERE name = 'human_visit'", {})
    assert counted == {"number": 1, "channel": "wa"}
    assert _tally_equals_rows()


def test_a_proof_may_come_before_its_opening_is_written(ben: Entry, clock: Clock) -> None:
    """The opening may lie in the memory of another process for a second."""
    visits.prove_human("first", _ANNA)
    visits.flush()
    _open(ben, "first")
    visits.flush()
    assert _rows() == {"first": "human"}
    visits.prove_human("never comes", _ANNA)
    visits.flush()
    clock.forward(seconds=20)
    visits.flush()
    _open(ben, "never comes", _CARL)
    visits.flush()
    assert _rows()["never comes"] == "candidate", "a proof is forgotten after a while"


def test_another_device_proves_nothing_but_the_form_does(ben: Entry) -> None:
    """The address with the ref can be passed on: what somebody else then sees is not this visit."""
    _open(ben, "first")
    visits.prove_human("first", _CARL)
    visits.flush()
    assert _rows() == {"first": "candidate"}
    visits.prove_human("first")
    visits.flush()
    assert _rows() == {"first": "human"}


def test_of_two_openings_one_counts_whichever_was_looked_at(ben: Entry) -> None:
    _open(ben, "closed at once")
    _open(ben, "looked at")
    visits.prove_human("looked at", _ANNA)
    visits.flush()
    assert _rows() == {"closed at once": "candidate", "looked at": "human"}
    visits.prove_human("closed at once", _ANNA)
    visits.flush()
    assert _rows() == {"closed at once": "candidate", "looked at": "human"}
    assert _tally_equals_rows()


def test_a_prefetch_that_was_shown_after_all_counts(ben: Entry) -> None:
    """A browser uses what it fetched ahead, and asks us no second time."""
    _open(ben, "ahead", kind=VisitKind.PREFETCH)
    visits.prove_human("ahead", _ANNA)
    visits.flush()
    assert _rows() == {"ahead": "human"}


def test_what_cannot_be_written_waits(ben: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise psycopg.OperationalError("gone")

    _open(ben, "first")
    visits.prove_human("first", _ANNA)
    with monkeypatch.context() as broken:
        broken.setattr(noting.hot, "one", away)
        visits.flush()
    assert _rows() == {}
    visits.flush()
    assert _rows() == {"first": "human"}


def test_many_processes_write_one_sum(ben: Entry) -> None:
    def opened(number: int) -> noting.Opening:
        visitor = Visitor(f"visitor {number}".encode(), b"")
        return noting.Opening(
            ben.id, ben.campaign_id, "wa", VisitKind.CANDIDATE, visitor, f"nonce {number}", product_clock.now()
        )

    def write(batch: list[noting.Opening]) -> None:
        hot.one(noting._WRITE, noting._columns(batch))
        hot.forget()

    batches = [[opened(10 * batch + number) for number in range(10)] for batch in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, batches))
    assert visits.openings(ben.id).unsure == 80
    assert _tally_equals_rows()


def test_a_visitor_is_a_hash_of_the_day(context: None, clock: Clock) -> None:
    """No cookie, nothing stored on the device, and nobody recognised after two days."""
    first = visits.visitor_of("192.0.2.1", "Firefox")
    assert visits.visitor_of("192.0.2.1", "Firefox") == first
    assert visits.visitor_of("192.0.2.2", "Firefox") != first
    assert visits.visitor_of("192.0.2.1", "Chrome") != first
    clock.forward(days=1)
    second = visits.visitor_of("192.0.2.1", "Firefox")
    assert second.yesterday == first.today
    clock.forward(days=1)
    assert not set(visits.visitor_of("192.0.2.1", "Firefox")) & set(first)


def test_openings_say_what_and_through_where(ben: Entry) -> None:
    _open(ben, "1")
    _open(ben, "2", _CARL, channel="fb")
    _open(ben, "3", kind=VisitKind.PREVIEW, channel="fb")
    _open(ben, "4", kind=VisitKind.SCANNER)
    _open(ben, "5", kind=VisitKind.SELF, channel="copy")
    _open(ben, "6")
    visits.prove_human("1", _ANNA)
    visits.flush()
    found = visits.openings(ben.id)
    assert (found.people, found.unsure, found.previews, found.scanners, found.own, found.repeats) == (1, 1, 1, 1, 1, 1)
    assert found.all == 6
    assert [(one.channel, one.people, one.openings) for one in found.channels] == [
        ("wa", 1, 3),
        ("fb", 0, 2),
        ("copy", 0, 1),
    ]


def test_old_visits_go_and_their_sums_stay(ben: Entry, clock: Clock) -> None:
    _open(ben, "old")
    visits.flush()
    clock.forward(days=visits.KEPT_DAYS + 1)
    _open(ben, "new")
    visits.flush()
    assert visits.purge() == 1
    assert _rows() == {"new": "candidate"}
    assert visits.openings(ben.id).unsure == 2


def test_moments_are_those_of_the_opening(ben: Entry, clock: Clock) -> None:
    _open(ben, "first")
    before: datetime = product_clock.now()
    clock.forward(minutes=1)
    visits.flush()
    row = hot.one("SELECT at FROM visit", {})
    assert row is not None
    assert before - timedelta(seconds=5) < row["at"] <= before
