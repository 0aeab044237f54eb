"""Streams: paused and resumed at once, stopped by breakers, and a lane that is stopped as a whole."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.letters.models import Lane
from leadgen.mail import delivery, outbox, pacing, streams
from leadgen.mail.models import Stream, StreamState
from tests.factories import fresh
from tests.mail.conftest import claimed, confirmation, nurture, state


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    pacing.forget()


def stream_of(message_stream: int) -> Stream:
    return db.session.get_one(Stream, message_stream)


def test_a_pause_holds_the_stream_and_a_resume_sends_each_mail_once(campaign: Campaign) -> None:
    message, other = nurture(campaign), nurture(campaign)
    streams.pause(message.stream_id, "Ada")
    db.session.commit()
    assert claimed(Lane.NURTURE) == [other.id]
    assert state(message) == ("scheduled", "")

    streams.resume(message.stream_id, "Ada")
    db.session.commit()
    assert claimed(Lane.NURTURE) == [message.id]
    assert claimed(Lane.NURTURE) == []


@pytest.mark.parametrize("stop", ["stream", "lane"])
def test_a_pause_between_claim_and_call_holds_the_call(
    campaign: Campaign, mailbox: Callable[[], list[EmailMessage]], stop: str
) -> None:
    """A claim may hold letters of two languages, two calls: only the one under way ends."""
    message = nurture(campaign)
    claim = outbox.claim(Lane.NURTURE, 100)
    db.session.commit()
    if stop == "stream":
        streams.pause(message.stream_id, "Ada")
    else:
        streams.stop_lane(Lane.NURTURE, "Ada")
    db.session.commit()
    for outcomes in delivery.deliver(claim.recipients):
        outbox.settle(outcomes)
        db.session.commit()
    assert mailbox() == []
    assert state(message) == ("scheduled", "stream_paused")
    assert fresh(message).attempts == 0

    streams.start_lane(Lane.NURTURE)
    streams.resume(message.stream_id, "Ada")
    db.session.commit()
    pacing.forget()
    assert claimed(Lane.NURTURE) == [message.id]


def test_a_breaker_says_why_and_never_overrules_a_person(campaign: Campaign) -> None:
    message = nurture(campaign)
    bounced = nurture(campaign, message={"stream_id": message.stream_id, "status": "bounced"})
    streams.stop(message.stream_id, "bounces")
    found = stream_of(message.stream_id)
    assert (found.state, found.reason, found.changed_by) == (StreamState.STOPPED, "bounces", "")
    streams.resume(message.stream_id, "Ada")
    assert fresh(found).judged_from == bounced.id  # what was sent before is judged no more

    streams.pause(message.stream_id, "Ada")
    streams.stop(message.stream_id, "complaints")
    assert (found.state, found.changed_by) == (StreamState.PAUSED, "Ada")


def test_a_stopped_lane_hands_nothing_over(campaign: Campaign) -> None:
    message, waiting = nurture(campaign), confirmation(campaign)
    for _twice in range(2):
        streams.stop_lane(Lane.NURTURE, "Ada")
    db.session.commit()
    pacing.forget()
    assert claimed(Lane.NURTURE) == []
    assert claimed(Lane.CONFIRMATION) == [waiting.id]

    streams.start_lane(Lane.NURTURE)
    db.session.commit()
    pacing.forget()
    assert claimed(Lane.NURTURE) == [message.id]


def test_an_unknown_stream_is_absent(context: None) -> None:
    with pytest.raises(NotFound):
        streams.pause(4_711, "Ada")
