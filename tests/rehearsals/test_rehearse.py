"""What a rehearsal tells of single people and of many, and that it leaves no trace."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries.models import Entry
from leadgen.letters.models import Lane, MailPurpose
from leadgen.nurture import splitting
from leadgen.nurture.definition import from_data
from leadgen.nurture.models import Sequence
from leadgen.rehearsals import outlook, service
from leadgen.rehearsals.outlook import Outlook
from leadgen.rehearsals.plots import Kind, Line, Suppose
from leadgen.rehearsals.service import Rehearsal
from leadgen.rehearsals.subjects import MadeUp
from tests.factories import (
    make_campaign,
    make_contact,
    make_enrolment,
    make_entry,
    make_message,
    make_sequence,
    make_suppression,
)
from tests.rehearsals.conftest import NOON, Frozen
from tests.texts import step as words

DAY, HOUR = 86_400, 3_600
SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}


def letter(key: str, seconds: int, **values: Any) -> dict[str, Any]:
    return {
        "kind": "letter",
        "key": key,
        "wait": {"seconds": seconds},
        "variants": [{"key": "a", "texts": words(1)}],
        **values,
    }


_number = itertools.count(1)
STEPS = [
    letter("first", HOUR),
    {"kind": "branch", "key": "fork", "when": SEA, "wait": {"seconds": DAY}, "yes": [letter("sea", 2 * DAY)], "no": []},
    letter("last", 3 * DAY),
]


@pytest.fixture
def campaign(frozen: Frozen) -> Campaign:
    return make_campaign(starts_at=NOON - timedelta(days=1), ends_at=NOON + timedelta(days=20))


def _sequence(campaign: Campaign, **more: Any) -> tuple[Sequence, dict[str, Any]]:
    data = {"trigger": {"on": "confirmed"}, "steps": STEPS, **more}
    return make_sequence(campaign, definition=data, key=f"sequence-{next(_number)}"), data


def _rehearse(campaign: Campaign, person: int | MadeUp, *, suppose: Suppose | None = None, **more: Any) -> Rehearsal:
    sequence, data = _sequence(campaign, **more)
    return service.rehearse(sequence, from_data(data), person, starts_at=NOON, suppose=suppose)


def _entry(campaign: Campaign, **values: Any) -> Entry:
    brand = db.session.get_one(Brand, campaign.brand_id)
    return make_entry(campaign, make_contact(brand, marketing=True, **values), confirmed=True)


def _told(rehearsal: Rehearsal) -> list[tuple[Kind, str, str]]:
    return [(line.kind, line.step_key, line.reason) for line in rehearsal.played.lines]


def _first(rehearsal: Rehearsal, kind: Kind) -> Line:
    return next(line for line in rehearsal.played.lines if line.kind is kind)


def _rows() -> dict[str, str]:
    """A mark of all that stands in each table, and of each counter of ids."""
    names = db.session.scalars(text("SELECT relname FROM pg_stat_user_tables ORDER BY 1")).all()
    marked = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{}\" t"
    found = {name: db.session.scalar(text(marked.format(name))) for name in names}
    ids = db.session.execute(text("SELECT sequencename, last_value FROM pg_sequences")).all()
    return {**found, **{name: str(last) for name, last in ids}}


def test_a_rehearsal_writes_nothing(campaign: Campaign) -> None:
    sequence, data = _sequence(campaign)
    entries = [_entry(campaign, answers={"question_1": "sea"}) for _number in range(3)]
    db.session.commit()
    before = _rows()
    for who in (entries[0].contact_id, MadeUp(locale="fr", answers={"question_1": "sea"})):
        rehearsal = service.rehearse(sequence, from_data(data), who, starts_at=NOON)
        assert Kind.SENT in {line.kind for line in rehearsal.played.lines}
    assert outlook.look(sequence, from_data(data), None, starts_at=NOON).with_letter == 3
    db.session.commit()
    assert _rows() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confirmed": False}, "not_confirmed"),
        ({"marketing": False}, "no_consent"),
        ({"entered": False}, "not_entered"),
    ],
)
def test_it_says_why_it_does_not_begin_and_may_be_supposed_to(
    campaign: Campaign, change: dict[str, bool], reason: str
) -> None:
    brand = db.session.get_one(Brand, campaign.brand_id)
    contact = make_contact(brand, marketing=change.get("marketing", True))
    if change.get("entered", True):
        make_entry(campaign, contact, confirmed=change.get("confirmed", True))
    assert _told(_rehearse(campaign, contact.id)) == [(Kind.NOT_BEGUN, "", reason)]
    told = _rehearse(campaign, contact.id, suppose=Suppose({"may": True}))
    assert (Kind.SENT, "last", "") in _told(told)


def test_whom_it_is_not_for_does_not_begin(campaign: Campaign) -> None:
    entry = _entry(campaign)
    assert _told(_rehearse(campaign, entry.contact_id, who=SEA)) == [(Kind.NOT_BEGUN, "", "who")]


def test_who_is_held_out_gets_nothing(campaign: Campaign) -> None:
    sequence, data = _sequence(campaign, holdout=20)
    entries = [_entry(campaign) for _number in range(30)]
    out = next(one for one in entries if splitting.is_held_out(sequence.id, 20, one.contact_id))
    told = service.rehearse(sequence, from_data(data), out.contact_id, starts_at=NOON)
    assert _told(told) == [(Kind.BEGAN, "", ""), (Kind.HELD_OUT, "", "")]
    suppose = Suppose({"holdout": False})
    others = service.rehearse(sequence, from_data(data), out.contact_id, starts_at=NOON, suppose=suppose)
    assert (Kind.SENT, "last", "") in _told(others)


def test_each_person_is_told_their_own_wording(campaign: Campaign) -> None:
    variants = [{"key": key, "weight": 1, "texts": words(1)} for key in ("a", "b")]
    steps = [letter("first", HOUR, variants=variants, experiment="x1")]
    entry = _entry(campaign)
    told = _first(_rehearse(campaign, entry.contact_id, steps=steps), Kind.SENT)
    assert told.variant == "ab"[splitting.variant_of("x1", [1, 1], entry.contact_id)]


def test_whose_address_is_blocked_gets_no_letter(campaign: Campaign) -> None:
    entry = _entry(campaign)
    make_suppression(db.session.get_one(Contact, entry.contact_id))
    told = _told(_rehearse(campaign, entry.contact_id))
    assert (Kind.SKIPPED, "first", "unsubscribe") in told
    assert Kind.SENT not in {kind for kind, _key, _reason in told}


def test_letters_sent_and_planned_by_others_count_for_the_cap(campaign: Campaign) -> None:
    entry = _entry(campaign)
    marketing = {"lane": Lane.BULK, "purpose": MailPurpose.MARKETING, "letter": "broadcast"}
    make_message(entry, status="accepted", sent_at=NOON - timedelta(hours=47, minutes=30), **marketing)
    assert _first(_rehearse(campaign, entry.contact_id), Kind.SENT).at == NOON + timedelta(hours=1)

    soon = NOON + timedelta(minutes=40)
    make_message(entry, due_at=soon, expires_at=soon + timedelta(days=9), **marketing, intent="later")
    moved = _first(_rehearse(campaign, entry.contact_id), Kind.MOVED)
    assert (moved.step_key, moved.reason, moved.until) == ("first", "frequency_cap", soon + timedelta(hours=48))


def test_a_more_important_letter_goes_first(campaign: Campaign) -> None:
    entry = _entry(campaign)
    due = NOON + timedelta(hours=1, minutes=5)
    more = {"lane": Lane.BULK, "purpose": MailPurpose.MARKETING, "letter": "broadcast", "priority": 9}
    make_message(entry, due_at=due, expires_at=due + timedelta(days=9), **more)
    steps = [letter("first", HOUR, catch_up_hours=96)]
    lines = [line for line in _rehearse(campaign, entry.contact_id, steps=steps).played.lines if line.until]
    assert [(line.reason, line.until) for line in lines] == [
        ("priority", NOON + timedelta(hours=1, minutes=10)),
        ("frequency_cap", due + timedelta(hours=48)),
    ]


def test_who_is_inside_already_is_said_to_be(campaign: Campaign) -> None:
    sequence, data = _sequence(campaign)
    entry = _entry(campaign)
    make_enrolment(sequence, entry)
    told = service.rehearse(sequence, from_data(data), entry.contact_id, starts_at=NOON)
    assert told.is_inside
    assert told.earlier == NOON


def test_somebody_made_up_is_judged_by_the_same_statement(campaign: Campaign) -> None:
    yes = _rehearse(campaign, MadeUp(locale="en", timezone="Asia/Tokyo", answers={"question_1": "sea"}))
    no = _rehearse(campaign, MadeUp(locale="en", timezone="Asia/Tokyo"))
    assert (_first(yes, Kind.BRANCHED).way, _first(no, Kind.BRANCHED).way) == (True, False)
    sent = _first(yes, Kind.SENT)
    assert sent.until is not None, "it is night in Tokyo: the second after the opening is not known of nobody"


def test_a_condition_that_cannot_be_judged_counts_as_no_and_says_so(campaign: Campaign) -> None:
    gone = {"field": "answer.gone", "op": "eq", "value": "x"}
    steps = [{"kind": "branch", "key": "fork", "when": gone, "yes": [letter("yes", 0)], "no": [letter("no", 0)]}]
    branched = _first(_rehearse(campaign, _entry(campaign).contact_id, steps=steps), Kind.BRANCHED)
    assert (branched.way, branched.is_unsound) == (False, True)


def test_a_condition_is_looked_at_from_the_day_when_it_is_asked(campaign: Campaign) -> None:
    """First seen more than 2 days ago: not yet today, but three days later."""
    old = {"field": "created.days", "op": "gt", "value": 2}
    entry = _entry(campaign)
    for days, way in ((1, False), (4, True)):
        fork = {"kind": "branch", "key": "fork", "when": old, "wait": {"seconds": days * DAY}, "yes": [], "no": []}
        assert _first(_rehearse(campaign, entry.contact_id, steps=[fork]), Kind.BRANCHED).way is way


def test_the_contact_of_another_brand_is_absent(campaign: Campaign) -> None:
    stranger = _entry(make_campaign())
    with pytest.raises(NotFound):
        _rehearse(campaign, stranger.contact_id)


def _looked(campaign: Campaign, **more: Any) -> Outlook:
    sequence, data = _sequence(campaign, **more)
    return outlook.look(sequence, from_data(data), None, starts_at=NOON)


def test_the_outlook_of_many_is_the_sum_of_the_rehearsals_of_each(campaign: Campaign) -> None:
    zones = ["Europe/Paris", "America/Los_Angeles", "Asia/Tokyo"]
    answers = [{"question_1": "sea"}, {}]
    entries = [_entry(campaign, timezone=zones[n % 3], answers=answers[n % 2]) for n in range(12)]
    make_entry(campaign, confirmed=False)
    make_entry(campaign, confirmed=True)
    sequence, data = _sequence(campaign)
    many = outlook.look(sequence, from_data(data), None, starts_at=NOON)
    plays = [service.rehearse(sequence, from_data(data), one.contact_id, starts_at=NOON).played for one in entries]
    lines = [line for played in plays for line in played.lines]

    assert (many.people, many.begin, many.rehearsed) == (14, 12, 12)
    assert many.bars == {"not_confirmed": 1, "no_consent": 1}
    by_key = {one.step_key: one for one in many.steps}
    assert by_key["fork"].ways == {True: 6, False: 6}
    for key in ("first", "sea", "last"):
        assert by_key[key].sent == sum(line.kind is Kind.SENT and line.step_key == key for line in lines)
        assert by_key[key].first_at == min(line.at for line in lines if (line.kind, line.step_key) == (Kind.SENT, key))
    assert sum(letters for _day, letters in many.days) == sum(line.kind is Kind.SENT for line in lines)
    assert many.delayed_people == sum(any(line.kind is Kind.MOVED for line in played.lines) for played in plays)
    assert many.ends == {"finished": 12}


def test_a_part_of_many_stands_for_all_and_is_the_same_part_every_time(campaign: Campaign) -> None:
    for _number in range(9):
        _entry(campaign)
    sequence, data = _sequence(campaign, who={"field": "language", "op": "eq", "value": "fr"})
    many = outlook.look(sequence, from_data(data), None, starts_at=NOON, limit=3)
    assert (many.begin, many.rehearsed, many.of_all(3), many.of_all(1)) == (9, 3, 9, 3)
    assert outlook.look(sequence, from_data(data), None, starts_at=NOON, limit=3) == many


def test_who_is_counted_exactly_without_those_it_is_not_for(campaign: Campaign) -> None:
    _entry(campaign, answers={"question_1": "sea"})
    _entry(campaign)
    many = _looked(campaign, who=SEA)
    assert (many.people, many.begin, many.bars["who"]) == (2, 1, 1)
