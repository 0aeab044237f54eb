"""What only the clock tells: for whom a sequence begins by it, who joined a segment, a contest's end that moves."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import jobs, retiming, triggers
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence
from tests.conftest import Clock
from tests.factories import fresh, letter_data, make_enrolment, make_entry, make_fact, make_segment, make_sequence
from tests.nurture.conftest import change, contact_of

DAY = timedelta(days=1)
SEA = {"all": [{"field": "answer.question_1", "op": "eq", "value": "sea"}]}


def _sequence(campaign: Campaign, trigger: dict[str, Any], **more: Any) -> Sequence:
    steps = [letter_data(1, seconds=600), letter_data(2)]
    return make_sequence(campaign, definition={"trigger": trigger, "steps": steps, **more})


def _willing(campaign: Campaign) -> Entry:
    return make_entry(campaign, confirmed=True, marketing=True)


def _looked() -> list[int]:
    """The entries that are inside after a look, and after another."""
    jobs.look()
    assert jobs.look() == 0, "a second look finds nobody new"
    return list(db.session.scalars(select(Enrolment.entry_id).order_by(Enrolment.id)))


def test_who_gave_no_sign_of_life_for_days(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "inactive", "days": 7})
    silent, lively = _willing(campaign), _willing(campaign)
    change(contact_of(silent), last_inbound_at=product_clock.now() - 8 * DAY)
    change(contact_of(lively), last_inbound_at=product_clock.now() - 6 * DAY)

    assert _looked() == [silent.id]


def test_each_silence_counts_once(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "inactive", "days": 7}, again="each")
    silent = _willing(campaign)
    contact = contact_of(silent)
    change(contact, last_inbound_at=product_clock.now() - 20 * DAY)
    assert _looked() == [silent.id]
    change(db.session.scalars(select(Enrolment)).one(), status=EnrolmentStatus.FINISHED)
    assert _looked() == [silent.id]
    change(contact, last_inbound_at=product_clock.now() - 9 * DAY)

    assert _looked() == [silent.id] * 2


@pytest.mark.parametrize(
    ("on", "days", "ends_in", "is_in"),
    [
        ("contest_closing", 3, 2, True),
        ("contest_closing", 3, 4, False),
        ("contest_closing", 3, -1, False),
        ("contest_ended", 0, -1, True),
        ("contest_ended", 0, -8, False),
        ("contest_ended", 0, 1, False),
    ],
)
def test_the_end_of_a_contest(campaign: Campaign, on: str, days: int, ends_in: int, is_in: bool) -> None:
    ends_at = product_clock.now() + ends_in * DAY
    change(campaign, ends_at=ends_at)
    _sequence(campaign, {"on": on, "days": days})
    long_ago = product_clock.now() - 30 * DAY
    entry = make_entry(campaign, confirmed=True, marketing=True, confirmed_at=long_ago)

    assert _looked() == ([entry.id] if is_in else [])
    if is_in:
        struck_at = ends_at if on == "contest_ended" else ends_at - days * DAY
        assert db.session.scalars(select(Enrolment.anchor_at)).one() == struck_at


def test_who_is_in_a_segment_and_whom_it_is_for(campaign: Campaign) -> None:
    segment = make_segment(db.session.get_one(Brand, campaign.brand_id), SEA)
    who = {"field": "language", "op": "eq", "value": "fr"}
    _sequence(campaign, {"on": "segment_joined", "of": str(segment.id)}, who=who, again="each")
    entries = [_willing(campaign) for _ in range(4)]
    for number, entry in enumerate(entries):
        answers = {"question_1": "sea" if number < 2 else "city"}
        change(contact_of(entry), answers=answers, locale="fr" if number % 2 else "en")

    assert _looked() == [entries[1].id]
    change(db.session.scalars(select(Enrolment)).one(), status=EnrolmentStatus.FINISHED)
    assert _looked() == [entries[1].id], "nobody knows whether somebody left a segment and came back"


def _passes(clock: Clock, times: int, days: int) -> int:
    """How many enrolments there are when the clock was looked at so often, each of them over by the next time."""
    for _ in range(times):
        jobs.look()
        for one in db.session.scalars(select(Enrolment).filter_by(status=EnrolmentStatus.ACTIVE)):
            change(one, status=EnrolmentStatus.FINISHED, ended_at=product_clock.now())
        clock.forward(days=days, minutes=5)
    return len(db.session.scalars(select(Enrolment)).all())


@pytest.mark.parametrize("again", ["after", "each"])
@pytest.mark.parametrize("on", ["contest_ended", "inactive"])
def test_one_end_and_one_silence_count_once_whatever_the_pause(
    campaign: Campaign, clock: Clock, on: str, again: str
) -> None:
    now = product_clock.now()
    entry = make_entry(campaign, confirmed=True, marketing=True, confirmed_at=now - 30 * DAY)
    change(campaign, ends_at=now - timedelta(hours=1))
    change(contact_of(entry), last_inbound_at=now - 20 * DAY)
    _sequence(campaign, {"on": on, "days": 7}, again=again, again_days=1)
    assert _passes(clock, times=4, days=1) == 1


@pytest.mark.parametrize(("again", "times"), [("never", 1), ("each", 1), ("after", 3)])
def test_a_segment_begins_again_only_after_days(campaign: Campaign, clock: Clock, again: str, times: int) -> None:
    segment = make_segment(db.session.get_one(Brand, campaign.brand_id))
    _willing(campaign)
    _sequence(campaign, {"on": "segment_joined", "of": str(segment.id)}, again=again, again_days=2)
    assert _passes(clock, times=3, days=2) == times


@pytest.mark.parametrize("of", ["", "999999", "x", "-1"])
def test_a_segment_that_is_no_more_begins_nothing(campaign: Campaign, of: str) -> None:
    _sequence(campaign, {"on": "segment_joined", "of": of})
    _willing(campaign)

    assert _looked() == []


def test_without_consent_the_clock_begins_nothing(campaign: Campaign) -> None:
    _sequence(campaign, {"on": "inactive", "days": 0})
    make_entry(campaign, confirmed=True, marketing=False)

    assert _looked() == []


def test_joining_a_segment_is_a_goal_and_an_event_to_wait_for(campaign: Campaign) -> None:
    segment = make_segment(db.session.get_one(Brand, campaign.brand_id), SEA)
    joined = {"on": "segment_joined", "of": str(segment.id)}
    waits = letter_data(1, wait={"until": "event", "seconds": 9 * 86_400, "event": joined})
    entries = [_willing(campaign) for _ in range(2)]
    waiting = make_sequence(campaign, definition={"steps": [waits]})
    aiming = make_sequence(campaign, definition={"goal": {"on": joined}}, key="aims")
    later = product_clock.now() + 5 * DAY
    inside = [make_enrolment(sequence, one, next_run_at=later) for sequence in (waiting, aiming) for one in entries]
    change(contact_of(entries[0]), answers={"question_1": "sea"})
    jobs.look()
    jobs.look()

    woken, asleep, reached, not_reached = (fresh(one) for one in inside)
    assert woken.next_run_at <= product_clock.now()
    assert asleep.next_run_at == later
    assert (reached.status, reached.exit_reason) == (EnrolmentStatus.EXITED, "goal")
    assert not_reached.goal_at is None
    told = db.session.scalars(select(EnrolmentMove.reason).order_by(EnrolmentMove.id)).all()
    assert sorted(told) == sorted([MoveReason.WENT_ON, MoveReason.GOAL])


def test_who_is_in_the_segment_of_the_goal_does_not_begin(campaign: Campaign) -> None:
    """There is nothing to reach, and nobody can tell when they joined."""
    segment = make_segment(db.session.get_one(Brand, campaign.brand_id), SEA)
    joined = {"on": "segment_joined", "of": str(segment.id)}
    _sequence(campaign, {"on": "confirmed"}, goal={"on": joined})
    member, other = _willing(campaign), _willing(campaign)
    change(contact_of(member), answers={"question_1": "sea"})
    triggers.hear([make_fact(one, FactName.ENTRY_CONFIRMED) for one in (member, other)])
    db.session.commit()
    assert db.session.scalars(select(Enrolment.entry_id)).all() == [other.id]


@pytest.mark.parametrize(
    ("event", "ends_in", "is_come"),
    [
        ({"on": "contest_ended"}, -1, True),
        ({"on": "contest_ended"}, 1, False),
        ({"on": "contest_closing", "days": 2}, 1, True),
        ({"on": "contest_closing", "days": 2}, 3, False),
        ({"on": "inactive", "days": 7}, 3, True),
        ({"on": "inactive", "days": 9}, 3, False),
    ],
)
def test_who_waits_for_the_clock_goes_on_when_it_strikes(
    campaign: Campaign, event: dict[str, Any], ends_in: int, is_come: bool
) -> None:
    wait = {"until": "event", "seconds": 30 * 86400, "event": event}
    steps = [letter_data(1, wait=wait)]
    sequence = make_sequence(campaign, definition={"trigger": {"on": "confirmed"}, "steps": steps})
    waiting = _willing(campaign)
    now = product_clock.now()
    change(contact_of(waiting), last_inbound_at=now - 8 * DAY)
    change(campaign, ends_at=now + ends_in * DAY)
    enrolment = make_enrolment(sequence, waiting, next_run_at=now + 20 * DAY, step_key="step_1")

    jobs.look()

    assert (fresh(enrolment).next_run_at <= now + DAY) is is_come


def test_the_last_letters_follow_an_end_that_moves(
    campaign: Campaign, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = letter_data(1, wait={"until": "before_end", "seconds": 3 * 86_400})
    sequence = make_sequence(campaign, definition={"steps": [before, letter_data(2, seconds=60)]})
    ends_at = product_clock.now().replace(microsecond=0) + 10 * DAY
    first, other = _willing(campaign), _willing(campaign)
    waits = make_enrolment(sequence, first, next_run_at=ends_at - 3 * DAY)
    passed = make_enrolment(sequence, other, step_key="step_2", next_run_at=ends_at)
    change(campaign, ends_at=ends_at + 7 * DAY)

    read = retiming._retime
    seen: list[int] = []
    monkeypatch.setattr(retiming, "_retime", lambda rows: seen.extend(row.id for row in rows) or read(rows))
    assert jobs.retime(campaign.id) == 1
    assert jobs.retime(campaign.id) == 0
    assert set(seen) == {waits.id}, "who waits for nothing before the end is not read"
    assert abs(fresh(waits).next_run_at - (ends_at + 4 * DAY)) <= timedelta(hours=1)
    assert fresh(passed).next_run_at == ends_at
    assert db.session.scalars(select(EnrolmentMove.reason)).all() == [MoveReason.RETIMED]
