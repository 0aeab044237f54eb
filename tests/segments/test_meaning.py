"""What a segment means: the compiled condition says of everybody what core.logic says of their values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from leadgen.core import clock, logic
from leadgen.core.db import db
from leadgen.core.logic import OPS, Kind, Op
from leadgen.segments.catalogue import Catalogue, Moment
from leadgen.segments.compiling import fragment
from tests.segments import oracle
from tests.segments.conftest import People

_TEXTS = st.sampled_from(["Nîmes", "NÎMES", "nîmes", "Lyon", "orange.fr", "Europe/", "a", "'", "%", ":seg0", "\\"])
_DAYS = st.sampled_from(["2027-05-01", "2027-05-31", "2026-12-31", "1999-01-01"])
_NUMBERS = st.one_of(st.integers(-1, 6), st.sampled_from([0.5, 30, 199, 499.5, 500, 500.0, 10**12]))


def _values(catalogue: Catalogue, name: str, now: Any) -> st.SearchStrategy[Any]:
    asked = catalogue.asked[name]
    if asked.options:
        return st.sampled_from(sorted(asked.options))
    if isinstance(asked.spec, Moment) and asked.kind is Kind.DATE:
        return st.sampled_from([(now - timedelta(days=days)).date().isoformat() for days in (0, 1, 6, 30, 31, 200)])
    if isinstance(asked.spec, Moment):
        return st.sampled_from([0, 1, 5, 6, 29, 30, 31, 200])
    return {Kind.NUMBER: _NUMBERS, Kind.DATE: _DAYS, Kind.FLAG: st.booleans()}.get(asked.kind, _TEXTS)


def _comparisons(catalogue: Catalogue, now: Any) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def comparison(draw: Any) -> dict[str, Any]:
        name = draw(st.sampled_from(sorted(catalogue.asked)))
        op = draw(st.sampled_from(sorted(OPS[catalogue.asked[name].kind])))
        values = _values(catalogue, name, now)
        if op is Op.EMPTY:
            return {"field": name, "op": op.value}
        return {
            "field": name,
            "op": op.value,
            "value": draw(st.lists(values, min_size=1, max_size=3) if op is Op.IN else values),
        }

    return comparison()


def _trees(catalogue: Catalogue, now: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        _comparisons(catalogue, now),
        lambda parts: st.one_of(
            st.builds(lambda some: {"all": some}, st.lists(parts, max_size=3)),
            st.builds(lambda some: {"any": some}, st.lists(parts, max_size=3)),
            st.builds(lambda one: {"not": one}, parts),
        ),
        max_leaves=5,
    )


def _found(catalogue: Catalogue, condition: dict[str, Any], now: Any, *, is_crowd: bool) -> set[int]:
    compiled = fragment(catalogue, condition, now, is_crowd=is_crowd)
    rows = db.session.scalars(text(f"SELECT c.id FROM contact c WHERE {compiled.sql}"), compiled.values)
    return set(rows)


@pytest.fixture
def known(people: People) -> tuple[Any, dict[int, dict[str, Any]]]:
    """A moment, and what is known of everybody then."""
    now = clock.now()
    return now, {one.id: oracle.known(people.catalogue, people.brand, one, now) for one in people.contacts}


def test_the_oracle_knows_every_field(people: People, known: Any) -> None:
    assert all(set(values) == set(people.catalogue.asked) for values in known[1].values())


def test_every_comparison_of_every_field_means_the_same_as_plain_logic(people: People, known: Any) -> None:
    """Each field with each of its ways to compare, over some values; and its opposite."""
    now, values = known
    for name, asked in people.catalogue.asked.items():
        for op in OPS[asked.kind]:
            for value in _samples(people.catalogue, name, now):
                comparison = {"field": name, "op": op.value, "value": [value] if op is Op.IN else value}
                for condition in (comparison, {"not": comparison}):
                    expected = {key for key, one in values.items() if logic.holds(condition, one)}
                    for is_crowd in (True, False):
                        assert _found(people.catalogue, condition, now, is_crowd=is_crowd) == expected, condition


def _samples(catalogue: Catalogue, name: str, now: Any) -> list[Any]:
    asked = catalogue.asked[name]
    if asked.options:
        return [
            one
            for one in ("fr", "BE", "gmail", "other", "sea", "may", "quiz", "hard_bounce", "A1", "B", "3")
            if one in asked.options
        ] or [min(asked.options)]
    if isinstance(asked.spec, Moment) and asked.kind is Kind.DATE:
        return [(now - timedelta(days=30)).date().isoformat()]
    return {Kind.NUMBER: [0, 1, 30, 500], Kind.DATE: ["2027-05-31"], Kind.FLAG: [True, False]}.get(
        asked.kind, ["NÎMES", "orange.fr"]
    )


def test_any_tree_means_the_same_as_plain_logic(people: People, known: Any) -> None:
    now, values = known

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(condition=_trees(people.catalogue, now))
    def same(condition: dict[str, Any]) -> None:
        expected = {key for key, one in values.items() if logic.holds(condition, one)}
        assert _found(people.catalogue, condition, now, is_crowd=True) == expected
        assert _found(people.catalogue, condition, now, is_crowd=False) == expected

    same()


HOSTILE = ("'; DROP TABLE contact; --", "\\'", '"', "$1", "%(x)s", ":seg0", "/*", "\n", "{brand}", "' OR 'a'='a")


def test_nothing_that_people_choose_stands_in_the_statement(people: People) -> None:
    """The text of the statement depends on the fields and ways of comparing alone."""

    def compiled(value: str, number: int, *, is_crowd: bool) -> Any:
        texts = [name for name, asked in people.catalogue.asked.items() if asked.kind in {Kind.TEXT, Kind.CHOICE}]
        words = [{"field": name, "op": op, "value": value} for name in texts for op in ("eq", "ne")]
        parts = [{"field": name, "op": "in", "value": [value, value]} for name in texts]
        likes = [{"field": "answer.likes", "op": "contains", "value": value}]
        holes = [{"field": "domain", "op": "contains", "value": value}]
        sizes = [
            {"field": "points", "op": "gte", "value": number},
            {"field": "clicked.days", "op": "lte", "value": number},
        ]
        tree = {"any": [*words, *parts, *likes, *holes, *sizes]}
        return fragment(people.catalogue, tree, clock.now(), is_crowd=is_crowd)

    for is_crowd in (True, False):
        plain = compiled("x", 1, is_crowd=is_crowd)
        for value in HOSTILE:
            hostile = compiled(value, 30_111, is_crowd=is_crowd)
            assert hostile.sql == plain.sql
            assert "30111" not in hostile.sql
            db.session.execute(text(f"SELECT count(*) FROM contact c WHERE {hostile.sql}"), hostile.values)
