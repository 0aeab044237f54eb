"""The marketer's side of sequences: set up, edit, pause."""

from typing import Any

import pytest
from sqlalchemy import text

from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.nurture import sequences, versions
from leadgen.nurture.models import Sequence
from leadgen.nurture.sequences import StepInput
from tests.factories import fresh, make_campaign, make_question, make_sequence
from tests.texts import step as words

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def sequence(campaign: Campaign) -> Sequence:
    return make_sequence(campaign)


def _step(**values: Any) -> StepInput:
    return StepInput(**{"texts": words(1), "delay_seconds": 3600} | values)


def _worded(**texts: str) -> dict[str, dict[str, str]]:
    return {"en": words(1)["en"] | texts, "fr": words(1)["fr"]}


def test_a_campaign_has_the_sequence_of_its_template_once(campaign: Campaign) -> None:
    made = sequences.set_up(campaign)

    assert [step.position for step in made.steps] == [1, 2, 3]
    assert made.steps[0].texts["en"]["subject"].endswith("what Cap Sud is about")
    assert sequences.set_up(campaign) is made
    assert sequences.sequence_of(campaign.id) is made
    assert sequences.sequence_of(0) is None


def test_a_step_is_edited_and_its_version_grows(sequence: Sequence) -> None:
    step = sequence.steps[0]
    sequences.edit_step(sequence, step.id, _step(delay_seconds=60, texts=_worded(subject=" New ", body="A\r\nB")))
    db.session.commit()

    assert fresh(step).version == 2
    assert sequences.shown(sequence)[0].delay_seconds == 60
    assert (step.texts["en"]["subject"], step.texts["en"]["body"]) == ("New", "A\nB")


def test_an_edit_that_changes_nothing_keeps_the_version(sequence: Sequence) -> None:
    step = sequence.steps[0]

    sequences.edit_step(sequence, step.id, _step(texts=step.texts))

    assert step.version == 1


def test_a_step_of_another_campaign_does_not_exist(sequence: Sequence) -> None:
    foreign = make_sequence(make_campaign()).steps[0].id

    with pytest.raises(NotFound):
        sequences.edit_step(sequence, foreign, _step())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"delay_seconds": -1}, "delay"),
        ({"delay_seconds": 366 * 86400}, "delay"),
        ({"texts": _worded(subject="x" * 121)}, "en-subject"),
        ({"texts": _worded(subject="")}, "en-subject"),
        ({"texts": {"en": words(1)["en"]}}, "fr-subject"),
        ({"texts": _worded(body="Hello {firstname}")}, "en-body"),
        ({"texts": _worded(url="javascript:alert(1)")}, "en-url"),
        ({"texts": _worded(url="not an address")}, "en-url"),
        ({"condition": {"question": "nothing", "is": "sea"}}, "condition"),
        ({"condition": {"question": "question_1"}}, "condition"),
        ({"condition": {"question": "question_1", "is": "moon"}}, "condition"),
        ({"condition": {"question": "question_2", "is": "yes"}}, "condition"),
    ],
)
def test_steps_that_are_refused(sequence: Sequence, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        sequences.edit_step(sequence, sequence.steps[0].id, _step(**values))
    assert refused.value.field == field


@pytest.mark.parametrize("address", ["", "https://escales.example/journeys", "{link}", "{share_link}"])
def test_where_a_button_may_lead(sequence: Sequence, address: str) -> None:
    step = sequences.edit_step(sequence, sequence.steps[0].id, _step(texts=_worded(url=address)))

    assert step.texts["en"]["url"] == address


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
def test_a_condition_on_each_kind_of_question(campaign: Campaign, kind: QuestionKind, value: Any) -> None:
    make_question(campaign, kind=kind, position=9)
    sequence = make_sequence(campaign, steps=1)

    for operator in ("is", "is_not"):
        condition = {"question": "question_9", operator: value}
        sequences.add_step(sequence, _step(condition=condition))
        assert sequences.shown(sequence)[-1].condition == condition


def test_an_incomplete_sequence_may_be_written_but_not_started(sequence: Sequence) -> None:
    sequences.set_active(sequence, is_active=False)
    sequences.add_step(sequence, _step(texts=_worded(button="")))

    with i18n.speaking("fr"):
        (problem,) = sequences.missing(sequence)
    assert problem.sentence == "L’étape 4 est incomplète en anglais."
    with pytest.raises(Invalid):
        sequences.set_active(sequence, is_active=True)


def test_a_sequence_with_a_faulty_letter_is_not_started(sequence: Sequence) -> None:
    """A note to oneself in brackets would go to everybody."""
    sequences.set_active(sequence, is_active=False)
    step = sequences.add_step(sequence, _step(texts=_worded(body="[Say here what the offer is.]")))
    with pytest.raises(Invalid, match=r"Step 4\. Text in English: a note to yourself"):
        sequences.set_active(sequence, is_active=True)
    sequences.edit_step(sequence, step.id, _step())
    sequences.set_active(sequence, is_active=True)
    with pytest.raises(Invalid) as refused:
        sequences.edit_step(sequence, step.id, _step(texts=_worded(body="[Say here what the offer is.]")))
    assert refused.value.field == "en-body"


def test_steps_are_bounded(sequence: Sequence) -> None:
    for _ in range(sequences.STEPS_LIMIT - 3):
        sequences.add_step(sequence, _step())

    with pytest.raises(Invalid):
        sequences.add_step(sequence, _step())


def test_keys_are_never_used_again(sequence: Sequence) -> None:
    """A message is unique by enrolment and step key: a new step with an old key would never be sent."""
    added = sequences.add_step(sequence, _step())
    sequences.remove_step(sequence, added.id)
    again = sequences.add_step(sequence, _step())

    assert again.key != added.key


def test_what_waits_of_a_removed_step_is_found_by_its_stream(sequence: Sequence) -> None:
    """Nothing lists messages by step: without lane and stream a click would read all mails that wait anywhere."""
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = db.session.scalars(
        text(f"EXPLAIN {versions.CANCEL_STEPS}"),
        {"steps": [sequence.steps[0].id], "stream": sequence.stream_id},
    ).all()
    (found,) = [line for line in plan if "Index Cond" in line]
    assert "stream_id = " in found
