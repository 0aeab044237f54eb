"""The waiting page: one step left."""

import pytest
from flask import Flask

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core import hot, tokens
from leadgen.core.db import db
from leadgen.entries import confirming
from leadgen.entries.models import Entry, EntryStatus
from leadgen.mail import service as mail
from tests.factories import make_campaign
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, count, fields_of, payload, text_of


@pytest.fixture(autouse=True)
def _in_english(visitor: Visitor) -> None:
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"


def _waiting(visitor: Visitor, **fields: str | None) -> str:
    return visitor.enter(**fields).location.split("?")[0]


def _entry(email: str = "zoe@mail.example") -> dict[str, object]:
    row = hot.one(
        "SELECT e.* FROM entry e JOIN contact c ON c.id = e.contact_id WHERE c.email = %(email)s", {"email": email}
    )
    assert row is not None
    return row


def _code(entry: dict[str, object]) -> str:
    return tokens.six_digits(entry["id"], entry["generation"], entry["code_number"])  # type: ignore[arg-type]


def test_it_says_what_to_look_for(visitor: Visitor, scene: Scene) -> None:
    """F3: sender, subject, spam hint, the address as its owner knows it, another address, another mail."""
    words = text_of(visitor.get(_waiting(visitor)))
    for part in ("One step left", "z•••@m•••.example", "Escales", "@brand-", "Subject", "spam", "Wrong address?"):
        assert part in words
    assert "zoe@mail.example" not in words


def test_it_names_the_subject_of_the_mail_that_was_sent(app: Flask, visitor: Visitor, scene: Scene) -> None:
    page = text_of(visitor.get(_waiting(visitor)))
    with app.app_context():
        assert mail.preview(scene.campaign_id, "confirm", "en").subject.replace("Anna", "Zoé") in page


