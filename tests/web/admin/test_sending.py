"""The page “Sending”: lanes, streams, errors and paces of one's own brands, and the buttons that steer them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import redis
from flask import Flask

from leadgen.accounts.models import Brand, User
from leadgen.campaigns.models import Campaign
from leadgen.core import clock, notes
from leadgen.core.db import db
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import pacing, pauses, receipts, speed, streams
from leadgen.mail.models import LaneStop, Message, MessageStatus, Pace, Stream, WarmUp
from leadgen.mail.providers.interface import Answer
from leadgen.nurture import sequences
from leadgen.nurture.models import Sequence
from tests import factories
from tests.web.admin.studio import Staff
from tests.world import World

ERRORS = "/admin/campaigns/{}/mails-with-errors"


@pytest.fixture(autouse=True)
def _fresh_limits(redis_client: redis.Redis) -> Iterator[None]:
    pacing.forget()
    yield
    notes.forget()
    pacing.forget()


@contextmanager
def scene(app: Flask, campaign: Campaign) -> Iterator[Campaign]:
    with app.app_context():
        yield db.session.get_one(Campaign, campaign.id)


@pytest.fixture
def works_for_all(app: Flask, world: World) -> None:
    """Ada works for the other brand too."""
    with app.app_context():
        ada = db.session.get_one(User, world.ada.id)
        factories.make_membership(ada, db.session.get_one(Brand, world.other_brand.id))


def test_i25_what_all_brands_share_is_steered_by_nobody_of_one_brand_alone(app: Flask, ada: Staff) -> None:
    assert ada.post("/admin/sending/lanes/confirmation", {"is_open": "0"}).status_code == 403
    assert ada.post("/admin/sending/pace", {"bucket": "provider", "pace": "1"}).status_code == 403
    assert ada.post("/admin/sending/pace", {"clear": "provider"}).status_code == 403
    assert "Other brands send from this installation too." in ada.get("/admin/sending/pace").text
    with app.app_context():
        assert db.session.scalars(db.select(LaneStop)).all() == []
        assert db.session.scalars(db.select(Pace)).all() == []


def stream(app: Flask, campaign: Campaign, **values: Any) -> int:
    """A broadcast's stream with a count of its mails."""
    values = {"name": "Last days", "tally": {"delivered": 60, "scheduled": 40}, "tally_at": clock.now(), **values}
    with scene(app, campaign) as found:
        return factories.make_stream(found, lane=Lane.BULK, **values).id


def mail(app: Flask, campaign: Campaign, status: str = "failed", reason: str = "content", **values: Any) -> int:
    with scene(app, campaign) as found:
        entry = factories.make_entry(found, confirmed=True, email="", first_name="Dora")
        message = factories.make_message(entry, status=MessageStatus(status), reason=reason, attempts=1, **values)
        return message.id


def state(app: Flask, message_id: int) -> tuple[str, str]:
    with app.app_context():
        found = db.session.get_one(Message, message_id)
        return found.status.value, found.reason


def test_an_empty_page_teaches(ada: Staff) -> None:
    page = ada.get("/admin/sending").text
    for words in ("Nothing is sent yet", "No mail has failed", "No pace is set", "Confirmations", "Broadcasts"):
        assert words in page, words
    assert 'aria-current="page"' in page


def test_a_stream_shows_its_progress_and_is_paused_and_resumed(app: Flask, ada: Staff, world: World) -> None:
    stream_id = stream(app, world.campaign)
    page = ada.get("/admin/sending").text
    assert "60 of 100" in page
    assert 'aria-valuenow="60"' in page
    path = f"/admin/sending/streams/{stream_id}"
    told = ada.post(path, {"is_open": "0"}, follow_redirects=True).text
    assert "is paused" in told
    assert "by Ada" in told
    assert "Undo" in told
    ada.post(path, {"is_open": "1"})
    with app.app_context():
        assert db.session.get_one(Stream, stream_id).state.value == "open"


def test_what_is_through_has_nothing_to_pause(app: Flask, ada: Staff, world: World) -> None:
    stream_id = stream(app, world.campaign, tally={"delivered": 100})
    page = ada.get("/admin/sending").text
    assert "Done" in page
    assert f"/sending/streams/{stream_id}" not in page


