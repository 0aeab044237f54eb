"""The studio's page of works: queue, accept, refuse, many at once, undo, doubted votes, and when people vote."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.gallery.models import Work, WorkState
from tests.factories_contest import make_action, make_vote, make_work
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def work_ids(app: Flask, world: World) -> list[int]:
    """Three works of Ben's that wait."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        action = make_action(campaign, kind=ActionKind.UPLOAD, settings={"what": "text"})
        ben = db.session.get_one(Entry, world.ben.id)
        return [make_work(ben, action, state=WorkState.WAITING, title=f"Work {n}", body="Hm.").id for n in range(3)]


def _states() -> list[tuple[str, str]]:
    return [(row["state"], row["reason"]) for row in hot.many("SELECT state, reason FROM work ORDER BY id", {})]


def _undo(ada: Staff, page: TestResponse) -> TestResponse:
    form = re.search(r'<form method="post" action="([^"]+/works/undo)">(.*?)</form>', page.text, re.DOTALL)
    assert form is not None
    before = re.search(r'name="before" value="([^"]*)"', form[2])
    assert before is not None
    return ada.post(form[1], {"before": html.unescape(before[1])}, follow_redirects=True)


def test_the_tab_is_there_only_where_works_are(ada: Staff, base: str, app: Flask, world: World) -> None:
    assert f"{base}/works" not in ada.get(f"{base}/prizes").text
    with app.app_context():
        make_action(db.session.get_one(Campaign, world.campaign.id), kind=ActionKind.UPLOAD)
    assert f'href="{base}/works"' in ada.get(f"{base}/prizes").text


def test_the_oldest_stands_first(ada: Staff, base: str, work_ids: list[int]) -> None:
    page = ada.get(f"{base}/works").text
    places = [page.index(f'id="work-{work_id}"') for work_id in work_ids]
    assert places == sorted(places)
    assert "ben@mail.example" in page


def test_one_is_accepted_and_taken_back(ada: Staff, base: str, work_ids: list[int]) -> None:
    page = ada.post(f"{base}/works", {"accept": str(work_ids[1])}, follow_redirects=True)
    assert "1 work is in the gallery." in page.text
    assert [state for state, _ in _states()] == ["waiting", "published", "waiting"]
    assert "1 work stands as before." in _undo(ada, page).text
    assert [state for state, _ in _states()] == ["waiting"] * 3


def test_one_is_refused_with_a_reason_of_the_list_or_own_words(ada: Staff, base: str, work_ids: list[int]) -> None:
    first, second, _third = work_ids
    ada.post(f"{base}/works", {"refuse": str(first), f"reason-{first}": "people", f"reason-{second}": "quality"})
    ada.post(
        f"{base}/works", {"refuse": str(second), f"reason-{second}": "quality", f"words-{second}": "Too dark: sorry."}
    )
    assert _states() == [("refused", "people"), ("refused", "Too dark: sorry."), ("waiting", "")]
    assert "Too dark: sorry." in ada.get(f"{base}/works?state=refused").text


def test_own_words_survive_an_undo(ada: Staff, base: str, work_ids: list[int]) -> None:
    first = str(work_ids[0])
    ada.post(f"{base}/works", {"refuse": first, f"words-{first}": "Too dark: sorry."})
    page = ada.post(f"{base}/works", {"accept": first}, follow_redirects=True)
    _undo(ada, page)
    assert _states()[0] == ("refused", "Too dark: sorry.")


def test_many_at_once(ada: Staff, base: str, work_ids: list[int]) -> None:
    ticked = {"work": [str(work_id) for work_id in work_ids[:2]]}
    page = ada.post(f"{base}/works", {"accept": "ticked", **ticked}, follow_redirects=True)
    assert "2 works are in the gallery." in page.text
    ada.post(f"{base}/works", {"refuse": "ticked", "reason-ticked": "off_topic", **ticked})
    assert _states() == [("refused", "off_topic")] * 2 + [("waiting", "")]


