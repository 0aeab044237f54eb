"""The audit: a kept house is clean, and each planted breach is named by its invariant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from leadgen import cli
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import ConsentAction, Contact, SuppressionReason
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.settings import Settings
from leadgen.entries.models import Entry
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import audit as auditing
from leadgen.mail import jobs, ladder
from leadgen.mail.audit import Report, Taken, Told
from leadgen.mail.models import Message, MessageStatus
from tests.factories import (
    make_consent,
    make_entry,
    make_message,
    make_move,
    make_provider_event,
    make_suppression,
)
from tests.mail.conftest import confirmation

ALL = ("I02", "I03", "I04", "I05", "I15", "I16", "I17", "I18", "I19")


class World:
    """People whose mails went out as they should, the provider's log of them, and what people were told."""

    def __init__(self, campaign: Campaign, cleaner: psycopg.Connection[Any]) -> None:
        self.cleaner = cleaner
        self.now = product_clock.now()
        self.pending = make_entry(campaign, email="anna@mail.example")
        self.confirm = self.mail(self.pending, "confirm", status=MessageStatus.DELIVERED)
        self.ben = make_entry(campaign, email="ben@mail.example", confirmed=True, marketing=True)
        make_consent(self.contact, action=ConsentAction.CONFIRMED)
        self.mail(self.ben, "confirm", status=MessageStatus.ACCEPTED)
        self.letter = self.mail(self.ben, "sequence", status=MessageStatus.ACCEPTED)
        self.welcome = self.mail(self.ben, "welcome", status=MessageStatus.BOUNCED, reason="hard")
        self.event = make_provider_event(self.welcome, kind="bounce", applied_at=self.now, outcome="hard_bounce")
        self.told = [Told("entered", "anna@mail.example", self.now), Told("confirmed", "ben@mail.example", self.now)]
        messages = db.session.query(Message).all()
        self.log = [Taken(str(m.opaque_id), "", self.now) for m in messages]

    @property
    def contact(self) -> Contact:
        return db.session.get_one(Contact, self.ben.contact_id)

    def mail(self, entry: Entry, letter: str, *, status: MessageStatus, **values: Any) -> Message:
        lanes = {
            "confirm": (Lane.CONFIRMATION, MailPurpose.CONFIRMATION),
            "welcome": (Lane.SERVICE, MailPurpose.SERVICE),
        }
        lane, purpose = lanes.get(letter, (Lane.NURTURE, MailPurpose.MARKETING))
        sent = {"attempts": 1, "sent_at": product_clock.now()} | values
        return make_message(entry, letter=letter, lane=lane, purpose=purpose, status=status, **sent)

    def alter(self, message: Message, assignment: str, **values: Any) -> None:
        statement = text(f"UPDATE message SET {assignment} WHERE id = :id")
        db.session.execute(statement, {"id": message.id, **values})
        db.session.commit()

    def report(self) -> Report:
        db.session.commit()
        return auditing.audit(self.cleaner, log=self.log, journal=self.told)

    def twice(self, message: Message) -> None:
        self.log.append(Taken(str(message.opaque_id), "", self.now))


@pytest.fixture
def world(campaign: Campaign, cleaner: psycopg.Connection[Any]) -> World:
    return World(campaign, cleaner)


def test_a_kept_house_is_clean(world: World) -> None:
    report = world.report()

    assert report.wrong == {}
    assert [finding.code for finding in report.findings] == list(ALL)
    assert "I03 kept: 4 mails in the provider's log" in "\n".join(report.lines())
    assert report.unknown == 0


def test_what_somebody_sent_again_knowingly_is_no_double(world: World) -> None:
    for message in (world.letter, world.confirm):
        make_move(message, "by_hand:Ada")
        world.twice(message)
    assert world.report().wrong == {}
    world.twice(world.letter)
    assert list(world.report().wrong) == ["I03 mails that the provider took twice"]


def _entry_without_mail(world: World) -> None:
    make_entry(db.session.get_one(Campaign, world.ben.campaign_id))


def _one_mail_too_many(world: World) -> None:
    world.mail(world.pending, "confirm", status=MessageStatus.SCHEDULED, attempts=0, sent_at=None)


def _silent_end(world: World) -> None:
    world.alter(world.confirm, "status = 'expired', sent_at = NULL")


