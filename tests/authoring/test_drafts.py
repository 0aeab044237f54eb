"""Drafts: kept unfinished, saved by one at a time, and every fault of one named with its step and field."""

from dataclasses import replace
from typing import Any

import pytest

from leadgen.accounts.models import Brand
from leadgen.authoring import drafts
from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.nurture.definition import (
    DAY,
    Again,
    Branch,
    Definition,
    End,
    Event,
    Exit,
    Goal,
    Happening,
    Step,
    Until,
    Variant,
    Wait,
    to_data,
)
from leadgen.nurture.models import Sequence
from tests import texts
from tests.factories import fresh, make_campaign, make_question, make_segment
from tests.nurture.crowd import definition, draft, letter, published, unpublished

pytestmark = pytest.mark.usefixtures("context")

WILLING = {"field": "marketing", "op": "eq", "value": True}
UNWILLING = {"field": "marketing", "op": "eq", "value": False}
NEVER = {"all": [WILLING, UNWILLING]}
BEFORE_END = Wait(until=Until.BEFORE_END, seconds=3 * DAY)


@pytest.fixture
def campaign(context: None) -> Campaign:
    """Fifteen days long, one question, no action, no milestone."""
    return make_campaign(questions=1)


@pytest.fixture
def sequence(campaign: Campaign) -> Sequence:
    return published(campaign, letter("hello", 0))


def _found(sequence: Sequence, of: Definition) -> list[tuple[str, str]]:
    data = to_data(of)
    return [(one.where, one.field) for one in drafts.save(sequence, data, sequence.revision, "Ada")]


def _worded(**words: str) -> tuple[Variant, ...]:
    return (Variant(key="a", texts={"en": texts.step(1)["en"] | words, "fr": texts.step(1)["fr"]}),)


def _two(*weights: int, keys: str = "ab") -> tuple[Variant, ...]:
    return tuple(Variant(key=key, weight=one, texts=texts.step(1)) for key, one in zip(keys, weights, strict=False))


def test_a_draft_is_kept_unfinished_and_its_revision_grows(sequence: Sequence) -> None:
    before = sequence.revision
    found = drafts.save(sequence, {"steps": [{"kind": "branch", "key": "fork"}]}, before, "Ada")
    db.session.commit()

    assert fresh(sequence).revision == before + 1
    assert {(one.where, one.field) for one in found} == {("steps", "steps"), ("fork", "when"), ("fork", "yes")}
    assert sequence.version == 1
    assert [step.key for step in drafts.definition_of(sequence).walk()] == ["fork"]


def test_who_saves_second_is_told_and_overwrites_nothing(sequence: Sequence) -> None:
    read = sequence.revision
    draft(sequence, letter("hello", 1))
    with pytest.raises(Conflict, match="Somebody else saved this sequence"):
        drafts.save(sequence, to_data(definition(letter("hello", 9))), read, "Bob")
    assert drafts.definition_of(sequence).steps[0].wait.seconds == DAY


@pytest.mark.parametrize(
    "data",
    [
        {"steps": "letters"},
        {"steps": [{"kind": "letter"}]},
        {"steps": [{"kind": "poem", "key": "x"}]},
        {"steps": [{"kind": "letter", "key": "x", "wait": {"seconds": "soon"}}]},
        {"steps": [{"kind": "letter", "key": "x", "variants": [{"key": "a", "texts": {"en": "Hello"}}]}]},
        {"steps": [{"kind": "letter", "key": "x", "when": "always"}]},
        {"steps": [{"kind": "letter", "key": "x\x00"}]},
        {"steps": [{"kind": "letter", "key": "x", "variants": [{"key": "\ud800"}]}]},
        {"who": {"field": "x", "op": "eq", "value": float("nan")}},
        {"trigger": {"on": "full moon"}},
        {"trigger": None},
        {"name": "x" * 1_000_001},
        [],
    ],
)
def test_what_is_no_sequence_at_all_is_refused(sequence: Sequence, data: Any) -> None:
    with pytest.raises(Invalid) as refused:
        drafts.save(sequence, data, sequence.revision, "Ada")
    assert refused.value.field == "draft"


