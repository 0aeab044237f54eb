"""What keeps a letter of a sequence from leaving: judged by the real claim, and once more before the call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.contacts import service as contacts
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries.models import Review
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import delivery, outbox
from leadgen.mail import timeline as mails
from leadgen.nurture import jobs, story, versions
from leadgen.nurture import service as nurture
from leadgen.nurture.models import EnrolmentStatus
from leadgen.reactions import drain
from tests.conftest import Clock
from tests.factories import (
    fresh,
    letter_data,
    make_brand,
    make_broadcast,
    make_enrolment,
    make_entry,
    make_fact,
    make_message,
    make_segment,
    make_sequence,
)
from tests.nurture.conftest import Inside, change, contact_of, messages, sent

Put = Callable[..., Inside]
SEA = {"field": "answer.question_1", "op": "eq", "value": "sea"}
GOAL = {"on": {"on": "reward_given"}, "days": 30}


def test_the_goal_a_second_before_the_letter_is_due(inside: Put, clock: Clock) -> None:
    """Nobody was told of it yet: the claim sees it by itself."""
    due_at = product_clock.now() + timedelta(hours=1)
    entry, _sequence, enrolment = inside({"goal": GOAL}, next_run_at=due_at)
    clock.forward(hours=1, seconds=-1)
    make_fact(entry, FactName.REWARD_GIVEN)
    clock.forward(seconds=1)

    assert sent() == [("skipped", "goal")]
    assert (fresh(enrolment).status, enrolment.exit_reason) == (EnrolmentStatus.EXITED, "goal")
    assert enrolment.goal_at is not None
    told = [line.sentence for line in story.of_contact(entry.contact_id).lines]
    assert told[1:] == [
        "Reached the goal of “After the entry”",
        "Left the sequence “After the entry”: the goal is reached",
    ]
    drain()
    assert sent() == [("skipped", "goal")]


EXITS: list[tuple[dict[str, Any], str]] = [
    ({"exits": [{"on": {"on": "friend_counted"}}]}, "exit_event"),
    ({"exits": [{"on": {"on": "action_credited", "of": "newsletter"}}]}, "exit_event"),
    ({"exits": [{"on": {"on": "contest_closing", "days": 400}}]}, "exit_event"),
    ({"exits": [{"when": {"all": [SEA]}}]}, "exit_condition"),
    ({"who": {"not": SEA}, "stays_while": True}, "left_audience"),
]


def _exit(entry: Any) -> None:
    make_fact(entry, FactName.REFERRAL_COUNTED, contact_id=None, data={"friend": 0})
    make_fact(entry, FactName.ACTION_CREDITED, data={"action": "newsletter"})
    change(contact_of(entry), answers={"question_1": "sea"})


@pytest.mark.parametrize(("definition", "reason"), EXITS)
def test_what_ends_a_sequence_keeps_its_letter(
    campaign: Campaign, inside: Put, definition: dict[str, Any], reason: str
) -> None:
    entry, _sequence, enrolment = inside(definition)
    jobs.plan()
    _exit(entry)

    assert sent() == [("skipped", reason)]
    assert (fresh(enrolment).status, enrolment.exit_reason) == (EnrolmentStatus.EXITED, reason)


@pytest.mark.parametrize("definition", [
    *(definition for definition, _reason in EXITS if "contest" not in str(definition)),
    {"exits": [{"on": {"on": "action_credited", "of": "other"}}]},
    {"exits": [{"on": {"on": "inactive", "days": 3}}, {"on": {"on": "contest_ended"}}]},
])  # fmt: skip
def test_nothing_ends_without_its_reason(campaign: Campaign, inside: Put, definition: dict[str, Any]) -> None:
    entry, _sequence, enrolment = inside(definition)
    other = make_entry(campaign, confirmed=True, marketing=True)
    _exit(other)
    make_fact(entry, FactName.ACTION_CREDITED, data={"action": "video"})

    assert sent() == [("sending", "")]
    assert fresh(enrolment).status is EnrolmentStatus.ACTIVE


def test_what_happened_before_does_not_end_it(inside: Put, campaign: Campaign) -> None:
    """Neither what came before the enrolment, nor the event that began it."""
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_fact(entry, FactName.REWARD_GIVEN)
    began = make_fact(entry, FactName.REWARD_GIVEN)
    sequence = make_sequence(campaign, definition={"goal": GOAL, "exits": [{"on": {"on": "reward_given"}}]})
    make_enrolment(sequence, entry, fact_id=began.id)

    assert sent() == [("sending", "")]


@pytest.mark.parametrize(
    ("answer", "condition", "goes"),
    [
        ("sea", {"op": "eq", "value": "sea"}, True),
        ("city", {"op": "eq", "value": "sea"}, False),
        (None, {"op": "eq", "value": "sea"}, False),
        ("city", {"op": "ne", "value": "sea"}, True),
        ("sea", {"op": "ne", "value": "sea"}, False),
        (None, {"op": "ne", "value": "sea"}, True),
    ],
)
def test_the_condition_is_judged_on_the_answers_of_now(
    campaign: Campaign, inside: Put, answer: Any, condition: dict[str, Any], goes: bool
) -> None:
    when = {"field": "answer.question_1", **condition}
    entry, _sequence, enrolment = inside({"steps": [letter_data(1, when=when), letter_data(2, seconds=9)]})
    jobs.plan()
    change(contact_of(entry), answers={} if answer is None else {"question_1": answer})

    assert sent() == [("sending", "") if goes else ("skipped", "condition")]
    assert fresh(enrolment).status is EnrolmentStatus.ACTIVE


def test_a_condition_that_fails_may_end_the_sequence(campaign: Campaign, inside: Put) -> None:
    steps = [letter_data(1, when=SEA, otherwise="exit"), letter_data(2, seconds=9)]
    _entry, _sequence, enrolment = inside({"steps": steps})

    assert sent() == [("skipped", "letter_condition")]
    assert (fresh(enrolment).status, enrolment.exit_reason) == (EnrolmentStatus.EXITED, "letter_condition")


def test_a_condition_that_cannot_be_judged_sends_nothing_and_ends_nothing(inside: Put) -> None:
    """Its question was deleted, or it is no condition at all."""
    gone = {"field": "answer.gone", "op": "eq", "value": "sea"}
    for definition in (
        {"steps": [letter_data(1, when=gone, otherwise="exit"), letter_data(2, seconds=9)]},
        {"who": gone, "stays_while": True},
        {
            "steps": [
                letter_data(1, when={"field": "language", "op": "rhymes", "value": "x"}),
                letter_data(2, seconds=9),
            ]
        },
    ):
        _entry, _sequence, enrolment = inside(definition)
        assert sent()[-1] == ("skipped", "unsound")
        assert fresh(enrolment).status is EnrolmentStatus.ACTIVE
    _entry, _sequence, enrolment = inside({"exits": [{"when": gone}]})
    assert sent()[-1] == ("sending", "")


def test_a_version_that_cannot_be_read_sends_nothing_and_stops_nobody_else(inside: Put) -> None:
    _entry, sequence, _enrolment = inside()
    jobs.plan()
    version = db.session.get_one(versions.SequenceVersion, (sequence.id, 1))
    version.definition = {"steps": [{"kind": "song"}]}
    db.session.commit()
    inside()

    assert sent() == [("skipped", "unsound"), ("sending", "")]


def test_who_joined_a_segment_has_left(campaign: Campaign, inside: Put) -> None:
    brand = contact_of(make_entry(campaign)).brand_id
    segment = make_segment(db.session.get_one(type(make_brand()), brand))
    inside({"exits": [{"on": {"on": "segment_joined", "of": str(segment.id)}}]})

    assert sent() == [("skipped", "exit_condition")]


def test_who_was_excluded_from_the_contest_gets_nothing(inside: Put) -> None:
    entry, _sequence, enrolment = inside()
    jobs.plan()
    change(entry, review=Review.EXCLUDED)

    assert sent() == [("skipped", "disqualified")]
    assert fresh(enrolment).exit_reason == "disqualified"


def test_a_letter_that_is_kept_back_does_not_count_for_the_cap(campaign: Campaign, inside: Put) -> None:
    """It was claimed for a moment; nothing was sent, so the next letter need not wait for 48 hours."""
    entry, _sequence, _enrolment = inside({"goal": GOAL})
    make_fact(entry, FactName.REWARD_GIVEN)
    assert sent() == [("skipped", "goal")]
    make_enrolment(make_sequence(campaign, key="other"), entry)

    assert sent()[-1] == ("sending", "")
    first, second = messages()
    assert (first.sent_at, first.attempts, first.lease_until) == (None, 0, None)
    assert second.sent_at is not None


def _claim(lane: Lane) -> outbox.Claim:
    claim = outbox.claim(lane, 10)
    db.session.commit()
    assert len(claim.recipients) == 1
    return claim


def _send(claim: outbox.Claim) -> None:
    for outcomes in delivery.deliver(claim.recipients):
        outbox.settle(outcomes, {person.id: person.attempts for person in claim.recipients})
        db.session.commit()


@pytest.mark.parametrize("lane", [Lane.NURTURE, Lane.BULK])
def test_unsubscribing_between_claim_and_call(
    campaign: Campaign, inside: Put, lane: Lane, mailbox: Callable[[], list[Any]]
) -> None:
    """Nothing is sent, and the timeline says why."""
    if lane is Lane.NURTURE:
        entry, _sequence, _enrolment = inside()
        jobs.plan()
    else:
        entry = make_entry(campaign, confirmed=True, marketing=True)
        stream = make_broadcast(campaign).stream_id
        make_message(entry, letter="broadcast", lane=lane, purpose=MailPurpose.MARKETING, stream_id=stream)
    claim = _claim(lane)
    contacts.unsubscribe(entry.contact_id, "unsubscribe page")
    db.session.commit()
    _send(claim)

    assert mailbox() == []
    (message,) = messages()
    assert (message.status.value, message.reason, message.sent_at) == ("suppressed", "unsubscribe", None)
    (story,) = mails.stories(entry.contact_id, "Europe/Paris")
    assert story.answer == "The person did not get it: the person unsubscribed."


def test_the_goal_between_claim_and_call(inside: Put, mailbox: Callable[[], list[Any]]) -> None:
    entry, _sequence, enrolment = inside({"goal": GOAL})
    jobs.plan()
    claim = _claim(Lane.NURTURE)
    make_fact(entry, FactName.REWARD_GIVEN)
    _send(claim)

    assert mailbox() == []
    assert [(message.status.value, message.reason) for message in messages()] == [("skipped", "goal")]
    assert fresh(enrolment).exit_reason == "goal"


def test_erasure_between_claim_and_call(inside: Put, mailbox: Callable[[], list[Any]]) -> None:
    entry, _sequence, _enrolment = inside()
    jobs.plan()
    claim = _claim(Lane.NURTURE)
    change(contact_of(entry), erased_at=product_clock.now())
    _send(claim)

    assert mailbox() == []
    assert [(message.status.value, message.reason) for message in messages()] == [("cancelled", "erased")]


def test_without_news_the_letter_leaves(inside: Put, mailbox: Callable[[], list[Any]]) -> None:
    inside({"goal": GOAL, "exits": EXITS[0][0]["exits"]})
    jobs.plan()
    _send(_claim(Lane.NURTURE))

    assert len(mailbox()) == 1


@pytest.mark.parametrize(("days", "is_reached"), [(1, True), (31, False)])
def test_the_goal_is_counted_after_the_end_too_within_its_days(
    inside: Put, clock: Clock, days: int, is_reached: bool
) -> None:
    entry, _sequence, enrolment = inside({"goal": GOAL})
    enrolment.status, enrolment.exit_reason = EnrolmentStatus.EXITED, "exit_event"
    db.session.commit()
    clock.forward(days=days)
    make_fact(entry, FactName.REWARD_GIVEN)
    drain()

    assert (fresh(enrolment).goal_at is not None) is is_reached
    assert enrolment.exit_reason == "exit_event"


def test_the_goal_of_who_is_held_out_is_counted(inside: Put) -> None:
    entry, _sequence, enrolment = inside({"goal": GOAL}, status=EnrolmentStatus.HELD_OUT)
    make_fact(entry, FactName.REWARD_GIVEN)
    drain()

    assert fresh(enrolment).goal_at is not None
    assert enrolment.status is EnrolmentStatus.HELD_OUT


def test_a_goal_that_is_told_cancels_what_waits(inside: Put, clock: Clock) -> None:
    """The push: long before the next letter is claimed, and of a sequence that has nothing left to plan too."""
    entry, _sequence, enrolment = inside({"goal": GOAL, "steps": [letter_data(1)]})
    jobs.plan()
    assert fresh(enrolment).status is EnrolmentStatus.FINISHED
    make_fact(entry, FactName.REWARD_GIVEN)
    drain()

    assert [(message.status.value, message.reason) for message in messages()] == [("cancelled", "goal")]
    assert fresh(enrolment).goal_at is not None
    clock.forward(hours=1)
    again = enrolment.goal_at
    make_fact(entry, FactName.REWARD_GIVEN)
    drain()
    assert fresh(enrolment).goal_at == again, "the first time stays"


def test_an_exclusion_that_is_told_cancels_what_waits(inside: Put) -> None:
    entry, _sequence, enrolment = inside()
    jobs.plan()
    make_fact(entry, FactName.ENTRY_REVIEWED, data={"before": "clear", "after": "excluded"})
    drain()

    assert [(message.status.value, message.reason) for message in messages()] == [("cancelled", "disqualified")]
    assert fresh(enrolment).exit_reason == "disqualified"


def test_every_reason_has_words_in_both_rooms(inside: Put) -> None:
    for reason in ("goal", "exit_event", "exit_condition", "letter_condition", "left_audience", "disqualified"):
        assert nurture.exit_reason(reason) != reason
