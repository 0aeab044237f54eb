"""The public leaderboard, its part of the landing page, and what a person decides about their name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus, Mechanic
from leadgen.core import clock, tokens
from leadgen.core.db import db
from leadgen.core.tokens import Purpose
from leadgen.entries import lately, points
from leadgen.entries.models import Entry, Review
from tests.factories import make_entry, make_pending_points
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of


def change(app: Flask, scene: Scene, **values: Any) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        for name, value in values.items():
            setattr(campaign, name, value)
        campaign.version += 1
        db.session.commit()
    look_anew()


def change_ben(app: Flask, scene: Scene, **values: Any) -> None:
    with app.app_context():
        ben = db.session.get_one(Entry, scene.ben_id)
        for name, value in values.items():
            setattr(ben, name, value)
        db.session.commit()
    look_anew()


def look_anew() -> None:
    cards.forget()
    lately.forget()
    points.forget()


@pytest.fixture
def race(app: Flask, scene: Scene) -> Scene:
    change(app, scene, mechanics=[Mechanic.DRAW, Mechanic.RANK])
    return scene


def address(scene: Scene) -> str:
    return f"/c/{scene.slug}/board?lang=en"


def test_only_a_race_has_a_board(app: Flask, visitor: Visitor, scene: Scene) -> None:
    assert visitor.get(address(scene)).status_code == 404
    assert "Who leads" not in visitor.get(f"/c/{scene.slug}?lang=en").text
    change(app, scene, mechanics=[Mechanic.RANK])
    assert visitor.get(address(scene)).status_code == 200
    assert "Who leads" in visitor.get(f"/c/{scene.slug}?lang=en").text
    change(app, scene, is_board_shown=False)
    assert visitor.get(address(scene)).status_code == 404
    assert "Who leads" not in visitor.get(f"/c/{scene.slug}?lang=en").text


def test_it_names_people_by_first_name_and_never_by_address(visitor: Visitor, race: Scene) -> None:
    page = visitor.get(address(race))
    assert "1 Ben" in text_of(page)
    assert "ben@" not in page.text
    assert "@" not in text_of(page).replace("bonjour@", "").split("Organiser")[0]
    assert "Classement" in text_of(visitor.get(f"/c/{race.slug}/board?lang=fr"))


def test_who_wants_no_name_there_is_a_participant(app: Flask, visitor: Visitor, race: Scene) -> None:
    change_ben(app, race, is_on_board=False)
    words = text_of(visitor.get(address(race)))
    assert "Ben" not in words
    with app.app_context():
        code = db.session.get_one(Entry, race.ben_id).public_id[:3]
    assert f"Participant {code}" in words


def test_an_empty_board_says_who_will_lead(app: Flask, visitor: Visitor, race: Scene) -> None:
    change_ben(app, race, review=Review.HELD)
    words = text_of(visitor.get(address(race)))
    assert "Nobody is on the board yet" in words
    assert "Ben" not in words


def test_a_frozen_board_stands_still_while_ones_own_points_go_on(app: Flask, visitor: Visitor, race: Scene) -> None:
    now = clock.now()
    change(app, race, freeze_hours=2, ends_at=now + timedelta(hours=2))
    with app.app_context():
        make_pending_points(db.session.get_one(Entry, race.ben_id), 5)
        points.fold()
    look_anew()

    words = text_of(visitor.get(address(race)))
    assert "The board stands still since" in words
    assert "1 Ben 1" in words
    mine = text_of(visitor.get(f"{race.me}?lang=en"))
    assert "points 6" in mine
    assert "Your points and your place go on" in mine
    change(app, race, status=CampaignStatus.CLOSED)
    words = text_of(visitor.get(address(race)))
    assert "Final result" in words
    assert "1 Ben 6" in words


def test_my_page_shows_the_lines_around_me(app: Flask, visitor: Visitor, race: Scene) -> None:
    words = text_of(visitor.get(f"{race.me}?lang=en"))
    assert "1 Ben you 1" in words
    visitor.post(race.confirm)
    with app.app_context():
        points.fold()
    look_anew()
    words = text_of(visitor.get(f"{race.me}?lang=en"))
    assert "1 Ben you 6 2 Anna 1" in words


def test_a_person_chooses_the_name_and_whether_to_be_named(app: Flask, visitor: Visitor, race: Scene) -> None:
    answer = visitor.post(f"{race.me}/name?lang=en", {"display_name": "Capi\u202etaine\u200f", "is_on_board": "1"})
    assert answer.status_code == 303
    assert "Saved." in visitor.get(answer.location).text
    assert "Capitaine" in text_of(visitor.get(address(race)))
    with app.app_context():
        ben = db.session.get_one(Entry, race.ben_id)
        assert (ben.display_name, ben.is_on_board, ben.is_name_on_card) == ("Capitaine", True, False)
    visitor.post(f"{race.me}/name", {"display_name": "Capitaine", "is_name_on_card": "1"})
    assert "Capitaine" not in text_of(visitor.get(address(race)))


@pytest.mark.parametrize("name", ["x" * 25, "win at evil.example", "ben@mail.example", "0600000000", "<b>Ben</b>"])
def test_a_name_that_is_an_address_or_too_long_is_refused_and_kept_in_the_field(
    app: Flask, visitor: Visitor, race: Scene, name: str
) -> None:
    answer = visitor.post(f"{race.me}/name?lang=en", {"display_name": name, "is_on_board": "1"})
    assert answer.status_code == 400
    assert "no digits, no address, no link" in answer.text
    assert "<b>Ben</b>" not in answer.text
    with app.app_context():
        assert db.session.get_one(Entry, race.ben_id).display_name == ""


def test_whoever_is_held_sees_the_reason_family_and_no_place(app: Flask, visitor: Visitor, race: Scene) -> None:
    change_ben(app, race, review=Review.HELD)
    words = text_of(visitor.get(f"{race.me}?lang=en"))
    assert "Your entry is being checked" in words
    assert "No. 1" not in words


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("by_referrals", "Whoever brings more friends goes first."),
        ("skip_n", "Each friend who confirms lets you skip 10 places."),
        ("by_points", "1 point more, and you move up a place."),
        ("by_signup", "Nobody is behind you yet."),
    ],
)
def test_in_a_waiting_list_the_place_stands_instead_of_the_rank(
    app: Flask, visitor: Visitor, scene: Scene, order: str, told: str
) -> None:
    change(app, scene, mechanics=[Mechanic.WAITLIST], waitlist_order=order)
    words = text_of(visitor.get(f"{scene.me}?lang=en"))
    assert "in the waiting list No. 1" in words
    assert "Nobody is ahead of you. Nobody is behind you yet." in words
    assert "of 1 person" not in words
    with app.app_context():
        zoe = make_entry(db.session.get_one(Campaign, scene.campaign_id), email="zoe@mail.example", confirmed=True)
        token = tokens.sign(Purpose.STATUS, {"e": zoe.id, "a": 1})
    look_anew()
    words = text_of(visitor.get(f"/me/{token}?lang=en"))
    assert "in the waiting list No. 2" in words
    assert "1 person is ahead of you." in words
    assert told in words
