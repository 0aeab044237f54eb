"""Sending the entry form."""

import re
from dataclasses import replace

import psycopg
import pytest
from flask import Flask

from leadgen.core import hot, tokens
from leadgen.core.db import db
from leadgen.core.settings import Environment, Settings
from leadgen.core.tokens import Purpose
from leadgen.entries import entering
from leadgen.fraud import service as fraud
from leadgen.fraud import sightings
from tests.conftest import Clock
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, count, fields_of, payload, text_of, value_of


def _entry(email: str) -> dict[str, object]:
    row = hot.one(
        """SELECT e.*, c.first_name, c.timezone, c.email FROM entry e JOIN contact c ON c.id = e.contact_id
           WHERE c.email = %(email)s""",
        {"email": email},
    )
    assert row is not None
    return row


def test_a_filled_in_form_enters_and_leads_to_the_waiting_page(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.enter(consent_marketing="1", tz="Europe/Paris")
    assert answer.status_code == 303
    assert answer.location.startswith("/c/island/waiting/")
    entry = _entry("zoe@mail.example")
    assert (entry["status"], entry["first_name"], entry["timezone"]) == ("pending", "Zoé", "Europe/Paris")
    assert (entry["locale"], entry["is_marketing_wanted"]) == ("en", True)
    assert "z•••@m•••.example" in visitor.get(answer.location).text


def test_the_cookie_comes_with_the_form_and_is_the_only_one(visitor: Visitor, scene: Scene) -> None:
    """Rule 11."""
    answer = visitor.enter()
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith(f"lead-{scene.campaign_id}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=604800" in cookie


def test_entering_does_not_depend_on_marketing(visitor: Visitor, scene: Scene) -> None:
    """Rule 1."""
    assert visitor.enter().status_code == 303
    assert _entry("zoe@mail.example")["is_marketing_wanted"] is False
    actions = hot.many(
        "SELECT purpose, action FROM consent WHERE entry_id = %(id)s", {"id": _entry("zoe@mail.example")["id"]}
    )
    assert {(row["purpose"], row["action"]) for row in actions} == {("rules", "given"), ("marketing", "refused")}


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"email": ""}, "email", "Enter your e-mail address."),
        ({"email": "zoe"}, "email", "Check the address"),
        ({"email": "éric@exämple.fr"}, "email", "The part before the @ may hold only unaccented Latin letters"),
        ({"email": "zoe@mailinator.com"}, "email", "throw-away mailbox"),
        ({"first_name": " "}, "first_name", "Enter your first name."),
        ({"first_name": "see <a>"}, "first_name", "as a friend would write it"),
        ({"first_name": "x" * 61}, "first_name", "as a friend would write it"),
        ({"consent_rules": None}, "consent_rules", "Accept the rules to enter."),
    ],
)
def test_mistakes_are_named_and_what_was_typed_stays(
    visitor: Visitor, scene: Scene, fields: dict[str, str | None], field: str, sentence: str
) -> None:
    before = count("entry")
    page = visitor.enter(**fields)
    assert page.status_code == 400
    assert f'<a href="#{field}">' in page.text
    assert sentence in text_of(page)
    assert f'id="{field}-error"' in page.text
    assert 'role="alert" tabindex="-1" autofocus id="errors"' in page.text
    expected = payload() | {name: value for name, value in fields.items() if value is not None}
    assert value_of(page, "email") == expected["email"]
    assert value_of(page, "first_name").strip() == expected["first_name"].strip()
    assert count("entry") == before
    assert "Set-Cookie" not in page.headers


def test_mistakes_are_named_in_the_persons_language(visitor: Visitor, scene: Scene) -> None:
    page = visitor.enter("/c/island?lang=fr", email="", consent_rules=None)
    assert "Acceptez le règlement pour participer." in page.text
    assert "2 points demandent votre attention" in page.text


def test_an_accent_in_the_mailbox_is_named_in_french_and_one_in_the_domain_is_taken(
    visitor: Visitor, scene: Scene
) -> None:
    page = visitor.enter("/c/island?lang=fr", email="éric@exämple.fr")
    assert page.status_code == 400
    assert "avant le @, seuls les lettres latines sans accent" in page.text
    assert visitor.enter(email="eric@exämple.fr").status_code == 303


def test_a_first_name_is_kept_without_signs_that_turn_what_follows(visitor: Visitor, scene: Scene) -> None:
    visitor.enter(first_name="\u202eZoé\u200f")
    assert _entry("zoe@mail.example")["first_name"] == "Zoé"
    assert visitor.enter(first_name="\u202e\u2066", email="other@mail.example").status_code == 400