def _letter_twice(world: World) -> None:
    world.twice(world.letter)


def _confirmation_thrice(world: World) -> None:
    world.alter(world.confirm, "context = context || '{\"again\": true}'")
    world.twice(world.confirm)
    world.twice(world.confirm)


def _confirmation_twice_without_doubt(world: World) -> None:
    world.twice(world.confirm)


def _no_consent(world: World) -> None:
    other = make_entry(db.session.get_one(Campaign, world.ben.campaign_id), confirmed=True)
    world.log.append(Taken(str(world.mail(other, "sequence", status=MessageStatus.ACCEPTED).opaque_id)))


def _revoked_consent(world: World) -> None:
    make_consent(world.contact, action=ConsentAction.WITHDRAWN)
    world.alter(world.letter, "sent_at = sent_at + interval '1 minute'")


def _service_before_confirmation(world: World) -> None:
    world.log.append(Taken(str(world.mail(world.pending, "welcome", status=MessageStatus.ACCEPTED).opaque_id)))


def _two_reminders(world: World) -> None:
    for _ in range(2):
        sent = make_message(
            world.pending,
            letter="reminder",
            lane=Lane.CONFIRMATION,
            purpose=MailPurpose.CONFIRMATION,
            status=MessageStatus.ACCEPTED,
            attempts=1,
            sent_at=world.now,
        )
        world.log.append(Taken(str(sent.opaque_id)))


def _suppressed_before(world: World) -> None:
    make_suppression(world.contact, reason=SuppressionReason.COMPLAINT, at=world.now - timedelta(minutes=1))


def _erased_before(world: World) -> None:
    world.contact.erased_at = world.now - timedelta(minutes=1)


def _started_after_the_answer(world: World) -> None:
    world.told.append(Told("unsubscribed", "ben@mail.example", product_clock.now()))
    world.alter(world.letter, "sent_at = sent_at + interval '5 seconds'")


def _started_after_the_erasure(world: World) -> None:
    world.contact.erased_at = world.now - timedelta(seconds=5)
    world.told = [Told("erased", "ben@mail.example", world.now - timedelta(seconds=5))]
    world.log = [taken._replace(to="Ben@mail.example") for taken in world.log]


def _handed_over_late(world: World) -> None:
    world.contact.marketing_at = None
    world.told.append(Told("unsubscribed", "ben@mail.example", world.now + timedelta(seconds=1)))
    late = Taken(str(world.letter.opaque_id), "ben@mail.example", world.now + timedelta(minutes=3))
    world.log = [taken for taken in world.log if taken.opaque_id != late.opaque_id] + [late]


def _never_taken(world: World) -> None:
    world.log = [taken for taken in world.log if taken.opaque_id != str(world.letter.opaque_id)]


def _bounce_forgotten(world: World) -> None:
    world.alter(world.welcome, "status = 'delivered', reason = ''")


def _complaint_forgotten(world: World) -> None:
    make_provider_event(world.letter, kind="spamreport", applied_at=world.now, outcome="complaint")
    world.alter(world.letter, "status = 'delivered'")


def _sent_without_attempt(world: World) -> None:
    world.alter(world.letter, "attempts = 0")


def _lease_without_work(world: World) -> None:
    world.alter(world.letter, "lease_until = now()")


def _sending_for_ever(world: World) -> None:
    world.alter(world.letter, "status = 'sending', lease_until = clock_timestamp() - interval '4 minutes'")


def _uncertain_for_ever(world: World) -> None:
    lease = "lease_until = clock_timestamp() - interval '6 minutes'"
    world.alter(world.letter, f"status = 'uncertain', reason = 'no_answer', {lease}")


def _acknowledged_and_lost(world: World) -> None:
    world.told.append(Told("entered", "cleo@mail.example", world.now))


def _confirmed_and_lost(world: World) -> None:
    world.told.append(Told("confirmed", "anna@mail.example", world.now))


def _below_its_events(world: World) -> None:
    make_provider_event(world.letter, kind="delivered", applied_at=world.now, outcome="applied")


def _bounced_by_nobody(world: World) -> None:
    world.alter(world.letter, "status = 'bounced', reason = 'hard'")


