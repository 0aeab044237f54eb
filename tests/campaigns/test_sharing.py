"""What people share a contest with."""

from __future__ import annotations

import pytest

from leadgen.campaigns import cards, sharing
from leadgen.campaigns.models import Campaign
from leadgen.campaigns.sharing import Values
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from tests.factories import make_campaign

_BEN = Values("Ben", "https://x.example/r/BEN?ch=wa", "3 days")


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


def _said(campaign: Campaign, key: str, locale: str = "en", values: Values = _BEN) -> str:
    db.session.commit()
    cards.forget()
    return sharing.message(cards.by_id(campaign.id), key, locale, values)


def test_f12_a_text_for_each_language_and_channel(campaign: Campaign) -> None:
    sharing.edit_shares(campaign, "en", {"wa": "{first_name} says: {prize}! {link} Only {days_left} left."})
    sharing.edit_shares(campaign, "fr", {"wa": "Viens : {link}"})
    assert _said(campaign, "wa") == "Ben says: A week in Lisbon 1! https://x.example/r/BEN?ch=wa Only 3 days left."
    assert _said(campaign, "wa", "fr") == "Viens : https://x.example/r/BEN?ch=wa"


def test_what_is_not_written_falls_back_to_the_sharing_text(campaign: Campaign) -> None:
    assert _said(campaign, "sms") == "Ben thinks of you: win a week in Lisbon 1 with me: https://x.example/r/BEN?ch=wa"
    assert _said(campaign, "em_subject") == "Win a week in Lisbon"


def test_networks_that_add_the_link_themselves_get_the_text_without_it(campaign: Campaign) -> None:
    assert _said(campaign, "x") == "Ben thinks of you: win a week in Lisbon 1 with me"
    sharing.edit_shares(campaign, "en", {"tg": "Look {link} here", "copy": "Without a link"})
    assert _said(campaign, "tg") == "Look here"
    assert _said(campaign, "copy") == "Without a link https://x.example/r/BEN?ch=wa", "else nobody would find the way"


def test_paragraphs_of_a_mail_stay(campaign: Campaign) -> None:
    sharing.edit_shares(campaign, "en", {"em": "Hi,\r\n\r\nI am in: {link}\n\n{first_name}"})
    assert _said(campaign, "em") == "Hi,\n\nI am in: https://x.example/r/BEN?ch=wa\n\nBen"


def test_nobody_without_a_name_is_called_by_braces(campaign: Campaign) -> None:
    assert _said(campaign, "sms", values=Values("", "https://x.example/r/B")).startswith("thinks of you")


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("x", "x" * 257, "256"),  # X counts any link as 23 and the blank before it
        ("sms", "x" * 301, "300"),
        ("wa", "Come, {name}", "{name}"),
        ("em_subject", "one\ntwo", "one line"),
        ("fax", "Hello", "no such text"),
    ],
)
def test_what_a_network_would_cut_or_nobody_can_fill_in_is_refused(
    campaign: Campaign, key: str, text: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        sharing.edit_shares(campaign, "en", {key: text})
    assert refused.value.field == key


def test_an_empty_text_is_the_default_again(campaign: Campaign) -> None:
    sharing.edit_shares(campaign, "en", {"wa": "Mine {link}"})
    sharing.edit_shares(campaign, "en", {"wa": " "})
    assert campaign.shares == {}
    with pytest.raises(Invalid):
        sharing.edit_shares(campaign, "de", {"wa": "Hallo"})


def test_a_new_text_is_no_new_version_of_the_rules(campaign: Campaign) -> None:
    sharing.edit_shares(campaign, "en", {"wa": "Yours {link}"})
    before = (campaign.version, campaign.rules_version)
    sharing.edit_shares(campaign, "en", {"wa": "Mine {link}"})
    assert (campaign.version, campaign.rules_version) == (before[0] + 1, before[1])


def test_points_for_visits_are_a_new_line_of_the_rules(campaign: Campaign) -> None:
    assert campaign.visit_points == 0, "off by default (F4)"
    before = campaign.rules_version
    sharing.edit_visit_points(campaign, 2)
    assert (campaign.visit_points, campaign.rules_version) == (2, before + 1)
    with pytest.raises(Invalid):
        sharing.edit_visit_points(campaign, -1)


@pytest.mark.parametrize("title", ["", "Our grand prize"])
def test_nobody_speaks_of_a_prize_that_has_no_name(campaign: Campaign, title: str) -> None:
    """Neither the sharing text nor a text of a network: until then people say that they take part."""
    sharing.edit_shares(campaign, "en", {"wa": "Win {prize}: {link}", "em_subject": "{prize} for you"})
    campaign.prizes[0].texts = {"en": {"title": title}, "fr": {"title": "Une croisière"}}
    brand = cards.by_id(campaign.id).brand.name

    said = f"I take part with {brand}. It is free, join me: https://x.example/r/BEN?ch=wa"
    assert _said(campaign, "sms") == said
    assert _said(campaign, "wa") == said
    assert _said(campaign, "em_subject") == "Win a week in Lisbon"
    assert _said(campaign, "sms", "fr").startswith("Ben pense à vous : gagnez une croisière")

    campaign.prizes[0].texts = {"en": {"title": "A cruise"}}
    assert _said(campaign, "wa") == "Win a cruise: https://x.example/r/BEN?ch=wa"
