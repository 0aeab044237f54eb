"""From a broadcast to messages: engaged people first, killed and started again at any instant, nobody twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from leadgen.broadcasts import expansion, jobs
from leadgen.broadcasts import service as broadcasts
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.contacts.models import Contact
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import jobs as mail_jobs
from leadgen.mail import outbox, pacing
from leadgen.mail.models import Message
from leadgen.web.admin.forms import aware
from tests import texts
from tests.conftest import Clock
from tests.factories import fresh, make_broadcast, make_campaign, make_entry, make_suppression
from tests.mail.conftest import mailbox, noon  # noqa: F401 - fixtures


@pytest.fixture
def campaign(context: None, noon: Clock) -> Campaign:  # noqa: F811 - fixture
    pacing.forget()
    return make_campaign(default_locale="fr", texts=texts.campaign())


def people(campaign: Campaign, number: int, **values: Any) -> list[int]:
    return [make_entry(campaign, confirmed=True, marketing=True, **values).contact_id for _ in range(number)]


def started(campaign: Campaign) -> Broadcast:
    made = make_broadcast(campaign)
    assert broadcasts.send(made, by="Ada")
    db.session.commit()
    return made


def receivers(broadcast: Broadcast) -> list[int]:
    db.session.commit()
    found = select(Message.contact_id).where(Message.stream_id == broadcast.stream_id).order_by(Message.id)
    return list(db.session.scalars(found))


def expand_all(limit: int) -> None:
    while expansion.expand_chunk(limit):
        db.session.commit()
    db.session.commit()


def test_everybody_gets_one_message_that_says_all_it_needs(campaign: Campaign) -> None:
    contact = people(campaign, 1, email="anna@gmail.com")[0]
    broadcast = started(campaign)
    jobs.expand()
    (message,) = db.session.scalars(select(Message)).all()
    assert message.intent == f"cast:{broadcast.id}:{contact}"
    assert (message.lane, message.purpose, message.letter) == (Lane.BULK, "marketing", "broadcast")
    assert (message.stream_id, message.domain_group, message.locale) == (broadcast.stream_id, "gmail", "fr")
    assert set(message.context) == {"entry", "access_version", "code"}
    assert message.due_at == fresh(broadcast).send_at
    assert message.expires_at == message.due_at + timedelta(days=30)
    assert (broadcast.wanted, broadcast.status) == (1, BroadcastStatus.SENDING)


def test_the_most_engaged_come_first(campaign: Campaign) -> None:
    now = product_clock.now()
    silent, half_a_year, lately, never = people(campaign, 4)
    for contact, days in ((silent, 300), (half_a_year, 100), (lately, 3)):
        db.session.get_one(Contact, contact).last_inbound_at = now - timedelta(days=days)
    broadcast = started(campaign)
    expand_all(2)
    assert receivers(broadcast) == [lately, half_a_year, silent, never]
    assert broadcast.wanted == 4


def test_who_shows_up_while_we_write_is_not_forgotten(campaign: Campaign) -> None:
    """A click moves somebody from the last pass into the first, which is over."""
    silent, *others = people(campaign, 5)
    now = product_clock.now()
    for contact in others:
        db.session.get_one(Contact, contact).last_inbound_at = now
    broadcast = started(campaign)
    while fresh(broadcast).after_inbound_at is None or broadcast.after_inbound_at > now - timedelta(days=60):
        assert expansion.expand_chunk(2)
        db.session.commit()
    db.session.get_one(Contact, silent).last_inbound_at = product_clock.now()
    db.session.commit()
    expand_all(2)
    assert sorted(receivers(broadcast)) == sorted([silent, *others])


def test_who_confirms_later_is_not_in_it(campaign: Campaign) -> None:
    early = people(campaign, 1)
    broadcast = started(campaign)
    people(campaign, 1)
    expand_all(10)
    assert receivers(broadcast) == early


class Killed(Exception):
    """Stands for a process that is gone."""


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_instant_it_goes_on_where_it_was(campaign: Campaign, seed: int) -> None:
    """Dies before a statement or before the commit, twenty times; what it had begun is undone with its transaction."""
    dice = random.Random(seed)
    everybody = people(campaign, 9)
    broadcast = started(campaign)
    countdown = 0

    def die(*_args: Any) -> None:
        nonlocal countdown
        countdown -= 1
        if countdown == 0:
            raise Killed

    for moment in ("before_cursor_execute", "commit"):
        event.listen(db.engine, moment, die)
    try:
        for _life in range(20):
            countdown = dice.randint(1, 14)
            try:
                expand_all(2)
            except Killed:
                db.session.rollback()
    finally:
        for moment in ("before_cursor_execute", "commit"):
            event.remove(db.engine, moment, die)
    expand_all(2)
    assert sorted(receivers(broadcast)) == everybody, f"seed {seed}"
    assert fresh(broadcast).wanted == 9, f"seed {seed}"


def test_two_expanders_at_once_double_nothing(app: Flask, campaign: Campaign) -> None:
    everybody = people(campaign, 12)
    broadcast = started(campaign)

    def work() -> None:
        with app.app_context():
            for _look in range(40):
                expansion.expand_chunk(1)
                db.session.commit()

    both = [threading.Thread(target=work) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    expand_all(1)
    assert sorted(receivers(broadcast)) == everybody
    assert fresh(broadcast).wanted == 12


def test_a_pause_between_chunks_stops_the_writing_too(campaign: Campaign) -> None:
    everybody = people(campaign, 6)
    broadcast = started(campaign)
    while not fresh(broadcast).wanted:
        assert expansion.expand_chunk(3)
        db.session.commit()
    broadcasts.pause(broadcast, "Ada")
    db.session.commit()
    assert not expansion.expand_chunk(3)
    assert len(receivers(broadcast)) == 3
    assert outbox.claim(Lane.BULK, 100).recipients == []

    broadcasts.resume(broadcast, "Ada")
    db.session.commit()
    expand_all(3)
    assert sorted(receivers(broadcast)) == everybody


def test_a_paused_contest_holds_it(campaign: Campaign) -> None:
    people(campaign, 2)
    started(campaign)
    campaign.status = CampaignStatus.PAUSED
    db.session.commit()
    assert not expansion.expand_chunk()
    campaign.status = CampaignStatus.LIVE
    db.session.commit()
    assert expansion.expand_chunk()


def test_rule_6_who_left_since_is_not_written_to(
    campaign: Campaign,
    mailbox: Callable[[], list[EmailMessage]],  # noqa: F811 - fixture
) -> None:
    stays, withdraws, complains = people(campaign, 3)
    broadcast = started(campaign)
    jobs.expand()
    db.session.get_one(Contact, withdraws).marketing_at = None
    make_suppression(db.session.get_one(Contact, complains))
    mail_jobs.pump_mail()
    found = db.session.execute(select(Message.contact_id, Message.status, Message.reason)).all()
    assert {row[0]: (row[1].value, row[2]) for row in found} == {
        stays: ("delivered", ""),
        withdraws: ("skipped", "no_consent"),
        complains: ("suppressed", "unsubscribe"),
    }
    assert len(mailbox()) == 1
    jobs.expand()
    assert fresh(broadcast).status is BroadcastStatus.SENT
    assert broadcast.finished_at is not None


def test_nobody_is_written_to_twice_in_two_days_or_at_night(
    campaign: Campaign,
    noon: Clock,  # noqa: F811 - a fixture
) -> None:
    people(campaign, 1)
    first, second = started(campaign), started(campaign)
    jobs.expand()
    mail_jobs.pump_mail()
    states = {row[0]: row[1] for row in db.session.execute(select(Message.stream_id, Message.status))}
    assert (states[first.stream_id].value, states[second.stream_id].value) == ("delivered", "scheduled")
    jobs.expand()
    assert fresh(second).status is BroadcastStatus.SENDING  # the mail waits, so the broadcast does

    noon.forward(days=2, hours=11)  # at eleven in the evening
    mail_jobs.pump_mail()
    assert db.session.scalar(select(Message.status).where(Message.stream_id == second.stream_id)) == "scheduled"
    noon.forward(hours=11)
    mail_jobs.pump_mail()
    jobs.expand()
    assert fresh(second).status is BroadcastStatus.SENT


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # the hour that is left out
        ("2027-03-28T08:00", datetime(2027, 3, 28, 6, 0, tzinfo=UTC)),
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # shown twice: the first
        ("2027-10-31T08:00", datetime(2027, 10, 31, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_schedule_means_the_clock_on_the_wall(
    campaign: Campaign,
    noon: Clock,  # noqa: F811 - fixture
    wall: str,
    moment: datetime,
) -> None:
    """On the nights when the clock changes too."""
    people(campaign, 1)
    noon.forward(seconds=(moment - timedelta(hours=3) - product_clock.now()).total_seconds())
    broadcast = make_broadcast(campaign)
    assert broadcasts.send(broadcast, at=aware(datetime.fromisoformat(wall), "Europe/Paris"))
    db.session.commit()
    noon.forward(hours=2, minutes=58)
    jobs.expand()
    assert fresh(broadcast).status is BroadcastStatus.SCHEDULED
    noon.forward(minutes=4)
    jobs.expand()
    assert len(receivers(broadcast)) == 1


def test_a_start_that_was_missed_by_days_waits_for_a_person(
    campaign: Campaign,
    noon: Clock,  # noqa: F811 - a fixture
) -> None:
    people(campaign, 1)
    broadcast = make_broadcast(campaign)
    broadcasts.send(broadcast, at=product_clock.now() + timedelta(hours=1))
    db.session.commit()
    noon.forward(days=3)
    jobs.expand()
    assert fresh(broadcast).status is BroadcastStatus.SCHEDULED
    assert broadcasts.send(broadcast)
    db.session.commit()
    jobs.expand()
    assert len(receivers(broadcast)) == 1
