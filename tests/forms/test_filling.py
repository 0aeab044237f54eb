"""Filling a form in: the way people go, take back, leave and come back to; what becomes an answer in the end."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.core import hot
from leadgen.core.errors import Conflict, NotFound
from leadgen.entries.models import Entry
from leadgen.forms import filling, places
from leadgen.forms.dropping import Drop, drop_off
from leadgen.forms.filling import Sent
from tests.factories import make_entry
from tests.forms.conftest import FORM, field, publish


def _begin(entry: Entry, card: CampaignCard) -> None:
    filling.begin(places.read(entry.id, card), card)


def _send(entry: Entry, card: CampaignCard, page: str, shown: str = "role firm boss team", **sent: str) -> Sent:
    given = {key: [value] for key, value in sent.items()}
    return filling.send(places.read(entry.id, card), page, given, shown.split())


def _finish(entry: Entry, card: CampaignCard) -> int:
    return filling.finish(places.read(entry.id, card)).points


def _answers() -> dict[str, Any]:
    return {row["key"]: row["value"] for row in hot.many("SELECT key, value FROM answer ORDER BY key", {})}


def test_an_owner_goes_past_the_boss(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    assert _send(anna, card, "p1", role="owner", firm="Cap Sud").next_page == "p3"
    assert _send(anna, card, "p3", team="12").is_end
    assert _finish(anna, card) == 2 + 3 + 2
    assert _answers() == {"role": "owner", "firm": "Cap Sud", "team": 12, "came_from": "fair"}


def test_a_reversed_answer_takes_back_what_it_opened(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="owner", firm="Cap Sud")
    _send(anna, card, "p3", team="12")
    assert _send(anna, card, "p1", role="clerk").next_page == "p2"
    assert filling.resume(places.read(anna.id, card)).page.id == "p2"  # type: ignore[union-attr]
    _send(anna, card, "p2", boss="Ada")
    _finish(anna, card)
    assert _answers() == {"role": "clerk", "boss": "Ada", "team": 12, "came_from": "fair"}


def test_correcting_forgets_what_is_off_the_way_now_and_earns_nothing_twice(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="clerk")
    _send(anna, card, "p2", boss="Ada")
    _send(anna, card, "p3", team="3")
    assert _finish(anna, card) == 6

    _begin(anna, card)
    assert drop_off(anna.campaign_id, places.read(anna.id, card).newest).finished == 1, "who corrects has finished"
    assert _send(anna, card, "p1", role="owner").next_page == "p3"
    _send(anna, card, "p3", team="4")
    assert _finish(anna, card) == 0
    assert _answers() == {"role": "owner", "team": 4, "came_from": "fair"}
    kept = hot.one("SELECT answers FROM contact WHERE id = %(id)s", {"id": anna.contact_id})
    assert kept == {"answers": {"role": "owner", "team": 4, "came_from": "fair"}}


def test_a_page_is_kept_as_it_is_sent_and_nothing_is_an_answer_before_the_finish(
    card: CampaignCard, anna: Entry
) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="clerk")
    standing = places.read(anna.id, card)
    assert (standing.answers["role"], standing.done) == ("clerk", {"p1"})
    assert _answers() == {}


def test_the_finish_is_spent_once(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="owner")
    _send(anna, card, "p3")
    before = places.read(anna.id, card)
    filling.finish(before)
    assert filling.finish(before).points == 0, "two windows at the same time"
    with pytest.raises(Conflict):
        _finish(anna, card)
    with pytest.raises(Conflict):
        _send(anna, card, "p1", role="clerk")
    assert hot.one("SELECT count(*) AS n FROM submission", {}) == {"n": 1}
    assert hot.many("SELECT data FROM fact WHERE name = 'form.finished'", {}) == [{"data": {"version": before.number}}]


def test_nobody_finishes_past_an_open_page(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="clerk")
    assert _send(anna, card, "p3", team="1").is_end, "the last page was sent, the second was not"
    with pytest.raises(Conflict):
        _finish(anna, card)


def test_what_is_needed_is_asked_for_in_words(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    again = _send(anna, card, "p1")
    assert again.stop is not None
    assert again.problems == {"role": "Please answer this question."}
    assert places.read(anna.id, card).done == frozenset()


def test_a_field_that_an_answer_opens_is_shown_before_the_way_goes_on(card: CampaignCard, anna: Entry) -> None:
    """Without a script nobody has seen it yet."""
    _begin(anna, card)
    again = _send(anna, card, "p1", shown="role", role="owner")
    assert (again.next_page, again.is_more, again.stop) == ("p1", True, None)
    standing = places.read(anna.id, card)
    assert (standing.answers["role"], standing.done) == ("owner", frozenset())
    assert _send(anna, card, "p1", shown="role firm", role="owner").next_page == "p3"


def test_what_is_not_shown_is_not_read(card: CampaignCard, anna: Entry) -> None:
    """Forged: hidden fields, fields of other pages, fields off the way."""
    _begin(anna, card)
    _send(anna, card, "p1", role="clerk", firm="Mine", boss="Me", came_from="elsewhere", team="9", unknown="x")
    assert places.read(anna.id, card).answers == {"role": "clerk", "came_from": "fair"}


def test_a_page_off_the_way_is_passed_over(card: CampaignCard, anna: Entry) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="owner")
    assert _send(anna, card, "p2", boss="Ada").next_page == "p3"
    assert _send(anna, card, "p9").next_page == "p3"
    assert "boss" not in places.read(anna.id, card).answers


def test_who_is_in_the_middle_finishes_the_version_that_they_began(
    campaign: Campaign, card: CampaignCard, anna: Entry
) -> None:
    _begin(anna, card)
    _send(anna, card, "p1", role="clerk")
    newer = copy.deepcopy(FORM)
    newer["pages"][1]["fields"] = [field("city")]
    number = publish(campaign, newer)

    _send(anna, card, "p2", boss="Ada")
    assert _send(anna, card, "p3", team="2").is_end
    _finish(anna, card)
    assert _answers() == {"role": "clerk", "boss": "Ada", "team": 2, "came_from": "fair"}
    assert hot.one("SELECT number FROM submission", {}) == {"number": number - 1}

    _begin(anna, card)
    standing = places.read(anna.id, card)
    assert standing.number == number, "who corrects is moved to what is published now"
    assert standing.answers == {"role": "clerk", "team": 2, "came_from": "fair"}
    ben = make_entry(campaign, confirmed=True)
    _begin(ben, card)
    assert places.read(ben.id, card).number == number


def test_what_is_known_is_filled_in(card: CampaignCard, anna: Entry, campaign: Campaign) -> None:
    hot.one(
        'UPDATE contact SET answers = \'{"role": "owner", "team": "many"}\' WHERE id = %(id)s RETURNING id',
        {"id": anna.contact_id},
    )
    _begin(anna, card)
    assert places.read(anna.id, card).answers == {"role": "owner", "came_from": "fair"}, "what does not fit is left out"


def test_rule_3_only_a_confirmed_person_of_this_contest_has_a_form(card: CampaignCard, campaign: Campaign) -> None:
    with pytest.raises(NotFound):
        places.read(make_entry(campaign).id, card)
    with pytest.raises(NotFound):
        places.read(make_entry(confirmed=True).id, card)


def test_where_people_leave(card: CampaignCard, campaign: Campaign, anna: Entry) -> None:
    ben = make_entry(campaign, confirmed=True)
    _begin(anna, card)
    _begin(ben, card)
    _send(anna, card, "p1", role="clerk")
    _send(anna, card, "p2", boss="Ada")
    _send(anna, card, "p3", team="2")
    _finish(anna, card)
    found = drop_off(campaign.id, places.read(anna.id, card).newest)
    assert (found.begun, found.finished) == (2, 1)
    assert found.fields == {"role": Drop(2, 1), "boss": Drop(1, 1), "team": Drop(1, 1)}
