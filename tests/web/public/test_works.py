"""Handing in from the person's page (F13, last line; issue 4, line 9), and the pictures."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from leadgen.campaigns import cards
from leadgen.core import clock as product_clock
from leadgen.core import links
from leadgen.core.db import db
from leadgen.gallery import forgetting
from leadgen.gallery.models import Work, WorkState
from tests.gallery import photos
from tests.gallery.conftest import Contest, make_contest
from tests.web.public.street import Visitor, count, text_of


@dataclass
class Room:
    """Ben with his page, in a contest of photos."""

    app: Flask
    contest: Contest
    visitor: Visitor
    me: str
    form: str

    def hand_in(self, upload: bytes | None = None, name: str = "beach.jpg", **fields: str) -> TestResponse:
        data: dict[str, Any] = {"title": "At the sea", "body": "Low tide", "rights": "1"} | fields
        if upload is not None:
            data["photo"] = FileStorage(io.BytesIO(upload), filename=name)
        boundary, body = encode_multipart(data)  # not by the client: it leaves its temporary file open
        return self.visitor.client.post(self.form, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    def only(self) -> Work:
        with self.app.app_context():
            work = db.session.scalars(select(Work)).one()
            db.session.expunge(work)
            return work

    def change(self, **values: Any) -> None:
        with self.app.app_context():
            work = db.session.scalars(select(Work)).one()
            for name, value in values.items():
                setattr(work, name, value)
            db.session.commit()


def make_room(app: Flask, visitor: Visitor, *, what: str = "photo", most: int = 3) -> Room:
    with app.app_context():
        contest = make_contest(what=what, most=most)
        me = links.status(contest.ben.id, contest.ben.access_version).removeprefix("http://localhost")
        room = Room(app, contest, visitor, me, f"{me}/works/new/{contest.action_id}")
        db.session.expunge_all()
        return room


@pytest.fixture
def room(app: Flask, visitor: Visitor) -> Room:
    return make_room(app, visitor)


def test_the_page_offers_it(room: Room) -> None:
    page = room.visitor.get(room.me)
    assert f"{room.form}?lang=" in page.text
    assert "You may hand in 3 more." in text_of(page)


def test_a_photo_waits_for_moderation(room: Room) -> None:
    answer = room.hand_in(photos.photo())
    assert (answer.status_code, answer.location) == (303, f"{room.me}?works=handed-in#works")
    work = room.only()
    assert (work.title, work.body, work.state) == ("At the sea", "Low tide", WorkState.WAITING)
    page = room.visitor.get(answer.location)
    assert "being looked at" in text_of(page)
    assert "before it is shown" in text_of(page)


def test_the_agreed_words_are_kept_as_evidence(room: Room) -> None:
    assert "It is mine." in text_of(room.visitor.get(room.form))
    room.hand_in(photos.photo())
    assert room.only().rights == "It is mine."


def test_the_box_is_not_ticked_and_needed(room: Room) -> None:
    assert 'id="rights" name="rights" type="checkbox" value="1">' in room.visitor.get(room.form).text
    answer = room.hand_in(photos.photo(), rights="")
    assert answer.status_code == 400
    assert "Tick the box" in text_of(answer)
    assert count("work") == 0


def test_a_wrong_file_is_refused_and_nothing_typed_is_lost(room: Room) -> None:
    answer = room.hand_in(b"<svg xmlns='http://www.w3.org/2000/svg'/>", title="Mine", body="Two\nlines", rights="")
    assert answer.status_code == 400
    assert "This is a drawing (SVG)" in text_of(answer)
    assert "Tick the box" in text_of(answer)
    assert 'value="Mine"' in answer.text
    assert "Two\nlines</textarea>" in answer.text
    assert (count("work"), count("picture")) == (0, 0)


def test_all_that_is_missing_is_said_at_once(room: Room) -> None:
    answer = room.hand_in(None, title=" ", rights="")
    assert [s for s in ("Choose a photo.", "Give your work a title.", "Tick the box") if s not in text_of(answer)] == []


def test_twelve_megabytes_get_a_sentence_with_the_words_kept(room: Room) -> None:
    answer = room.hand_in(b"\xff\xd8\xff" + b"\x00" * (12 * 1024 * 1024))
    assert answer.status_code == 413
    assert "larger than 10 MB" in text_of(answer)
    assert 'value="At the sea"' in answer.text


def test_what_is_much_too_large_is_not_even_read(room: Room) -> None:
    promised = {"CONTENT_LENGTH": str(65 * 1024 * 1024)}
    body = {"data": b"--x\r\n", "content_type": "multipart/form-data; boundary=x"}
    answer = room.visitor.client.post(room.form, environ_overrides=promised, **body)
    assert answer.status_code == 413
    assert "much larger than 10 MB" in text_of(answer)


def test_only_this_route_takes_large_bodies(room: Room) -> None:
    body = {"marketing": "x" * (3 * 1024 * 1024)}
    assert room.visitor.post(f"{room.me}/consent", body).status_code == 413


def test_each_person_has_a_quota(room: Room) -> None:
    for number in range(3):
        assert room.hand_in(photos.photo(), title=f"Photo {number}").status_code == 303
    answer = room.hand_in(photos.photo(), title="One more")
    assert answer.status_code == 409
    assert "as many works as you may" in text_of(answer)
    assert 'value="One more"' in answer.text
    assert (count("work"), count("picture")) == (3, 3)


def test_a_refused_work_makes_room(app: Flask, visitor: Visitor) -> None:
    room = make_room(app, visitor, most=1)
    room.hand_in(photos.photo())
    room.change(state=WorkState.REFUSED, reason="quality")
    page = room.visitor.get(room.me)
    assert "Too little can be seen" in text_of(page)
    assert room.hand_in(photos.photo(), title="Better").status_code == 303


def test_the_button_pressed_twice_is_one_work(room: Room) -> None:
    assert [room.hand_in(photos.photo()).status_code for _ in range(2)] == [303, 303]
    assert count("work") == 1


def test_texts_need_no_photo(app: Flask, visitor: Visitor) -> None:
    room = make_room(app, visitor, what="idea")
    assert "photo" not in text_of(visitor.get(room.form)).lower()
    assert room.hand_in(None, body="").status_code == 400
    assert room.hand_in(None, body="Trains at night.\r\n\r\n\r\nEverywhere.").status_code == 303
    assert room.only().body == "Trains at night.\n\nEverywhere."


def test_nothing_is_taken_once_the_vote_began(room: Room) -> None:
    with room.app.app_context():
        room.contest.campaign = db.session.merge(room.contest.campaign)
        room.contest.vote_now()
    assert room.hand_in(photos.photo()).status_code == 409
    assert "Works are not taken" in text_of(room.visitor.get(room.form))
    assert "Look at the works and vote" in text_of(room.visitor.get(room.me))


def test_one_may_withdraw_it_and_the_picture_is_deleted(room: Room) -> None:
    room.hand_in(photos.photo())
    public_id = room.only().public_id
    answer = room.visitor.post(f"{room.me}/works/{public_id}/withdraw")
    assert answer.status_code == 303
    assert (room.only().state, count("picture")) == (WorkState.WITHDRAWN, 0)
    assert "At the sea" not in text_of(room.visitor.get(room.me))
    assert room.visitor.post(f"{room.me}/works/{public_id}/withdraw").status_code == 404


def test_nobody_withdraws_anothers(room: Room) -> None:
    room.hand_in(photos.photo())
    with room.app.app_context():
        anna = db.session.merge(room.contest.anna)
        anna_page = links.status(anna.id, anna.access_version).removeprefix("http://localhost")
    assert room.visitor.post(f"{anna_page}/works/{room.only().public_id}/withdraw").status_code == 404
    assert room.only().state is WorkState.WAITING


def test_a_picture_is_for_its_maker_until_it_is_published(room: Room) -> None:
    room.hand_in(photos.photo())
    public_id = room.only().public_id
    bare = f"/works/{public_id}/large.webp"
    assert room.visitor.get(bare).status_code == 404
    assert room.visitor.get(f"{bare}?s=forged").status_code == 404
    with room.app.app_context():
        signed = forgetting.picture_path(public_id, "large")
    seen = room.visitor.get(signed)
    assert (seen.status_code, seen.headers["Cache-Control"]) == (200, "private, no-store")
    assert signed.split("?s=")[1] in room.visitor.get(room.me).text.replace("&amp;", "&") or "?s=" in seen.request.url


def test_a_published_picture_has_headers_of_its_own(room: Room) -> None:
    room.hand_in(photos.photo())
    room.change(state=WorkState.PUBLISHED)
    for size in ("large", "small"):
        seen = room.visitor.get(f"/works/{room.only().public_id}/{size}.webp")
        assert (seen.status_code, seen.mimetype) == (200, "image/webp")
        assert seen.headers["X-Content-Type-Options"] == "nosniff"
        assert seen.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert seen.headers["Content-Disposition"].startswith("inline")
        assert "immutable" in seen.headers["Cache-Control"]
        assert "Set-Cookie" not in seen.headers
    assert room.visitor.get(f"/works/{room.only().public_id}/original.webp").status_code == 404


def test_the_signature_of_one_picture_opens_no_other(room: Room) -> None:
    room.hand_in(photos.photo())
    with room.app.app_context():
        signed = forgetting.picture_path("somebody-elses", "large")
    assert room.visitor.get(f"/works/{room.only().public_id}/large.webp?{signed.split('?')[1]}").status_code == 404


def test_works_are_among_the_downloaded_data(room: Room) -> None:
    room.hand_in(photos.photo())
    held = json.loads(room.visitor.get(f"{room.me}/data.json").text)
    assert [(work["title"], work["text"], work["agreed_to"]) for work in held["works"]] == [
        ("At the sea", "Low tide", "It is mine.")
    ]
    assert held["works"][0]["picture"].startswith("http://localhost/works/")
    assert held["votes_given"] == []


def test_an_unconfirmed_person_hands_in_nothing(room: Room) -> None:
    with room.app.app_context():
        ben = db.session.merge(room.contest.ben)
        ben.status, ben.confirmed_at = "pending", None
        db.session.commit()
    assert room.hand_in(photos.photo()).status_code == 409
    assert count("work") == 0


def test_another_contests_action_is_absent(room: Room) -> None:
    assert room.visitor.get(room.form.rsplit("/", 1)[0] + "/987654").status_code == 404


def test_a_page_of_a_contest_without_works_asks_for_none(app: Flask, visitor: Visitor) -> None:
    room = make_room(app, visitor)
    with app.app_context():
        campaign = db.session.merge(room.contest.campaign)
        campaign.mechanics = ["draw"]
        campaign.actions = []
        db.session.commit()
        cards.forget()
    assert "My works" not in text_of(visitor.get(room.me))


def test_the_form_speaks_french(room: Room) -> None:
    page = text_of(room.visitor.get(f"{room.form}?lang=fr"))
    assert "C’est à moi." in page
    assert "Déposer" in page


def test_the_action_has_its_own_dates(room: Room) -> None:
    with room.app.app_context():
        campaign = db.session.merge(room.contest.campaign)
        campaign.actions[0].ends_at = product_clock.now() - timedelta(minutes=1)
        db.session.commit()
        cards.forget()
    assert room.hand_in(photos.photo()).status_code == 409
    assert count("picture") == 0
