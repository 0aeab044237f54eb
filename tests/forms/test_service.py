"""Drafts and versions: what people see, when it changes, and what the campaign's questions make of it."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import logic
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.entries import answers, judging
from leadgen.forms import comparing, editing, projecting
from leadgen.forms import definition as documents
from leadgen.forms import service as forms
from leadgen.forms.comparing import Change
from leadgen.forms.definition import Definition
from tests.factories import make_campaign, make_entry, make_fact, make_question
from tests.forms.conftest import FORM, IS_OWNER, ROLES, field, publish


def _form(*fields: dict[str, Any]) -> Definition:
    return documents.from_data({"pages": [{"id": "p1", "fields": list(fields)}]})


def test_the_launch_of_a_campaign_makes_version_1_of_its_draft(clock: object) -> None:
    campaign = make_campaign(questions=0, status=CampaignStatus.DRAFT)
    forms.save(campaign, documents.from_data(FORM), 0)
    assert [question.key for question in forms.asked(campaign)] == ["role", "firm", "boss", "team", "came_from"]
    campaigns.publish(campaign)
    fact = make_fact(make_entry(campaign))
    forms.launched([fact])
    forms.launched([fact])
    (version,) = forms.versions(campaign.id)
    assert (version.number, documents.from_data(version.definition)) == (1, documents.from_data(FORM))


def test_before_the_first_edit_of_a_live_form_what_people_see_gets_its_number() -> None:
    campaign = make_campaign(questions=1, rules_version=1)
    before = projecting.derived(forms.asked(campaign))
    forms.save(campaign, _form(field("other")), 0)
    assert forms.published(campaign) == before
    assert forms.draft_of(campaign).is_changed
    assert [version.number for version in forms.versions(campaign.id)] == [1]


def test_two_people_do_not_overwrite_each_other() -> None:
    campaign = make_campaign(questions=0)
    revision = forms.save(campaign, _form(field("one")), 0)
    with pytest.raises(Conflict):
        forms.save(campaign, _form(field("two")), 0)
    forms.save(campaign, _form(field("two")), revision)


def test_a_form_with_a_fault_is_not_published() -> None:
    campaign = make_campaign(questions=0, rules_version=1)
    forms.save(campaign, _form(field("one", show={"field": "gone", "op": "empty"})), 0)
    with pytest.raises(Invalid) as refused:
        forms.publish(campaign, "Ada")
    assert refused.value.field == "one"
    assert forms.asked(campaign) == []


def test_points_are_a_change_of_the_rules_and_words_are_not() -> None:
    campaign = make_campaign(questions=0, rules_version=1)
    publish(campaign, {"pages": [{"id": "p1", "fields": [field("one")]}]})
    rules = db.session.get_one(Campaign, campaign.id).rules_version
    publish(
        campaign,
        {"pages": [{"id": "p1", "fields": [field("one", texts={"en": {"label": "A"}, "fr": {"label": "B"}})]}]},
    )
    assert campaign.rules_version == rules
    publish(campaign, {"pages": [{"id": "p1", "fields": [field("one", points=7)]}]})
    assert campaign.rules_version == rules + 1


def test_a_profile_is_full_without_what_concerns_only_some(campaign: Campaign) -> None:
    anna = make_entry(campaign, confirmed=True)
    assert [q.key for q in forms.asked(campaign) if q.is_always] == ["role"]
    answers.store(anna.id, "role", "clerk")
    assert judging.has_full_profile(anna)


def test_conditions_may_ask_for_what_other_contests_of_the_brand_know(campaign: Campaign) -> None:
    brand_id = campaign.brand_id
    other = make_campaign(questions=0, brand=db.session.get(campaigns.Brand, brand_id))
    make_question(other, position=8)
    make_question(make_campaign(questions=0), position=9)
    known = forms.known_fields(campaign, documents.from_data(FORM))
    assert known["question_8"] == logic.Field(logic.Kind.CHOICE, frozenset({"sea", "city"}))
    assert "question_9" not in known


def test_what_changes_is_told() -> None:
    old = _form(field("one"), field("two", points=2), field("gone"), field("role", "single", options=ROLES))
    new = _form(
        field("two", points=5, texts={"en": {"label": "Deux?"}, "fr": {"label": "Deux ?"}}),
        field("one", show=IS_OWNER, is_required=True, most=9),
        field("role", "single", options=list(reversed(ROLES))),
        field("new"),
    )
    told = [(one.change, one.name) for one in comparing.differences(old, new)]
    assert told == [
        (Change.WORDS, "Deux?"),
        (Change.POINTS, "Deux?"),
        (Change.CONDITIONS, "One?"),
        (Change.NEEDED, "One?"),
        (Change.LIMITS, "One?"),
        (Change.CHOICES, "Role?"),
        (Change.ADDED, "New?"),
        (Change.REMOVED, "Gone?"),
        (Change.ORDER, ""),
    ]
    assert comparing.differences(new, new) == []


def test_a_page_that_others_lead_to_stays() -> None:
    form = editing.add_page(editing.add_page(_form(field("one"))))
    form = editing.edit_page(form, "p1", {"en": "", "fr": ""}, [({"all": []}, "p3")])
    with pytest.raises(Conflict):
        editing.remove_page(form, "p3")
    with pytest.raises(Conflict):
        editing.remove_page(form, "p1")
    assert [page.id for page in editing.remove_page(form, "p2").pages] == ["p1", "p3"]
