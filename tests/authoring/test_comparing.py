"""What changed between two versions in words, and where people of the old one go on in the new."""

from dataclasses import replace

import pytest

from leadgen.authoring import comparing
from leadgen.authoring.comparing import ChangeKind
from leadgen.core import i18n
from leadgen.nurture.definition import (
    DAY,
    HOUR,
    Again,
    Branch,
    Definition,
    End,
    Event,
    Exit,
    Goal,
    Happening,
    Letter,
    Step,
    Until,
    Variant,
    Wait,
)
from leadgen.nurture.wording import Names
from tests import texts

WHEN = {"field": "marketing", "op": "eq", "value": True}


def _of(way: str) -> Definition:
    """`a b (c|d) e`: letters a, b and e, and a fork f whose yes is c and no is d; `.` is an end."""
    return Definition(steps=_steps(way.split()))


def _steps(words: list[str]) -> tuple[Step, ...]:
    return tuple(_step(word) for word in words)


def _step(word: str) -> Step:
    if word.startswith("("):
        yes, no = word.strip("()").split("|")
        return Branch(key="f", when=WHEN, yes=_steps(list(yes)), no=_steps(list(no)))
    return End(key=".") if word == "." else Letter(key=word)


@pytest.mark.parametrize(
    ("old", "new", "key", "target"),
    [
        ("a b c", "a b c", "b", "b"),
        ("a b c", "a c", "b", "c"),
        ("a b c", "a b", "c", None),
        ("a b c", "a b x", "c", "x"),  # one in its place
        ("a b c", "a x c", "b", "x"),
        ("a b c d", "a d b", "c", "d"),  # the step before it went behind the one after it
        ("a b c", "c b x", "a", "c"),
        ("a b c", "x", "b", "x"),
        ("a b c", "", "b", None),
        ("a b c", "c a b", "b", "b"),
        ("a b c d", "a b", "c", None),
        ("a b", "b a", "b", "b"),
        ("b a c", "a b", "c", None),  # never back to what was passed
        ("a (bc|d) e", "a (b|d) e", "c", "e"),
        ("a (bc|d) e", "a (c|d) e", "b", "c"),
        ("a (bc|d) e", "a (x|d) e", "b", "x"),
        ("a (bc|d) e", "a (|d) e", "b", "e"),
        ("a (bc|d) e", "a e", "c", "e"),
        ("a (bc|d) e", "a b c e", "f", "b"),  # the fork is gone, its steps are for everybody
        ("a (bc|d) e", "a e", "f", "e"),
        ("a (bc|d)", "a", "c", None),
        ("a b", "a (x|y) b", "b", "b"),
        ("a b .", "a .", "b", "."),
    ],
)
def test_where_people_go_on(old: str, new: str, key: str, target: str | None) -> None:
    assert comparing.targets(_of(old), _of(new))[key] == target


def test_who_finished_comes_back_for_the_first_step_outside_of_forks_that_is_new() -> None:
    assert comparing.first_added(_of("a b"), _of("a x b y")) == "x"
    assert comparing.first_added(_of("a b"), _of("a (x|y) b")) == "f"
    assert comparing.first_added(_of("a (b|c)"), _of("a (bx|c)")) is None


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ("a b c d", "a c d b", {"b"}),
        ("a b c", "x a y b c", set()),
        ("a (b|c) d", "a (|bc) d", {"b"}),
        ("a b c", "a (bc|) d", set()),  # a fork around them is new, they did not move by themselves
        ("a b c", "c", set()),
    ],
)
def test_what_moved(old: str, new: str, moved: set[str]) -> None:
    assert comparing.moved_keys(_of(old), _of(new)) == moved


NAMES = Names(questions={"budget": "Your budget?"})
LETTER = Letter(key="a", wait=Wait(seconds=3 * DAY), variants=(Variant(key="a", texts=texts.step(1)),))
BEFORE_END = replace(LETTER, wait=Wait(until=Until.BEFORE_END, seconds=3 * DAY))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (LETTER, replace(LETTER, wait=Wait(seconds=DAY)), ChangeKind.SHORTER),
        (LETTER, replace(LETTER, wait=Wait(seconds=4 * DAY)), ChangeKind.LONGER),
        (LETTER, replace(LETTER, wait=Wait(seconds=3 * DAY, at="10:00")), ChangeKind.TIME),
        (LETTER, BEFORE_END, ChangeKind.TIME),
        (BEFORE_END, replace(BEFORE_END, wait=replace(BEFORE_END.wait, seconds=5 * DAY)), ChangeKind.SHORTER),
        (LETTER, replace(LETTER, when=WHEN), ChangeKind.CONDITION),
        (LETTER, End(key="a", wait=LETTER.wait), ChangeKind.CONDITION),
        (LETTER, replace(LETTER, catch_up_hours=5), ChangeKind.CATCH_UP),
        (LETTER, replace(LETTER, variants=(Variant(key="a", texts=texts.step(2)),)), ChangeKind.WORDS),
        (LETTER, replace(LETTER, variants=(*LETTER.variants, Variant(key="b"))), ChangeKind.VARIANTS),
    ],
)
def test_what_changed_of_a_step_is_told_in_both_languages(before: Step, after: Step, kind: ChangeKind) -> None:
    old, new = Definition(steps=(before,)), Definition(steps=(after,))
    (english,) = comparing.differences(old, new, NAMES)
    with i18n.speaking("fr"):
        (french,) = comparing.differences(old, new, NAMES)
    assert english.kind is french.kind is kind
    assert (english.sentence.split()[0], french.sentence.split()[0]) == ("Step", "Étape")
    assert comparing.differences(new, new, NAMES) == []


def test_what_changed_around_the_steps_is_told_in_both_languages() -> None:
    old = Definition()
    new = Definition(
        trigger=Happening(on=Event.INACTIVE, days=30),
        who=WHEN,
        again=Again.EACH,
        exits=(Exit(on=Happening(on=Event.REWARD_GIVEN)),),
        goal=Goal(on=Happening(on=Event.ANSWERED, of="budget")),
        holdout=5,
        priority=7,
    )
    english = [one.sentence for one in comparing.differences(old, new, NAMES)]
    with i18n.speaking("fr"):
        french = [one.sentence for one in comparing.differences(old, new, NAMES)]
    assert english == [
        "It begins when they have given no sign of life for 30 days, and not when they confirm their entry any more.",
        "It is for other people: the condition of the beginning changed.",
        "How often a person may go through it changed.",
        "What ends it early changed.",
        "Its goal: they answer “Your budget?”.",
        "5 per cent of newcomers are held out, instead of 0.",
        "Its priority is 7 instead of 5.",
    ]
    assert len(set(french) | set(english)) == 2 * len(english)
    assert french[0] == (
        "Elle commence quand la personne n’a pas donné signe de vie depuis 30 jours, "
        "et non plus quand la personne confirme sa participation."
    )


def test_a_wait_is_told_with_its_hour_and_days() -> None:
    step = replace(LETTER, wait=Wait(seconds=DAY + 2 * HOUR, at="10:00", weekdays=(2, 4)))
    (change,) = comparing.differences(Definition(steps=(LETTER,)), Definition(steps=(step,)), NAMES)
    assert change.sentence == (
        "Step 1 “Letter 1” has another wait: “1 day and 2 hours later, at 10:00 on a Tuesday or a Thursday, "
        "in the person’s own time” instead of “3 days later”."
    )
