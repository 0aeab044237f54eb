"""A sequence as YAML for people: out, in, and back without a difference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from leadgen.authoring import nodes
from leadgen.authoring.nodes import Node
from leadgen.core import logic
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.nurture.definition import (
    CATCH_UP_HOURS,
    DAY,
    HOUR,
    MINUTE,
    Again,
    Branch,
    Definition,
    End,
    Event,
    Exit,
    Goal,
    Happening,
    Letter,
    Otherwise,
    Step,
    Until,
    Variant,
    Wait,
)

FORMAT = 1
_UNITS = (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", 1))
_DURATION = re.compile(r"(-?)(?:(\d{1,9}) ?d ?)?(?:(\d{1,9}) ?h ?)?(?:(\d{1,9}) ?min ?)?(?:(\d{1,9}) ?s)?")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNTIL = {Until.AFTER: "after", Until.BEFORE_END: "before_end", Until.EVENT: "at_most"}
_HEAD = "# A sequence of letters. Waits are written as 3 d, 2 h, 30 min or 1 d 12 h.\n"
# What a reader would take for a line's end, or not see: written with a backslash.
_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\u202f\ufeff\ud800-\udfff]")


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, and no anchors for what happens to be the same."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as PyYAML calls it
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_hidden = bool(_HIDDEN.search(text.replace("\u00a0", "").replace("\u202f", "")))
    style = '"' if is_hidden else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


nodes.resolve_plainly(_Dumper)
_Dumper.add_representer(str, _text)


def to_yaml(definition: Definition) -> str:
    """The whole definition as text: waits as “3 d”, conditions as data, texts as blocks."""
    data: dict[str, Any] = {"format": FORMAT, "trigger": _happening_data(definition.trigger)}
    data |= _without({
        "who": definition.who,
        "stays_while": definition.stays_while or None,
        "again": definition.again.value if definition.again is not Again.NEVER else None,
        "again_days": definition.again_days or None,
        "exits": [_exit_data(one) for one in definition.exits] or None,
        "goal": _goal_data(definition.goal) if definition.goal else None,
    })  # fmt: skip
    data |= {"holdout": definition.holdout, "priority": definition.priority}
    data["steps"] = [_step_data(step) for step in definition.steps]
    return _HEAD + yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _without(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}


def _exit_data(one: Exit) -> dict[str, Any]:
    return _without({"on": _happening_data(one.on) if one.on else None, "when": one.when})


def _goal_data(goal: Goal) -> dict[str, Any]:
    return {"on": _happening_data(goal.on), "days": goal.days, "value": goal.value}


def _happening_data(event: Happening) -> Any:
    if not event.of and not event.days:
        return event.on.value
    return _without({"on": event.on.value, "of": event.of or None, "days": event.days or None})


def _step_data(step: Step) -> dict[str, Any]:
    kind = {Letter: "letter", Branch: "branch", End: "end"}[type(step)]
    data: dict[str, Any] = {kind: step.key}
    if step.wait != Wait():
        data["wait"] = _wait_data(step.wait)
    if isinstance(step, Branch):
        data["when"] = step.when
        data |= {side: [_step_data(one) for one in part] for side, part in (("yes", step.yes), ("no", step.no)) if part}
    elif isinstance(step, Letter):
        data |= _letter_data(step)
    return data


def _letter_data(letter: Letter) -> dict[str, Any]:
    data = _without({
        "when": letter.when,
        "otherwise": letter.otherwise.value if letter.otherwise is not Otherwise.SKIP else None,
        "catch_up": f"{letter.catch_up_hours} h" if letter.catch_up_hours != CATCH_UP_HOURS else None,
        "experiment": letter.experiment or None,
    })  # fmt: skip
    if len(letter.variants) == 1 and letter.variants[0] == Variant(key="a", texts=letter.variants[0].texts):
        return data | {"texts": letter.variants[0].texts}
    variants = [{"variant": one.key, "weight": one.weight, "texts": one.texts} for one in letter.variants]
    return data | ({"variants": variants} if variants else {})


def _wait_data(wait: Wait) -> Any:
    if wait == Wait(seconds=wait.seconds):
        return _duration(wait.seconds)
    data: dict[str, Any] = {"event": _happening_data(wait.event)} if wait.event else {}
    data[_UNTIL[wait.until]] = _duration(wait.seconds)
    days = [_WEEKDAYS[day - 1] if 1 <= day <= 7 else day for day in wait.weekdays]
    return data | _without({"at": wait.at or None, "weekdays": days or None})


def _duration(seconds: int) -> str:
    parts, rest = [], abs(seconds)
    for unit, size in _UNITS:
        number, rest = divmod(rest, size)
        parts += [f"{number} {unit}"] if number else []
    return ("-" if seconds < 0 else "") + (" ".join(parts) or "0 s")


_TOP = frozenset(
    {"format", "trigger", "who", "stays_while", "again", "again_days", "exits", "goal", "holdout", "priority", "steps"}
)
_LETTER = frozenset({"letter", "wait", "when", "otherwise", "catch_up", "experiment", "texts", "variants"})
_BRANCH = frozenset({"branch", "wait", "when", "yes", "no"})
_WAIT = frozenset({"after", "before_end", "at_most", "event", "at", "weekdays"})


def from_yaml(text: str) -> Definition:
    """The definition that such a text describes; what is left out is as by default.

    Raises Invalid, its sentence names the line and the field, in the current language; `field` is the path, such as
    steps.2.wait (the first step is 1), or yaml where the text itself cannot be read.
    """
    top = nodes.read(text).parts(known=_TOP, needed=("trigger", "steps"))
    if "format" in top and top["format"].number() != FORMAT:
        raise top["format"].fail(_("only format %(format)d can be read.") % {"format": FORMAT})
    usual = Definition()
    return Definition(
        trigger=_happening(top["trigger"]),
        who=_condition(top.get("who")),
        stays_while=top["stays_while"].flag() if "stays_while" in top else usual.stays_while,
        again=top["again"].word(Again) if "again" in top else usual.again,
        again_days=top["again_days"].number() if "again_days" in top else usual.again_days,
        exits=top["exits"].each(_exit) if "exits" in top else (),
        goal=_goal(top["goal"]) if "goal" in top else None,
        holdout=top["holdout"].number() if "holdout" in top else usual.holdout,
        priority=top["priority"].number() if "priority" in top else usual.priority,
        steps=top["steps"].each(_step),
    )


def _happening(node: Node) -> Happening:
    if node.is_scalar:
        return Happening(on=node.word(Event))
    parts = node.parts(known=frozenset({"on", "of", "days"}), needed=("on",))
    return Happening(
        on=parts["on"].word(Event),
        of=parts["of"].text() if "of" in parts else "",
        days=parts["days"].number() if "days" in parts else 0,
    )


def _condition(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    node.parts()
    found: dict[str, Any] = node.data()
    try:
        if found:
            logic.check_shape(found)
    except Invalid as error:
        raise node.at(error.field or "").fail(str(error)) from None
    return found


def _exit(node: Node) -> Exit:
    parts = node.parts(known=frozenset({"on", "when"}))
    return Exit(on=_happening(parts["on"]) if "on" in parts else None, when=_condition(parts.get("when")))


def _goal(node: Node) -> Goal:
    parts = node.parts(known=frozenset({"on", "days", "value"}), needed=("on",))
    usual = Goal(on=_happening(parts["on"]))
    return Goal(
        on=usual.on,
        days=parts["days"].number() if "days" in parts else usual.days,
        value=parts["value"].number() if "value" in parts else usual.value,
    )


def _step(node: Node) -> Step:
    parts = node.parts()
    kinds = [kind for kind in ("letter", "branch", "end") if kind in parts]
    if len(kinds) != 1:
        raise node.fail(_("a step has one of these names: letter, branch or end."))
    if kinds == ["letter"]:
        return _letter(node)
    if kinds == ["end"]:
        parts = node.parts(known=frozenset({"end", "wait"}))
        return End(key=parts["end"].text(), wait=_wait(parts.get("wait")))
    parts = node.parts(known=_BRANCH, needed=("when",))
    yes, no = (parts[side].each(_step) if side in parts else () for side in ("yes", "no"))
    when = _condition(parts["when"]) or {}
    return Branch(key=parts["branch"].text(), wait=_wait(parts.get("wait")), when=when, yes=yes, no=no)


def _letter(node: Node) -> Letter:
    parts = node.parts(known=_LETTER)
    if "texts" in parts and "variants" in parts:
        raise parts["texts"].fail(_("a letter has either texts or variants."))
    usual = Letter(key=parts["letter"].text())
    variants = parts["variants"].each(_variant) if "variants" in parts else ()
    return Letter(
        key=usual.key,
        wait=_wait(parts.get("wait")),
        when=_condition(parts.get("when")),
        otherwise=parts["otherwise"].word(Otherwise) if "otherwise" in parts else usual.otherwise,
        catch_up_hours=_hours(parts["catch_up"]) if "catch_up" in parts else usual.catch_up_hours,
        variants=(Variant(key="a", texts=_texts(parts["texts"])),) if "texts" in parts else variants,
        experiment=parts["experiment"].text() if "experiment" in parts else "",
    )


def _variant(node: Node) -> Variant:
    parts = node.parts(known=frozenset({"variant", "weight", "texts"}), needed=("variant",))
    weight = parts["weight"].number() if "weight" in parts else 1
    return Variant(key=parts["variant"].text(), weight=weight, texts=_texts(parts["texts"]) if "texts" in parts else {})


def _texts(node: Node) -> dict[str, dict[str, str]]:
    return {locale: {key: one.text() for key, one in words.parts().items()} for locale, words in node.parts().items()}


def _wait(node: Node | None) -> Wait:
    if node is None:
        return Wait()
    if node.is_scalar:
        return Wait(seconds=_seconds(node))
    parts = node.parts(known=_WAIT)
    kinds = [until for until, name in _UNTIL.items() if name in parts]
    if len(kinds) > 1:
        raise node.fail(_("a wait has one of these names: after, before_end or at_most."))
    until = kinds[0] if kinds else Until.AFTER
    return Wait(
        until=until,
        seconds=_seconds(parts[_UNTIL[until]]) if kinds else 0,
        at=parts["at"].text() if "at" in parts else "",
        weekdays=parts["weekdays"].each(_weekday) if "weekdays" in parts else (),
        event=_happening(parts["event"]) if "event" in parts else None,
    )


def _weekday(node: Node) -> int:
    typed = node.text()
    if typed in _WEEKDAYS:
        return _WEEKDAYS.index(typed) + 1
    if not re.fullmatch(r"-?\d{1,9}", typed):
        told = _("“%(word)s” is none of these: %(words)s.")
        raise node.fail(told % {"word": typed[:50], "words": ", ".join(_WEEKDAYS)})
    return int(typed)


def _seconds(node: Node) -> int:
    found = node.matched(_DURATION, _("write a wait as 3 d, 2 h, 30 min or 1 d 12 h."))
    numbers = found.groups()[1:]
    if not any(number is not None for number in numbers):
        raise node.fail(_("write a wait as 3 d, 2 h, 30 min or 1 d 12 h."))
    total = sum(int(number or 0) * size for number, (_unit, size) in zip(numbers, _UNITS, strict=True))
    return -total if found[1] else total


def _hours(node: Node) -> int:
    return int(node.matched(re.compile(r"(-?\d{1,12}) ?h"), _("write it in hours, as 48 h."))[1])
