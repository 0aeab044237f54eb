"""Signing in and out, how long a session lives, and who is kept from guessing."""

import pytest
from flask import Flask

from leadgen.accounts import service as accounts
from leadgen.accounts.models import User
from leadgen.core.db import db
from leadgen.web import staff
from tests import factories
from tests.conftest import Clock
from tests.web.admin.studio import Staff
from tests.world import World


def test_the_right_pair_leads_to_the_studio(app: Flask, world: World) -> None:
    ada = Staff(app)
    answer = ada.sign_in()
    assert (answer.status_code, answer.location) == (303, "/admin/")
    assert "Summer" in ada.get("/admin/").text


def test_the_address_is_read_as_people_type_it(app: Flask, world: World) -> None:
    assert Staff(app, "  Ada@STAFF.example ").sign_in().status_code == 303


@pytest.mark.parametrize(("email", "password"), [("ada@staff.example", "wrong"), ("nobody@staff.example", "wrong")])
def test_every_wrong_pair_gets_the_same_answer(app: Flask, world: World, email: str, password: str) -> None:
    answer = Staff(app, email).sign_in(password)
    assert answer.status_code == 422
    assert "This address and password do not belong together." in answer.text
    assert password not in answer.text


def test_who_was_switched_off_does_not_come_in(app: Flask, world: World) -> None:
    with app.app_context():
        db.session.get_one(User, world.ada.id).active = False
        db.session.commit()
    assert Staff(app).sign_in().status_code == 422


def test_a_switched_off_user_is_out_at_the_next_request(app: Flask, ada: Staff, world: World) -> None:
    with app.app_context():
        db.session.get_one(User, world.ada.id).active = False
        db.session.commit()
    assert ada.get("/admin/").location.startswith("/admin/sign-in")


def test_without_the_token_nobody_signs_in(app: Flask, world: World) -> None:
    data = {"email": "ada@staff.example", "password": factories.PASSWORD}
    answer = app.test_client().post("/admin/sign-in", data=data)
    assert answer.status_code == 400
    assert "open for too long" in answer.text


def test_a_session_that_was_planted_is_worth_nothing_after_signing_in(app: Flask, world: World) -> None:
    ada = Staff(app)
    ada.get("/admin/sign-in")
    planted = ada.client.get_cookie("staff")
    ada.sign_in()
    own = ada.client.get_cookie("staff")
    assert planted is not None
    assert own is not None
    assert planted.value != own.value
    stranger = app.test_client()
    stranger.set_cookie("staff", planted.value)
    assert stranger.get("/admin/").status_code == 303


def test_the_token_of_before_is_not_good_afterwards(app: Flask, world: World) -> None:
    ada = Staff(app)
    before = ada.token()
    ada.sign_in()
    assert ada.client.post("/admin/sign-out", data={"csrf_token": before}).status_code == 400


def test_a_stranger_who_guesses_is_stopped_and_the_owner_is_not(app: Flask, world: World) -> None:
    stranger = Staff(app)
    statuses = [stranger.sign_in("guess").status_code for _try in range(12)]
    assert statuses[:10] == [422] * 10
    assert statuses[10:] == [429] * 2
    assert stranger.sign_in().status_code == 429
    owner = Staff(app)
    data = {"csrf_token": owner.token(), "email": "ada@staff.example", "password": factories.PASSWORD}
    assert owner.client.post("/admin/sign-in", data=data, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 303


def test_one_network_may_not_try_many_accounts(app: Flask, world: World) -> None:
    statuses = [Staff(app, f"user{n}@staff.example").sign_in("guess").status_code for n in range(21)]
    assert statuses[:20] == [422] * 20
    assert statuses[20] == 429


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/admin/campaigns/1/entrants?status=confirmed", "/admin/campaigns/1/entrants?status=confirmed"),
        ("", "/admin/"),
        ("https://elsewhere.example/", "/admin/"),
        ("//elsewhere.example/admin/", "/admin/"),
        ("/admin//elsewhere.example", "/admin/"),
        ("/admin/\\elsewhere.example", "/admin/"),
        ("\\\\elsewhere.example", "/admin/"),
        ("/admin/%0d%0aSet-Cookie:x", "/admin/"),
        ("/admin/\r\nSet-Cookie: x", "/admin/"),
        ("/\t/elsewhere.example", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("/c/summer", "/admin/"),
        ("/admin/../c/summer", "/admin/"),
    ],
)
def test_only_our_own_paths_are_gone_to(app: Flask, world: World, wanted: str, leads_to: str) -> None:
    assert Staff(app).sign_in(next=wanted).location == leads_to


def test_who_is_not_signed_in_is_asked_and_comes_back(app: Flask, world: World) -> None:
    answer = app.test_client().get(f"/admin/campaigns/{world.campaign.id}/entrants?status=pending")
    assert answer.status_code == 303
    assert answer.location.startswith("/admin/sign-in?next=%2Fadmin%2Fcampaigns%2F")