def test_a_likely_typing_error_is_offered_never_put_in_place(visitor: Visitor, scene: Scene) -> None:
    page = visitor.enter(email="zoe@gmial.com")
    assert page.status_code == 400
    assert "Did you mean zoe@gmail.com?" in page.text
    assert '<button class="button" name="use" value="zoe@gmail.com">' in page.text
    assert '<button class="button button-quiet" name="keep" value="zoe@gmial.com">' in page.text
    assert value_of(page, "email") == "zoe@gmial.com"


def test_one_tap_takes_the_offer(visitor: Visitor, scene: Scene) -> None:
    assert visitor.enter(email="zoe@gmial.com", use="zoe@gmail.com").status_code == 303
    assert _entry("zoe@gmail.com")


def test_one_tap_keeps_what_was_typed(visitor: Visitor, scene: Scene) -> None:
    assert visitor.enter(email="zoe@hotmale.com", keep="zoe@hotmale.com").status_code == 303
    assert _entry("zoe@hotmale.com")


def test_the_inviter_is_attributed_without_a_cookie(visitor: Visitor, scene: Scene) -> None:
    """F4: the signed ref travels in the address and in the form."""
    link = visitor.get(f"/r/{scene.code}?ch=wa").location
    page = visitor.get(f"{link}&lang=en")
    assert "Ben invites you to take part" in page.text
    visitor.clock.forward(seconds=5)
    assert visitor.post("/c/island", payload(**fields_of(page))).status_code == 303
    entry = _entry("zoe@mail.example")
    assert (entry["referrer_id"], entry["channel"]) == (scene.ben_id, "wa")


def test_a_made_up_ref_is_ignored(visitor: Visitor, scene: Scene) -> None:
    assert visitor.enter(f"/c/island?ref={scene.code}").status_code == 303
    assert _entry("zoe@mail.example")["referrer_id"] is None


def test_where_the_visitor_came_from_is_kept(visitor: Visitor, scene: Scene) -> None:
    path = "/c/island?lang=en&utm_source=radio&utm_medium=spot"
    hidden = fields_of(visitor.get(path, headers={"Referer": "https://news.example/story"}))
    visitor.clock.forward(seconds=5)
    visitor.post(path, payload(**hidden))
    source = _entry("zoe@mail.example")["source"]
    assert source == {"utm_source": "radio", "utm_medium": "spot", "host": "news.example"}


def test_a_honeypot_gets_the_same_answer_and_the_review_hears_of_it(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """The entry is written like any other (F11): a password manager may have filled the field in."""
    caught = visitor.enter(email="bea@mail.example", homepage="https://spam.example")
    honest = visitor.enter()
    assert (caught.status_code, len(caught.location)) == (honest.status_code, len(honest.location))
    assert visitor.get(caught.location).status_code == 200

    bea, zoe = (int(str(_entry(address)["id"])) for address in ("bea@mail.example", "zoe@mail.example"))
    with app.app_context():
        sightings.write([bea, zoe])
        fraud.look(scene.campaign_id, [bea, zoe])
        db.session.commit()
        found = {row["entry_id"] for row in hot.many("SELECT entry_id FROM signal WHERE code = 'trapped'", {})}
    assert found == {bea}


def test_a_form_sent_within_a_second_asks_to_press_again(visitor: Visitor, scene: Scene) -> None:
    hidden = fields_of(visitor.get("/c/island?lang=en"))
    page = visitor.post("/c/island?lang=en", payload(**hidden))
    assert page.status_code == 400
    assert "That was very quick" in page.text
    assert value_of(page, "email") == "zoe@mail.example"
    visitor.clock.forward(seconds=2)
    assert visitor.post("/c/island?lang=en", payload(**fields_of(page))).status_code == 303


def test_an_expired_page_shows_the_form_again_with_what_was_typed(visitor: Visitor, scene: Scene) -> None:
    page = visitor.enter(seconds=24 * 3600 + 60)
    assert page.status_code == 400
    assert "This page was open for a long time" in page.text
    assert value_of(page, "first_name") == "Zoé"
    visitor.clock.forward(seconds=2)
    assert visitor.post("/c/island?lang=en", payload(**fields_of(page))).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "x.y.z"])
def test_a_form_without_our_token_is_not_taken(visitor: Visitor, scene: Scene, token: str) -> None:
    assert visitor.enter(csrf_token=token).status_code == 400


def test_another_campaigns_token_is_not_taken(visitor: Visitor, scene: Scene) -> None:
    foreign = tokens.sign(Purpose.FORM, [scene.campaign_id + 1, 0, "x"])
    assert visitor.enter(csrf_token=foreign).status_code == 400