@pytest.mark.parametrize(
    ("reason", "badge", "words"),
    [("cancelled", "Cancelled", "was cancelled: it cannot go on"), ("finished", "Done", "is finished")],
)
@pytest.mark.parametrize("is_open", ["1", "0"])
def test_what_is_over_is_neither_resumed_nor_paused(
    app: Flask, ada: Staff, world: World, reason: str, badge: str, words: str, is_open: str
) -> None:
    """Neither by a button that is still on somebody's screen nor by an undo: a pause would hide the cancellation."""
    stream_id = stream(app, world.campaign, state="paused", reason=reason, changed_by="Ada")
    page = ada.get("/admin/sending").text
    assert f'<span class="badge">{badge}</span>' in page
    assert f"/sending/streams/{stream_id}" not in page
    told = ada.post(f"/admin/sending/streams/{stream_id}", {"is_open": is_open}, follow_redirects=True)
    assert told.status_code == 200
    assert words in told.text
    assert "Undo" not in told.text
    with app.app_context():
        found = db.session.get_one(Stream, stream_id)
        assert (found.state.value, found.reason) == ("paused", reason)


def test_a_sequence_is_paused_and_goes_on_as_on_its_own_page(app: Flask, ada: Staff, world: World) -> None:
    """Newcomers still come in, what waits keeps waiting, and both pages say the same."""
    with scene(app, world.campaign) as campaign:
        sequence = factories.make_sequence(campaign)
        sequence_id, path = sequence.id, f"/admin/sending/streams/{sequence.stream_id}"
    for is_open, state in (("0", "paused"), ("1", "open")):
        ada.post(path, {"is_open": is_open})
        assert ("Paused" in ada.get(f"/admin/campaigns/{world.campaign.id}/nurture").text) is (state == "paused")
        with app.app_context():
            found = db.session.get_one(Sequence, sequence_id)
            stream = db.session.get_one(Stream, found.stream_id)
            assert (found.is_active, found.paused_at is None) == (True, state == "open")
            assert (stream.state.value, stream.changed_by) == (state, "Ada")


def test_an_archived_sequence_is_not_listed_and_does_not_flow_again(app: Flask, ada: Staff, world: World) -> None:
    with scene(app, world.campaign) as campaign:
        sequence = factories.make_sequence(campaign, name="Put away")
        path = f"/admin/sending/streams/{sequence.stream_id}"
        sequences.archive(sequence, "Ada")
        db.session.commit()
    assert path not in ada.get("/admin/sending").text
    for is_open in ("0", "1"):
        told = ada.post(path, {"is_open": is_open}, follow_redirects=True).text
        assert "archived" in told or "Only a sequence that is published can be paused." in told
    with app.app_context():
        assert not streams.is_open(int(path.rpartition("/")[2]))


@pytest.mark.parametrize(
    ("reason", "words"),
    [("bounces", "Too many addresses"), ("complaints", "reported these mails"), ("errors", "The same error")],
)
def test_what_a_breaker_stopped_says_why(app: Flask, ada: Staff, world: World, reason: str, words: str) -> None:
    stream(app, world.campaign, state="stopped", reason=reason)
    assert words in ada.get("/admin/sending").text


@pytest.mark.usefixtures("works_for_all")
def test_a_lane_is_stopped_and_started(app: Flask, ada: Staff) -> None:
    told = ada.post("/admin/sending/lanes/bulk", {"is_open": "0"}, follow_redirects=True).text
    assert "is stopped" in told
    with app.app_context():
        assert db.session.get_one(LaneStop, Lane.BULK).by == "Ada"
    ada.post("/admin/sending/lanes/bulk", {"is_open": "1"})
    with app.app_context():
        assert db.session.get(LaneStop, Lane.BULK) is None
    assert ada.post("/admin/sending/lanes/fast", {"is_open": "0"}).status_code == 404


def test_a_lane_says_what_waits_and_how_long(app: Flask, ada: Staff, world: World) -> None:
    stream_id = stream(app, world.campaign)
    early = clock.now() - timedelta(minutes=40)
    for _two in range(2):
        mail(app, world.campaign, "scheduled", "", lane=Lane.BULK, stream_id=stream_id, domain_group="gmail",
             due_at=early)  # fmt: skip
    page = ada.get("/admin/sending").text
    assert "40 minutes" in page
    assert "Gmail" in page


def test_speed_is_of_the_last_minutes(app: Flask, ada: Staff, world: World) -> None:
    stream_id = stream(app, world.campaign, tally={"scheduled": 120_000})
    with app.app_context():
        speed.rates.note("sent", {f"bulk:{world.campaign.id}:{stream_id}": 6_000})
        speed.rates.note("sent", {f"bulk:{world.other_campaign.id}:7": 999})
    page = ada.get("/admin/sending").text
    assert "6,000" in page
    assert "999" not in page  # another brand's
    assert "to go" in page


