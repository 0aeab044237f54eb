"""Rehearsing a sequence before anything is sent: with a person, with somebody made up, with an audience."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.nurture.models import Sequence
from tests.factories import PASSWORD, make_contact, make_entry, make_segment, make_sequence
from tests.texts import step as words
from tests.web.admin.studio import Staff
from tests.web.admin.test_browser import address  # noqa: F401 - fixture
from tests.world import World

NOON = datetime(2027, 3, 24, 11, tzinfo=UTC)
SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}


def letter(number: int, seconds: int, **values: Any) -> dict[str, Any]:
    variants = [{"key": "a", "texts": words(number)}]
    return {"kind": "letter", "key": f"letter-{number}", "wait": {"seconds": seconds}, "variants": variants, **values}


STEPS = [
    letter(1, 3600),
    {"kind": "branch", "key": "fork", "when": SEA, "yes": [letter(2, 3 * 86400)], "no": [letter(3, 3 * 86400)]},
    letter(4, 86400, wait={"until": "event", "seconds": 5 * 86400, "event": {"on": "friend_counted"}}),
]


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    monkeypatch.setattr(product_clock, "now", lambda: NOON)


@pytest.fixture
def sequence(app: Flask, world: World, _noon: None) -> Sequence:
    with app.app_context():
        made = make_sequence(world.campaign, definition={"steps": STEPS})
        db.session.commit()
        db.session.refresh(made)
        db.session.expunge(made)
        return made


@pytest.fixture
def page(base: str, sequence: Sequence) -> str:
    return f"{base}/nurture/{sequence.id}/rehearsal"


def lines(html: str) -> list[str]:
    """The sentences of the timeline."""
    part = html.partition('<ol class="timeline">')[2].partition("</ol>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", one).split())
        for one in re.findall(r"<p>((?:(?!</p>).)*?)<time", part, re.DOTALL)
    ]


def test_a_person_is_searched_chosen_and_rehearsed(ada: Staff, page: str, world: World) -> None:
    assert "Look before you leap" in ada.get(page).text
    found = ada.get(page, query_string={"q": "BEN@"}).text
    assert "ben@mail.example" in found
    assert f"contact={world.ben.contact_id}" in found

    shown = ada.get(page, query_string={"contact": world.ben.contact_id, "begin": "2027-03-24T12:00"}).text
    told = lines(shown)
    assert told[0] == "The sequence begins"
    assert told[1] == "“Letter 1” leaves"
    assert any(line.startswith("Way “no”, not being one of: People whose answer") for line in told)
    assert "“Letter 3” leaves" in told
    assert "“Letter 2” leaves" not in told
    assert told[-1] == "The last step is behind them"


def test_the_other_way_is_travelled_by_supposing(ada: Staff, page: str, world: World) -> None:
    asked = {"contact": world.ben.contact_id, "h_when:fork": "yes", "d_event:letter-4": "2"}
    shown = ada.get(page, query_string=asked).text
    told = lines(shown)
    assert any(line.startswith("Way “yes”") for line in told)
    assert "“Letter 2” leaves" in told
    assert "It happens what was waited for: a friend whom they brought counts supposed" in told
    assert shown.count(">supposed<") == 2
    assert "Travel the other way" in shown
    assert 'value="yes" selected' in shown


def test_somebody_made_up_answers_as_one_likes_and_lives_where_one_likes(ada: Staff, page: str) -> None:
    asked = {"as": "made-up", "locale": "en", "zone": "America/Los_Angeles", "a_question_1": "sea"}
    shown = ada.get(page, query_string=asked).text
    assert "America/Los_Angeles" in shown
    told = lines(shown)
    assert any(line.startswith("Way “yes”") for line in told)
    assert "waits until 24 Mar 2027 at 08:00: it was night where the person lives" in " ".join(told)


def test_an_audience_is_counted_and_rehearsed(app: Flask, ada: Staff, page: str, world: World) -> None:
    with app.app_context():
        campaign = db.session.merge(world.campaign)
        for number in range(4):
            make_entry(campaign, email=f"p{number}@mail.example", confirmed=True, marketing=number < 3)
        segment = make_segment(db.session.merge(world.brand), {"field": "marketing", "op": "eq", "value": True})
        db.session.commit()
        segment_id = segment.id
    shown = ada.get(page, query_string={"as": "audience", "begin": "2027-03-24T12:00"}).text
    text = re.sub(r"<[^>]+>|\s+", " ", shown)
    text = re.sub(" +", " ", text)
    assert "People 6 It begins for 4 Rehearsed 4" in text
    assert "their entry is not confirmed 1" in text
    assert "they did not agree to marketing mails 1" in text
    assert "100%: went through to the end." in text
    of_segment = ada.get(page, query_string={"as": "audience", "segment": segment_id}).text
    assert "People 4 It begins for 4" in re.sub(" +", " ", re.sub(r"<[^>]+>|\s+", " ", of_segment))


def test_a_letter_is_read_as_the_person_would(ada: Staff, page: str, world: World) -> None:
    english = ada.get(f"{page}/letter/letter-1", query_string={"locale": "en"})
    assert "Letter 1" in english.text
    own = ada.get(f"{page}/letter/letter-1", query_string={"contact": world.ben.contact_id}).text
    assert "Ben" in own
    assert "localhost/sample/me/" in own
    assert "localhost/me/" not in own, "its links lead to samples"
    assert ada.get(f"{page}/letter/fork").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"contact": "9" * 30, "begin": "yesterday", "d_event:letter-4": "NaN", "version": "x"},
        {"as": "audience", "segment": "", "begin": "0001-01-01T00:00"},
        {"as": "made-up", "zone": "Mars/Olympus", "locale": "xx", "a_question_1": "\x00", "begin": "2099-12-31T23:59"},
        {"as": "nobody", "q": "\x00%_", "h_when:fork": "perhaps", "d_goal": "1e400"},
    ],
)
def test_absurd_values_are_told_or_left_out(ada: Staff, page: str, asked: dict[str, str]) -> None:
    assert ada.get(page, query_string=asked).status_code == 200


def test_what_is_not_there_is_absent(ada: Staff, page: str, world: World) -> None:
    for asked in ({"version": "99"}, {"contact": "999999"}, {"as": "audience", "segment": "999999"}):
        assert ada.get(page, query_string=asked).status_code == 404
    stranger = world.other_campaign.id
    assert ada.get(page.replace(f"/campaigns/{world.campaign.id}/", f"/campaigns/{stranger}/")).status_code == 404


def test_it_is_told_in_french(ada: Staff, page: str, world: World) -> None:
    ada.post("/admin/language", {"locale": "fr"})
    told = lines(ada.get(page, query_string={"contact": world.ben.contact_id}).text)
    assert told[0] == "La séquence commence"


def test_how_many_are_delayed_is_said_with_the_reason(app: Flask, ada: Staff, page: str, world: World) -> None:
    """It is night in Los Angeles when it is noon in Paris: one of four waits for the morning."""
    with app.app_context():
        campaign = db.session.merge(world.campaign)
        for zone in ("Europe/Paris", "Europe/Paris", "America/Los_Angeles"):
            contact = make_contact(db.session.merge(world.brand), marketing=True, timezone=zone)
            make_entry(campaign, contact, confirmed=True)
        db.session.commit()
    told = " ".join(ada.get(page, query_string={"as": "audience", "begin": "2027-03-24T12:00"}).text.split())
    assert "About 25% of your audience will have a letter delayed." in told
    assert "25%: it was night where the person lives." in told


def test_a_draft_is_rehearsed_before_it_is_published(app: Flask, ada: Staff, page: str, sequence: Sequence) -> None:
    with app.app_context():
        found = db.session.get_one(Sequence, sequence.id)
        found.draft = {"trigger": {"on": "confirmed"}, "steps": [letter(9, 60)]}
        db.session.commit()
    made_up = {"as": "made-up", "zone": "Europe/Paris"}
    assert "“Letter 9” leaves" in lines(ada.get(page, query_string=made_up).text)
    assert "“Letter 9” leaves" not in lines(ada.get(page, query_string=made_up | {"version": "1"}).text)


def test_without_a_script_and_on_a_phone_a_person_is_found_and_both_ways_are_travelled(
    chromium: Browser,
    address: str,  # noqa: F811 - fixture
    page: str,
) -> None:
    visitor = chromium.new_context(
        java_script_enabled=False, base_url=address, viewport={"width": 390, "height": 844}, locale="en-GB"
    )
    tab = visitor.new_page()
    tab.goto(f"/admin/sign-in?next={page}")
    tab.locator("#email").fill("ada@staff.example")
    tab.locator("#password").fill(PASSWORD)
    tab.locator("#password").press("Enter")
    tab.locator("#q").fill("ben@")
    tab.get_by_role("button", name="Rehearse").click()
    tab.get_by_role("link", name="Ben").click()
    expect(tab.locator(".timeline")).to_contain_text("Way “no”")
    tab.get_by_role("link", name="Travel the other way").click()
    expect(tab.locator(".timeline")).to_contain_text("Way “yes”")
    tab.locator("#begin").fill("2027-06-01T09:30")
    tab.get_by_role("button", name="Rehearse").click()
    expect(tab.locator(".timeline")).to_contain_text("1 June 2027 at 10:30")
    expect(tab.locator(".timeline")).to_contain_text("Way “yes”")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.close()
