"""The way through a form: one meaning in Python and in a browser, and what holds for every form and every answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from leadgen.core import logic
from leadgen.forms import definition as forms
from leadgen.forms.definition import END
from leadgen.forms.flow import walk

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "vectors/forms.json").read_text())
STATIC = Path(logic.__file__).parent.parent / "web/static"
_KEYS = tuple("abcdef")

_answers = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(["x", "y"]))
_comparisons = st.builds(
    lambda field, op, value: {"field": field, "op": op} | ({} if op == "empty" else {"value": value}),
    st.sampled_from([*_KEYS, "known.a"]),
    st.sampled_from(["eq", "ne", "empty"]),
    st.sampled_from(["x", "y"]),
)
_conditions = st.one_of(
    _comparisons,
    st.builds(lambda parts: {"all": parts}, st.lists(_comparisons, max_size=2)),
    st.builds(lambda part: {"not": part}, _comparisons),
)


@st.composite
def _definitions(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.permutations(_KEYS))
    pages: list[dict[str, Any]] = []
    while keys:
        size = draw(st.integers(1, 3))
        fields = [
            {
                "key": key,
                "type": draw(st.sampled_from(["text", "text", "hidden", "consent"])),
                "show": draw(st.none() | _conditions),
                "require": draw(st.none() | _conditions),
                "ask_at": draw(st.sampled_from(["after_confirm", "after_confirm", "later"])),
            }
            for key in keys[:size]
        ]
        pages.append({"id": f"p{len(pages)}", "fields": fields, "jumps": []})
        keys = keys[size:]
    for page in pages:
        targets = st.sampled_from([*(one["id"] for one in pages), END, "gone"])
        page["jumps"] = draw(
            st.lists(st.builds(lambda when, to: {"when": when, "to": to}, _conditions, targets), max_size=2)
        )
    return {"pages": pages}


def _told(definition: dict[str, Any], answers: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    path = walk(forms.from_data(definition), answers, known)
    stops = [
        {"page": stop.page.id, "fields": [one.key for one in stop.fields], "required": sorted(stop.required)}
        for stop in path.stops
    ]
    return {"stops": stops, "values": path.values}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_way_through_a_form(vector: dict[str, Any]) -> None:
    told = _told(vector["definition"], vector["answers"], vector["known"])
    assert told == {"stops": vector["stops"], "values": vector["values"]}


@pytest.fixture(scope="module")
def twin(chromium: Any) -> Any:
    """Asks the script in a browser for the way through many forms."""
    tab: Page = chromium.new_page()
    source = (STATIC / "logic.js").read_text() + (STATIC / "form.js").read_text()
    source = "\n".join(line for line in source.splitlines() if not line.startswith("import "))
    tab.evaluate(f"() => {{ {source.replace('export function', 'function')}; window.walk = walk; }}")
    yield lambda cases: tab.evaluate("cases => cases.map((one) => window.walk(...one))", cases)
    tab.close()


def test_the_browser_finds_the_same_way(twin: Any) -> None:
    ways = twin([[one["definition"], one["answers"], one["known"]] for one in VECTORS])
    assert ways == [{"stops": one["stops"], "values": one["values"]} for one in VECTORS]


def test_the_browser_finds_the_same_way_through_any_form(twin: Any) -> None:
    cases: list[list[Any]] = []

    @given(_definitions(), _answers, _answers)
    def gather(definition: dict[str, Any], answers: dict[str, Any], known: dict[str, Any]) -> None:
        cases.append([definition, answers, known])

    gather()
    assert twin(cases) == [_told(*case) for case in cases]


@given(_definitions(), _answers, _answers)
def test_answers_off_the_way_change_nothing(
    definition: dict[str, Any], answers: dict[str, Any], known: dict[str, Any]
) -> None:
    told = _told(definition, answers, known)
    assert _told(definition, told["values"], known) == told


@given(_definitions(), _answers, _answers)
def test_pages_come_once_and_forward(
    definition: dict[str, Any], answers: dict[str, Any], known: dict[str, Any]
) -> None:
    pages = [stop["page"] for stop in _told(definition, answers, known)["stops"]]
    assert pages == sorted(set(pages))


def test_a_definition_survives_its_document() -> None:
    for vector in VECTORS:
        read = forms.from_data(vector["definition"])
        assert forms.from_data(json.loads(json.dumps(forms.to_data(read)))) == read
