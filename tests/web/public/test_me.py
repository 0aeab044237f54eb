"""The person's page."""

import json
import re

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.contacts.models import Contact
from leadgen.core import hot, links
from leadgen.core.db import db
from leadgen.entries.models import Entry
from tests.conftest import Clock
from tests.factories import make_entry, make_question
from tests.factories_contest import make_sighting, make_signal, make_verdict, make_visit_tally
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, count, text_of


def _questions(app: Flask, scene: Scene) -> list[Question]:
    with app.app_context():
        return list(db.session.get_one(Campaign, scene.campaign_id).questions)


def test_it_shows_points_rank_link_and_friends(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(f"{scene.me}?lang=en")
    words = text_of(page)
    assert page.status_code == 200
    for part in ("Hello Ben", "1 point", "No. 1", "Each friend who confirms brings you 5 points.", "not confirmed yet"):
        assert part in words.replace("point 1", "1 point"), part
    assert f'value="http://localhost/r/{scene.code}"' in page.text
    assert "anna@" not in page.text
    assert "Anna" not in words, "a friend's name shows only once they confirmed"


def test_a_friend_who_confirms_counts_and_shows(visitor: Visitor, scene: Scene) -> None:
    visitor.post(scene.confirm)
    words = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert "Anna" in words
    assert "counted" in words
    assert re.search(r"points 6|6 points", words)


def test_each_network_gets_the_link_with_its_channel(visitor: Visitor, scene: Scene) -> None:
    """F12, and rule 7: only links that open the person's own apps."""
    page = visitor.get(f"{scene.me}?lang=en").text
    for channel in ("wa", "fb", "x", "li", "tg", "em", "sms"):
        assert f"%2Fr%2F{scene.code}%3Fch%3D{channel}" in page, channel
    assert f'data-copy="http://localhost/r/{scene.code}?ch=copy"' in page
    assert f'data-url="http://localhost/r/{scene.code}?ch=native"' in page
    assert "Ben%20thinks%20of%20you%3A%20win%20a%20week%20in%20Lisbon%201%20with%20me" in page


def test_first_visit_celebrates_and_asks_to_share(visitor: Visitor, scene: Scene) -> None:
    words = text_of(visitor.get(f"{scene.me}?new=1&lang=en"))
    assert "You are in, Ben" in words
    assert "Each friend who confirms brings you 5 points" in words


def test_one_question_at_a_time_and_not_now(app: Flask, visitor: Visitor, scene: Scene, clock: Clock) -> None:
    """F13: what is passed over comes again after a week, passed over twice after a month."""
    first, second = _questions(app, scene)
    page = visitor.get(f"{scene.me}?lang=en")
    assert "Question 1?" in page.text
    assert "Question 2?" not in page.text
    assert "about 12 seconds" in page.text
    for expected in ("Question 2?", "No question for you right now."):
        shown = first if expected.startswith("Question") else second
        assert visitor.post(f"{scene.me}/answers/{shown.id}/skip?lang=en").status_code == 303
        assert expected in visitor.get(f"{scene.me}?lang=en").text
    clock.forward(days=8)
    assert "Question 1?" in visitor.get(f"{scene.me}?lang=en").text
    visitor.post(f"{scene.me}/answers/{first.id}/skip")
    assert "Question 2?" in visitor.get(f"{scene.me}?lang=en").text


def test_an_answer_earns_its_points_once(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """F13: points once for each question of a person."""
    first, _second = _questions(app, scene)
    path = f"{scene.me}/answers/{first.id}"
    answer = visitor.post(path, {first.key: "sea"})
    assert answer.status_code == 303
    assert "earned=2" in answer.location
    assert "earned" not in visitor.post(path, {first.key: "city"}).location
    assert hot.one("SELECT value FROM answer", {}) == {"value": "city"}
    row = hot.one("SELECT sum(points) AS points FROM ledger WHERE entry_id = %(id)s", {"id": scene.ben_id})
    assert row == {"points": 3}


@pytest.mark.parametrize(
    ("kind", "right", "stored", "wrong"),
    [
        (QuestionKind.TEXT, "Because I like the sea", "Because I like the sea", ""),
        (QuestionKind.CHOICE, "sea", "sea", "moon"),
        (QuestionKind.NUMBER, "12", 12, "twelve"),
        (QuestionKind.DATE, "2027-05-01", "2027-05-01", "tomorrow"),
        (QuestionKind.YES_NO, "yes", True, "perhaps"),
    ],
)
def test_every_kind_of_answer_is_typed(
    app: Flask, visitor: Visitor, scene: Scene, kind: QuestionKind, right: str, stored: object, wrong: str
) -> None:
    with app.app_context():
        question = make_question(db.session.get_one(Campaign, scene.campaign_id), kind=kind, position=9)
        key, path = question.key, f"{scene.me}/answers/{question.id}?lang=en"
    cards.forget()
    page = visitor.post(path, {key: wrong})
    assert page.status_code == 400
    assert 'class="field-error" id="answer-error"' in page.text
    assert "Question 9?" in page.text
    [form] = re.findall(r'(?s)<section class="card question".*?</section>', page.text)
    assert 'aria-invalid="true"' in form
    assert 'aria-describedby="answer-error' in form
    assert form.count(" autofocus") == 1, "the first thing to mend has the focus, also without a script"
    assert not re.search(r"aria-invalid|autofocus", visitor.get(f"{scene.me}?lang=en").text)
    assert visitor.post(path, {key: right}).status_code == 303
    assert hot.one("SELECT value FROM answer", {}) == {"value": stored}


def test_many_options_can_be_chosen(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        question = make_question(db.session.get_one(Campaign, scene.campaign_id), kind=QuestionKind.MANY, position=9)
        key, path = question.key, f"{scene.me}/answers/{question.id}"
    cards.forget()
    assert visitor.client.post(path, data={key: ["sea", "city"]}).status_code == 303
    assert hot.one("SELECT value FROM answer", {}) == {"value": ["city", "sea"]}


def test_another_campaigns_question_is_not_there(visitor: Visitor, scene: Scene) -> None:
    assert visitor.post(f"{scene.me}/answers/999999", {"x": "y"}).status_code == 404


def test_consent_is_taken_back_and_given_with_one_press(visitor: Visitor, scene: Scene) -> None:
    """Rule 1: refusing is as easy and as visible as accepting."""
    assert "Stop news and offers" in visitor.get(f"{scene.me}?lang=en").text
    assert "done=withdrawn" in visitor.post(f"{scene.me}/consent", {"marketing": "withdraw"}).location
    row = hot.one("SELECT marketing_at FROM contact WHERE id = %(id)s", {"id": scene.contact_id})
    assert row == {"marketing_at": None}
    assert "Receive news and offers" in visitor.get(f"{scene.me}?lang=en").text
    visitor.post(f"{scene.me}/consent?lang=en", {"marketing": "give"})
    row = hot.one("SELECT action, evidence FROM consent ORDER BY id DESC LIMIT 1", {})
    assert row is not None
    assert row["action"] == "given"
    assert row["evidence"]["wording"] == "I would like to receive offers by e-mail."


def test_everything_held_can_be_downloaded(visitor: Visitor, scene: Scene) -> None:
    """Rule 10."""
    answer = visitor.get(f"{scene.me}/data.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.data)["email"] == "ben@mail.example"
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_checks_and_visits_hold_can_be_downloaded_too(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """Rule 10."""
    with app.app_context():
        ben = db.session.get_one(Entry, scene.ben_id)
        ben.display_name = "Benji"
        make_sighting(ben, device="cookie", landing_host="radio.example")
        make_signal(ben, "same_device", points=60)
        make_verdict(ben, score=60)
        make_visit_tally(ben)
        db.session.commit()
    held = json.loads(visitor.get(f"{scene.me}/data.json").data)
    entry = held["entries"][0]
    assert (entry["display_name"], entry["referral_state"], entry["review"]) == ("Benji", "none", "clear")
    assert {"kind", "points", "chances", "proof", "at"} <= set(entry["ledger"][0])
    assert (held["how_you_came"][0]["device"], held["how_you_came"][0]["landing_host"]) == ("cookie", "radio.example")
    assert held["checks"][0]["score"] == 60
    assert held["checks"][0]["reasons"] == [{"reason": "same_device", "points": 60}]
    assert [(one["opened_by"], one["number"]) for one in held["openings_of_your_links"]] == [("human", 1)]


@pytest.mark.parametrize(("locale", "title"), [("fr", "Une croisière"), ("en", "A cruise")])
def test_the_file_calls_a_contest_as_the_public_does(
    app: Flask, visitor: Visitor, scene: Scene, locale: str, title: str
) -> None:
    """The studio's own name for a campaign is promised never to be seen by the public."""
    with app.app_context():
        ben = db.session.get_one(Entry, scene.ben_id)
        campaign = db.session.get_one(Campaign, ben.campaign_id)
        campaign.name = "Operation cheap leads"
        for code, word in (("fr", "Une croisière"), ("en", "A cruise")):
            campaign.texts = campaign.texts | {code: campaign.texts.get(code, {}) | {"title": word}}
        db.session.get_one(Contact, ben.contact_id).locale = locale
        make_sighting(ben)
        make_visit_tally(ben)
        db.session.commit()
    answer = visitor.get(f"{scene.me}/data.json")
    assert "Operation" not in answer.get_data(as_text=True)
    held = json.loads(answer.data)
    for part in ("entries", "how_you_came", "checks", "openings_of_your_links"):
        assert {one["contest"] for one in held[part]} == {title}, part


def test_erasure_asks_for_a_word_and_then_forgets(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(f"{scene.me}/erase?lang=en")
    assert "This cannot be undone" in page.text
    wrong = visitor.post(f"{scene.me}/erase?lang=en", {"word": "ok"})
    assert wrong.status_code == 400
    assert "Type the word exactly as it is shown." in wrong.text
    done = visitor.post(f"{scene.me}/erase?lang=en", {"word": " Erase "})
    assert "Your data is erased" in done.text
    assert hot.one("SELECT email FROM contact WHERE id = %(id)s", {"id": scene.contact_id}) == {"email": None}
    assert visitor.get(scene.me).status_code == 410
    assert visitor.get(f"/r/{scene.code}").status_code in {302, 404}


def test_the_french_word_erases_too(visitor: Visitor, scene: Scene) -> None:
    assert "Vos données sont effacées" in visitor.post(f"{scene.me}/erase?lang=fr", {"word": "effacer"}).text


def test_an_old_link_offers_a_new_one_by_mail(visitor: Visitor, scene: Scene) -> None:
    """F2: links of the page are good for 30 days."""
    visitor.clock.forward(days=31)
    page = visitor.get(f"{scene.me}?lang=en")
    assert page.status_code == 410
    assert "This link is too old" in page.text
    assert "Ben" not in page.text
    assert "a new one is on its way to its owner" in visitor.post(f"{scene.me}/link?lang=en").text
    assert hot.one("SELECT letter FROM message", {}) == {"letter": "page_link"}


def test_a_revoked_link_is_old(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        link = links.status(scene.ben_id, 99).removeprefix("http://localhost")
    assert visitor.get(link).status_code == 410
    assert visitor.post(f"{link}/consent", {"marketing": "withdraw"}).status_code == 410


@pytest.mark.parametrize("tail", ["", "/data.json", "/erase", "/x.css"])
def test_made_up_links_open_nothing(visitor: Visitor, scene: Scene, tail: str) -> None:
    assert visitor.get(f"/me/made-up{tail}").status_code == 404


def test_a_page_cannot_be_dressed_up_as_a_style_sheet(visitor: Visitor, scene: Scene) -> None:
    """ASVS 14.2.5: no cache deception."""
    assert visitor.get(f"{scene.me}/x.css").status_code == 404


def test_it_is_kept_nowhere(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(scene.me)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in page.headers


def test_looking_changes_nothing(visitor: Visitor, scene: Scene) -> None:
    """Rule 2."""
    before = [count(table) for table in ("fact", "ledger", "message", "consent")]
    for path in (scene.me, f"{scene.me}/erase", f"{scene.me}/data.json", f"{scene.me}?new=1"):
        visitor.get(path)
    assert [count(table) for table in ("fact", "ledger", "message", "consent")] == before


def test_a_waiting_person_earns_nothing_yet(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """Rule 3."""
    with app.app_context():
        link = links.status(scene.anna_id, 1).removeprefix("http://localhost")
    page = visitor.get(f"{link}?lang=en")
    assert page.status_code == 200
    assert 'id="question"' not in page.text
    first, _second = _questions(app, scene)
    assert visitor.post(f"{link}/answers/{first.id}", {first.key: "sea"}).status_code == 404


def test_the_kept_share_kit_gives_everybody_their_own_name_and_link(app: Flask, visitor: Visitor, scene: Scene) -> None:
    visitor.get(f"{scene.me}?lang=en")
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        names = ("Zoé-Lou", "http://evil", "O'Neil")
        people = [make_entry(campaign, confirmed=True, first_name=name) for name in names]
        pages = {one.code: links.status(one.id, 1).removeprefix("http://localhost") for one in people}
    for code, path in pages.items():
        page = visitor.get(f"{path}?lang=en").text
        assert page.count(scene.code) == 0
        assert page.count(f"%2Fr%2F{code}%3Fch%3D") == 7
        assert "Ben" not in page
    pages_text = [visitor.get(f"{path}?lang=en").text for path in pages.values()]
    assert "Zo%C3%A9-Lou%20thinks%20of%20you" in pages_text[0]
    assert "evil" not in pages_text[1]
    assert "O%27Neil%20thinks%20of%20you" in pages_text[2]


@pytest.mark.parametrize(("mechanics", "is_ranked"), [(["rank"], True), (["votes"], False), (["codes"], False)])
def test_a_rank_is_shown_only_where_points_decide(
    app: Flask, visitor: Visitor, scene: Scene, mechanics: list[str], *, is_ranked: bool
) -> None:
    """Votes decide a photo contest and codes are for everybody: “No. 3” would only confuse."""
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).mechanics = mechanics
        db.session.commit()
    cards.forget()
    words = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert ("No. 1" in words) is is_ranked
    assert "left." in words
