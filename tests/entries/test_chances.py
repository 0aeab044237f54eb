"""What the draw counts of declared chances (F6): whole numbers, and the same in Python and in SQL."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leadgen.campaigns.models import Campaign, Proof
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import credits as ledger
from leadgen.entries import entrants
from leadgen.entries.chances import draw_chances, draw_chances_in_sql
from leadgen.entries.models import LedgerKind
from tests.factories import make_entry

numbers = some.integers(0, 10_000)
caps = some.integers(0, 100)


@given(verified=numbers, declared=numbers, cap=caps)
def test_declared_chances_never_outweigh_their_share(verified: int, declared: int, cap: int) -> None:
    counted = draw_chances(verified + declared, declared, cap)
    assert verified <= counted <= verified + declared
    assert (counted - verified) * 100 <= cap * counted
    if counted < verified + declared:  # one more would be too many
        assert (counted + 1 - verified) * 100 > cap * (counted + 1)


@given(verified=numbers, declared=numbers, cap=caps)
def test_more_of_anything_never_counts_less(verified: int, declared: int, cap: int) -> None:
    counted = draw_chances(verified + declared, declared, cap)
    assert draw_chances(verified + 1 + declared, declared, cap) > counted
    assert draw_chances(verified + declared + 1, declared + 1, cap) >= counted


@pytest.mark.parametrize(
    ("chances", "declared", "cap", "counted"),
    [
        (10, 9, 30, 1),
        (20, 10, 30, 14),
        (14, 4, 30, 14),
        (10, 10, 30, 0),
        (10, 9, 0, 1),
        (10, 9, 100, 10),
        (5, -2, 30, 5),
    ],
)
def test_examples(chances: int, declared: int, cap: int, counted: int) -> None:
    assert draw_chances(chances, declared, cap) == counted


def test_sql_says_the_same(app: object) -> None:
    statement = (
        f"SELECT c, d, p, {draw_chances_in_sql('c', 'd', 'p')} AS counted "
        "FROM generate_series(-2, 40, 3) c, generate_series(-2, 40, 3) d, unnest(ARRAY[0, 1, 30, 50, 99, 100]) p"
    )
    for row in hot.many(statement, {}):
        assert row["counted"] == draw_chances(row["c"], row["d"], row["p"]), row


def test_the_export_of_entrants_has_what_the_draw_counts(campaign: Campaign) -> None:
    ben = make_entry(campaign, confirmed=True)
    ledger.credit(ben.id, kind=LedgerKind.ACTION, points=9, key="x", proof=Proof.DECLARED)
    db.session.commit()
    [row] = csv.DictReader(io.StringIO(b"".join(entrants.export_csv(campaign.id)).decode()))
    assert (row["chances"], row["draw_chances"]) == ("10", "1")