def test_a_known_mailbox_gets_a_plain_link(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(_waiting(visitor, email="zoe.capsud@gmail.com"))
    assert '<a class="button button-large button-wide" href="https://mail.google.com/' in page.text
    assert 'rel="noopener noreferrer"' in page.text
    assert "Open " not in visitor.get(_waiting(visitor)).text.split("<main")[1].split("</main>")[0]


def test_it_is_nobody_elses_business(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(_waiting(visitor))
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert visitor.get("/c/island/waiting/made-up").status_code == 404


def test_the_code_confirms(visitor: Visitor, scene: Scene) -> None:
    """F3: for browsers inside other apps, where the mail opens elsewhere."""
    path = _waiting(visitor)
    digits = _code(_entry())
    assert 'autocomplete="one-time-code"' in visitor.get(path).text
    answer = visitor.post(f"{path}/code", {"code": f" {digits[:3]} {digits[3:]} "})
    assert answer.status_code == 303
    assert answer.location.startswith("/me/")
    assert _entry()["confirm_method"] == "code"


def test_wrong_digits_are_named_and_spend_a_try(visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor)
    wrong = "000000" if _code(_entry()) != "000000" else "111111"
    page = visitor.post(f"{path}/code", {"code": wrong})
    assert page.status_code == 400
    assert "This code does not work." in page.text
    assert _entry()["code_tries"] == 1
    assert _entry()["status"] == "pending"


def test_a_spent_code_asks_for_a_new_one(visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor)
    right = _code(_entry())
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        visitor.post(f"{path}/code", {"code": wrong})
    page = visitor.post(f"{path}/code", {"code": right})
    assert "This code does not work." in page.text
    assert _entry()["status"] == "pending"


def test_another_mail_is_possible_after_a_minute(app: Flask, visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor)
    assert visitor.post(f"{path}/resend").status_code == 429
    visitor.clock.forward(seconds=61)
    answer = visitor.post(f"{path}/resend")
    assert answer.status_code == 303
    with app.app_context():
        reactions.drain()
    assert _entry()["mails_sent"] == 2
    assert "data-resend" in visitor.get(answer.location).text
    again = answer.location.split("?")[0]
    assert visitor.post(f"{again}/resend").status_code == 429


def test_a_wrong_address_is_corrected(visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor)
    answer = visitor.post(f"{path}/correct", {"email": "zoe.durand@mail.example"})
    assert answer.status_code == 303
    assert _entry("zoe.durand@mail.example")["generation"] == 2
    assert "The mail now goes to z•••@m•••.example" in text_of(visitor.get(answer.location))


def test_a_wrong_correction_is_named(visitor: Visitor, scene: Scene) -> None:
    page = visitor.post(f"{_waiting(visitor)}/correct", {"email": "zoe"})
    assert page.status_code == 400
    assert "Check the address" in page.text
    assert 'value="zoe"' in page.text


def test_a_correction_to_a_mailbox_that_no_mail_can_name_is_refused(visitor: Visitor, scene: Scene) -> None:
    page = visitor.post(f"{_waiting(visitor)}/correct", {"email": "éric@exämple.fr"})
    assert page.status_code == 400
    assert "The part before the @ may hold only unaccented Latin letters" in page.text


def test_an_address_is_corrected_three_times_at_most(visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor)
    for number in range(3):
        path = visitor.post(f"{path}/correct", {"email": f"zoe{number}@mail.example"}).location.split("?")[0]
    assert visitor.post(f"{path}/correct", {"email": "zoe9@mail.example"}).status_code == 429


def test_a_stranger_cannot_move_somebodys_entry(visitor: Visitor, scene: Scene) -> None:
    """Whoever types Anna's address gets the same page, and Anna's entry stays hers."""
    path = _waiting(visitor, email="anna@mail.example")
    answer = visitor.post(f"{path}/correct", {"email": "thief@mail.example"})
    assert answer.status_code == 303
    assert _entry("anna@mail.example")["id"] == scene.anna_id
    assert _entry("anna@mail.example")["generation"] == 1
    assert _entry("thief@mail.example")["id"] != scene.anna_id


def test_a_stranger_does_not_learn_how_an_entry_stands(app: Flask, visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor, email="ben@mail.example")
    assert visitor.get(f"{path}/status.json").json == {"status": "waiting"}
    page = visitor.post(f"{path}/code", {"code": "123456"})
    assert page.status_code == 400
    visitor.clock.forward(seconds=61)
    assert visitor.post(f"{path}/resend").status_code == 303


def test_the_same_browser_keeps_its_entry_when_it_enters_twice(visitor: Visitor, scene: Scene) -> None:
    visitor.enter()
    path = _waiting(visitor)
    visitor.post(f"{path}/correct", {"email": "zoe.durand@mail.example"})
    assert _entry("zoe.durand@mail.example")["generation"] == 2
    assert count("entry") == 3


def test_a_refused_mail_is_shown(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """The page hears of a bounce, with and without a script, and offers to correct the address."""
    path = _waiting(visitor)
    assert visitor.get(f"{path}/status.json").json == {"status": "waiting"}
    assert 'http-equiv="refresh"' in visitor.get(path).text
    with app.app_context():
        db.session.get_one(Entry, _entry()["id"]).status = EntryStatus.BOUNCED
        db.session.commit()
    assert visitor.get(f"{path}/status.json").json == {"status": "bounced"}
    page = visitor.get(path)
    assert "This address refused our mail" in page.text
    assert '<details class="correct" open>' in page.text


def test_a_honeypots_page_answers_like_any_other(visitor: Visitor, scene: Scene) -> None:
    hidden = fields_of(visitor.get("/c/island"))
    visitor.clock.forward(seconds=5)
    path = visitor.post("/c/island", payload(homepage="x", **hidden)).location
    assert visitor.get(f"{path}/status.json").json == {"status": "waiting"}
    assert visitor.post(f"{path}/code", {"code": "123456"}).status_code == 400
    visitor.clock.forward(seconds=61)
    assert visitor.post(f"{path}/resend").status_code == 303


def test_whoever_confirmed_on_another_device_need_not_wait_here(visitor: Visitor, scene: Scene) -> None:
    page = _waiting(visitor)
    entry = _entry()
    confirming.confirm(entry["id"], 1, "button_post")  # type: ignore[arg-type]

    assert visitor.get(f"{page}/status.json").json == {"status": "confirmed"}
    assert "You are in" in text_of(visitor.get(page))
    late = visitor.client.post(f"{page}/code", data={"code": _code(entry)})
    assert late.status_code == 200
    assert "You are in" in text_of(late)
    assert "/me/" not in late.text


def test_a_domain_that_takes_no_mail_is_a_warning_beside_the_address(visitor: Visitor, scene: Scene) -> None:
    """The poll hears of it, the page says it and opens the correction; everything else goes on."""
    path = _waiting(visitor)
    hot.one("UPDATE entry SET address_problem = 'no_mx' WHERE id = %(id)s RETURNING id", {"id": _entry()["id"]})
    assert visitor.get(f"{path}/status.json").json == {"status": "no_mx"}
    page = visitor.get(path)
    assert "It looks as if nobody takes mail at the domain of z•••@m•••.example" in text_of(page)
    assert 'data-shown="no_mx"' in page.text
    assert '<details class="correct" open>' in page.text
    assert "One step left" in page.text
    corrected = visitor.post(f"{path}/correct", {"email": "zoe.durand@mail.example"})
    assert "nobody takes mail" not in visitor.get(corrected.location).text


def test_the_page_says_no_more_than_the_domain_to_a_stranger(visitor: Visitor, scene: Scene) -> None:
    path = _waiting(visitor, email="anna@mail.example")
    hot.one("UPDATE entry SET status = 'bounced' WHERE id = %(id)s RETURNING id", {"id": scene.anna_id})
    assert visitor.get(f"{path}/status.json").json == {"status": "waiting"}


def test_the_resend_button_is_bounded_by_the_network_too(visitor: Visitor, scene: Scene) -> None:
    """A token can be sent again and again, each time for a row."""
    path = _waiting(visitor)
    visitor.clock.forward(seconds=61)
    asked = [visitor.post(f"{path}/resend", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code for _ in range(70)]
    assert asked.count(303) < 70
    assert asked[-1] == 429


def test_the_page_of_one_contest_enters_nobody_into_another(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """A token is good for its own campaign only (I23): no consent is noted for a form that nobody was shown."""
    waiting = visitor.enter(email="ben@mail.example").location
    token = waiting.split("/waiting/")[1].split("?")[0]
    with app.app_context():
        other = make_campaign(slug="elsewhere").slug
    assert visitor.get(f"/c/{other}/waiting/{token}").status_code == 404
    for deed, form in (("correct", {"email": "new@mail.example"}), ("resend", {}), ("code", {"code": "123456"})):
        assert visitor.post(f"/c/{other}/waiting/{token}/{deed}", data=form).status_code == 404
    assert visitor.get(waiting).status_code == 200


def test_a_waiting_list_keeps_a_place_and_counts_no_entry(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """On the pages between the form and the list, as in its letters."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        campaign.mechanics, campaign.version = ["waitlist"], campaign.version + 1
        db.session.commit()
    cards.forget()
    waiting = text_of(visitor.get(f"{_waiting(visitor)}?lang=en"))
    confirmation = text_of(visitor.get(f"{scene.confirm}?lang=en"))
    assert "your place is kept" in waiting
    assert "Confirm your place: Win a week in Lisbon" in waiting
    assert "your place is kept" in confirmation
    assert "Confirm my place" in confirmation
    assert "your entry counts" not in waiting + confirmation