def _forged(world: World) -> None:
    stranger = world.mail(world.ben, "welcome", status=MessageStatus.SCHEDULED, attempts=0, sent_at=None)
    make_provider_event(stranger, kind="open", applied_at=world.now, outcome="kept")


PLANTED = [
    ("I02", "without a confirmation", _entry_without_mail),
    ("I02", "more confirmations than", _one_mail_too_many),
    ("I02", "without a reason", _silent_end),
    ("I03", "took twice", _letter_twice),
    ("I03", "more than twice", _confirmation_thrice),
    ("I03", "outcome of the first was known", _confirmation_twice_without_doubt),
    ("I04", "unrevoked consent", _no_consent),
    ("I04", "unrevoked consent", _revoked_consent),
    ("I04", "had not confirmed", _service_before_confirmation),
    ("I04", "more than one reminder", _two_reminders),
    ("I05", "suppressed address", _suppressed_before),
    ("I05", "an erased person", _erased_before),
    ("I05", "acknowledged the unsubscribe", _started_after_the_answer),
    ("I05", "acknowledged the erasure", _started_after_the_erasure),
    ("I05", "got long after", _handed_over_late),
    ("I15", "not in the provider's log", _never_taken),
    ("I15", "count as sent again", _bounce_forgotten),
    ("I15", "complained", _complaint_forgotten),
    ("I16", "without an attempt", _sent_without_attempt),
    ("I16", "with a lease", _lease_without_work),
    ("I16", "more than 5 minutes", _sending_for_ever),
    ("I16", "more than 20 minutes", _uncertain_for_ever),
    ("I17", "they are in", _acknowledged_and_lost),
    ("I17", "they are confirmed", _confirmed_and_lost),
    ("I18", "highest of their events", _below_its_events),
    ("I18", "no event says so", _bounced_by_nobody),
    ("I19", "never took", _forged),
]


@pytest.mark.parametrize(("code", "words", "plant"), PLANTED, ids=[plant.__name__[1:] for _, _, plant in PLANTED])
def test_each_planted_breach_is_named(world: World, code: str, words: str, plant: Callable[[World], None]) -> None:
    plant(world)
    assert any(line.startswith(code) and words in line for line in world.report().wrong)


def test_without_logs_only_what_needs_none_is_judged(world: World) -> None:
    db.session.commit()
    said = list(auditing.audit(world.cleaner).lines())

    assert "I03 not judged: needs the log" in said
    assert "I17 not judged: needs the journal" in said
    assert any(line.startswith("I05 kept") and "in part: without the journal and the log" in line for line in said)


def test_the_lines_of_logs_are_read_with_either_kind_of_time(tmp_path: Path) -> None:
    opaque = "00000000-0000-4000-8000-000000000001"
    (tmp_path / "log").write_text(
        json.dumps({"at": "2026-06-01T12:00:00+00:00", "m": opaque, "to": "a@mail.example", "letter": "confirm"})
        + "\n"
        + json.dumps({"at": 1_780_315_200, "m": opaque})
    )
    first, second = auditing.read_log(tmp_path / "log")
    assert first == Taken(opaque, "a@mail.example", second.at)


def test_a_line_that_nobody_can_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text(
        '{"at": 1, "deed": "entered", "email": "a@mail.example"}\n{"at": 1, "deed": "slept", "email": ""}\n'
    )
    with pytest.raises(Invalid, match="line 2"):
        list(auditing.read_journal(path))


def test_the_command_reads_the_folder_of_mails(app: Flask, settings: Settings, campaign: Campaign) -> None:
    """As it is after real sending through the file provider, and red once a mail is missing."""
    sent = confirmation(campaign, email="anna@mail.example")
    jobs.pump_confirmations()
    ladder.apply_waiting()
    db.session.commit()

    clean = app.test_cli_runner().invoke(cli.mail, ["audit"])
    assert clean.exit_code == 0, clean.output
    assert "I03 kept: 1 mails" in clean.output

    for path in Path(settings.mail_dir).glob("*.eml"):
        path.unlink()
    broken = app.test_cli_runner().invoke(cli.mail, ["audit"])
    assert broken.exit_code == 1
    assert f"I15 BROKEN: 1 mails that count as taken and are not in the provider's log: {sent.id}" in broken.output
