"""A crowd goes through two weeks of one sequence, and every count is exactly what it has to be.

2,000 people here; CROWD=100000 in the environment makes it that many.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail import delivery
from leadgen.mail import jobs as mail
from leadgen.mail.providers.interface import Answer, Batch, Result, all_of
from leadgen.nurture import jobs, splitting, triggers
from leadgen.reactions import drain
from tests.conftest import Clock
from tests.factories import letter_data, make_campaign, make_sequence

PEOPLE = int(os.environ.get("CROWD", "2000"))
DAY = 86_400
MONDAY = "2031-06-02T09:00+02:00"
SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}
FRENCH = {"field": "language", "op": "eq", "value": "fr"}
FORM = {"on": "form_finished"}


def _letter(key: str, **values: Any) -> dict[str, Any]:
    return {**letter_data(1), "key": key, **values}


DEFINITION = {
    "holdout": 10,
    "goal": {"on": {"on": "reward_given"}},
    "exits": [{"on": {"on": "action_credited", "of": "bought"}}],
    "steps": [
        _letter("hello", wait={"seconds": 3_600}),
        {"kind": "branch", "key": "fork", "wait": {"seconds": 3 * DAY}, "when": SEA, "yes": [_letter("sea")],
         "no": [_letter("form", wait={"until": "event", "event": FORM, "seconds": 3 * DAY})]},
        _letter("french", wait={"seconds": 4 * DAY, "at": "10:00", "weekdays": [2, 3, 4]}, when=FRENCH),
        _letter("last", wait={"until": "before_end", "seconds": DAY}),
    ],
}  # fmt: skip
_CONTACTS = text("""
INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, answers,
                     email_verified_at, marketing_at, last_inbound_at, created_at)
SELECT :brand, 'n' || n, 'n' || n || '@mail.example', decode(md5('n' || n), 'hex'), '',
       CASE WHEN n % 3 = 0 THEN 'fr' ELSE 'en' END, 'Europe/Paris',
       CASE WHEN n % 2 = 0 THEN CAST(:sea AS jsonb) ELSE '{}' END, :now, :now, :now, :now
FROM generate_series(0, :people - 1) AS n ORDER BY n
""")
_ENTRIES = text("""
INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                   is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, created_at)
SELECT 'P' || p.id, 'C' || p.id, p.brand_id, :campaign, p.id, 'confirmed', p.locale, 1, true, :now, :now, :now, :now,
       :now
FROM contact p ORDER BY p.id
""")
# Who somebody is, is told by their number: what they answer and do.
_HAPPENED = text("""
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT :name, :now, e.brand_id, e.campaign_id, e.contact_id, e.id, CAST(:data AS jsonb)
FROM entry e JOIN contact p ON p.id = e.contact_id
WHERE CAST(substr(p.mailbox_key, 2) AS int) % :of = ANY(:which)
""")
_WITHDRAWN = text("UPDATE contact SET marketing_at = NULL WHERE CAST(substr(mailbox_key, 2) AS int) % 10 = 2")
_WAITING = text("""
SELECT (SELECT count(*) FROM enrolment WHERE status = 'active' AND next_run_at <= :now)
     + (SELECT count(*) FROM message WHERE status = 'scheduled' AND due_at <= :now)
