"""The landing page: what a prospect sees first."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.journal import counters
from leadgen.web.public import landing
from tests.conftest import Clock
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, fields_of, text_of


def _change(app: Flask, scene: Scene, **values: object) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        for name, value in values.items():
            setattr(campaign, name, value)
        campaign.version += 1
        db.session.commit()
    cards.forget()


def test_it_shows_promise_prizes_steps_questions_and_organiser(visitor: Visitor, scene: Scene) -> None:
    words = text_of(visitor.get("/c/island?lang=en"))
    for part in (
        "Win a week in Lisbon",
        "Prizes worth €3,000",
        "A week in Lisbon 2",
        "worth €1,500",
        "How it works",
        "Is it free?",
        "Escales SAS",
        "12 quai des Brumes, 13002 Marseille, France",
        "Free, no purchase",
        "we send you a mail",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "fr-CA,fr;q=0.8,en;q=0.5", "fr"),
        ("", "de,en;q=0.7,fr;q=0.3", "en"),
        ("?lang=en", "fr", "en"),
        ("?lang=xx", "fr", "fr"),
        ("", "", "fr"),
        ("", "en;q=x,fr;q=0.1", "fr"),
    ],
)
def test_it_speaks_the_visitors_language(
    visitor: Visitor, scene: Scene, query: str, accepted: str, language: str
) -> None:
    """Rule 12: the friend's language follows the friend's browser; else the campaign's own."""
    answer = visitor.get(f"/c/island{query}", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.text
    assert ("Gagnez" in answer.text) is (language == "fr")


def test_it_sets_no_cookie_and_loads_nothing_from_elsewhere(visitor: Visitor, scene: Scene) -> None:
    """Rule 11."""
    answer = visitor.get("/c/island")
    assert "Set-Cookie" not in answer.headers
    loaded = re.findall(r'<(?:img|script|link rel="stylesheet")[^>]+(?:src|href)="([^"]+)"', answer.text)
    assert loaded
    assert [address for address in loaded if not address.startswith("/")] == []


def test_marketing_is_never_ticked_and_never_needed(visitor: Visitor, scene: Scene) -> None:
    """Rule 1."""
    page = visitor.get("/c/island").text
    boxes = re.findall(r'<input[^>]*type="checkbox"[^>]*>', page)
    assert len(boxes) == 2
    assert not any("checked" in box for box in boxes)
    assert [box for box in boxes if "required" in box and "consent_marketing" in box] == []


def test_it_carries_complete_tags_for_previews(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get("/c/island?lang=fr").text
    tags = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)"', page))
    assert tags["og:title"] == "Gagnez une semaine à Lisbonne"
    assert tags["og:locale"] == "fr_FR"
    assert tags["twitter:card"] == "summary_large_image"
    for name in ("og:url", "og:image", "twitter:image"):
        assert tags[name].startswith("http://localhost/"), name
    picture = visitor.get(tags["og:image"].removeprefix("http://localhost"))
    assert picture.mimetype == "image/png"
    assert 'rel="canonical" href="http://localhost/c/island"' in page
    assert set(re.findall(r'hreflang="([a-z-]+)" href="http', page)) == {"en", "fr", "x-default"}


def test_the_page_is_light(visitor: Visitor, scene: Scene) -> None:
    """At most 60 kB before pictures."""
    page = visitor.get("/c/island")
    own = re.findall(r'(?:href|src)="(/(?:static|theme)/[^"]+\.(?:css|js)[^"]*)"', page.text)
    assert len(own) == 5
    weight = len(page.data)
    for address in own:
        with visitor.get(address) as answer:
            weight += len(answer.data)
    assert weight < 60_000


def test_a_cached_view_asks_the_database_for_nothing(
    visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even for a referred visitor: the card and the inviter are remembered."""
    went_on = visitor.get(f"/r/{scene.code}?ch=wa")
    visitor.get(went_on.location)
    monkeypatch.setattr(hot, "_line", lambda: pytest.fail("the database was asked"))
    monkeypatch.setattr(counters, "flush", lambda: None)
    page = visitor.get(went_on.location)
    assert "Ben" in page.text


def test_it_is_rendered_once_for_a_version(visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fields_of(visitor.get("/c/island"))
    monkeypatch.setattr(landing, "render_template", lambda *_a, **_k: pytest.fail("rendered again"))
    visitor.clock.forward(seconds=1)
    second = fields_of(visitor.get("/c/island"))
    assert first["csrf_token"] != second["csrf_token"]


def test_an_edit_shows_at_once(app: Flask, visitor: Visitor, scene: Scene) -> None:
    visitor.get("/c/island?lang=en")
    with app.app_context():
        texts = db.session.get_one(Campaign, scene.campaign_id).texts
    _change(app, scene, texts=texts | {"en": texts["en"] | {"title": "Win a month in Lisbon"}})
    assert "Win a month in Lisbon" in visitor.get("/c/island?lang=en").text


def test_words_of_the_marketer_are_escaped(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        texts = db.session.get_one(Campaign, scene.campaign_id).texts
    nasty = '<script>alert("x")</script>'
    faq = [{"question": nasty, "answer": nasty}]
    _change(app, scene, texts=texts | {"en": texts["en"] | {"title": nasty, "lead": nasty, "story": nasty, "faq": faq}})
    assert "<script>alert" not in visitor.get("/c/island?lang=en").text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": CampaignStatus.SCHEDULED, "starts_in": 2}, "Not open yet"),
        ({"status": CampaignStatus.PAUSED}, "A short pause"),
        ({"status": CampaignStatus.CLOSING, "ends_in": -0.1}, "Entries are closed"),
        ({"status": CampaignStatus.LIVE, "ends_in": -0.1}, "Entries are closed"),
        ({"status": CampaignStatus.CLOSED, "ends_in": -9}, "The contest is over"),
        ({"status": CampaignStatus.AWARDED, "ends_in": -9}, "The contest is over"),
    ],
)
def test_each_stage_has_its_page_and_no_form(
    app: Flask, visitor: Visitor, scene: Scene, values: dict[str, object], said: str
) -> None:
    """F1: requests never trust the job alone; the clock decides too."""
    now = product_clock.now()
    days = {"starts_at": values.pop("starts_in", None), "ends_at": values.pop("ends_in", None)}
    moments = {name: now + timedelta(days=float(number)) for name, number in days.items() if number is not None}  # type: ignore[arg-type]
    _change(app, scene, **values, **moments)
    page = visitor.get("/c/island?lang=en")
    assert page.status_code == 200
    assert said in text_of(page)
    assert "csrf_token" not in page.text


def test_a_scheduled_campaign_opens_by_the_clock(app: Flask, visitor: Visitor, scene: Scene, clock: Clock) -> None:
    _change(app, scene, status=CampaignStatus.SCHEDULED, starts_at=product_clock.now() + timedelta(hours=1))
    assert "csrf_token" not in visitor.get("/c/island").text
    clock.forward(hours=1)
    assert "csrf_token" in visitor.get("/c/island").text


def test_drafts_and_unknown_campaigns_are_not_there(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _change(app, scene, status=CampaignStatus.DRAFT)
    assert visitor.get("/c/island").status_code == 404
    assert visitor.get("/c/elsewhere").status_code == 404


def test_views_are_counted(visitor: Visitor, scene: Scene) -> None:
    went_on = visitor.get(f"/r/{scene.code}?ch=wa")
    visitor.get(went_on.location)
    visitor.get("/c/island")
    counters.flush()
    found = {
        (row["name"], row["channel"]): row["number"]
        for row in hot.many("SELECT name, channel, number FROM counter", {})
    }
    assert found == {("view", ""): 1, ("view", "wa"): 1, ("ref_visit", "wa"): 1}


@pytest.mark.parametrize("referrer", ["http://[::1", "https://[x]/", "http://a]b/", "//["])
def test_a_referrer_that_is_no_address_is_none(visitor: Visitor, scene: Scene, referrer: str) -> None:
    page = visitor.get("/c/island", headers={"Referer": referrer})
    assert page.status_code == 200
    assert 'name="from"' not in page.text


STEPS = {
    ("draw",): ("you are in the draw", "vous êtes dans le tirage"),
    ("rank",): ("Climb the ranks", "Grimpez au classement"),
    ("milestones",): ("Earn the reward", "Obtenez la récompense"),
    ("waitlist",): ("Each friend who confirms moves you forward.", "Chaque ami qui confirme vous fait avancer."),
    ("codes", "milestones"): ("what is yours stands on your page", "ce qui vous revient s’affiche"),
    ("quiz", "draw"): ("Then play the quiz", "Jouez ensuite au quiz"),
    ("votes",): ("Hand in your work", "Récoltez des votes"),
}


@pytest.mark.parametrize("mechanics", STEPS)
def test_how_it_works_is_told_for_each_kind_of_contest(
    app: Flask, visitor: Visitor, scene: Scene, mechanics: tuple[str, ...]
) -> None:
    """Three steps of its own, in both languages; a waiting list is no draw and a quiz is played."""
    _change(app, scene, mechanics=list(mechanics))
    told = {code: visitor.get(f"/c/island?lang={code}").text for code in ("en", "fr")}
    steps = {code: re.findall(r'(?s)<ol class="steps">.*?</ol>', html)[0] for code, html in told.items()}

    assert [html.count("<li>") for html in steps.values()] == [3, 3]
    assert any(words in steps["en"] for words in STEPS[mechanics])
    assert any(words in steps["fr"] for words in STEPS[mechanics])
    assert ("chance" in steps["en"]) is (mechanics == ("draw",))


def test_a_friend_who_brings_nothing_is_not_counted_in_points(app: Flask, visitor: Visitor, scene: Scene) -> None:
    _change(app, scene, referral_points=0)
    assert "0 points" not in text_of(visitor.get("/c/island?lang=en"))
    _change(app, scene, referral_points=1)
    assert "brings you 1 point." in text_of(visitor.get("/c/island?lang=en"))


FOREIGN_TO_A_LIST = {
    "en": r"\b(contest|entries|winners?|win|points?)\b",
    "fr": r"\b(jeu|concours|lots?|gagn\w+|points?)\b",
}


@pytest.mark.parametrize("locale", FOREIGN_TO_A_LIST)
@pytest.mark.parametrize("status", [CampaignStatus.PAUSED, CampaignStatus.CLOSING, CampaignStatus.CLOSED])
def test_a_waiting_list_that_takes_nobody_speaks_of_no_contest(
    app: Flask, visitor: Visitor, scene: Scene, status: CampaignStatus, locale: str
) -> None:
    _change(app, scene, mechanics=["waitlist"], status=status)
    page = visitor.get(f"/c/island?lang={locale}").text
    state = re.findall(r'(?s)<div class="card state">.*?</div>', page)[0]
    [preview] = re.findall(r'<meta property="og:description" content="([^"]*)"', page)
    found = re.findall(FOREIGN_TO_A_LIST[locale], re.sub(r"<[^>]+>", " ", state) + preview, re.IGNORECASE)
    assert found == []


@pytest.mark.parametrize("locale", FOREIGN_TO_A_LIST)
def test_the_privacy_page_of_a_waiting_list_speaks_of_no_contest(
    app: Flask, visitor: Visitor, scene: Scene, locale: str
) -> None:
    _change(app, scene, mechanics=["waitlist"])
    prose = re.findall(r'(?s)<div class="prose">.*', visitor.get(f"/c/island/privacy?lang={locale}").text)[0]
    words = re.sub(r"<[^>]+>", " ", prose.partition("</article>")[0])
    assert re.findall(FOREIGN_TO_A_LIST[locale].replace("entries|", ""), words, re.IGNORECASE) == []
    assert ("your place in the list" in words) is (locale == "en")
