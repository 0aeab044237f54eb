"""YAML out and in: back without a difference, readable, and every error with its line and its field."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.authoring import exchange
from leadgen.authoring.exchange import from_yaml, to_yaml
from leadgen.core import i18n
from leadgen.core.errors import Invalid
from leadgen.core.logic import Op
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
    Otherwise,
    Step,
    Until,
    Variant,
    Wait,
    from_data,
    to_data,
)
from tests import texts

# What YAML takes for something else, or for the end of a line.
ODD = (
    "yes", "on", "no", "null", "~", "true", "12", "-3", "1.5", "1e3", "0x1f", "1:30", "10:00", "2026-05-01", "- a",
    "? a", "a: b", "# a", "'", '"', "\\n", "line\nline\n", "\n\n indented\n", " space ", "tab\tx", "cr\r\nlf", "\x85",
    "\u2028", "\u2029a", "«\u00a0été\u202f! »", "&a *a !x", "<<", "=", "...", "---\n", "{first_name}", "[[x]]",
    "é" * 300, "word " * 60, "trailing \nspace", "\ufeff", "%TAG", "\x00\x1b", "|-", ">", "@x", "`x`", "", "🎁\n🎁",
)  # fmt: skip
_words = st.text(max_size=20) | st.sampled_from(ODD)
_numbers = st.integers(-(10**9), 10**9)
_happenings = st.builds(Happening, on=st.sampled_from(Event), of=_words, days=st.integers(-5, 400))
_values = _words | st.booleans() | _numbers | st.floats(-1e9, 1e9, width=32)
_comparisons = st.fixed_dictionaries(
    {"field": _words, "op": st.sampled_from([op.value for op in Op if op is not Op.IN]), "value": _values}
) | st.fixed_dictionaries({"field": _words, "op": st.just("in"), "value": st.lists(_values, min_size=1, max_size=3)})
_conditions: Any = st.just({}) | st.recursive(
    _comparisons,
    lambda inner: (
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3))
        | st.builds(lambda one: {"not": one}, inner)
    ),
    max_leaves=4,
)
_waits = st.builds(
    Wait,
    until=st.sampled_from(Until),
    seconds=st.integers(-DAY, 400 * DAY) | st.sampled_from([0, DAY, HOUR, 90]),
    at=_words | st.just("10:00"),
    weekdays=st.lists(st.integers(-2, 9), max_size=3).map(tuple),
    event=st.none() | _happenings,
)
_letter_texts = st.dictionaries(
    st.sampled_from(["en", "fr", "no"]),
    st.dictionaries(st.sampled_from(["subject", "body", "url"]), _words),
    max_size=2,
)
_variants = st.builds(Variant, key=_words | st.just("a"), weight=_numbers, texts=_letter_texts)
_letters = st.builds(
    Letter,
    key=_words,
    wait=_waits,
    when=st.none() | _conditions,
    otherwise=st.sampled_from(Otherwise),
    catch_up_hours=_numbers,
    variants=st.lists(_variants, max_size=2).map(tuple),
    experiment=_words,
)
_ends = st.builds(End, key=_words, wait=_waits)
_steps: Any = st.recursive(
    _letters | _ends,
    lambda inner: st.builds(
        Branch,
        key=_words,
        wait=_waits,
        when=_conditions,
        yes=st.lists(inner, max_size=2).map(tuple),
        no=st.lists(inner, max_size=2).map(tuple),
    ),
    max_leaves=3,
)
_definitions = st.builds(
    Definition,
    trigger=_happenings,
    who=st.none() | _conditions,
    stays_while=st.booleans(),
    again=st.sampled_from(Again),
    again_days=_numbers,
    exits=st.lists(st.builds(Exit, on=st.none() | _happenings, when=st.none() | _conditions), max_size=2).map(tuple),
    goal=st.none() | st.builds(Goal, on=_happenings, days=_numbers, value=_numbers),
    holdout=_numbers,
    priority=_numbers,
    steps=st.lists(_steps, max_size=3).map(tuple),
)


@settings(max_examples=50)
@given(_definitions)
def test_out_and_in_again_is_the_same(definition: Definition) -> None:
    assert from_yaml(to_yaml(definition)) == definition


def test_texts_that_look_like_something_else_come_back_as_they_were() -> None:
    words = {f"text-{number}": odd for number, odd in enumerate(ODD)}
    steps = tuple(End(key=odd, wait=Wait(at=odd)) for odd in ODD)
    letter = Letter(
        key="x", variants=(Variant(key="a", texts={"no": words}),), when={"field": "x", "op": "in", "value": list(ODD)}
    )
    kept = Definition(trigger=Happening(on=Event.ANSWERED, of="on"), steps=(letter, *steps))
    assert from_yaml(to_yaml(kept)) == kept


EXAMPLE = Definition(
    trigger=Happening(on=Event.ACTION_CREDITED, of="share"),
    who={"all": [{"field": "marketing", "op": "eq", "value": True}]},
    again=Again.AFTER,
    again_days=30,
    exits=(Exit(on=Happening(on=Event.REWARD_GIVEN)),),
    goal=Goal(on=Happening(on=Event.FRIEND_COUNTED), value=500),
    holdout=5,
    steps=(
        Letter(key="hello", wait=Wait(seconds=2 * HOUR), variants=(Variant(key="a", texts=texts.step(1)),)),
        Branch(
            key="fork",
            wait=Wait(seconds=3 * DAY, at="10:00", weekdays=(2, 4)),
            when={"field": "clicks", "op": "gt", "value": 0},
            yes=(End(key="done"),),
            no=(Letter(key="more", wait=Wait(until=Until.BEFORE_END, seconds=2 * DAY + 12 * HOUR)),),
        ),
    ),
)


def test_people_can_read_it() -> None:
    written = to_yaml(EXAMPLE)
    for line in (
        "trigger:\n  on: action_credited\n  of: share\n",
        "again_days: 30\n",
        "- letter: hello\n  wait: 2 h\n",
        "  wait:\n    after: 3 d\n    at: '10:00'\n    weekdays:\n    - tue\n    - thu\n",
        "      before_end: 2 d 12 h\n",
        "      body: Hello {first_name}, a word about your journey.\n",
    ):
        assert line in written.replace("at: 10:00", "at: '10:00'")
    assert "|-\n" in to_yaml(
        Definition(steps=(Letter(key="x", variants=(Variant(key="a", texts={"en": {"body": "a\nb"}}),)),))
    )


def test_both_ways_of_keeping_it_say_the_same() -> None:
    """What is drawn, what is stored and what is written."""
    stored = json.loads(json.dumps(to_data(EXAMPLE)))
    assert from_data(stored) == from_yaml(to_yaml(EXAMPLE)) == EXAMPLE


TOP = "trigger: confirmed\nsteps:\n"


@pytest.mark.parametrize(
    ("written", "field", "line"),
    [
        ("", "yaml", None),
        ("trigger: confirmed\n", "steps", 1),
        ("trigger: full_moon\nsteps: []\n", "trigger", 1),
        ("trigger: {of: x}\nsteps: []\n", "trigger.on", 1),
        ("trigger: confirmed\nsteps: []\nholdout: five\n", "holdout", 3),
        ("trigger: confirmed\nsteps: []\nstays_while: yes\n", "stays_while", 3),
        ("trigger: confirmed\nsteps: []\nformat: 2\n", "format", 3),
        ("trigger: confirmed\nsteps: []\nsteps: []\n", "steps", 3),
        ("trigger: confirmed\nsteps: []\ncolour: red\n", "colour", 3),
        ("trigger: confirmed\nsteps: 5\n", "steps", 2),
        (TOP + "- letter: a\n- poem: b\n", "steps.2", 4),
        (TOP + "- letter: a\n  wait: three days\n", "steps.1.wait", 4),
        (TOP + "- letter: a\n  wait: ''\n", "steps.1.wait", 4),
        (TOP + "- letter: a\n  wait: {after: 1 d, before_end: 1 d}\n", "steps.1.wait", 4),
        (TOP + "- letter: a\n  wait: {after: 1 d, weekdays: [monday]}\n", "steps.1.wait.weekdays.1", 4),
        (TOP + "- letter: a\n  catch_up: 2 d\n", "steps.1.catch_up", 4),
        (TOP + "- letter: a\n  when: clicks\n", "steps.1.when", 4),
        (TOP + "- letter: a\n  texts: {en: Hello}\n", "steps.1.texts.en", 4),
        (TOP + "- letter: a\n  texts:\n    en:\n      subject:\n", "steps.1.texts.en.subject", 6),
        (TOP + "- letter: a\n  texts: {}\n  variants: []\n", "steps.1.texts", 4),
        (TOP + "- letter:\n", "steps.1.letter", 3),
        (TOP + "- branch: a\n", "steps.1.when", 3),
        (TOP + "- branch: a\n  when: {}\n  yes:\n  - letter: b\n  - end: c\n    text: d\n", "steps.1.yes.2.text", 8),
        ("trigger: [confirmed\nsteps: []\n", "yaml", 2),
        ("trigger: confirmed\n\tsteps: []\n", "yaml", 2),
        ("a: &a [x]\nb: *a\n", "yaml", 1),
        ("a: !!python/object/apply:os.system ['true']\n", "yaml", 1),
        ("trigger: confirmed\n---\nsteps: []\n", "yaml", 2),
        ("[" * 100, "yaml", 1),
        ("[" * 200_000, "yaml", 1),
        ("x" * 500_001, "yaml", None),
        ("trigger: \x00", "yaml", None),
        ("trigger: \ud800", "yaml", None),
        ("trigger: confirmed\nsteps: []\nholdout: " + "9" * 5_000, "holdout", 3),
        ("trigger: confirmed\nsteps: []\nwho: {field: a, op: eq, value: 1.0e+999}", "who.value", 3),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_line_and_field_in_both_languages(written: str, field: str, line: int | None) -> None:
    told = []
    for locale in i18n.LOCALES:
        with i18n.speaking(locale), pytest.raises(Invalid) as refused:
            from_yaml(written)
        told.append(str(refused.value))
        assert refused.value.field == field
    assert told[0] != told[1]
    if line is not None:
        assert told[0].startswith(f"Line {line}")
        assert told[1].startswith(f"Ligne {line}")


def test_aliases_that_mean_a_billion_are_refused_at_once() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(Invalid, match="Line 1"):
        from_yaml(bomb)


def test_a_document_may_be_typed_by_hand_with_little() -> None:
    steps: tuple[Step, ...] = (Letter(key="a"), End(key="b", wait=Wait(seconds=DAY + HOUR)))
    assert from_yaml("trigger: confirmed\nsteps:\n  - letter: a\n  - end: b\n    wait: 1d1h\n") == Definition(
        steps=steps
    )
    assert exchange.FORMAT == 1