""")
_OUTCOMES = text("""
SELECT split_part(m.intent, ':', 3) AS key, m.status, m.reason, count(*) AS mails
FROM message m GROUP BY 1, 2, 3
""")


class _Everything:
    """A provider that takes all and keeps nothing."""

    largest = 1000

    def send(self, batch: Batch) -> Answer:
        return Answer(all_of(batch.parcels, Result.ACCEPTED))


@pytest.fixture
def crowd(context: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """People who confirmed on a Monday morning; the contest ends fifteen days later at noon."""
    monkeypatch.setattr(delivery, "provider", _Everything)
    clock.forward(seconds=(datetime.fromisoformat(MONDAY) - product_clock.now()).total_seconds())
    end = datetime.fromisoformat(MONDAY) + timedelta(days=15, hours=3)
    campaign = make_campaign(timezone="Europe/Paris", ends_at=end)
    values = {"brand": campaign.brand_id, "campaign": campaign.id, "people": PEOPLE, "now": product_clock.now()}
    db.session.execute(_CONTACTS, {**values, "sea": '{"question_1": "sea"}'})
    db.session.execute(_ENTRIES, values)
    make_sequence(campaign, definition=DEFINITION)
    _happens(FactName.ENTRY_CONFIRMED, of=1, which=[0], is_told=False)
    facts = db.session.scalars(select(Fact).filter_by(name=FactName.ENTRY_CONFIRMED.value).order_by(Fact.id)).all()
    for first in range(0, len(facts), 1000):
        triggers.hear(facts[first : first + 1000])
    db.session.execute(text("UPDATE fact SET announced_at = now()"))
    for table in ("contact", "entry", "enrolment", "fact"):
        db.session.execute(text(f"ANALYZE {table}"))
    db.session.commit()
    return campaign


def _happens(name: FactName, *, of: int, which: list[int], data: str = "{}", is_told: bool = True) -> None:
    values = {"name": name.value, "now": product_clock.now(), "of": of, "which": which, "data": data}
    db.session.execute(_HAPPENED, values)
    db.session.commit()
    if is_told:
        drain()


def _days(clock: Clock) -> Iterator[str]:
    """Three looks a day: at nine, at noon and at eight in the evening; all that is due then is done."""
    for day in range(16):
        for hour, hours in ((9, 3), (12, 8), (20, 13)):
            yield f"{day}:{hour}"
            while db.session.scalar(_WAITING, {"now": product_clock.now()}):
                db.session.rollback()
                jobs.plan()
                mail.pump_mail()
            db.session.rollback()
            clock.forward(hours=hours)


def test_two_weeks_of_a_crowd(crowd: Campaign, clock: Clock) -> None:
    for moment in _days(clock):
        if moment == "2:12":  # Wednesday: before the fork
            _happens(FactName.REWARD_GIVEN, of=10, which=[0])
        elif moment == "4:12":  # Friday: half of those who wait for it finish the form
            _happens(FactName.FORM_FINISHED, of=4, which=[1])
        elif moment == "5:12":
            _happens(FactName.ACTION_CREDITED, of=10, which=[1], data='{"action": "bought"}')
        elif moment == "7:9":
            db.session.execute(_WITHDRAWN)
            _happens(FactName.CONSENT_WITHDRAWN, of=10, which=[2])
        elif moment == "8:12":  # Tuesday at noon, and nobody is told before the letters leave
            _happens(FactName.REWARD_GIVEN, of=10, which=[3], is_told=False)

    first = int(db.session.scalar(text("SELECT min(id) FROM contact")) or 0)
    expected = sum((_of(number, first) for number in range(PEOPLE)), Counter[tuple[str, str, str]]())
    found = {(row.key, row.status, row.reason): row.mails for row in db.session.execute(_OUTCOMES)}
    assert found == dict(expected)
    drain()
    rows = db.session.execute(text("SELECT status, exit_reason, count(*) FROM enrolment GROUP BY 1, 2")).all()
    ends = {(status, reason): people for status, reason, people in rows}
    assert ends == dict(Counter(_end(number, first) for number in range(PEOPLE)))
    once = "SELECT count(*), count(DISTINCT (enrolment_id, split_part(intent, ':', 3))) FROM message"
    assert len(set(db.session.execute(text(once)).one())) == 1


def _is_held_out(number: int, first: int) -> bool:
    """Contacts are made in the order of their numbers; the sequence is the only one."""
    return splitting.is_held_out(1, 10, first + number)


def _of(number: int, first: int) -> Counter[tuple[str, str, str]]:
    """What becomes of the letters of this person, told from who they are."""
    sent = ("accepted", "")
    found = Counter[tuple[str, str, str]]()
    if _is_held_out(number, first):
        return found
    found["hello", *sent] = 1
    if number % 10 == 0:  # the goal on Wednesday
        return found
    is_early = number % 2 == 0 or number % 4 == 1  # the fork on Thursday, or the form on Friday
    if number % 10 == 1:  # bought on Saturday
        found["form", *sent] = int(is_early)
        return +found
    found["sea" if number % 2 == 0 else "form", *sent] = 1
    if number % 10 == 2:  # unsubscribed on Monday
        return found
    if number % 10 == 3:  # the goal on Tuesday, seen as the next letter would leave
        found["french", "skipped", "goal"] = 1
        return found
    found["french", *(sent if number % 3 == 0 else ("skipped", "condition"))] = 1
    found["last", *sent] = 1
    return found


def _end(number: int, first: int) -> tuple[str, str]:
    if _is_held_out(number, first):
        return "held_out", ""
    if number % 10 in {0, 3}:
        return "exited", "goal"
    return {1: ("exited", "exit_event"), 2: ("exited", "withdrawn")}.get(number % 10, ("finished", ""))
