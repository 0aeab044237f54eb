"""Two versions of a sequence side by side: what changed, in sentences, and where people of the old one go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from leadgen.authoring import describing
from leadgen.core.i18n import gettext as _
from leadgen.nurture import wording
from leadgen.nurture.definition import Branch, Definition, Letter, Step, Until, Wait
from leadgen.nurture.wording import Names


class ChangeKind(StrEnum):
    """What changed."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    WORDS = "words"
    VARIANTS = "variants"
    SHORTER = "shorter"
    LONGER = "longer"
    TIME = "time"  # the wait differs in another way: hour, days of the week, event
    CONDITION = "condition"
    CATCH_UP = "catch_up"
    TRIGGER = "trigger"
    WHO = "who"
    AGAIN = "again"
    EXITS = "exits"
    GOAL = "goal"
    HOLDOUT = "holdout"
    PRIORITY = "priority"


WAITS = frozenset({ChangeKind.SHORTER, ChangeKind.LONGER, ChangeKind.TIME})


@dataclass(frozen=True, slots=True)
class Difference:
    """One change; `step_key` is empty where it is no step's."""

    kind: ChangeKind
    step_key: str
    sentence: str


def differences(old: Definition, new: Definition, known: Names) -> list[Difference]:
    """Everything that differs, in the current language: around the steps, then in the new order, what is gone last.

    `known` are the names of what events are about.
    """
    return [*_frame(old, new, known), *_steps(old, new, known)]


def _frame(old: Definition, new: Definition, known: Names) -> Iterator[Difference]:
    if old.trigger != new.trigger:
        words = {"before": wording.happening(old.trigger, known), "after": wording.happening(new.trigger, known)}
        yield Difference(
            ChangeKind.TRIGGER, "", _("It begins when %(after)s, and not when %(before)s any more.") % words
        )
    if old.who != new.who or old.stays_while is not new.stays_while:
        yield Difference(ChangeKind.WHO, "", _("It is for other people: the condition of the beginning changed."))
    if (old.again, old.again_days) != (new.again, new.again_days):
        yield Difference(ChangeKind.AGAIN, "", _("How often a person may go through it changed."))
    if old.exits != new.exits:
        yield Difference(ChangeKind.EXITS, "", _("What ends it early changed."))
    if old.goal != new.goal:
        goal = wording.happening(new.goal.on, known) if new.goal else ""
        told = _("Its goal: %(goal)s.") % {"goal": goal} if goal else _("It has no goal any more.")
        yield Difference(ChangeKind.GOAL, "", told)
    words_of = {"before": old.holdout, "after": new.holdout}
    if old.holdout != new.holdout:
        told = _("%(after)d per cent of newcomers are held out, instead of %(before)d.")
        yield Difference(ChangeKind.HOLDOUT, "", told % words_of)
    if old.priority != new.priority:
        told = _("Its priority is %(after)d instead of %(before)d.")
        yield Difference(ChangeKind.PRIORITY, "", told % {"before": old.priority, "after": new.priority})


def _steps(old: Definition, new: Definition, known: Names) -> Iterator[Difference]:
    names, old_names = describing.names(new), describing.names(old)
    moved = moved_keys(old, new)
    for step in new.walk():
        before = old.step(step.key)
        words = {"step": names[step.key]}
        if before is None:
            yield Difference(ChangeKind.ADDED, step.key, _("%(step)s is new.") % words)
            continue
        if step.key in moved:
            yield Difference(ChangeKind.MOVED, step.key, _("%(step)s stands in another place.") % words)
        yield from _within(before, step, names[step.key], known)
    for step in old.walk():
        if new.step(step.key) is None:
            yield Difference(ChangeKind.REMOVED, step.key, _("%(step)s is gone.") % {"step": old_names[step.key]})


def _within(before: Step, after: Step, name: str, known: Names) -> Iterator[Difference]:
    words = {"step": name}
    if before.wait != after.wait:
        words |= {"before": wording.wait(before.wait, known), "after": wording.wait(after.wait, known)}
        told = _("%(step)s has another wait: “%(after)s” instead of “%(before)s”.") % words
        yield Difference(_kind_of_wait(before.wait, after.wait), after.key, told)
    if type(before) is not type(after):
        yield Difference(ChangeKind.CONDITION, after.key, _("%(step)s is another kind of step now.") % words)
        return
    if any(getattr(before, part, None) != getattr(after, part, None) for part in ("when", "otherwise")):
        yield Difference(ChangeKind.CONDITION, after.key, _("%(step)s: its condition changed.") % words)
    if isinstance(before, Letter) and isinstance(after, Letter):
        yield from _letters(before, after, name)


