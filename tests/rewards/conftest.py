"""A live contest and people who bring friends to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from leadgen.campaigns.models import Approval, Campaign, Milestone
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry, ReferralState
from leadgen.rewards import milestones, stock
from leadgen.rewards.models import AwardState
from tests.factories import make_campaign, make_entry
from tests.factories_contest import make_milestone


@pytest.fixture(autouse=True)
def _forget_caches() -> None:
    stock.forget()


@pytest.fixture
def campaign(context: None) -> Iterator[Campaign]:
    """Whatever happens in it, the kept stock is what counting finds (I09)."""
    yield make_campaign()
    db.session.rollback()
    assert stock.audit() == []


def tier(campaign: Campaign, threshold: int = 2, **values: Any) -> Milestone:
    """Given at once to whoever reaches it, unless said otherwise."""
    return make_milestone(campaign, threshold=threshold, **({"approval": Approval.AUTO} | values))


def ben(campaign: Campaign, friends: int = 0) -> Entry:
    """Somebody confirmed who brought so many friends who count."""
    entry = make_entry(campaign, confirmed=True, first_name="Ben")
    bring(campaign, entry, friends)
    return entry


def bring(campaign: Campaign, referrer: Entry, friends: int = 1) -> list[Entry]:
    """So many friends of this person enter and confirm."""
    counted = {"referral_state": ReferralState.COUNTED}
    return [make_entry(campaign, confirmed=True, referrer=referrer, **counted) for _ in range(friends)]


def look(*entries: Entry) -> int:
    """Evaluate and commit; how many awards changed."""
    changed = milestones.evaluate([entry.id for entry in entries])
    db.session.commit()
    return changed


def state(entry: Entry, milestone: Milestone) -> AwardState | None:
    """How the award stands in the table."""
    row = hot.one(
        "SELECT state FROM award WHERE entry_id = %(entry)s AND milestone_id = %(tier)s",
        {"entry": entry.id, "tier": milestone.id},
    )
    return AwardState(row["state"]) if row else None


def rows(statement: str, **values: Any) -> list[dict[str, Any]]:
    """What the tables say, through a connection that no session caches for."""
    return hot.many(statement, values)