def test_a_draft_of_forks_in_forks_without_end_is_refused(sequence: Sequence) -> None:
    step: dict[str, Any] = {"kind": "end", "key": "end"}
    for number in range(5_000):
        step = {"kind": "branch", "key": f"f{number}", "yes": [step]}
    with pytest.raises(Invalid):
        drafts.save(sequence, {"steps": [step]}, sequence.revision, "Ada")


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (letter("x", variants=_worded(subject="")), "a-en-subject"),
        (letter("x", variants=_worded(body="Hello {firstname}")), "a-en-body"),
        (letter("x", variants=_worded(body="[Say here what the offer is.]")), "a-en-body"),
        (letter("x", variants=_worded(url="javascript:alert(1)")), "a-en-url"),
        (letter("x", variants=_worded(heading="x" * 121)), "a-en-heading"),
        (letter("x", variants=()), "variants"),
        (letter("x", variants=_two(1, 1, 1, 1, 1, keys="abcde")), "variants"),
        (letter("x", variants=_two(1, 1, keys="aa")), "variants"),
        (letter("x", variants=_two(0, 0)), "a-weight"),
        (letter("x", variants=_two(1, -1)), "b-weight"),
        (letter("x", variants=_two(1, 1_001)), "b-weight"),
        (letter("x", 366), "wait"),
        (letter("x", -1), "wait"),
        (letter("x", wait=Wait(until=Until.BEFORE_END, seconds=-1)), "wait"),
        (letter("x", wait=Wait(at="25:00")), "at"),
        (letter("x", wait=Wait(at="10")), "at"),
        (letter("x", wait=Wait(weekdays=(0, 8))), "weekdays"),
        (letter("x", wait=Wait(weekdays=(1, 1))), "weekdays"),
        (letter("x", wait=Wait(until=Until.EVENT, seconds=DAY)), "event"),
        (letter("x", wait=Wait(until=Until.EVENT, event=Happening(on=Event.FRIEND_COUNTED))), "wait"),
        (letter("x", wait=Wait(until=Until.EVENT, seconds=1, event=Happening(on=Event.REWARD_GIVEN))), "event"),
        (letter("x", catch_up_hours=0), "catch_up_hours"),
        (letter("x", when={"field": "shoe_size", "op": "eq", "value": 4}), "when"),
        (letter("x", when=NEVER), "when"),
        (letter("X y"), "key"),
        (Branch(key="x", when=NEVER, yes=(letter("y"),)), "when"),
        (Branch(key="x", when={"all": []}, yes=(letter("y"),)), "when"),
        (Branch(key="x", when=WILLING), "yes"),
    ],
)
def test_faults_of_a_step_name_the_step_and_the_field(sequence: Sequence, step: Step, field: str) -> None:
    assert _found(sequence, definition(letter("first"), step)) == [(step.key, field)]
    (problem,) = drafts.problems(sequence)
    assert problem.sentence.startswith("Step 2")
    with i18n.speaking("fr"):
        (told,) = drafts.problems(sequence)
    assert told.sentence.startswith("Étape 2")
    assert told.sentence != problem.sentence


def test_a_button_leads_to_the_web_or_to_the_persons_own_page(sequence: Sequence) -> None:
    for address in ("", "https://escales.example/journeys", "{link}", "{share_link}"):
        assert _found(sequence, definition(letter("x", variants=_worded(url=address)))) == []


def _fork(yes: tuple[Step, ...], no: tuple[Step, ...] = ()) -> Branch:
    return Branch(key="fork", when=WILLING, yes=yes, no=no)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((letter("a"), End(key="end"), letter("b")), ("b", "key")),
        ((_fork((letter("a"), End(key="end"), letter("b"))),), ("b", "key")),
        ((letter("a"), _fork((End(key="e1"),), (End(key="e2"),)), letter("b")), ("b", "key")),
        ((letter("a"), letter("a")), ("a", "key")),
        ((letter("a", 13), letter("b", wait=BEFORE_END)), ("b", "wait")),
        ((letter("a", wait=replace(BEFORE_END, seconds=DAY)), letter("b", wait=BEFORE_END)), ("b", "wait")),
        ((letter("a", wait=BEFORE_END), letter("b", 4), letter("c", wait=Wait(until=Until.BEFORE_END))), ("c", "wait")),
        ((_fork((letter("a", 14),), (letter("n", 20),)), letter("b", wait=BEFORE_END)), ("b", "wait")),
    ],
)
def test_steps_that_nobody_reaches(sequence: Sequence, steps: tuple[Step, ...], found: tuple[str, str]) -> None:
    assert set(_found(sequence, definition(*steps))) == {found}


@pytest.mark.parametrize(
    "steps",
    [
        (letter("a"), End(key="end")),
        (_fork((letter("a"), End(key="end"))), letter("b")),
        (letter("a", wait=BEFORE_END), letter("b", 1), letter("c", wait=replace(BEFORE_END, seconds=DAY))),
        (_fork((letter("a", 2),), (letter("n", 20),)), letter("b", wait=BEFORE_END)),
        (letter("a", wait=BEFORE_END), letter("b", 9)),
        (letter("a", wait=Wait(until=Until.EVENT, seconds=300 * DAY, event=Happening(on=Event.FRIEND_COUNTED))),
         letter("b", wait=BEFORE_END)),
    ],
)  # fmt: skip
def test_ways_that_lead_somewhere_are_no_fault(sequence: Sequence, steps: tuple[Step, ...]) -> None:
    assert _found(sequence, definition(*steps)) == []


