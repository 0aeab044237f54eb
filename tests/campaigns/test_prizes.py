"""Prizes: add, edit, remove, move."""

import pytest

from leadgen.campaigns import rules
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from tests.campaigns.conftest import prize_input
from tests.factories import make_campaign


def _titles(campaign: Campaign) -> list[str]:
    return [prize.texts["en"]["title"] for prize in campaign.prizes]


def test_prizes_are_added_at_the_end_and_told_in_the_rules(draft: Campaign) -> None:
    campaigns.add_prize(draft, prize_input(2, quantity=3, value=12_900))

    assert _titles(draft) == ["A week in Lisbon 1", "A week in Lisbon 2"]
    assert "– 3 × A week in Lisbon 2, worth €129 each" in draft.texts["en"]["rules"]
    assert "Total value: €1,887" in draft.texts["en"]["rules"]


def test_a_prize_moves_up_and_down_but_not_out(draft: Campaign) -> None:
    for number in (2, 3):
        campaigns.add_prize(draft, prize_input(number))
    last = draft.prizes[2].id

    campaigns.move_prize(draft, last, by=-1)
    assert _titles(draft) == ["A week in Lisbon 1", "A week in Lisbon 3", "A week in Lisbon 2"]
    campaigns.move_prize(draft, last, by=-9)
    assert _titles(draft)[0] == "A week in Lisbon 3"
    campaigns.move_prize(draft, last, by=1)
    assert _titles(draft)[1] == "A week in Lisbon 3"


def test_a_prize_is_edited_and_removed(draft: Campaign) -> None:
    added = campaigns.add_prize(draft, prize_input(2))
    campaigns.edit_prize(draft, added.id, prize_input(3))
    assert _titles(draft)[1] == "A week in Lisbon 3"

    campaigns.remove_prize(draft, added.id)
    db.session.commit()
    assert _titles(draft) == ["A week in Lisbon 1"]


def test_each_change_of_prizes_is_published(published: Campaign) -> None:
    """F1: prizes create a rules version and a public change line."""
    added = campaigns.add_prize(published, prize_input(2))
    campaigns.edit_prize(published, added.id, prize_input(3))
    campaigns.move_prize(published, added.id, by=-1)
    campaigns.remove_prize(published, added.id)
    db.session.commit()

    lines = [version.changes[0] for version in reversed(rules.versions(published.id)[:-1])]
    assert lines[0] == {
        "en": "A prize was added: A week in Lisbon 2.",
        "fr": "Un lot a été ajouté\u00a0: Une semaine à Lisbonne 2.",
    }
    assert len(lines) == 4


def test_another_picture_is_no_change_of_the_rules(published: Campaign) -> None:
    campaigns.edit_prize(published, published.prizes[0].id, prize_input(picture="prize-train"))

    assert published.rules_version == 1


def test_the_last_prize_of_a_published_contest_stays(published: Campaign) -> None:
    with pytest.raises(Invalid):
        campaigns.remove_prize(published, published.prizes[0].id)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 100_001}, "quantity"),
        ({"value": -1}, "value"),
        ({"currency": "XYZ"}, "currency"),
        ({"picture": "../x"}, "picture"),
        ({"texts": {"en": {"title": " "}}}, "title"),
        ({"texts": {"en": {"title": "x" * 91}}}, "title"),
        ({"texts": {"de": {"title": "Reise"}}}, "locale"),
    ],
)
def test_prizes_that_are_refused(draft: Campaign, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.add_prize(draft, prize_input(**values))
    assert refused.value.field == field


def test_a_prize_of_another_campaign_does_not_exist(draft: Campaign) -> None:
    foreign = make_campaign().prizes[0].id

    with pytest.raises(NotFound):
        campaigns.edit_prize(draft, foreign, prize_input())