@pytest.mark.parametrize(
    ("reason", "words"), [("provider_away", "cannot be reached"), ("rate_limited", "asked for a pause")]
)
def test_a_pause_of_the_provider_is_told_with_what_to_do(ada: Staff, reason: str, words: str) -> None:
    notes.leave(pauses.PAUSED, reason, 60)
    page = ada.get("/admin/sending").text
    assert "Nothing leaves at the moment" in page
    assert words in page


def test_what_only_the_operator_can_mend_is_told_until_it_is_mended(ada: Staff) -> None:
    refused = Answer(pause_seconds=30, pause_reason="sender_refused")
    pauses.after(refused, was_in_trouble=False)
    page = ada.get("/admin/sending").text
    assert "Nothing leaves until somebody acts" in page
    assert "Check the key" in page


def test_errors_stand_by_reason_with_their_letter(app: Flask, ada: Staff, world: World) -> None:
    stream_id = stream(app, world.campaign)
    values = {"lane": Lane.BULK, "stream_id": stream_id, "letter": "broadcast", "purpose": MailPurpose.MARKETING}
    for number in range(3):
        mail(app, world.campaign, reason=f"cannot_render: KeyError {number}", **values)
    mail(app, world.campaign, reason="too_large")
    page = ada.get("/admin/sending").text
    assert "The letter could not be put together" in page
    assert "KeyError" in page
    assert "Broadcast" in page
    assert "The letter is too large" in page

    asked = {"stream": stream_id, "status": "failed", "code": "cannot_render"}
    listed = ada.get(ERRORS.format(world.campaign.id), query_string=asked).text
    assert listed.count("Send again") == 3
    assert "KeyError 2" in listed
    assert "@mail.example" not in listed  # masked

    told = ada.post(ERRORS.format(world.campaign.id), {**asked, "deed": "retry"}, follow_redirects=True).text
    assert "3 mails go out again" in told


def test_one_mail_is_sent_again_and_one_is_put_aside(app: Flask, ada: Staff, world: World) -> None:
    first, second = mail(app, world.campaign), mail(app, world.campaign)
    assert "goes out again" in ada.post(f"/admin/sending/mails/{first}", {"deed": "retry"}, follow_redirects=True).text
    assert "stands elsewhere" in ada.post(f"/admin/sending/mails/{first}", {}, follow_redirects=True).text
    ada.post(f"/admin/sending/mails/{second}", {"deed": "cancel"})
    assert state(app, first) == ("scheduled", "by_hand:Ada")
    assert state(app, second) == ("cancelled", "by_hand:Ada")


def test_a_lost_answer_goes_again_only_knowingly(app: Flask, ada: Staff, world: World) -> None:
    lost = mail(app, world.campaign, reason="no_answer")
    told = ada.post(f"/admin/sending/mails/{lost}", {"deed": "retry"}, follow_redirects=True).text
    assert "may arrive twice" in told
    assert state(app, lost)[0] == "failed"
    assert "may arrive twice" in ada.get(ERRORS.format(world.campaign.id) + "?status=failed&code=no_answer").text
    ada.post(f"/admin/sending/mails/{lost}", {"deed": "retry", "may_double": "1"})
    assert state(app, lost)[0] == "scheduled"


def test_uncertain_mails_say_when_they_are_settled(app: Flask, ada: Staff, world: World) -> None:
    mail(app, world.campaign, "uncertain", "timeout", lease_until=clock.now() + timedelta(minutes=12))
    page = ada.get("/admin/sending").text
    assert "Not known whether they arrived" in page
    assert "settled in 12 minutes" in page


def test_a_long_list_has_pages(app: Flask, ada: Staff, world: World) -> None:
    for _many in range(21):
        mail(app, world.campaign)
    address = ERRORS.format(world.campaign.id) + "?status=failed&code=content"
    page = ada.get(address).text
    assert "Older mails" in page
    older = ada.get(address + "&before=" + page.rsplit("before=", 1)[1].split('"')[0]).text
    assert older.count("</tr>") == 2  # the head and one row


def test_only_our_own_way_back_is_taken(app: Flask, ada: Staff, world: World) -> None:
    for asked in ("https://evil.example", "//evil.example", "/admin/sending\\@evil", "/elsewhere"):
        message = mail(app, world.campaign)
        answer = ada.post(f"/admin/sending/mails/{message}", {"deed": "cancel", "next": asked})
        assert answer.location == "/admin/sending", asked