def test_signing_out_ends_the_sessions_on_every_machine(app: Flask, ada: Staff) -> None:
    elsewhere = Staff(app)
    elsewhere.sign_in()
    answer = ada.post("/admin/sign-out")
    assert answer.location == "/admin/sign-in"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "You are signed out." in ada.get("/admin/sign-in").text
    assert ada.get("/admin/").status_code == 303
    assert elsewhere.get("/admin/").status_code == 303


def test_half_an_hour_without_use_ends_a_session(ada: Staff, clock: Clock) -> None:
    clock.forward(minutes=29)
    assert ada.get("/admin/").status_code == 200
    clock.forward(minutes=29)
    assert ada.get("/admin/").status_code == 200
    clock.forward(minutes=31)
    assert ada.get("/admin/").status_code == 303


def test_twelve_hours_end_a_session_that_is_used(ada: Staff, clock: Clock) -> None:
    for _quarter in range(staff.LONGEST_SECONDS // 900 - 1):
        clock.forward(minutes=15)
        assert ada.get("/admin/password").status_code == 200
    clock.forward(minutes=15)
    assert ada.get("/admin/password").status_code == 303


def test_figures_that_refresh_themselves_do_not_keep_a_session_alive(ada: Staff, clock: Clock, base: str) -> None:
    for _minute in range(3):
        clock.forward(minutes=11)
        answer = ada.get(f"{base}/numbers", headers={"X-Background": "1"})
    assert answer.status_code == 401


def test_public_pages_never_look_at_the_session(app: Flask, world: World, ada: Staff) -> None:
    for path in ("/", f"/c/{world.campaign.slug}", "/healthz"):
        answer = ada.get(path)
        assert "Set-Cookie" not in answer.headers, path
        assert "Cookie" not in answer.headers.get("Vary", ""), path


def test_studio_pages_are_kept_nowhere(ada: Staff) -> None:
    answer = ada.get("/admin/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


class TestPassword:
    """Changing it."""

    NEW = "four unrelated calm words"

    def test_a_new_one_works_and_the_old_one_does_not(self, app: Flask, ada: Staff) -> None:
        assert ada.post("/admin/password", {"current": factories.PASSWORD, "new": self.NEW}).status_code == 303
        assert Staff(app).sign_in().status_code == 422
        assert Staff(app).sign_in(self.NEW).status_code == 303

    def test_other_sessions_end_and_this_one_goes_on(self, app: Flask, ada: Staff) -> None:
        elsewhere = Staff(app)
        elsewhere.sign_in()
        ada.post("/admin/password", {"current": factories.PASSWORD, "new": self.NEW})
        assert elsewhere.get("/admin/").status_code == 303
        assert "Your password is changed." in ada.get("/admin/").text

    @pytest.mark.parametrize(
        ("current", "new", "told"),
        [
            ("wrong", NEW, "This is not your present password."),
            (factories.PASSWORD, "short", "Choose a password of 12 to 128 characters."),
            (factories.PASSWORD, "x" * 129, "Choose a password of 12 to 128 characters."),
            (factories.PASSWORD, "aaaaaaaaaaaaaaaa", "too easy to guess"),
            ("", NEW, "Please fill this in."),
        ],
    )
    def test_what_will_not_do_is_refused(self, app: Flask, ada: Staff, current: str, new: str, told: str) -> None:
        answer = ada.post("/admin/password", {"current": current, "new": new})
        assert answer.status_code == 422
        assert told in answer.text
        assert Staff(app).sign_in().status_code == 303


class TestLanguage:
    """English and French from the first page on."""

    def test_the_sign_in_page_follows_the_browser(self, app: Flask) -> None:
        answer = app.test_client().get("/admin/sign-in", headers={"Accept-Language": "fr-CA,fr;q=0.8,en;q=0.5"})
        assert '<html lang="fr">' in answer.text
        assert '<html lang="en">' in app.test_client().get("/admin/sign-in?lang=en").text

    def test_the_choice_is_kept_with_the_person(self, app: Flask, ada: Staff) -> None:
        answer = ada.post("/admin/language", {"locale": "fr", "next": "/admin/password"})
        assert answer.location == "/admin/password"
        again = Staff(app)
        again.sign_in()
        assert '<html lang="fr">' in again.get("/admin/").text

    def test_a_language_that_we_do_not_speak_changes_nothing(self, app: Flask, world: World, ada: Staff) -> None:
        ada.post("/admin/language", {"locale": "xx"})
        assert '<html lang="en">' in ada.get("/admin/").text


def test_a_fresh_installation_has_no_account(context: None) -> None:
    assert accounts.authenticate("admin@example.com", "admin") is None
