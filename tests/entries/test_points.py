"""Points: totals and the histogram are sums of the ledger, whatever happens in which order (rule 4, I06)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import hot, ids
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import confirming, entering, person, points
from tests.entries.conftest import filled, rows

steps = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(0, 5)),
        st.tuples(st.just("confirm"), st.integers(0, 5)),
        st.tuples(st.just("erase"), st.integers(0, 5)),
        st.tuples(st.just("fold"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=30)
@given(play=steps)
def test_histogram_and_totals_equal_a_plain_count(card: CampaignCard, play: list[tuple[str, int]]) -> None:
    entry_ids: list[int] = []
    for deed, number in play:
        _do(card, deed, number, entry_ids)
    while points.fold():
        pass

    assert points.audit() == []
    counted: Counter[int] = Counter(
        row["points"]
        for row in rows(
            "SELECT e.id, coalesce(sum(l.points), 0)::int AS points FROM entry e JOIN ledger l ON l.entry_id = e.id "
            "WHERE e.status = 'confirmed' AND e.campaign_id = %(campaign)s GROUP BY e.id",
            campaign=card.id,
        )
    )
    buckets = rows(
        "SELECT points, sum(entrants)::int AS entrants FROM points_bucket WHERE campaign_id = %(campaign)s "
        "GROUP BY points HAVING sum(entrants) <> 0",
        campaign=card.id,
    )
    assert {row["points"]: row["entrants"] for row in buckets} == dict(counted)


def _do(card: CampaignCard, deed: str, number: int, entry_ids: list[int]) -> None:
    if deed == "fold":
        points.fold()
    elif deed == "enter":
        code = ""
        if entry_ids:
            [row] = rows("SELECT code FROM entry WHERE id = %(id)s", id=entry_ids[number % len(entry_ids)])
            code = row["code"]
        email = f"p{ids.public_id()}@mail.example"
        entry_ids.append(entering.enter(card, filled(email, referral_code=code)).entry_id)
    elif entry_ids:
        chosen = entry_ids[number % len(entry_ids)]
        if deed == "confirm":
            confirming.confirm(chosen, 1, "button_post")
        else:
            _erase(chosen)
    db.session.rollback()


def _erase(entry_id: int) -> None:
    try:
        person.erase(entry_id)
        db.session.commit()
    except NotFound:
        db.session.rollback()


def test_equal_points_share_a_rank() -> None:
    ranking = points.Histogram([1, 6, 11], [70, 90, 93])

    assert [ranking.rank(total) for total in (11, 6, 1, 0, 7)] == [1, 4, 24, 94, 4]
    assert ranking.points_of_next_rank(6) == 11
    assert ranking.points_of_next_rank(11) is None
    assert points.Histogram([], []).rank(5) == 1


def test_i14_erasing_a_friend_takes_no_points_from_the_referrer(card: CampaignCard) -> None:
    ben = entering.enter(card, filled("ben@mail.example")).entry_id
    confirming.confirm(ben, 1, "button_post")
    [code] = rows("SELECT code FROM entry WHERE id = %(id)s", id=ben)
    anna = entering.enter(card, filled(referral_code=code["code"])).entry_id
    confirming.confirm(anna, 1, "button_post")
    points.fold()
    before = _totals(ben)

    _erase(anna)

    assert _totals(ben) == before
    assert points.audit() == []


def test_the_audit_finds_a_total_that_differs(card: CampaignCard) -> None:
    ben = entering.enter(card, filled("ben@mail.example")).entry_id
    confirming.confirm(ben, 1, "button_post")
    points.fold()
    rows("UPDATE entry SET points = points + 1 WHERE id = %(id)s RETURNING id", id=ben)

    assert points.audit() == [ben]


def _totals(entry_id: int) -> list[dict[str, Any]]:
    return rows("SELECT points, chances, reached_at FROM entry WHERE id = %(id)s", id=entry_id)


@pytest.mark.parametrize("change", ["UPDATE ledger SET points = 99", "DELETE FROM ledger", "DELETE FROM consent"])
def test_rule_4_the_database_itself_refuses_to_change_the_past(card: CampaignCard, change: str) -> None:
    confirming.confirm(entering.enter(card, filled()).entry_id, 1, "button_post")

    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        hot.one(change, {})
