"""Broadcasts in the studio: written, looked over, sent to the number that was seen, watched, paused, cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from leadgen.broadcasts import jobs, progress
from leadgen.broadcasts import service as nurture
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.mail import pacing
from leadgen.mail.models import Message, MessageStatus, Stream, StreamState, WarmUp
from leadgen.web.admin import blasts
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World

WORDS = {"subject": "Last days", "heading": "Hurry", "body": "It ends soon, {first_name}.", "button": "Go on"}


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/broadcasts"


@pytest.fixture
def draft(app: Flask, world: World) -> int:
    """A complete draft; Ben alone may be written to."""
    with app.app_context():
        return factories.make_broadcast(db.session.get_one(Campaign, world.campaign.id)).id


def _broadcast(app: Flask, number: int) -> Broadcast:
    with app.app_context():
        return db.session.get_one(Broadcast, number)


def _stream(app: Flask, number: int) -> Stream:
    with app.app_context():
        return db.session.get_one(Stream, db.session.get_one(Broadcast, number).stream_id)


def _payload(**values: Any) -> dict[str, Any]:
    words = {f"{code}-{key}": word for code in ("en", "fr") for key, word in WORDS.items()}
    return words | {"name": "Last days", "version": "1", "friends": "0", "speaks_en": "y", "speaks_fr": "y"} | values


def _start(app: Flask, number: int) -> None:
    with app.app_context():
        nurture.send(db.session.get_one(Broadcast, number), by="Ada")
        db.session.commit()
        jobs.expand()


def test_the_empty_list_teaches_and_begins(app: Flask, ada: Staff, path: str) -> None:
    assert "Write to everybody at once" in ada.get(path).text
    answer = ada.post(f"{path}/new")
    assert answer.location.startswith(path)
    assert answer.location.endswith("/edit")
    page = ada.get(path).text
    assert "Broadcast of" in page
    assert "Draft" in page


def test_it_is_written_and_shown_as_people_get_it(app: Flask, ada: Staff, path: str, draft: int) -> None:
    answer = ada.post(f"{path}/{draft}/edit", _payload(then="review"))
    assert answer.location == f"{path}/{draft}"
    assert "Last days" in ada.get(f"{path}/{draft}/letter?locale=en&form=text").text
    assert "It ends soon, Anna." in ada.get(f"{path}/{draft}/letter?locale=en").text
    assert _broadcast(app, draft).version == 2


def test_saving_what_was_shown_changes_nothing(app: Flask, ada: Staff, path: str, draft: int) -> None:
    before = _broadcast(app, draft)
    assert ada.post(f"{path}/{draft}/edit", fields_of(ada.get(f"{path}/{draft}/edit").text)).status_code == 303
    after = _broadcast(app, draft)
    assert after.texts["fr"]["subject"] == before.texts["fr"]["subject"]
    assert after.audience["locales"] == []


def test_a_draft_saves_itself_with_a_version(app: Flask, ada: Staff, path: str, draft: int) -> None:
    answer = ada.post(f"{path}/{draft}/edit", _payload(), headers={"X-Background": "1"})
    assert (answer.status_code, answer.headers["X-Version"]) == (204, "2")
    stale = ada.post(f"{path}/{draft}/edit", _payload(name="Mine"))
    assert stale.status_code == 422
    assert "Somebody else saved this broadcast" in stale.text
    assert _broadcast(app, draft).name == "Last days"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"en-subject": "{moon}"}, "is no placeholder"),
        ({"fr-url": "javascript:alert(1)"}, "Give an address that starts with https://"),
        ({"friends": "-1"}, "Please choose a number from 0"),
        ({"answer": '["question_1", "moon"]'}, "Choose one of the answers"),
        ({"answer": "nonsense"}, "Choose a question of this campaign."),
        ({"answer": "5"}, "Choose a question of this campaign."),
        ({"answer": "null"}, "Choose a question of this campaign."),
        ({"answer": "[" * 100_000}, "Choose a question of this campaign."),
        ({"answer": '["question_1", {"a": 1}]'}, "Choose a question of this campaign."),
    ],
)
def test_what_is_wrong_is_said(app: Flask, ada: Staff, path: str, draft: int, wrong: dict[str, str], told: str) -> None:
    answer = ada.post(f"{path}/{draft}/edit", _payload(**wrong))
    assert answer.status_code == 422
    assert told in answer.text
    assert _broadcast(app, draft).version == 1


def test_the_audience_is_counted_while_one_chooses(app: Flask, ada: Staff, world: World, path: str) -> None:
    assert "<b>1</b> person would get it" in ada.get(f"{path}/audience?speaks_fr=y&friends=0").text
    assert "<b>0</b>" in ada.get(f"{path}/audience?speaks_en=y").text
    assert "<b>0</b>" in ada.get(f"{path}/audience?friends=3").text
    assert "Choose an answer of the list" in ada.get(f"{path}/audience?answer=nonsense").text


def test_the_review_says_who_how_long_and_what_is_missing(app: Flask, ada: Staff, path: str, draft: int) -> None:
    page = ada.get(f"{path}/{draft}").text
    assert "Send to 1 person" in page
    assert "as fast as the mail provider takes it" in page
    ada.post(f"{path}/{draft}/edit", _payload(**{"fr-button": ""}))
    page = ada.get(f"{path}/{draft}").text
    assert "One thing keeps it from leaving" in page
    assert "Button in French" in page
    assert "Send to 1 person" not in page


def test_the_review_reckons_with_pace_and_warm_up(app: Flask, ada: Staff, world: World, path: str, draft: int) -> None:
    with app.app_context():
        brand = db.session.get_one(type(world.brand), world.brand.id)
        domain = brand.sender_email.rpartition("@")[2]
        plan = WarmUp(domain=domain, started_on=clock.now().date(), first_day=1, growth=50, ceiling=1_000)
        db.session.add(plan)
        campaign = db.session.get_one(Campaign, world.campaign.id)
        for _ in range(3):
            factories.make_entry(campaign, confirmed=True, marketing=True)
        db.session.commit()
        pacing.forget()
    page = ada.get(f"{path}/{draft}").text
    with app.app_context():
        pacing.forget()
    assert f"The warm-up plan of {domain} spreads it over 3 days." in page


def test_sending_twice_starts_once(app: Flask, ada: Staff, path: str, draft: int) -> None:
    for _double_click in range(2):
        assert ada.post(f"{path}/{draft}/send", {"people": "1", "when": "now"}).location == f"{path}/{draft}"
    with app.app_context():
        jobs.expand()
        jobs.expand()
        assert len(db.session.scalars(select(Message).where(Message.stream_id > 0)).all()) == 1
    assert "1 person" in ada.get(f"{path}/{draft}").text


def test_another_number_than_was_seen_is_not_sent(app: Flask, ada: Staff, path: str, draft: int) -> None:
    answer = ada.post(f"{path}/{draft}/send", {"people": "40", "when": "now"})
    assert answer.status_code == 422
    assert "The audience is another now: 1 person." in answer.text
    assert _broadcast(app, draft).status is BroadcastStatus.DRAFT


def test_a_large_number_is_typed(
    app: Flask, ada: Staff, path: str, draft: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blasts, "TYPED_FROM", 1)
    assert 'name="typed"' in ada.get(f"{path}/{draft}").text
    for typed in ("", "2", "one"):
        answer = ada.post(f"{path}/{draft}/send", {"people": "1", "when": "now", "typed": typed})
        assert answer.status_code == 422
        assert "Type the number of people, 1, to send it." in answer.text
    assert ada.post(f"{path}/{draft}/send", {"people": "1", "when": "now", "typed": " 1 "}).status_code == 303
    assert _broadcast(app, draft).status is BroadcastStatus.EXPANDING


def test_it_is_scheduled_by_the_campaigns_clock_and_taken_back(app: Flask, ada: Staff, path: str, draft: int) -> None:
    day = f"{clock.now() + timedelta(days=3):%Y-%m-%d}"
    for wrong in ("", "tomorrow", "2001-01-01T10:00"):
        assert ada.post(f"{path}/{draft}/send", {"people": "1", "when": "later", "send_at": wrong}).status_code == 422
    ada.post(f"{path}/{draft}/send", {"people": "1", "when": "later", "send_at": f"{day}T18:00"})
    found = _broadcast(app, draft)
    assert found.status is BroadcastStatus.SCHEDULED
    assert found.send_at is not None
    assert found.send_at.hour in {16, 17}  # six in the evening in Paris
    page = ada.get(f"{path}/{draft}").text
    assert "The broadcast leaves on" in page
    assert f'action="{path}/{draft}/unschedule"' in page
    ada.post(f"{path}/{draft}/unschedule")
    assert _broadcast(app, draft).status is BroadcastStatus.DRAFT


def test_progress_pause_resume_and_cancel(app: Flask, ada: Staff, path: str, draft: int) -> None:
    _start(app, draft)
    page = ada.get(f"{path}/{draft}").text
    assert '<progress class="progress" max="1" value="0"' in page
    assert f'data-live="{path}/{draft}/progress"' in page

    ada.post(f"{path}/{draft}/pause")
    assert _stream(app, draft).state is StreamState.PAUSED
    page = ada.get(f"{path}/{draft}").text
    assert "Paused by Ada." in page
    assert f'action="{path}/{draft}/resume"' in page  # the button and the undo
    ada.post(f"{path}/{draft}/resume")
    assert _stream(app, draft).state is StreamState.OPEN

    assert "1 person will not get it any more." in ada.get(f"{path}/{draft}/cancel").text
    ada.post(f"{path}/{draft}/cancel")
    with app.app_context():
        jobs.expand()
    assert _broadcast(app, draft).status is BroadcastStatus.CANCELLED
    page = ada.get(f"{path}/{draft}").text
    assert "the broadcast was cancelled" in page
    ada.post(f"{path}/{draft}/pause")
    assert "This broadcast is not being sent." in ada.get(f"{path}/{draft}").text


def test_figures_lead_to_people_and_reasons_are_words(
    app: Flask, ada: Staff, world: World, path: str, draft: int
) -> None:
    _start(app, draft)
    with app.app_context():
        message = db.session.scalars(select(Message).where(Message.stream_id > 0)).one()
        message.status, message.reason = MessageStatus.SKIPPED, "no_consent"
        db.session.commit()
    page = ada.get(f"{path}/{draft}/progress").text
    assert "the person has not agreed to marketing" in page
    assert f"{path}/{draft}/people?status=skipped" in page
    assert "All is sent" in page
    assert "ben@mail.example" in ada.get(f"{path}/{draft}/people?status=skipped").text
    assert "Nobody stands here" in ada.get(f"{path}/{draft}/people?status=bounced").text
    assert ada.get(f"{path}/{draft}/people?status=moon&after=x").status_code == 200


def test_a_large_one_says_among_which_mails_reasons_are_counted(
    app: Flask, ada: Staff, path: str, draft: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _start(app, draft)
    with app.app_context():
        message = db.session.scalars(select(Message).where(Message.stream_id > 0)).one()
        message.status, message.reason = MessageStatus.SKIPPED, "no_consent"
        db.session.commit()
    told = "Reasons are counted among the newest 5,000 mails of each state."
    assert told not in ada.get(f"{path}/{draft}/progress").text
    monkeypatch.setattr(progress, "COUNTED", 0)
    assert told in ada.get(f"{path}/{draft}/progress").text


def test_a_copy_and_a_deletion(app: Flask, ada: Staff, path: str, draft: int) -> None:
    twin = ada.post(f"{path}/{draft}/duplicate").location
    assert "Copy of Last days" in ada.get(twin).text
    ada.post(f"{path}/{draft}/delete")
    assert ada.get(f"{path}/{draft}").status_code == 404


def test_a_test_goes_to_who_asked(app: Flask, ada: Staff, path: str, draft: int) -> None:
    assert ada.post(f"{path}/{draft}/test", {"locale": "fr"}).location == f"{path}/{draft}"
    assert "The test is sent to ada@staff.example." in ada.get(f"{path}/{draft}").text


def test_of_another_campaign_it_is_absent(app: Flask, ada: Staff, world: World, path: str, draft: int) -> None:
    """Rule 8, inside one brand too."""
    with app.app_context():
        other = factories.make_campaign(db.session.get_one(type(world.brand), world.brand.id)).id
    for part in ("", "/edit", "/progress", "/people", "/letter"):
        assert ada.get(f"/admin/campaigns/{other}/broadcasts/{draft}{part}").status_code == 404