def test_forks_in_forks_and_steps_are_bounded(sequence: Sequence) -> None:
    steps: tuple[Step, ...] = (letter("deep"),)
    for level in range(4):
        steps = (Branch(key=f"fork-{level}", when=WILLING, yes=steps),)
    assert _found(sequence, definition(*steps)) == [("fork-0", "yes")]
    assert _found(sequence, definition(*(End(key=f"e{n}") for n in range(51))))[:2] == [("steps", "steps")] * 2


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"trigger": Happening(on=Event.ACTION_CREDITED, of="share")}, ("trigger", "of")),
        ({"trigger": Happening(on=Event.ACTION_CREDITED)}, ("trigger", "on")),
        ({"trigger": Happening(on=Event.ANSWERED, of="shoe_size")}, ("trigger", "of")),
        ({"trigger": Happening(on=Event.REWARD_GIVEN)}, ("trigger", "on")),
        ({"trigger": Happening(on=Event.SEGMENT_JOINED, of="0")}, ("trigger", "of")),
        ({"trigger": Happening(on=Event.INACTIVE)}, ("trigger", "days")),
        ({"trigger": Happening(on=Event.CONTEST_CLOSING, days=20)}, ("trigger", "days")),
        ({"who": NEVER}, ("who", "when")),
        ({"who": {"field": "shoe_size", "op": "eq", "value": 4}}, ("who", "when")),
        ({"again": Again.AFTER}, ("again", "days")),
        ({"holdout": 21}, ("holdout", "holdout")),
        ({"priority": 0}, ("priority", "priority")),
        ({"goal": Goal(on=Happening(on=Event.FRIEND_COUNTED), days=91)}, ("goal", "days")),
        ({"goal": Goal(on=Happening(on=Event.FRIEND_COUNTED), value=-1)}, ("goal", "value")),
        ({"goal": Goal(on=Happening(on=Event.CONFIRMED))}, ("goal", "on")),
        ({"exits": (Exit(),)}, ("exits", "exits-0")),
        ({"exits": (Exit(on=Happening(on=Event.CONFIRMED)),)}, ("exits", "exits-0")),
        ({"exits": (Exit(on=Happening(on=Event.FRIEND_COUNTED)), Exit(when=NEVER))}, ("exits", "exits-1")),
        ({"who": WILLING, "exits": (Exit(when=WILLING),)}, ("exits", "exits-0")),
        ({"who": {"all": [WILLING, {"field": "clicks", "op": "gt", "value": 5}]},
          "exits": (Exit(when={"field": "clicks", "op": "gte", "value": 2}),)}, ("exits", "exits-0")),
    ],
)  # fmt: skip
def test_faults_around_the_steps(sequence: Sequence, values: dict[str, Any], found: tuple[str, str]) -> None:
    assert _found(sequence, definition(letter("hello"), **values)) == [found]
    with i18n.speaking("fr"):
        (told,) = drafts.problems(sequence)
    assert told.sentence != drafts.problems(sequence)[0].sentence


def test_what_can_happen_in_a_contest_is_no_fault(campaign: Campaign, sequence: Sequence) -> None:
    make_question(campaign, kind=QuestionKind.NUMBER, position=7)
    segment = make_segment(db.session.get_one(Brand, campaign.brand_id))
    for trigger in (
        Happening(on=Event.FORM_FINISHED),
        Happening(on=Event.ANSWERED, of="question_1"),
        Happening(on=Event.SEGMENT_JOINED, of=str(segment.id)),
        Happening(on=Event.INACTIVE, days=30),
        Happening(on=Event.CONTEST_CLOSING, days=7),
        Happening(on=Event.CLICKED),
    ):
        assert _found(sequence, definition(letter("hello"), trigger=trigger)) == []


def test_a_step_after_the_contest_closes_cannot_lie_further_before_its_end(sequence: Sequence) -> None:
    closing, ended = Happening(on=Event.CONTEST_CLOSING, days=2), Happening(on=Event.CONTEST_ENDED)
    for trigger in (closing, ended):
        assert _found(sequence, definition(letter("x", wait=BEFORE_END), trigger=trigger)) == [("x", "wait")]


def test_a_test_has_a_seed_that_changes_with_its_variants_and_shares_only(sequence: Sequence) -> None:
    draft(sequence, letter("hello", variants=_two(1, 1)))
    (first,) = drafts.definition_of(sequence).letters()
    draft(sequence, letter("hello", 9, variants=_two(1, 1)))
    assert next(drafts.definition_of(sequence).letters()).experiment == first.experiment != ""

    draft(sequence, letter("hello", variants=_two(1, 3)))
    assert next(drafts.definition_of(sequence).letters()).experiment not in {"", first.experiment}
    draft(sequence, letter("hello", variants=_two(1)))
    assert next(drafts.definition_of(sequence).letters()).experiment == ""


@pytest.mark.parametrize("when", [{}, None])
def test_a_fork_with_an_empty_condition_is_one_whose_condition_is_not_chosen_yet(campaign: Campaign, when: Any) -> None:
    sequence = unpublished(campaign)
    data = {"trigger": {"on": "confirmed"}, "steps": [{"kind": "branch", "key": "fork", "when": when}]}
    assert drafts.save(sequence, data, sequence.revision, "Ada")
    db.session.commit()
    (fork,) = drafts.definition_of(fresh(sequence)).steps
    assert isinstance(fork, Branch)
    assert fork.when == {"all": []}
