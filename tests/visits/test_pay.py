"""Points for visits: by people only, once for each visitor in 24 hours, and only where the contest gives any."""

from __future__ import annotations

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import points
from leadgen.entries.models import Entry
from leadgen.visits import jobs, upkeep
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from leadgen.visits.service import Visitor
from tests.conftest import Clock
from tests.factories import fresh, make_campaign, make_entry


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign(visit_points=2)


@pytest.fixture
def ben(campaign: Campaign) -> Entry:
    return make_entry(campaign, confirmed=True)


def _seen(ben: Entry, nonce: str, visitor: Visitor, kind: VisitKind = VisitKind.CANDIDATE) -> None:
    visits.note(entry_id=ben.id, campaign_id=ben.campaign_id, channel="wa", kind=kind, visitor=visitor, nonce=nonce)
    visits.prove_human(nonce, visitor)
    visits.flush()
    jobs.pay()


def _lines() -> list[int]:
    found = hot.many("SELECT points FROM ledger WHERE kind = 'visit' ORDER BY id", {})
    return [row["points"] for row in found]


def test_f4_a_human_visit_earns_once_in_24_hours(ben: Entry, clock: Clock) -> None:
    _seen(ben, "first", Visitor(b"anna 1", b"anna 0"))
    clock.forward(hours=2)
    _seen(ben, "same day", Visitor(b"anna 1", b"anna 0"))
    clock.forward(hours=20)
    _seen(ben, "after midnight, within 24 hours", Visitor(b"anna 2", b"anna 1"))
    assert visits.human_visits([ben.id]) == {ben.id: 3}
    assert _lines() == [2]
    _seen(ben, "somebody else", Visitor(b"carl 2", b"carl 1"))
    clock.forward(hours=30)
    _seen(ben, "days later", Visitor(b"anna 3", b"anna 2"))
    assert _lines() == [2, 2, 2]


@pytest.mark.parametrize("kind", [VisitKind.PREVIEW, VisitKind.SCANNER, VisitKind.SELF])
def test_rule_9_machines_and_oneself_never_earn(ben: Entry, kind: VisitKind) -> None:
    _seen(ben, "first", Visitor(b"machine", b""), kind)
    assert _lines() == []


def test_an_opening_alone_earns_nothing(ben: Entry) -> None:
    visits.note(
        entry_id=ben.id,
        campaign_id=ben.campaign_id,
        channel="",
        kind=VisitKind.CANDIDATE,
        visitor=Visitor(b"anna", b""),
        nonce="first",
    )
    visits.flush()
    jobs.pay()
    assert _lines() == []


def test_paying_twice_gives_once(ben: Entry) -> None:
    _seen(ben, "first", Visitor(b"anna", b""))
    hot.many("UPDATE visit SET is_unpaid = true RETURNING id", {})
    jobs.pay()
    assert _lines() == [2]


def test_off_by_default_and_not_paid_later(context: None) -> None:
    quiet = make_campaign()
    dora = make_entry(quiet, confirmed=True)
    _seen(dora, "first", Visitor(b"anna", b""))
    quiet.visit_points = 5
    db.session.commit()
    cards.forget()
    jobs.pay()
    assert _lines() == []


def test_f1_no_points_once_entries_are_closed(ben: Entry, campaign: Campaign) -> None:
    campaign.status = CampaignStatus.CLOSING
    db.session.commit()
    _seen(ben, "late", Visitor(b"anna", b""))
    assert _lines() == []


def test_a_machine_with_many_names_earns_a_bounded_number_of_visits(ben: Entry, clock: Clock) -> None:
    """A browser's name is free to choose: one network brings a link so many paid visits a day, then none."""
    for number in range(upkeep.FROM_ONE_NETWORK + 5):
        _seen(ben, f"nonce {number}", visits.visitor_of("192.0.2.7", f"Mozilla/5.0 Firefox/{100 + number}.0"))
    assert len(_lines()) == upkeep.FROM_ONE_NETWORK
    assert visits.human_visits([ben.id]) == {ben.id: upkeep.FROM_ONE_NETWORK + 5}
    _seen(ben, "another network", visits.visitor_of("198.51.100.7", "Mozilla/5.0 Firefox/140.0"))
    assert len(_lines()) == upkeep.FROM_ONE_NETWORK + 1
    clock.forward(days=2)
    _seen(ben, "another day", visits.visitor_of("192.0.2.7", "Mozilla/5.0 Firefox/100.0"))
    assert len(_lines()) == upkeep.FROM_ONE_NETWORK + 2


def test_the_bound_of_a_network_holds_within_one_batch(ben: Entry) -> None:
    for number in range(upkeep.FROM_ONE_NETWORK + 5):
        visitor = visits.visitor_of("192.0.2.7", f"Mozilla/5.0 Firefox/{100 + number}.0")
        visits.note(
            entry_id=ben.id,
            campaign_id=ben.campaign_id,
            channel="",
            kind=VisitKind.CANDIDATE,
            visitor=visitor,
            nonce=f"nonce {number}",
        )
        visits.prove_human(f"nonce {number}", visitor)
    visits.flush()
    assert visits.pay() == upkeep.FROM_ONE_NETWORK


def test_a_visit_changes_no_rank_and_counts_as_declared_chances(ben: Entry) -> None:
    _seen(ben, "first", visits.visitor_of("192.0.2.7", "Mozilla/5.0 Firefox/140.0"))
    before = fresh(ben).rank_points
    while points.fold():
        pass
    after = fresh(ben)
    assert (after.points, after.rank_points, after.declared_chances) == (before + 2, before, 2)
