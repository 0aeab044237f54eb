"""What a person may download: all that is held about them, in every contest of the brand."""

from __future__ import annotations

import json

import pytest

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import evidence
from leadgen.contacts import service as contacts
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import confirming, entering, held, person
from leadgen.entries.models import Entry
from tests.entries.conftest import filled
from tests.factories import make_answer, make_campaign, make_click, make_message


def enter(card: CampaignCard, **values: object) -> Entry:
    entry_id = entering.enter(card, filled("anna@mail.example", **values)).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    return db.session.get_one(Entry, entry_id)


def test_the_whole_person_is_in_it(card: CampaignCard, campaign: Campaign) -> None:
    second = make_campaign(db.session.get_one(Brand, campaign.brand_id), questions=1)
    first_entry = enter(card, wants_marketing=True, source={"utm_source": "radio"})
    second_entry = enter(cards.by_id(second.id))
    assert first_entry.contact_id == second_entry.contact_id
    make_answer(second_entry, second.questions[0])
    make_click(make_message(first_entry))
    contacts.unsubscribe(first_entry.contact_id, "one-click")
    evidence.seal()
    db.session.commit()

    second.texts = {"fr": {"title": "Un titre"}, "en": {"title": "A title"}}
    db.session.commit()

    found = held.data(first_entry.contact_id)
    language = found["language"]
    titles = [one.texts[language]["title"] for one in (campaign, second)]

    assert found["email"] == "anna@mail.example"
    assert found["is_subscribed"] is False
    assert [(one["contest"], one["status"]) for one in found["entries"]] == [
        (titles[0], "confirmed"),
        (titles[1], "confirmed"),
    ]
    assert found["entries"][0]["source"] == {"utm_source": "radio"}
    assert [line["kind"] for line in found["entries"][0]["ledger"]] == ["entry"]
    assert found["entries"][0]["points"] == card.entry_points
    assert [(one["contest"], one["value"]) for one in found["answers"]] == [(titles[1], "sea")]
    assert [(act["purpose"], act["action"]) for act in found["consents"]] == [
        ("rules", "given"),
        ("marketing", "given"),
        ("rules", "confirmed"),
        ("marketing", "confirmed"),
        ("rules", "given"),
        ("marketing", "refused"),
        ("rules", "confirmed"),
        ("marketing", "withdrawn"),
    ]
    assert all(act["seal"] for act in found["consents"])
    assert {mail["letter"] for mail in found["mails"]} == {"confirm", "welcome"}
    assert len(found["clicks"]) == 1
    assert [one["reason"] for one in found["not_written_to_because"]] == ["unsubscribe"]
    assert "entry.confirmed" in {one["name"] for one in found["events"]}
    assert json.loads(json.dumps(found)) == found


def test_nobody_else_is_in_it(card: CampaignCard) -> None:
    anna = enter(card)
    entering.enter(card, filled("zoe@mail.example", first_name="Zoe", referral_code=anna.code))
    assert "zoe" not in json.dumps(held.data(anna.contact_id)).lower()


def test_an_erased_person_has_none(card: CampaignCard) -> None:
    anna = enter(card)
    person.erase(anna.id)
    db.session.commit()
    with pytest.raises(NotFound):
        held.data(anna.contact_id)
