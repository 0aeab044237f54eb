"""What keeps a form from being published, each fault in a sentence that names the field or the page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadgen.core import i18n, logic
from leadgen.core.logic import Field, Kind
from leadgen.forms import definition as forms
from leadgen.forms import satisfying
from leadgen.forms.definition import Definition
from leadgen.forms.lint import Fault, findings

_OPTIONS = [
    {"id": "owner", "texts": {"en": "Owner", "fr": "Gérant"}},
    {"id": "clerk", "texts": {"en": "Clerk", "fr": "Employé"}},
]
_IS_OWNER = {"field": "role", "op": "eq", "value": "owner"}
_IS_CLERK = {"field": "role", "op": "eq", "value": "clerk"}


def _field(key: str, kind: str = "text", **values: Any) -> dict[str, Any]:
    label = key.title()
    return {"key": key, "type": kind, "texts": {"en": {"label": label}, "fr": {"label": label}}} | values


def _role(**values: Any) -> dict[str, Any]:
    return _field("role", "single", options=_OPTIONS, **values)


def _form(*pages: list[dict[str, Any]], **jumps: list[dict[str, Any]]) -> Definition:
    return forms.from_data(
        {"pages": [{"id": f"p{n}", "fields": page, "jumps": jumps.get(f"p{n}", [])} for n, page in enumerate(pages, 1)]}
    )


def _found(definition: Definition, known: dict[str, Field] | None = None) -> list[tuple[Fault, str, str]]:
    return [(one.fault, one.key or one.page, one.sentence) for one in findings(definition, known or {})]


def test_a_sound_form_has_no_fault() -> None:
    form = _form(
        [_role(), _field("firm", show=_IS_OWNER, require={"field": "known.city", "op": "empty"})],
        [_field("boss")],
        [_field("team", "number", ask_at="later", show={"field": "boss", "op": "ne", "value": "Ada"})],
        p1=[{"when": _IS_OWNER, "to": "p3"}],
    )
    assert _found(form, {"city": Field(Kind.TEXT)}) == []


@pytest.mark.parametrize(
    ("form", "fault", "where", "told"),
    [
        (_form([_field("a", show={"field": "gone", "op": "empty"})]), Fault.REFERENCE, "a", "“A” depends on “gone”"),
        (_form([_field("a", show=_IS_OWNER)], [_role()]), Fault.REFERENCE, "a", "asked only afterwards"),
        (_form([_field("a", show={"field": "known.x", "op": "empty"})]), Fault.REFERENCE, "a", "not there any more"),
        (
            _form([_role(), _field("a", show={"field": "role", "op": "eq", "value": "king"})]),
            Fault.REFERENCE,
            "a",
            "Choose a value that “role” can have.",
        ),
        (
            _form([_role()], [_field("a")], p1=[{"when": {"all": []}, "to": "p9"}]),
            Fault.REFERENCE,
            "p1",
            "“Page 1” jumps to a page that is not there any more.",
        ),
        (_form([_role()], [_field("a")], p2=[{"when": _IS_OWNER, "to": "p1"}]), Fault.LOOP, "p2", "round in circles"),
        (_form([_role()], p1=[{"when": _IS_OWNER, "to": "p1"}]), Fault.LOOP, "p1", "“Page 1” jumps back"),
        (
            _form([_role()], [_field("a")], p1=[{"when": {"all": []}, "to": "end"}]),
            Fault.UNREACHABLE,
            "p2",
            "No way leads to “Page 2”.",
        ),
        (
            _form([_role(), _field("a", show={"all": [_IS_OWNER, _IS_CLERK]})]),
            Fault.CONTRADICTION,
            "a",
            "“A” is never shown",
        ),
        (
            _form(
                [_role()], [_field("a")], p1=[{"when": {"not": {"any": [_IS_OWNER, {"not": _IS_OWNER}]}}, "to": "end"}]
            ),
            Fault.CONTRADICTION,
            "p1",
            "is never taken",
        ),
        (
            _form([_field("a", texts={"en": {"label": "Hello"}})]),
            Fault.MISSING,
            "a",
            "“Hello” is not complete in French.",
        ),
        (_form([_field("a", "single", options=_OPTIONS[:1])]), Fault.MISSING, "a", "two choices"),
        (_form([_field("a", sensitivity="special", points=0)]), Fault.CARE, "a", "say under it why"),
        (_form([_field("a", sensitivity="special")]), Fault.CARE, "a", "cannot be required or bring points"),
    ],
)
def test_each_fault_is_told(form: Definition, fault: Fault, where: str, told: str) -> None:
    i18n.set_locale("en")
    found = [one for one in _found(form) if one[0] is fault and told in one[2]]
    assert [one[1] for one in found] == [where], _found(form)


_FIELDS = {
    "n": Field(Kind.NUMBER),
    "c": Field(Kind.CHOICE, frozenset({"x", "y"})),
    "m": Field(Kind.MANY, frozenset({"x", "y"})),
    "t": Field(Kind.TEXT),
    "d": Field(Kind.DATE),
    "f": Field(Kind.FLAG),
}
_VALUES = {
    "n": st.integers(0, 3),
    "c": st.sampled_from(["x", "y"]),
    "m": st.sampled_from(["x", "y"]),
    "t": st.sampled_from(["x", "y"]),
    "d": st.sampled_from(["2026-01-30", "2026-01-31", "2026-02-01"]),
    "f": st.booleans(),
}


@st.composite
def _leaves(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(_FIELDS)))
    op = draw(st.sampled_from(sorted(logic.OPS[_FIELDS[name].kind])))
    if op == "empty":
        return {"field": name, "op": "empty"}
    value = draw(_VALUES[name])
    return {"field": name, "op": op.value, "value": [value] if op == "in" else value}


_trees = st.recursive(
    _leaves(),
    lambda parts: st.one_of(
        st.builds(lambda some: {"all": some}, st.lists(parts, max_size=4)),
        st.builds(lambda some: {"any": some}, st.lists(parts, max_size=4)),
        st.builds(lambda one: {"not": one}, parts),
    ),
    max_leaves=8,
)
_persons = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(0, 3) | st.just(1.5),
        "c": st.sampled_from(["x", "y"]),
        "m": st.lists(st.sampled_from(["x", "y"]), unique=True),
        "t": st.sampled_from(["x", "y", "x y", "z"]),
        "d": st.sampled_from(["2026-01-30", "2026-01-31", "2026-02-01", "2025-05-05"]),
        "f": st.booleans(),
    },
)


@given(_trees, _persons)
@example({"not": {"field": "d", "op": "empty"}}, {"d": "2026-01-30"})
@example({"not": {"field": "n", "op": "empty"}}, {"n": 1})
def test_what_holds_for_somebody_is_never_called_a_contradiction(tree: dict[str, Any], person: dict[str, Any]) -> None:
    if logic.holds(tree, person):
        assert satisfying.can_hold(tree, _FIELDS)


def test_a_day_between_two_is_found() -> None:
    between = {
        "all": [{"field": "d", "op": "gt", "value": "2026-01-30"}, {"field": "d", "op": "lt", "value": "2026-02-01"}]
    }
    none = {
        "all": [{"field": "d", "op": "gt", "value": "2026-01-31"}, {"field": "d", "op": "lt", "value": "2026-02-01"}]
    }
    assert satisfying.can_hold(between, _FIELDS)
    assert not satisfying.can_hold(none, _FIELDS)


def test_a_tangle_is_let_pass_soon() -> None:
    """Four to the fifteenth alternatives: nobody waits for them."""
    either = {"any": [{"field": "n", "op": "eq", "value": n} for n in range(4)]}
    assert satisfying.can_hold({"all": [either] * 15}, _FIELDS)
