"""Points for visits: by people only, once for each visitor in 24 hours, and only where the contest gives any."""

from __future__ import annotations

import pytest

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.visits import jobs
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from leadgen.visits.service import Visitor
from tests.conftest import Clock
from tests.factories import make_campaign, make_entry


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
