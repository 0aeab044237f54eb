"""Tiers: add, edit, remove, move; the rules tell them; a prize sits in one mechanic (F1, F8)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from leadgen.campaigns import rules
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, Delivery, Mechanic, Metric
from leadgen.campaigns.service import MilestoneInput
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from tests.campaigns.conftest import prize_input
from tests.factories import make_campaign, make_entry
from tests.factories_contest import make_award, make_coupon, make_milestone

LAST = date(2090, 8, 31)


def _tier(title: str = "A mug", **values: Any) -> MilestoneInput:
    texts = {"en": {"title": title}, "fr": {"title": f"{title} (fr)"}}
    return MilestoneInput(**{"texts": texts, "threshold": 3, "stock": 50, "value": 1_000} | values)


def test_tiers_are_told_in_the_rules_lowest_first(draft: Campaign) -> None:
    campaigns.add_milestone(draft, _tier("A bag", threshold=10, stock=None, value=0))
    campaigns.add_milestone(draft, _tier("A mug"))
    code = _tier("A code", metric=Metric.ENTRY, delivery=Delivery.CODE, value=0, stock=None, codes_until=LAST)
    campaigns.add_milestone(draft, code)
    campaigns.add_milestone(draft, _tier("A pen", metric=Metric.POINTS, threshold=1, stock=1))

    told = draft.texts["en"]["rules"]
    lines = [line for line in told.splitlines() if line.startswith(("– A ", "– 1 ×"))]
    assert lines[1:] == [
        "– A code, for everybody who confirms the entry, its code good until 31 August 2090",
        "– A pen, worth €10 each, for whoever has 1 point, 1 piece in all",
        "– A mug, worth €10 each, for whoever brings 3 friends who count, 50 pieces in all",
        "– A bag, for whoever brings 10 friends who count",
    ]
    assert "Total value: €2,010" in told
    assert set(draft.mechanics) == {"draw", "codes", "milestones"}


def test_each_change_of_tiers_is_published(published: Campaign) -> None:
    """F1: prizes create a rules version and a public change line."""
    added = campaigns.add_milestone(published, _tier())
    campaigns.edit_milestone(published, added.id, _tier(threshold=5))
    campaigns.edit_milestone(published, added.id, _tier(threshold=5, picture="prize-gift"))
    campaigns.remove_milestone(published, added.id)
    db.session.commit()

    lines = [version.changes[0]["en"] for version in reversed(rules.versions(published.id)[:-1])]
    assert lines == ["A reward was added: A mug.", "A reward was changed: A mug.", "A reward was taken away: A mug."]
    assert published.mechanics == ["draw"]


def test_a_tier_takes_a_prize_over_and_gives_it_back(draft: Campaign) -> None:
    """F1: the same prize cannot be in two mechanics."""
    prize = draft.prizes[0]
    added = campaigns.add_milestone(draft, _tier(prize_id=prize.id, stock=1))
    assert prize.mechanic is Mechanic.MILESTONES
    assert "– A mug, worth €1,500 each" in draft.texts["en"]["rules"]
    assert "A week in Lisbon" not in draft.texts["en"]["rules"], "a prize is told once, by the tier that gives it away"

    with pytest.raises(Invalid, match="given away by the reward “A mug”"):
        campaigns.add_milestone(draft, _tier("Another", prize_id=prize.id, stock=1))
    with pytest.raises(Invalid, match="given away by the reward “A mug”"):
        campaigns.edit_prize(draft, prize.id, prize_input(mechanic=Mechanic.DRAW))
    with pytest.raises(Invalid, match="given away by the reward “A mug”"):
        campaigns.remove_prize(draft, prize.id)

    campaigns.edit_milestone(draft, added.id, _tier(prize_id=None))
    assert prize.mechanic is Mechanic.DRAW


def test_removing_the_tier_gives_the_prize_back(draft: Campaign) -> None:
    added = campaigns.add_milestone(draft, _tier(prize_id=draft.prizes[0].id, stock=1))
    campaigns.remove_milestone(draft, added.id)

    assert draft.prizes[0].mechanic is Mechanic.DRAW


@pytest.mark.parametrize("mechanic", [Mechanic.MILESTONES, Mechanic.CODES, Mechanic.RANK])
def test_a_prize_goes_only_where_the_contest_can_give_it_away(draft: Campaign, mechanic: Mechanic) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_prize(draft, draft.prizes[0].id, prize_input(mechanic=mechanic))
    assert refused.value.field == "mechanic"


def test_a_prize_moves_between_mechanics_that_are_on(draft: Campaign) -> None:
    draft.mechanics = ["draw", "rank"]
    campaigns.edit_prize(draft, draft.prizes[0].id, prize_input(mechanic=Mechanic.RANK))

    assert draft.prizes[0].mechanic is Mechanic.RANK


def test_a_tier_promises_no_more_than_there_are(draft: Campaign) -> None:
    prize = draft.prizes[0]
    for stock in (None, 2):
        with pytest.raises(Invalid, match="There are 1 of this prize"):
            campaigns.add_milestone(draft, _tier(prize_id=prize.id, stock=stock))
    campaigns.edit_prize(draft, prize.id, prize_input(quantity=5))
    campaigns.add_milestone(draft, _tier(prize_id=prize.id, stock=5))
    campaigns.edit_prize(draft, prize.id, prize_input(quantity=5, value=2_000))
    assert "– A mug, worth €20 each" in draft.texts["en"]["rules"]
    with pytest.raises(Invalid, match="promises 5"):
        campaigns.edit_prize(draft, prize.id, prize_input(quantity=4))


def test_a_tier_that_somebody_earned_stays(published: Campaign) -> None:
    milestone = make_milestone(published)
    make_award(make_entry(published, confirmed=True), milestone)

    with pytest.raises(Conflict, match="Set its stock to 0"):
        campaigns.remove_milestone(published, milestone.id)
    db.session.rollback()
    campaigns.edit_milestone(published, milestone.id, _tier(stock=0))


def test_a_tier_that_nobody_earned_goes_with_its_codes(published: Campaign) -> None:
    milestone = make_milestone(published)
    make_coupon(milestone)
    campaigns.remove_milestone(published, milestone.id)
    db.session.commit()

    assert published.milestones == []


def test_what_a_public_tier_counts_stays(published: Campaign) -> None:
    added = campaigns.add_milestone(published, _tier())
    with pytest.raises(Conflict):
        campaigns.edit_milestone(published, added.id, _tier(metric=Metric.POINTS))


def test_tiers_move(draft: Campaign) -> None:
    first, second = (campaigns.add_milestone(draft, _tier(title)) for title in ("One", "Two"))
    campaigns.move_milestone(draft, second.id, by=-1)

    assert [m.id for m in draft.milestones] == [second.id, first.id]


def test_a_copy_takes_the_tiers_along_and_their_prizes(draft: Campaign) -> None:
    campaigns.add_prize(draft, prize_input(2))
    campaigns.add_milestone(draft, _tier(prize_id=draft.prizes[1].id, stock=1))
    twin = campaigns.duplicate(draft, name="Again")

    assert twin.milestones[0].prize_id == twin.prizes[1].id
    assert [prize.mechanic for prize in twin.prizes] == [Mechanic.DRAW, Mechanic.MILESTONES]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"threshold": 0}, "threshold"),
        ({"stock": -1}, "stock"),
        ({"claim_days": 0}, "claim_days"),
        ({"claim_days": 366}, "claim_days"),
        ({"value": -1}, "value"),
        ({"currency": "XYZ"}, "currency"),
        ({"picture": "../x"}, "picture"),
        ({"prize_id": 0}, "prize_id"),
        ({"delivery": Delivery.API}, "delivery"),
        ({"delivery": Delivery.FILE, "file_url": "http://files.example/a.pdf"}, "file_url"),
        ({"delivery": Delivery.FILE, "file_url": "javascript:alert(1)"}, "file_url"),
        ({"delivery": Delivery.FILE, "file_url": "https://["}, "file_url"),
        ({"texts": {"en": {"title": " "}}}, "title"),
        ({"texts": {"en": {"title": "x" * 91}}}, "title"),
    ],
)
def test_tiers_that_are_refused(draft: Campaign, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.add_milestone(draft, _tier(**values))
    assert refused.value.field == field


def test_a_tier_of_another_campaign_does_not_exist(draft: Campaign) -> None:
    with pytest.raises(NotFound):
        campaigns.edit_milestone(draft, make_milestone(make_campaign()).id, _tier())
