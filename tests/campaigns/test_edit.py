"""Editing texts, picture, dates, points and eligibility."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards, rules
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.campaigns.service import CampaignDates
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from tests.factories import fresh, make_campaign


def _dates(campaign: Campaign, *, later: int = 0, timezone: str = "Europe/Paris") -> CampaignDates:
    ends_at = campaign.ends_at + timedelta(days=later)
    return CampaignDates(starts_at=campaign.starts_at, ends_at=ends_at, timezone=timezone)


MATERIAL: list[Callable[[Campaign], None]] = [
    lambda c: campaigns.edit_dates(c, _dates(c, later=7)),
    lambda c: campaigns.edit_points(c, entry_points=2, referral_points=5),
    lambda c: campaigns.edit_eligibility(c, countries=["FR", "LU"], minimum_age=18),
    lambda c: campaigns.ask(c, []),
    lambda c: campaigns.edit_texts(c, "en", {"rules": "Our own rules."}),
]


def test_texts_are_replaced_one_by_one_and_the_page_shows_them_at_once(draft: Campaign) -> None:
    lead = draft.texts["en"]["lead"]
    version = draft.version
    cards.by_id(draft.id)

    campaigns.edit_texts(draft, "en", {"title": "  Win a boat\r\n"})
    db.session.commit()
    cards.forget()

    assert draft.texts["en"]["title"] == "Win a boat"
    assert draft.texts["en"]["lead"] == lead
    assert draft.version == version + 1
    assert cards.by_id(draft.id).text("title", "en") == "Win a boat"


def test_an_edit_that_changes_nothing_leaves_no_trace(published: Campaign) -> None:
    version = published.version

    campaigns.edit_texts(published, "en", {key: published.texts["en"][key] for key in ("title", "faq", "rules")})
    campaigns.edit_dates(published, _dates(published))

    assert (published.version, published.rules_version) == (version, 1)


@pytest.mark.parametrize("change", MATERIAL)
def test_after_publication_a_material_change_makes_a_version_of_the_rules(
    published: Campaign, change: Callable[[Campaign], None]
) -> None:
    """F1 and F14: dates, prizes, points, eligibility create a rules version and a public change line."""
    change(published)
    db.session.commit()

    newest, first = rules.versions(published.id)
    assert (newest.number, published.rules_version) == (2, 2)
    assert newest.sha256 != first.sha256
    assert [set(line) for line in newest.changes] == [{"en", "fr"}]
    assert all(newest.changes[0].values())
    assert newest.snapshot["rules"]["en"] == published.texts["en"]["rules"]
    assert db.session.scalars(select(Fact.data).filter_by(name=FactName.CAMPAIGN_CHANGED.value)).one() == {"rules": 2}


@pytest.mark.parametrize("change", MATERIAL)
def test_a_draft_has_no_versions_of_its_rules(draft: Campaign, change: Callable[[Campaign], None]) -> None:
    change(draft)

    assert rules.versions(draft.id) == []


def test_content_is_edited_freely_after_publication(published: Campaign) -> None:
    """F1: content freely."""
    campaigns.edit_texts(published, "fr", {"lead": "Un bateau pour vous.", "faq": []})
    campaigns.edit_picture(published, "prize-train")

    assert published.rules_version == 1


def test_the_public_rules_never_change_without_a_version(published: Campaign) -> None:
    """The rules quote the title and name the organiser: whoever changes those changes the rules."""
    campaigns.edit_texts(published, "fr", {"title": "Gagnez un bateau"})
    assert published.rules_version == 2

    db.session.get_one(Brand, published.brand_id).legal_name = "Cap Nord SAS"
    campaigns.edit_picture(published, "prize-train")
    assert published.rules_version == 3
    newest = rules.versions(published.id)[0]
    assert newest.changes == [
        {"en": "The wording of the rules has changed.", "fr": "La rédaction du règlement a changé."}
    ]
    assert "Cap Nord SAS" in newest.snapshot["rules"]["fr"]


def test_rules_given_back_with_their_placeholders_make_no_version(published: Campaign) -> None:
    campaigns.edit_texts(published, "en", {"rules": rules.standard("en").replace("\n", "\r\n")})

    assert published.rules_version == 1


def test_the_rules_tell_the_new_dates(draft: Campaign) -> None:
    campaigns.edit_dates(draft, _dates(draft, later=400))

    with i18n.speaking("fr"):
        assert i18n.format_date(draft.ends_at, "Europe/Paris") in draft.texts["fr"]["rules"]


def test_own_rules_keep_their_placeholders_filled(draft: Campaign) -> None:
    campaigns.edit_texts(draft, "en", {"rules": "It ends on {ends}. Write to {contact}."})
    before = draft.texts["en"]["rules"]
    campaigns.edit_dates(draft, _dates(draft, later=400))

    assert draft.texts["en"]["rules"] != before
    assert "{" not in draft.texts["en"]["rules"]
    assert "Write to" in draft.texts["en"]["rules"]


def test_the_standard_rules_come_back(draft: Campaign) -> None:
    standard = draft.texts["en"]["rules"]
    campaigns.edit_texts(draft, "en", {"rules": "Ours."})

    campaigns.edit_texts(draft, "en", {"rules": rules.standard("en")})

    assert draft.texts["en"]["rules"] == standard


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"title": "x" * 91}, "title"),
        ({"share_text": "x" * 281}, "share_text"),
        ({"nonsense": "x"}, "nonsense"),
        ({"faq": [{"question": "Why?", "answer": ""}]}, "faq"),
        ({"faq": [{"question": "Why?", "answer": "So."}] * 21}, "faq"),
    ],
)
def test_texts_that_are_refused(draft: Campaign, texts: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_texts(draft, "en", texts)
    assert refused.value.field == field


def test_a_language_that_the_product_does_not_speak(draft: Campaign) -> None:
    with pytest.raises(Invalid):
        campaigns.edit_texts(draft, "de", {"title": "Gewinnen"})


def test_errors_are_sentences_in_the_current_language(draft: Campaign) -> None:
    with i18n.speaking("fr"), pytest.raises(Invalid, match="Utilisez 90 caractères au plus"):
        campaigns.edit_texts(draft, "en", {"title": "x" * 91})


def test_a_picture_is_a_name_and_nothing_else(draft: Campaign) -> None:
    campaigns.edit_picture(draft, "")
    for hostile in ("../secret", "https://elsewhere.example/x", "a b"):
        with pytest.raises(Invalid):
            campaigns.edit_picture(draft, hostile)


def test_the_end_comes_after_the_start(draft: Campaign) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_dates(draft, _dates(draft, later=-40))
    assert refused.value.field == "ends_at"


def test_the_time_zone_exists(draft: Campaign) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_dates(draft, _dates(draft, timezone="Europe/Nowhere"))
    assert refused.value.field == "timezone"


@pytest.mark.usefixtures("context")
def test_a_contest_that_has_begun_keeps_its_start_and_cannot_end_in_the_past() -> None:
    live = make_campaign(status=CampaignStatus.LIVE)
    now = clock.now()
    moved = CampaignDates(starts_at=now, ends_at=live.ends_at, timezone=live.timezone)
    with pytest.raises(Invalid) as refused:
        campaigns.edit_dates(live, moved)
    assert refused.value.field == "starts_at"

    over = CampaignDates(starts_at=live.starts_at, ends_at=now - timedelta(minutes=1), timezone=live.timezone)
    with pytest.raises(Invalid) as refused:
        campaigns.edit_dates(live, over)
    assert refused.value.field == "ends_at"


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("status", ["closed", "drawing", "awarded", "archived"])
def test_what_people_entered_for_does_not_change_after_the_end(status: str) -> None:
    campaign = make_campaign(status=CampaignStatus(status))

    for change in MATERIAL[:3]:
        with pytest.raises(Conflict):
            change(campaign)


@pytest.mark.parametrize("points", [-1, 1001])
def test_points_out_of_bounds(draft: Campaign, points: int) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.edit_points(draft, entry_points=1, referral_points=points)
    assert refused.value.field == "referral_points"


def test_eligibility_knows_countries_and_ages(draft: Campaign) -> None:
    campaigns.edit_eligibility(draft, countries=["fr", " LU ", "FR"], minimum_age=16)

    assert draft.countries == ["FR", "LU"]
    assert "France, Luxembourg" in draft.texts["en"]["rules"]
    for countries, age, field in (
        (["XX"], 18, "countries"),
        (["France"], 18, "countries"),
        (["FR"], 12, "minimum_age"),
    ):
        with pytest.raises(Invalid) as refused:
            campaigns.edit_eligibility(draft, countries=countries, minimum_age=age)
        assert refused.value.field == field


def test_the_address_stays_once_it_is_public(draft: Campaign) -> None:
    campaigns.edit_slug(draft, "brand-new")
    assert draft.slug == "brand-new"

    campaigns.publish(draft)
    with pytest.raises(Conflict):
        campaigns.edit_slug(draft, "newer")


def test_name_and_reminder(draft: Campaign) -> None:
    campaigns.edit_name(draft, " Winter ")
    campaigns.edit_reminder(draft, is_reminding=False)

    assert (draft.name, draft.is_reminding) == ("Winter", False)


def test_two_people_who_edit_at_once_both_keep_their_words(app: Flask, draft: Campaign) -> None:
    start = Barrier(2)
    campaign_id = draft.id

    def write(locale: str) -> None:
        with app.app_context():
            mine = db.session.get_one(Campaign, campaign_id)
            assert mine.texts
            start.wait()
            campaigns.edit_texts(mine, locale, {"title": f"Title in {locale}"})
            db.session.commit()

    with ThreadPoolExecutor(2) as pool:
        for written in [pool.submit(write, locale) for locale in ("en", "fr")]:
            written.result()

    texts = fresh(draft).texts
    assert [texts[locale]["title"] for locale in ("en", "fr")] == ["Title in en", "Title in fr"]


def test_one_of_a_thing_is_told_in_the_singular(draft: Campaign) -> None:
    """In the rules and in the public lines of changes, in both languages."""
    draft.hold_hours, draft.cap_per_day, draft.cap_total, draft.stay_points, draft.stay_days = 1, 1, 1, 1, 1
    campaigns.edit_points(draft, entry_points=1, referral_points=1)
    english, french = (draft.texts[code]["rules"] for code in ("en", "fr"))

    for told in (
        "1 hour after",
        "At most 1 friend a day counts",
        "At most 1 friend in all counts",
        "after 1 day brings",
    ):
        assert told in english
    assert not re.search(r"\b1 (heures|amis|jours|points)", french)
    assert not re.search(r"\b1 (hours|friends|days|points)", english)