def test_nothing_ticked_says_so(ada: Staff, base: str, work_ids: list[int]) -> None:
    for value in ("ticked", "none"):
        assert "Nothing was chosen" in ada.post(f"{base}/works", {"accept": value}, follow_redirects=True).text
    assert [state for state, _ in _states()] == ["waiting"] * 3


def test_a_refusal_without_a_reason_is_not_done(ada: Staff, base: str, work_ids: list[int]) -> None:
    page = ada.post(f"{base}/works", {"refuse": str(work_ids[0])}, follow_redirects=True)
    assert "Say why" in page.text
    assert _states()[0] == ("waiting", "")


def test_an_undo_that_was_tampered_with_moves_nothing_else(ada: Staff, base: str, work_ids: list[int]) -> None:
    ada.post(f"{base}/works/undo", {"before": f"x:waiting:\n{work_ids[0]}:winner:\n{work_ids[1]}:withdrawn:"})
    assert [state for state, _ in _states()] == ["waiting"] * 3


def test_doubted_votes_are_shown_and_can_be_counted(ada: Staff, base: str, app: Flask, work_ids: list[int]) -> None:
    ada.post(f"{base}/works", {"accept": str(work_ids[0])})
    with app.app_context():
        for _ in range(2):
            make_vote(db.session.get_one(Work, work_ids[0]), doubt="burst", is_counted=False)
    assert "many in one minute from one network" in ada.get(f"{base}/works?state=published").text
    ada.post(f"{base}/works/{work_ids[0]}/votes", {"count": "yes"})
    assert hot.one("SELECT votes FROM work WHERE id = %(id)s", {"id": work_ids[0]}) == {"votes": 2}
    ada.post(f"{base}/works/{work_ids[0]}/votes", {"count": "no"})
    assert hot.one("SELECT votes FROM work WHERE id = %(id)s", {"id": work_ids[0]}) == {"votes": 0}


def test_the_words_of_a_work_are_shown_as_words(ada: Staff, base: str, app: Flask, work_ids: list[int]) -> None:
    with app.app_context():
        db.session.execute(db.text("UPDATE work SET title = '<script>alert(1)</script>', body = '<b>bold'"))
        db.session.commit()
    assert "<script>alert" not in ada.get(f"{base}/works").text
    assert len(work_ids) == 3


def test_when_people_vote_is_set_on_a_page_of_its_own(ada: Staff, base: str, app: Flask, world: World) -> None:
    form = fields_of(ada.get(f"{base}/works/voting").text)
    assert form["starts_at"] == ""
    begins = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    ends = (clock.now() + timedelta(days=6)).strftime("%Y-%m-%dT%H:%M")
    answer = ada.post(f"{base}/works/voting", form | {"starts_at": begins, "ends_at": ends, "a_day": "5"})
    assert answer.status_code == 303, answer.text
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        assert (campaign.votes_a_day, "votes" in campaign.mechanics) == (5, True)
        assert campaign.votes_start_at is not None
    again = fields_of(ada.get(f"{base}/works/voting").text)
    assert again["starts_at"] == begins


def test_wrong_dates_come_back_with_what_was_typed(ada: Staff, base: str) -> None:
    form = fields_of(ada.get(f"{base}/works/voting").text)
    answer = ada.post(f"{base}/works/voting", form | {"starts_at": "2020-01-01T10:00", "ends_at": "soon"})
    assert answer.status_code == 422
    assert "Please write day and time" in answer.text
    answer = ada.post(f"{base}/works/voting", form | {"starts_at": "2020-01-01T10:00", "ends_at": "2020-01-02T10:00"})
    assert answer.status_code == 422
    assert "The vote must begin later than the contest" in html.unescape(answer.text)
    assert 'value="2020-01-01T10:00"' in answer.text


def test_another_brand_sees_nothing(app: Flask, base: str, work_ids: list[int]) -> None:
    cleo = Staff(app, "cleo@staff.example")
    cleo.sign_in()
    assert cleo.get(f"{base}/works").status_code == 404
    assert cleo.post(f"{base}/works", {"accept": str(work_ids[0])}).status_code == 404
    assert _states()[0] == ("waiting", "")