def _letters(before: Letter, after: Letter, name: str) -> Iterator[Difference]:
    words = {"step": name}
    old, new = ({one.key: one for one in letter.variants} for letter in (before, after))
    if [(one.key, one.weight) for one in before.variants] != [(one.key, one.weight) for one in after.variants]:
        told = _("%(step)s: its versions or their shares changed; a new test begins.") % words
        yield Difference(ChangeKind.VARIANTS, after.key, told)
    if any(old[key].texts != new[key].texts for key in old.keys() & new.keys()):
        told = _("%(step)s: its words changed, for everybody who has not been sent it.") % words
        yield Difference(ChangeKind.WORDS, after.key, told)
    if before.catch_up_hours != after.catch_up_hours:
        told = _("%(step)s may leave up to %(time)s late.")
        words["time"] = wording.span(after.catch_up_hours * 3600)
        yield Difference(ChangeKind.CATCH_UP, after.key, told % words)


def _kind_of_wait(before: Wait, after: Wait) -> ChangeKind:
    if (before.until, before.at, before.weekdays, before.event) != (after.until, after.at, after.weekdays, after.event):
        return ChangeKind.TIME
    # So long before the end: the longer, the earlier.
    is_shorter = (after.seconds < before.seconds) is not (after.until is Until.BEFORE_END)
    return ChangeKind.SHORTER if is_shorter else ChangeKind.LONGER


def moved_keys(old: Definition, new: Definition) -> frozenset[str]:
    """The steps that are in both and stand elsewhere: in another fork, or in another order than most."""
    homes, new_homes = dict(_homes(old.steps, "")), dict(_homes(new.steps, ""))
    common = homes.keys() & new_homes.keys()
    before, after = ([step.key for step in one.walk() if step.key in common] for one in (old, new))
    blocks = SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks()
    stayed = {key for block in blocks for key in after[block.b : block.b + block.size]}
    return frozenset(key for key in common if key not in stayed or _is_elsewhere(key, homes, new_homes, common))


def _is_elsewhere(key: str, old: dict[str, str], new: dict[str, str], common: set[str]) -> bool:
    """In another fork; a fork that is new or gone around a step does not move it by itself."""
    before, after = old[key], new[key]
    return before != after and all(not home or home.rpartition(":")[0] in common for home in (before, after))


def _homes(steps: tuple[Step, ...], home: str) -> Iterator[tuple[str, str]]:
    for step in steps:
        yield step.key, home
        if isinstance(step, Branch):
            yield from _homes(step.yes, f"{step.key}:yes")
            yield from _homes(step.no, f"{step.key}:no")


def targets(old: Definition, new: Definition) -> dict[str, str | None]:
    """For each step of the old version the step of the new one that people who wait for it wait for; None: it is over.

    A step that is still there keeps its people. From one that is gone they go on to what comes first of two: what now
    follows the step before it, and the step behind it that is still there; never back to what they passed.
    """
    return {step.key: step.key if new.step(step.key) else _target(old, new, step.key) for step in old.walk()}


def first_added(old: Definition, new: Definition) -> str | None:
    """The first step outside of all forks that the old version lacks: where people who finished that one come back."""
    return next((step.key for step in new.steps if old.step(step.key) is None), None)


_Trail = list[tuple[tuple[Step, ...], int, bool]]


def _target(old: Definition, new: Definition, key: str) -> str | None:
    order = {step.key: number for number, step in enumerate(new.walk())}
    trail = _trail(old.steps, key)
    found = [step.key for step in (_behind_predecessor(trail, new), _successor(old, new, key)) if step is not None]
    going = min(found, key=order.__getitem__) if found else None
    passed = {step.key for steps, place, _way in trail for step in Definition(steps=steps[:place]).walk()}
    passed |= {steps[place].key for steps, place, _way in trail[:-1]}
    while going in passed:
        following = new.after(going)
        going = following.key if following else None
    return going


def _trail(steps: tuple[Step, ...], key: str) -> _Trail:
    """The way down to a step: each row of steps, the place in it, and by which side of the fork there it goes on."""
    for place, step in enumerate(steps):
        if step.key == key:
            return [(steps, place, False)]
        for way, side in ((True, step.yes), (False, step.no)) if isinstance(step, Branch) else ():
            if inside := _trail(side, key):
                return [(steps, place, way), *inside]
    return []


def _behind_predecessor(trail: _Trail, new: Definition) -> Step | None:
    """What follows, in the new version, the last step before this one that is still there."""
    for depth in range(len(trail) - 1, -1, -1):
        steps, place, _way = trail[depth]
        for before in reversed(steps[:place]):
            if new.step(before.key) is not None:
                return new.after(before.key)
        if depth:
            around, outer, way = trail[depth - 1]
            if isinstance(new.step(around[outer].key), Branch):
                return new.after(around[outer].key, way=way)
    return new.steps[0] if new.steps else None


def _successor(old: Definition, new: Definition, key: str) -> Step | None:
    step = old.after(key)
    while step is not None and new.step(step.key) is None:
        step = old.after(step.key)
    return step and new.step(step.key)
