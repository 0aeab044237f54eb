"""Sequences at work: set up from a template, told what is missing, started and paused."""

from typing import Any

import pytest
from sqlalchemy import text

from leadgen.authoring import drafts
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.mail import streams
from leadgen.nurture import sequences, versions
from leadgen.nurture.models import Sequence
from tests import texts
from tests.factories import fresh, letter_data, make_campaign, make_question, make_sequence, publish

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def sequence(campaign: Campaign) -> Sequence:
    return make_sequence(campaign)


def _publish(sequence: Sequence, **english: str) -> None:
    """Publish a letter behind a good one, some of its English words replaced; nothing is checked."""
    words = texts.step(2) | {"en": texts.step(2)["en"] | english}
    bad = letter_data(2, variants=[{"key": "a", "texts": words}])
    publish(sequence, {"trigger": {"on": "confirmed"}, "steps": [letter_data(1), bad]})


def test_a_campaign_has_the_sequence_of_its_template_once(campaign: Campaign) -> None:
    made = sequences.set_up(campaign)

    assert [step.position for step in made.steps] == [1, 2, 3]
    assert made.steps[0].texts["en"]["subject"].endswith("what Cap Sud is about")
    assert sequences.set_up(campaign) is made
    assert sequences.sequence_of(campaign.id) is made
    assert sequences.sequence_of(0) is None


def test_only_other_words_make_a_new_version_of_a_letter(sequence: Sequence) -> None:
    first, second, _third = sequence.steps

    _publish(sequence, subject="New")

    assert (fresh(first).version, fresh(second).version) == (1, 2)


def test_a_letter_of_another_campaign_does_not_exist(sequence: Sequence) -> None:
    """Rule 8: another brand's record answers exactly as an absent one."""
    foreign = make_sequence(make_campaign()).steps[0].id

    assert sequences.of_step(sequence.campaign_id, sequence.steps[0].id) == (sequence, sequence.steps[0])
    for absent in (foreign, 0):
        with pytest.raises(NotFound):
            sequences.of_step(sequence.campaign_id, absent)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (QuestionKind.CHOICE, "sea"),
        (QuestionKind.MANY, "city"),
        (QuestionKind.YES_NO, True),
        (QuestionKind.NUMBER, 4),
        (QuestionKind.DATE, "2027-05-31"),
        (QuestionKind.TEXT, "Lisbon"),
    ],
)
def test_a_template_asks_for_an_answer_to_each_kind_of_question(
    campaign: Campaign, kind: QuestionKind, value: Any
) -> None:
    make_question(campaign, kind=kind, position=9)
    asked = [{"question": "question_9", operator: value} for operator in ("is", "is_not")]
    short = [
        {"key": f"step_{n}", "delay_seconds": 0, "condition": one, "texts": texts.step(n)}
        for n, one in enumerate(asked)
    ]

    made = sequences.from_data(campaign, {"key": "asks", "names": {"en": "Asks", "fr": "Demande"}, "steps": short})

    wanted, unwanted = (letter.when for letter in drafts.definition_of(made).letters())
    holds = {"field": "answer.question_9", "op": "contains" if kind is QuestionKind.MANY else "eq", "value": value}
    assert wanted == holds
    assert unwanted == ({"not": holds} if kind is QuestionKind.MANY else holds | {"op": "ne"})
    assert drafts.problems(made) == []


def test_an_incomplete_sequence_is_not_started(sequence: Sequence) -> None:
    sequences.set_active(sequence, is_active=False)
    _publish(sequence, button="")

    with i18n.speaking("fr"):
        (problem,) = sequences.missing(sequence)
    assert problem.sentence == "L’étape 2 est incomplète en anglais."
    with pytest.raises(Invalid):
        sequences.set_active(sequence, is_active=True)


def test_a_contest_of_one_language_needs_words_in_that_one_only(sequence: Sequence, campaign: Campaign) -> None:
    campaign.texts = {"fr": campaign.texts["fr"]}
    for step in sequence.steps:
        step.texts = {"fr": step.texts["fr"]}
    db.session.commit()
    cards.forget()
    sequences.set_active(sequence, is_active=False)
    sequences.set_active(sequence, is_active=True)
    assert sequence.is_active


def test_a_sequence_with_a_faulty_letter_is_not_started(sequence: Sequence) -> None:
    """A note to oneself in brackets would go to everybody."""
    sequences.set_active(sequence, is_active=False)
    _publish(sequence, body="[Say here what the offer is.]")
    with pytest.raises(Invalid, match=r"Step 2\. Text in English: a note to yourself"):
        sequences.set_active(sequence, is_active=True)
    _publish(sequence)
    sequences.set_active(sequence, is_active=True)
    assert sequence.is_active


def test_what_waits_of_a_removed_step_is_found_by_its_stream(sequence: Sequence) -> None:
    """Nothing lists messages by step: without lane and stream a click would read all mails that wait anywhere."""
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = db.session.scalars(
        text(f"EXPLAIN {versions.CANCEL_STEPS}"),
        {"steps": [sequence.steps[0].id], "stream": sequence.stream_id},
    ).all()
    (found,) = [line for line in plan if "Index Cond" in line]
    assert "stream_id = " in found


def test_a_new_name_is_the_name_of_its_mails_too(sequence: Sequence) -> None:
    sequences.rename(sequence, "  Winter   greetings ")

    assert sequence.name == "Winter greetings"
    assert streams.get(sequence.stream_id).name == "Winter greetings"
