"""From the tick to the mailbox by everybody's own clock, over both nights on which the clocks of Paris change."""

import itertools
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.journal.vocabulary import FactName
from leadgen.mail import jobs as mail
from leadgen.mail import streams
from leadgen.mail.models import Message, MessageMove, MessageStatus
from leadgen.nurture import jobs
from leadgen.reactions import drain
from tests.conftest import Clock
from tests.factories import letter_data, make_campaign, make_enrolment, make_entry, make_fact, make_sequence
from tests.nurture.conftest import change, contact_of

ZONES = {"Europe/Paris": "Europe/Paris", "America/Guadeloupe": "America/Guadeloupe",
         "Pacific/Noumea": "Pacific/Noumea", "": "Europe/Paris", "Mars/Olympus": "Europe/Paris"}  # fmt: skip

_number = itertools.count(1)


@pytest.fixture
def at(context: None, clock: Clock) -> Callable[[str], None]:
    """Puts the clock to a moment of the future."""

    def move(moment: str) -> None:
        clock.forward(seconds=(datetime.fromisoformat(moment) - product_clock.now()).total_seconds())

    return move


_NEXT = text("""
SELECT min(at) FROM (SELECT next_run_at AS at FROM enrolment WHERE status = 'active'
                     UNION ALL SELECT due_at FROM message WHERE status = 'scheduled') AS due
""")


def _live(clock: Clock) -> None:
    """From one moment at which something is due to the next, until nothing is; a second before, nothing happens."""
    while (due_at := db.session.scalar(_NEXT)) is not None:
        until = (due_at - product_clock.now()).total_seconds()
        if until > 1:
            clock.forward(seconds=until - 1)
            assert jobs.plan() == 0
        clock.forward(seconds=min(1.0, max(until, 0.0)))
        jobs.plan()
        mail.pump_mail()


@pytest.mark.parametrize("friday", ["2031-03-28T12:00+00:00", "2031-10-24T12:00+00:00"])
def test_ten_oclock_from_tuesday_to_thursday(at: Callable[[str], None], clock: Clock, friday: str) -> None:
    """The clocks change in the night to Sunday; a day after Friday noon leads to Tuesday, ten o'clock."""
    at(friday)
    campaign = make_campaign(timezone="Europe/Paris")
    wait = {"seconds": 86_400, "at": "10:00", "weekdays": [2, 3, 4]}
    make_sequence(campaign, definition={"steps": [letter_data(1, wait=wait)]})
    zones = {}
    for named, counts in ZONES.items():
        entry = make_entry(campaign, confirmed=True, marketing=True, confirmed_at=product_clock.now())
        change(contact_of(entry), timezone=named)
        make_fact(entry, FactName.ENTRY_CONFIRMED)
        zones[entry.id] = ZoneInfo(counts)
    drain()
    _live(clock)

    sent = db.session.execute(select(Message.entry_id, Message.sent_at, Message.status)).all()
    assert sorted(row.entry_id for row in sent) == sorted(zones), "everybody once"
    for row in sent:
        local = row.sent_at.astimezone(zones[row.entry_id])
        assert row.status is MessageStatus.DELIVERED
        assert (local.isoweekday(), local.hour, local.minute) == (2, 10, 0)


@pytest.mark.parametrize("evening", ["2031-03-29T22:30+01:00", "2031-10-25T22:30+02:00"])
def test_nothing_arrives_in_quiet_hours(at: Callable[[str], None], clock: Clock, evening: str) -> None:
    """Whoever is due at night waits for eight o'clock and half an hour at most; so does who has no known zone."""
    at(evening)
    campaign = make_campaign(timezone="Europe/Paris")
    sequence = make_sequence(campaign, definition={"steps": [letter_data(1)]})
    zones = {}
    for named, counts in ZONES.items():
        entry = make_entry(campaign, confirmed=True, marketing=True)
        change(contact_of(entry), timezone=named)
        make_enrolment(sequence, entry)
        zones[entry.id] = ZoneInfo(counts)
    jobs.plan()
    _live(clock)

    for message in db.session.scalars(select(Message)):
        assert message.sent_at is not None
        local = message.sent_at.astimezone(zones[message.entry_id or 0])
        assert 8 <= local.hour < 21
        if zones[message.entry_id or 0].key == "Europe/Paris":
            assert local.hour == 8
            assert local.minute <= 30


class TestPriority:
    """Two marketing letters of one person are due: the more important one goes, the other waits and says why."""

    @pytest.fixture(autouse=True)
    def two(self, campaign: Campaign) -> None:
        entry = make_entry(campaign, confirmed=True, marketing=True)
        for priority in (5, 8, 5):
            definition = {"priority": priority, "steps": [letter_data(priority)]}
            sequence = make_sequence(campaign, definition=definition, key=f"s{next(_number)}")
            make_enrolment(sequence, entry)
        jobs.plan()

    def _states(self) -> list[tuple[int, str, str]]:
        db.session.expire_all()
        rows = db.session.scalars(select(Message).order_by(Message.id))
        return [(row.priority, row.status.value, row.reason) for row in rows]

    def _look(self, clock: Clock, **later: float) -> None:
        clock.forward(**later)
        mail.pump_mail()

    def test_the_more_important_goes_first(self, clock: Clock) -> None:
        self._look(clock)
        assert self._states()[1] == (8, "delivered", "")
        assert {reason for _p, status, reason in self._states() if status == "scheduled"} <= {
            "priority",
            "frequency_cap",
        }
        moved = db.session.scalars(select(MessageMove.reason)).all()
        assert "priority" in moved
        self._look(clock, minutes=11)
        assert {state for state in self._states() if state[0] == 5} == {(5, "scheduled", "frequency_cap")}

    def test_the_others_follow_or_are_over(self, clock: Clock) -> None:
        """One mail in 48 hours; the next is the older of those that waited, the last would come too late."""
        self._look(clock)
        self._look(clock, minutes=11)
        self._look(clock, hours=47)
        assert [status for _priority, status, _reason in self._states()] == ["scheduled", "delivered", "scheduled"]
        self._look(clock, hours=1)
        assert [(status, reason) for _priority, status, reason in self._states()] == [
            ("delivered", ""),
            ("delivered", ""),
            ("expired", "frequency_cap"),
        ]

    def test_one_that_does_not_flow_holds_nobody_back(self, campaign: Campaign, clock: Clock) -> None:
        important = db.session.scalars(select(Message).filter_by(priority=8)).one()
        streams.pause(important.stream_id, "Ada")
        db.session.commit()
        self._look(clock)
        assert [status for _p, status, _reason in self._states()] == ["delivered", "scheduled", "scheduled"]
