"""The story of a contact: what sequences did with them and why, and what they wait for (nurture.story)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from leadgen.contacts.models import Contact
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.entries import person
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import forgetting, inside, jobs, story, whereabouts
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason
from leadgen.nurture.whereabouts import State
from leadgen.profile import parts
from leadgen.reactions import drain
from tests.factories import (
    make_campaign,
    make_enrolment,
    make_enrolment_move,
    make_entry,
    make_fact,
    make_sequence,
)
from tests.texts import step as words

pytestmark = pytest.mark.usefixtures("context")

SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}


def letter(key: str, number: int = 1, **wait: Any) -> dict[str, Any]:
    return {"kind": "letter", "key": key, "wait": wait, "variants": [{"key": "a", "texts": words(number)}]}


STEPS = [
    {"kind": "branch", "key": "fork", "when": SEA, "yes": [letter("sea", 1)], "no": []},
    letter("later", 2, until="event", seconds=86_400, event={"on": "friend_counted"}),
]


def _enrolled(**values: Any) -> tuple[Entry, Enrolment]:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    return entry, make_enrolment(make_sequence(campaign, definition={"steps": STEPS}), entry, **values)


def _sentences(contact_id: int) -> list[str]:
    db.session.commit()
    return [line.sentence for line in story.of_contact(contact_id).lines]


def test_it_tells_entry_plan_and_exit_with_the_reason() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_enrolment(make_sequence(campaign), entry)
    began = "Entered the sequence “After the entry”, which begins when they confirm their entry"
    assert _sentences(entry.contact_id) == [began, "“Letter 1” is planned"]

    inside.leave([make_fact(entry, FactName.CONTACT_SUPPRESSED, data={"reason": "complaint"})])
    db.session.commit()
    assert _sentences(entry.contact_id)[-1] == "Left the sequence “After the entry”: reported as spam"

    with i18n.speaking("fr"):
        assert _sentences(entry.contact_id)[-1].endswith(": signalé comme indésirable")


def test_it_tells_that_a_paused_sequence_waits() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_enrolment(make_sequence(campaign, is_active=False), entry)

    assert _sentences(entry.contact_id)[-1] == "“Letter 1” waits: the sequence is paused"


def test_it_tells_the_end() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_enrolment(make_sequence(campaign, steps=1), entry)
    jobs.plan()

    last = story.of_contact(entry.contact_id).lines[-1]
    assert last.sentence == "Finished “After the entry”"
    assert last.at <= clock.now()


def test_who_is_in_no_sequence_has_no_lines() -> None:
    assert story.of_contact(make_entry(confirmed=True).contact_id).lines == ()


def test_a_fork_is_told_with_its_condition_and_the_answer_by_the_planner_itself() -> None:
    entry, enrolment = _enrolled(step_key="fork")
    jobs.plan()
    told = _sentences(entry.contact_id)
    assert "Took the way “no”, not being one of: People whose answer to “Question 1?” is The sea" in told
    assert told[-1] == "“Letter 2” waits until this, or until a friend whom they brought counts"
    inside.hear([make_fact(entry, FactName.REFERRAL_COUNTED)])
    waited = "“Letter 2” waited until a friend whom they brought counts: it happened"
    assert waited in _sentences(entry.contact_id)
    assert story.of_contact(entry.contact_id).of_enrolment == {enrolment.id: enrolment.sequence_id}


@pytest.mark.parametrize(
    ("reason", "key", "detail", "sentence"),
    [
        (MoveReason.BRANCHED, "fork", {"way": "yes"}, "Took the way “yes”, being one of: People whose answer"),
        (MoveReason.BRANCHED, "fork", {"way": "no", "unsound": True}, "cannot be told any more: took the way “no”"),
        (MoveReason.BRANCHED, "gone", {"way": "yes"}, "“gone”: took the way “yes”"),
        (MoveReason.TIMED_OUT, "later", {}, "“Letter 2” waited until a friend whom they brought counts: it did not"),
        (MoveReason.WENT_ON, "sea", {}, "“Letter 1”: what was waited for happened"),
        (MoveReason.RETIMED, "sea", {"why": "version", "version": 4}, "got another date: version 4 was published"),
        (MoveReason.RETIMED, "sea", {"why": "pause"}, "“Letter 1” got another date: the sequence was paused"),
        (MoveReason.MOVED, "sea", {"why": "version", "version": 2}, "Moved on to “Letter 1”: version 2 was published"),
        (MoveReason.SKIPPED, "sea", {"why": "no_end"}, "“Letter 1” was passed over: the contest has no end"),
        (MoveReason.GOAL, "sea", {}, "Reached the goal of “After the entry”"),
    ],
)
def test_every_move_is_told_with_its_reason(
    reason: MoveReason, key: str, detail: dict[str, Any], sentence: str
) -> None:
    entry, enrolment = _enrolled()
    make_enrolment_move(enrolment, step_key=key, reason=reason, detail=detail)
    assert any(sentence in told for told in _sentences(entry.contact_id))


def test_who_is_held_out_is_told_to_be() -> None:
    entry, _ = _enrolled(status=EnrolmentStatus.HELD_OUT)
    assert _sentences(entry.contact_id)[1].startswith("Held out of “After the entry”")


def test_every_number_of_where_people_are_opens_a_list_of_as_many() -> None:
    campaign = make_campaign()
    sequence = make_sequence(campaign, definition={"steps": STEPS})
    now = clock.now()
    kinds: list[dict[str, Any]] = [
        {"step_key": "sea"},
        {"step_key": "later", "next_run_at": now + timedelta(days=1)},
        {"step_key": "later", "next_run_at": now + timedelta(days=1)},
        {"status": EnrolmentStatus.FINISHED, "ended_at": now},
        {"status": EnrolmentStatus.EXITED, "ended_at": now, "exit_reason": "goal", "goal_at": now},
        {"status": EnrolmentStatus.EXITED, "ended_at": now, "exit_reason": "complaint"},
        {"status": EnrolmentStatus.HELD_OUT, "goal_at": now},
    ]
    for values in kinds:
        make_enrolment(sequence, make_entry(campaign, confirmed=True, marketing=True), **values)
    jobs.plan()
    found = whereabouts.counted(sequence)

    def listed(state: State, step_key: str = "", reason: str = "") -> int:
        return len(whereabouts.people(sequence, state, step_key=step_key, reason=reason))

    assert (found.people, found.inside, found.finished, found.held_out, found.goal) == (7, 3, 1, 1, 1)
    assert found.exited == {"goal": 1, "complaint": 1}
    assert found.steps["later"].waiting == listed(State.WAITING, "later") == 3
    assert found.steps["sea"].planned == listed(State.PLANNED, "sea") == 1
    assert [listed(state) for state in (State.INSIDE, State.FINISHED, State.HELD_OUT, State.GOAL)] == [3, 1, 1, 1]
    assert (listed(State.EXITED), listed(State.EXITED, reason="goal")) == (2, 1)


def test_a_list_is_read_page_by_page() -> None:
    campaign = make_campaign()
    sequence = make_sequence(campaign, steps=1)
    for _number in range(3):
        make_enrolment(sequence, make_entry(campaign, confirmed=True, marketing=True))
    ids = [one.id for one in whereabouts.people(sequence, State.INSIDE)]
    assert ids == sorted(ids, reverse=True)
    assert [one.id for one in whereabouts.people(sequence, State.INSIDE, before_id=ids[0])] == ids[1:]


def test_what_a_person_downloads_holds_their_sequences_and_ways() -> None:
    entry, enrolment = _enrolled()
    make_enrolment_move(enrolment, step_key="fork", reason=MoveReason.BRANCHED, detail={"way": "yes"})
    db.session.commit()
    (one,) = forgetting.held(entry.contact_id)["sequences"]
    assert (one["sequence"], one["status"]) == ("welcome", "active")
    assert [(step["step"], step["reason"], step["way"]) for step in one["way"]] == [("fork", "branched", "yes")]
    (line,) = parts.series({"timezone": "Europe/Paris", **forgetting.held(entry.contact_id)}).lines
    assert line.value.endswith(" · goes on")


def test_i13_nothing_of_the_story_is_readable_after_erasure() -> None:
    entry, enrolment = _enrolled()
    make_enrolment_move(enrolment, step_key="fork", reason=MoveReason.BRANCHED, detail={"way": "yes"})
    db.session.commit()
    sequence_id = enrolment.sequence_id
    person.erase(entry.id)
    db.session.commit()
    while drain():
        pass
    assert db.session.get_one(Contact, entry.contact_id).erased_at is not None
    assert story.of_contact(entry.contact_id) == story.Told()
    assert db.session.query(EnrolmentMove).count() == 0
    kept = db.session.get_one(Enrolment, enrolment.id)
    assert (kept.status, kept.exit_reason, kept.sequence_id) == (EnrolmentStatus.EXITED, "erased", sequence_id)
