"""What is wrong with the steps of a sequence: waits, order, conditions, words, and ways that lead nowhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from leadgen.authoring import describing
from leadgen.authoring.faults import Ground, Problem, is_key, of_condition, of_happening
from leadgen.campaigns.checking import language
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.letters import checking, writing
from leadgen.letters.rendering import OwnWords
from leadgen.nurture import wording
from leadgen.nurture.definition import (
    DAY,
    LONGEST_WAIT,
    MOST_LEVELS,
    MOST_STEPS,
    MOST_VARIANTS,
    Branch,
    Definition,
    End,
    Event,
    Letter,
    Step,
    Until,
    Variant,
    Wait,
)

MOST_CATCH_UP = 30 * 24  # hours
HEAVIEST = 1_000
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class _Spot:
    """A moment on the way down: so long after the beginning at least, and so long before the contest's end at most.

    `left` is None while nothing on the way is tied to the end; `is_over`: no way leads further.
    """

    since: int
    left: int | None
    is_over: bool = False


def of_steps(definition: Definition, ground: Ground) -> Iterator[Problem]:
    """Everything that is wrong with the steps, from the first to the last."""
    names = describing.names(definition)
    if not any(definition.letters()):
        yield Problem("steps", "steps", _("There is no letter in this sequence."))
    if sum(1 for _step in definition.walk()) > MOST_STEPS:
        yield Problem("steps", "steps", _("Keep to %(limit)d steps at most.") % {"limit": MOST_STEPS})
    dates = list(_dates(definition, ground))
    times = Counter(step.key for step in definition.walk())
    for step in definition.walk():
        found = [*_key(step, times), *_wait(step.wait, ground)]
        found += [(problem.field, problem.sentence) for problem in dates if problem.where == step.key]
        found += _letter(step, ground) if isinstance(step, Letter) else _branch(step, ground)
        for field, sentence in dict.fromkeys(found):
            words = {"step": names[step.key], "what": sentence}
            yield Problem(step.key, field, _("%(step)s: %(what)s") % words)
    yield from _depth(definition.steps, names)


def _key(step: Step, times: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    if times[step.key] > 1:
        sentence = _("another step has the same key, “%(key)s”; people would get only one of the two.")
        yield "key", sentence % {"key": step.key}
    if not is_key(step.key):
        sentence = _("the key “%(key)s” must be of small letters, digits and hyphens, 40 at most.")
        yield "key", sentence % {"key": step.key[:50]}


def _wait(wait: Wait, ground: Ground) -> Iterator[tuple[str, str]]:
    if wait.seconds > LONGEST_WAIT:
        yield "wait", _("the wait is longer than a year.")
    elif wait.seconds < 0:
        is_end = wait.until is Until.BEFORE_END
        yield "wait", _("this lies behind the end of the contest.") if is_end else _("the wait is less than nothing.")
    if wait.until is Until.EVENT:
        if wait.event is None:
            yield "event", _("say what is waited for.")
        else:
            yield from (("event", sentence) for _field, sentence in of_happening(wait.event, ground))
        if wait.seconds == 0:
            yield "wait", _("say how long it is waited for at most.")
    if wait.at and not _HOUR.fullmatch(wait.at):
        yield "at", _("“%(hour)s” is no time of day; write it as 10:00.") % {"hour": wait.at[:20]}
    if set(wait.weekdays) - set(range(1, 8)) or len(set(wait.weekdays)) < len(wait.weekdays):
        yield "weekdays", _("choose days of the week, each once.")


def _branch(step: Step, ground: Ground) -> Iterator[tuple[str, str]]:
    if not isinstance(step, Branch):
        return
    if told := of_condition(step.when, ground):
        yield "when", _("the condition: %(what)s") % {"what": told}
    if not step.yes and not step.no:
        yield "yes", _("neither way holds a step; put one in, or take the branch out.")


def _letter(letter: Letter, ground: Ground) -> Iterator[tuple[str, str]]:
    if letter.when is not None and (told := of_condition(letter.when, ground)):
        yield "when", _("the condition: %(what)s") % {"what": told}
    if not 1 <= letter.catch_up_hours <= MOST_CATCH_UP:
        yield (
            "catch_up_hours",
            _("say from 1 to %(limit)d hours how late it may still leave.") % {"limit": MOST_CATCH_UP},
        )
    if not 1 <= len(letter.variants) <= MOST_VARIANTS:
        yield "variants", _("write from 1 to %(limit)d versions of a letter.") % {"limit": MOST_VARIANTS}
    keys = Counter(variant.key for variant in letter.variants)
    if letter.variants and not any(variant.weight > 0 for variant in letter.variants):
        yield f"{letter.variants[0].key}-weight", _("nobody would get it: every share is zero.")
    for variant in letter.variants:
        if keys[variant.key] > 1 or not is_key(variant.key):
            yield "variants", _("give each version a short key of its own.")
        if not 0 <= variant.weight <= HEAVIEST:
            sentence = _("the share of a version is a whole number from 0 to %(limit)d.") % {"limit": HEAVIEST}
            yield f"{variant.key}-weight", sentence
        for field, sentence in _words(variant, ground):
            words = {"variant": variant.key.upper(), "what": sentence}
            told = _("version %(variant)s: %(what)s") % words if len(letter.variants) > 1 else sentence
            yield f"{variant.key}-{field}", told


def _words(variant: Variant, ground: Ground) -> Iterator[tuple[str, str]]:
    """What is missing or wrong in the words, in each language of the contest."""
    own = {locale: OwnWords.of(texts) for locale, texts in variant.texts.items()}
    locales = ground.card.locales
    errors = checking.errors(checking.warnings(ground.card, "sequence", own, locales))
    yield from ((f"{error.locale}-{error.field}", error.sentence) for error in errors)
    told = {f"{error.locale}-{error.field}" for error in errors}
    for locale in locales:
        try:
            writing.checked(locale, variant.texts.get(locale, {}), "sequence")
        except Invalid as error:
            if error.field not in told:
                field = checking.field_name(error.field.split("-", 1)[1])
                words = {"field": field, "language": language(locale), "what": str(error)}
                yield error.field, _("%(field)s in %(language)s: %(what)s") % words


def _depth(steps: tuple[Step, ...], names: Mapping[str, str], level: int = 0) -> Iterator[Problem]:
    for step in steps:
        if isinstance(step, Branch):
            if level == MOST_LEVELS:
                words = {"step": names[step.key], "limit": MOST_LEVELS}
                yield Problem(step.key, "yes", _("%(step)s: put at most %(limit)d branches into each other.") % words)
                continue
            yield from _depth(step.yes, names, level + 1)
            yield from _depth(step.no, names, level + 1)


def _dates(definition: Definition, ground: Ground) -> Iterator[Problem]:
    """Steps that nobody ever reaches: behind an end, or at a date that has passed when they get there."""
    trigger = definition.trigger
    left = {Event.CONTEST_ENDED: 0, Event.CONTEST_CLOSING: trigger.days * DAY}.get(trigger.on)
    lasts = int((ground.card.ends_at - ground.card.starts_at).total_seconds())
    yield from _along(definition.steps, _Spot(0, left), lasts)[0]


def _along(steps: tuple[Step, ...], spot: _Spot, lasts: int) -> tuple[list[Problem], _Spot]:
    """The problems of a row of steps, and where its end is; `lasts` is how long the contest does, in seconds."""
    found: list[Problem] = []
    for step in steps:
        if spot.is_over:
            sentence = _("nobody gets here: the sequence has ended before.")
            return [*found, Problem(step.key, "key", sentence)], spot
        if sentence := _too_late(step.wait, spot, lasts):
            found.append(Problem(step.key, "wait", sentence))
        spot = _behind(step.wait, spot)
        if isinstance(step, End):
            spot = replace(spot, is_over=True)
        elif isinstance(step, Branch):
            (yes, after_yes), (no, after_no) = (_along(side, spot, lasts) for side in (step.yes, step.no))
            found += yes + no
            spot = _either(after_yes, after_no)
    return found, spot


def _too_late(wait: Wait, spot: _Spot, lasts: int) -> str:
    """Why a date before the contest's end has always passed when somebody gets here, or nothing."""
    if wait.until is not Until.BEFORE_END or wait.seconds < 0:
        return ""
    words = {"time": wording.span(wait.seconds), "lasts": wording.span(lasts // 60 * 60)}
    if spot.left is not None and wait.seconds > spot.left:
        return _("%(time)s before the end of the contest has passed when people get here; put it further up.") % words
    if spot.left is None and spot.since + wait.seconds > lasts:
        return _("nobody gets here in time: the contest lasts %(lasts)s in all.") % words
    return ""


def _behind(wait: Wait, spot: _Spot) -> _Spot:
    if wait.until is Until.BEFORE_END:
        return replace(spot, left=max(wait.seconds, 0))
    if wait.until is Until.EVENT:  # it may happen at once
        return spot
    return replace(spot, since=spot.since + wait.seconds, left=None if spot.left is None else spot.left - wait.seconds)


def _either(one: _Spot, other: _Spot) -> _Spot:
    """Behind a fork: the earlier of both, for one way that leads on is enough."""
    if one.is_over or other.is_over:
        return other if one.is_over else one
    left = None if one.left is None or other.left is None else max(one.left, other.left)
    return _Spot(min(one.since, other.since), left)