def test_a_form_that_another_site_sends_is_not_taken(visitor: Visitor, scene: Scene) -> None:
    hidden = fields_of(visitor.get("/c/island"))
    visitor.clock.forward(seconds=5)
    assert visitor.post("/c/island", payload(**hidden), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400


def test_one_network_may_not_send_without_end(visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadgen.core.limits.NEWCOMER_DEEDS", 0)
    monkeypatch.setattr("leadgen.web.public.enter.LIMIT", "2 per 10 minutes")
    hidden = fields_of(visitor.get("/c/island?lang=en"))
    visitor.clock.forward(seconds=5)
    answers = [
        visitor.post(
            "/c/island?lang=en",
            payload(email=f"zoe{number}@mail.example", **hidden),
            environ_base={"REMOTE_ADDR": f"2001:db8::{number}"},
        )
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert answers[2].headers["Retry-After"] == "600"
    assert value_of(answers[2], "email") == "zoe2@mail.example"


def test_production_exempts_nobody(
    visitor: Visitor, scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a proxy that nobody told us of, everybody seems to come from this machine."""
    monkeypatch.setattr("leadgen.core.limits.NEWCOMER_DEEDS", 0)
    monkeypatch.setattr("leadgen.web.public.enter.LIMIT", "1 per 10 minutes")
    hidden = fields_of(visitor.get("/c/island?lang=en"))
    visitor.clock.forward(seconds=5)
    serious = replace(settings, environment=Environment.PRODUCTION)
    monkeypatch.setattr("leadgen.web.public.enter.settings.get", lambda: serious)
    answers = [visitor.post("/c/island", payload(email=f"zoe{n}@mail.example", **hidden)) for n in range(2)]
    assert [answer.status_code for answer in answers] == [303, 429]


def test_a_closed_campaign_takes_no_entry(visitor: Visitor, scene: Scene, clock: Clock) -> None:
    hidden = fields_of(visitor.get("/c/island?lang=en"))
    clock.forward(days=15)
    hidden["csrf_token"] = fields_of_token(scene)
    clock.forward(seconds=5)
    page = visitor.post("/c/island?lang=en", payload(**hidden))
    assert page.status_code == 409
    assert "Entries are closed" in page.text


def fields_of_token(scene: Scene) -> str:
    return tokens.sign(Purpose.FORM, [scene.campaign_id, 0, "x"])


def test_with_the_database_away_nothing_that_was_typed_is_lost(
    visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    visitor.get("/c/island?lang=en")
    monkeypatch.setattr(entering, "enter", away)
    page = visitor.enter()
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert value_of(page, "email") == "zoe@mail.example"
    assert "the fault is ours" in page.text


@pytest.mark.parametrize("known", ["ben@mail.example", "anna@mail.example"])
def test_the_answer_does_not_tell_whether_an_address_is_known(
    app: Flask, visitor: Visitor, scene: Scene, known: str
) -> None:
    """F2: same status, headers and length for new, waiting and confirmed addresses; the tokens say nothing either."""
    stranger = app.test_client()
    hidden = fields_of(visitor.get("/c/island?lang=en"))
    visitor.clock.forward(seconds=5)
    new = visitor.post("/c/island?lang=en", payload(email="cleo@mail.example", **hidden))
    old = stranger.post("/c/island?lang=en", data=payload(email=known, **hidden))
    assert (old.status_code, list(old.headers.keys())) == (new.status_code, list(new.headers.keys()))
    assert abs(len(old.data) - len(new.data)) <= 16
    assert len(old.headers["Set-Cookie"]) == len(new.headers["Set-Cookie"])
    pages = [text_of(visitor.get(new.location)), text_of(stranger.get(old.location))]
    # The masked letter is what was typed, and between the two looks a second may pass.
    alike = [re.sub(r"\d+ seconds?", "60 seconds", re.sub(r".•••", "x•••", page)) for page in pages]
    assert alike[0] == alike[1]


def test_a_strangers_cookie_proves_nothing(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """F2: never show someone's page because his address was typed."""
    visitor.enter(email="anna@mail.example")
    assert "data-submit-once" not in visitor.get(scene.confirm).text
    assert "/me/" not in visitor.get(scene.confirmed).text


def test_evidence_of_consent_holds_what_was_shown(visitor: Visitor, scene: Scene) -> None:
    visitor.enter(consent_marketing="1")
    entry = _entry("zoe@mail.example")
    row = hot.one(
        "SELECT action, evidence FROM consent WHERE purpose = 'marketing' AND entry_id = %(id)s", {"id": entry["id"]}
    )
    assert row is not None
    assert row["action"] == "given"
    assert row["evidence"]["wording"] == "I would like to receive offers by e-mail."
    assert row["evidence"]["seconds"] >= 4
    assert row["evidence"]["page"] == "http://localhost/c/island"
