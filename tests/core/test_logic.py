"""Conditions as data: one meaning in Python and in a browser, and a sentence for each way to write them wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from leadgen.core import logic
from leadgen.core.errors import Invalid
from leadgen.core.logic import Field, Kind, Op

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "vectors/logic.json").read_text())
SCRIPT = Path(logic.__file__).parent.parent / "web/static/logic.js"
FIELDS = {
    "role": Field(Kind.CHOICE, frozenset({"owner", "clerk"})),
    "budget": Field(Kind.NUMBER),
    "born": Field(Kind.DATE),
    "news": Field(Kind.FLAG),
    "likes": Field(Kind.MANY, frozenset({"sea", "snow"})),
    "city": Field(Kind.TEXT),
}
_OWNER = {"field": "role", "op": "eq", "value": "owner"}

_texts = st.sampled_from(["", "sea", "Sea", "snow", "2026-01-01", "2026-02-30", "5"])
_values = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2), _texts, st.lists(_texts, max_size=3)
)
_leaves = st.builds(
    lambda field, op, value: {
        "field": field,
        "op": op.value,
        "value": value if op is not Op.IN or isinstance(value, list) else [value],
    },
    st.sampled_from("abc"),
    st.sampled_from(Op),
    _values.filter(lambda value: value is not None),
)
_conditions = st.recursive(
    _leaves,
    lambda parts: st.one_of(
        st.builds(lambda some: {"all": some}, st.lists(parts, max_size=3)),
        st.builds(lambda some: {"any": some}, st.lists(parts, max_size=3)),
        st.builds(lambda one: {"not": one}, parts),
    ),
    max_leaves=6,
)
_known = st.dictionaries(st.sampled_from("abc"), _values)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: json.dumps(vector["condition"])[:60])
def test_a_condition_holds(vector: dict[str, Any]) -> None:
    assert logic.holds(vector["condition"], vector["known"]) is vector["holds"]


@pytest.fixture(scope="module")
def twin(chromium: Any) -> Any:
    """Asks the script in a browser whether conditions hold: list of (condition, known) → list of answers."""
    tab: Page = chromium.new_page()
    source = SCRIPT.read_text().replace("export function", "function")
    tab.evaluate(f"() => {{ {source}; window.holds = holds; }}")
    yield lambda cases: tab.evaluate("cases => cases.map(([one, known]) => window.holds(one, known))", cases)
    tab.close()


def test_the_browser_says_the_same_of_the_vectors(twin: Any) -> None:
    assert twin([[one["condition"], one["known"]] for one in VECTORS]) == [one["holds"] for one in VECTORS]


def test_the_browser_says_the_same_of_anything(twin: Any) -> None:
    cases: list[list[Any]] = []

    @given(_conditions, _known)
    def gather(condition: dict[str, Any], known: dict[str, Any]) -> None:
        cases.append([condition, known])

    gather()
    assert twin(cases) == [logic.holds(condition, known) for condition, known in cases]


@given(_conditions, _known)
def test_not_is_the_opposite(condition: dict[str, Any], known: dict[str, Any]) -> None:
    assert logic.holds({"not": condition}, known) is not logic.holds(condition, known)


def test_a_condition_is_kept_without_what_does_not_belong_to_it() -> None:
    given = {"all": [_OWNER | {"note": "x"}, {"not": {"field": "city", "op": "empty", "value": 3}}]}
    assert logic.checked(given, FIELDS) == {"all": [_OWNER, {"not": {"field": "city", "op": "empty"}}]}
    assert logic.fields_of(given) == {"role", "city"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("role", "condition"),
        ({}, "condition"),
        ({"all": [], "any": []}, "condition"),
        ({"all": "abc"}, "condition"),
        ({"field": "shoe_size", "op": "eq", "value": 3}, "condition"),
        ({"field": ["role"], "op": "eq", "value": 3}, "condition"),
        ({"field": "role", "op": "like", "value": "owner"}, "role"),
        ({"field": "role", "op": "gt", "value": "owner"}, "role"),
        ({"field": "role", "op": "eq", "value": "king"}, "role"),
        ({"field": "role", "op": "in", "value": "owner"}, "role"),
        ({"field": "role", "op": "in", "value": []}, "role"),
        ({"field": "budget", "op": "gt", "value": "5"}, "budget"),
        ({"field": "budget", "op": "gt", "value": True}, "budget"),
        ({"field": "budget", "op": "gt", "value": 1e300}, "budget"),
        ({"field": "budget", "op": "gt"}, "budget"),
        ({"field": "born", "op": "lt", "value": "2026-02-30"}, "born"),
        ({"field": "news", "op": "eq", "value": 1}, "news"),
        ({"field": "likes", "op": "contains", "value": "sun"}, "likes"),
        ({"field": "city", "op": "contains", "value": "x" * 201}, "city"),
        ({"all": [{"any": [{"not": {"all": [_OWNER]}}]}]}, "condition"),
        ({"all": [_OWNER] * 51}, "condition"),
    ],
    ids=str,
)
def test_a_wrong_condition_gets_a_sentence_that_names_the_field(given: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        logic.checked(given, FIELDS)
    assert refused.value.field == field
    assert str(refused.value)
