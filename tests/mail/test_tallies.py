"""Tallies: streams that move are counted in the background, what is finished keeps its last count."""

from __future__ import annotations

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.mail import streams, tallies
from leadgen.mail.models import Message, MessageStatus, Stream
from tests.conftest import Clock
from tests.factories import fresh
from tests.mail.conftest import nurture


def tally(message: Message) -> dict[str, int]:
    return dict(fresh(db.session.get_one(Stream, message.stream_id)).tally)


def settle(message: Message, status: MessageStatus = MessageStatus.DELIVERED) -> None:
    message.status = status
    db.session.commit()


def test_a_stream_that_moves_is_counted_every_ten_seconds(campaign: Campaign, noon: Clock) -> None:
    message = nurture(campaign)
    assert tallies.count_due() == 1
    assert tally(message) == {"scheduled": 1}
    settle(message)
    assert tallies.count_due() == 0  # not sooner

    noon.forward(seconds=10)
    assert tallies.count_due() == 1
    assert tally(message) == {"delivered": 1}
    assert fresh(db.session.get_one(Stream, message.stream_id)).tally_at is not None


def test_what_is_sent_is_counted_each_minute_while_receipts_may_come(campaign: Campaign, noon: Clock) -> None:
    message = nurture(campaign)
    settle(message)
    tallies.count_due()
    noon.forward(seconds=30)
    assert tallies.count_due() == 0
    settle(message, MessageStatus.BOUNCED)
    noon.forward(seconds=31)
    assert tallies.count_due() == 1
    assert tally(message) == {"bounced": 1}


def test_a_finished_stream_keeps_its_last_count(campaign: Campaign, noon: Clock) -> None:
    message = nurture(campaign)
    settle(message)
    tallies.count_due()
    noon.forward(days=5)
    assert tallies.count_due() == 0
    assert tally(message) == {"delivered": 1}


def test_a_paused_stream_is_counted_at_once_and_then_each_minute(campaign: Campaign, noon: Clock) -> None:
    message = nurture(campaign)
    tallies.count_due()
    noon.forward(seconds=10)
    streams.pause(message.stream_id, "Ada")
    db.session.commit()
    noon.forward(seconds=60)
    assert tallies.count_due() == 1
    noon.forward(seconds=10)
    assert tallies.count_due() == 0


def test_mails_of_no_stream_are_nobodys(campaign: Campaign) -> None:
    assert tallies.count_due() == 0
