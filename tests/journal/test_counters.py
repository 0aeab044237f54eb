"""Counters: nothing counted is lost while the process lives, nothing is counted twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import psycopg
import pytest

from leadgen.core import hot
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from tests.entries.conftest import rows
from tests.factories import make_campaign


def total() -> int:
    return int(rows("SELECT coalesce(sum(number), 0)::int AS total FROM counter")[0]["total"])


def test_many_threads_count_exactly(context: None) -> None:
    campaign = make_campaign()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counters.count(campaign.id, CounterName.VIEW), range(1000)))
    counters.flush()
    counters.count(campaign.id, CounterName.VIEW, "wa")
    counters.flush()
    counters.flush()

    assert total() == 1001
    assert {row["channel"] for row in rows("SELECT channel FROM counter")} == {"", "wa"}


def test_what_cannot_be_written_waits(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_campaign()
    real = hot.one

    def away(*_args: object) -> NoReturn:
        raise psycopg.OperationalError("the database is away")

    monkeypatch.setattr(hot, "one", away)
    counters.count(campaign.id, CounterName.VIEW)
    counters.flush()
    monkeypatch.setattr(hot, "one", real)
    counters.flush()

    assert total() == 1