def test_another_brands_streams_and_mails_are_absent(app: Flask, world: World) -> None:
    """Rule 8: they answer as what does not exist."""
    stream_id = stream(app, world.campaign, name="Secret sale")
    message = mail(app, world.campaign, reason="cannot_render: secret")
    cleo = Staff(app, "cleo@staff.example")
    cleo.sign_in()
    page = cleo.get("/admin/sending").text
    assert "Secret sale" not in page
    assert "secret" not in page
    assert cleo.post(f"/admin/sending/streams/{stream_id}", {"is_open": "0"}).status_code == 404
    assert cleo.post(f"/admin/sending/mails/{message}", {"deed": "cancel"}).status_code == 404
    asked = {"stream": stream_id, "status": "failed", "code": "cannot_render"}
    assert cleo.get(ERRORS.format(world.campaign.id), query_string=asked).status_code == 404
    assert cleo.get(ERRORS.format(world.other_campaign.id), query_string=asked).status_code == 404
    assert state(app, message)[0] == "failed"


@pytest.mark.usefixtures("works_for_all")
def test_a_pace_is_set_and_taken_away(app: Flask, ada: Staff) -> None:
    told = ada.post("/admin/sending/pace", {"bucket": "group:gmail", "pace": "20"}, follow_redirects=True).text
    assert "Gmail: at most 20 a second" in told
    with app.app_context():
        assert db.session.get_one(Pace, "group:gmail").changed_by == "Ada"
    refused = ada.post("/admin/sending/pace", {"bucket": "group:gmail", "pace": "0"})
    assert refused.status_code == 422
    ada.post("/admin/sending/pace", {"clear": "group:gmail"})
    with app.app_context():
        assert db.session.get(Pace, "group:gmail") is None


@pytest.fixture
def plan(app: Flask, world: World) -> Callable[..., dict[str, str]]:
    with scene(app, world.campaign) as campaign:
        sender = db.session.get_one(factories.Brand, campaign.brand_id).sender_email
    return lambda **values: {
        "domain": sender.partition("@")[2], "first_day": "1000", "growth": "50", "ceiling": "200000", **values,
    }  # fmt: skip


def test_a_warm_up_plan_shows_its_ramp(app: Flask, ada: Staff, plan: Callable[..., dict[str, str]]) -> None:
    told = ada.post("/admin/sending/warm-up", plan(), follow_redirects=True).text
    assert "1,000,000 mails finish in" in told
    assert "<svg" in told
    assert "1,500" in told  # the table behind
    assert "0 of 1,000 mails today" in ada.get("/admin/sending").text
    ada.post("/admin/sending/warm-up", {"clear": plan()["domain"]})
    with app.app_context():
        assert db.session.query(WarmUp).count() == 0


@pytest.mark.parametrize(
    "wrong", [{"domain": "elsewhere.example"}, {"growth": "0"}, {"ceiling": "10"}, {"first_day": ""}]
)
def test_a_wrong_plan_is_refused_in_words(
    app: Flask, ada: Staff, plan: Callable[..., dict[str, str]], wrong: dict[str, str]
) -> None:
    answer = ada.post("/admin/sending/warm-up", plan(**wrong))
    assert answer.status_code == 422
    assert "field-error" in answer.text
    with app.app_context():
        assert db.session.query(WarmUp).count() == 0


def test_the_live_part_is_a_part(ada: Staff, app: Flask, world: World) -> None:
    stream(app, world.campaign)
    part = ada.get("/admin/sending/live", headers={"X-Background": "1"}).text
    assert "Last days" in part
    assert "<html" not in part


def test_many_streams_have_pages(app: Flask, ada: Staff, world: World) -> None:
    for number in range(21):
        stream(app, world.campaign, name=f"Stream {number}", tally={})
    assert "Older streams" in ada.get("/admin/sending").text
    second = ada.get("/admin/sending?page=2").text
    assert "Stream 0<" in second
    assert "Newer streams" in second


def test_it_speaks_french(app: Flask, ada: Staff, world: World) -> None:
    stream(app, world.campaign)
    ada.post("/admin/language", {"locale": "fr"})
    page = ada.get("/admin/sending").text
    assert "60 sur 100" in page
    assert "Envois" in page


@pytest.mark.usefixtures("works_for_all")
def test_an_event_that_nobody_can_read_is_named(app: Flask, ada: Staff) -> None:
    with app.app_context():
        receipts.store_body(b'[{"event": "delivered", "sg_event_id": "x"}, {broken}]')
    page = ada.get("/admin/sending").text
    assert "Events that could not be read" in page
    assert "unreadable" in page
