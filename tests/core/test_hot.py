"""The hot connection: replaced when the server went away, tried again when it lost a deadlock."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from leadgen.core import hot


def test_a_connection_that_the_server_ended_is_replaced(context: None, cleaner: psycopg.Connection) -> None:
    [before] = hot.many("SELECT pg_backend_pid() AS pid", {})
    cleaner.execute("SELECT pg_terminate_backend(%s)", (before["pid"],))

    [after] = hot.many("SELECT pg_backend_pid() AS pid", {})

    assert after["pid"] != before["pid"]


def test_the_loser_of_a_deadlock_tries_again(context: None) -> None:
    connection = hot._line().connection
    connection.execute("CREATE TEMPORARY SEQUENCE attempts")
    connection.execute(
        "CREATE FUNCTION pg_temp.fail_twice() RETURNS bigint LANGUAGE plpgsql AS $$ "
        "BEGIN IF nextval('attempts') < 3 THEN RAISE SQLSTATE '40P01'; END IF; RETURN currval('attempts'); END $$"
    )

    assert hot.one("SELECT pg_temp.fail_twice() AS attempt", {}) == {"attempt": 3}
    hot.forget()


def test_any_other_error_is_raised_at_once(context: None) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        hot.one("SELECT 1 FROM nowhere", {})


def test_a_statement_is_prepared_once(context: None) -> None:
    for number in (1, 2):
        assert hot.many("SELECT %(number)s::int AS number, 'hot' AS word", {"number": number}) == [
            {"number": number, "word": "hot"}
        ]

    prepared = hot.many("SELECT count(*) AS number FROM pg_prepared_statements WHERE statement LIKE %(like)s", {
        "like": "%AS number, 'hot'%"
    })  # fmt: skip
    assert prepared == [{"number": 1}]


def test_more_statements_than_are_kept_begin_anew(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hot.forget()
    monkeypatch.setattr(hot, "_MOST_PREPARED", 2)

    answers = [hot.one(f"SELECT {number} AS number", {}) for number in (1, 2, 3, 1)]

    assert answers == [{"number": number} for number in (1, 2, 3, 1)]
    hot.forget()


def test_an_error_leaves_the_connection_usable(context: None) -> None:
    [before] = hot.many("SELECT pg_backend_pid() AS pid", {})
    with pytest.raises(psycopg.errors.DivisionByZero):
        hot.one("SELECT 1 / %(number)s AS number", {"number": 0})

    assert hot.many("SELECT pg_backend_pid() AS pid", {}) == [before]


def test_a_table_that_got_a_column_is_read_anew(context: None, cleaner: psycopg.Connection) -> None:
    cleaner.execute("CREATE TABLE growing AS SELECT 1 AS one")
    try:
        assert hot.many("SELECT * FROM growing", {}) == [{"one": 1}]
        cleaner.execute("ALTER TABLE growing ADD COLUMN two int DEFAULT 2")
        assert hot.many("SELECT * FROM growing", {}) == [{"one": 1, "two": 2}]
    finally:
        cleaner.execute("DROP TABLE growing")


def test_what_was_discarded_is_prepared_anew(context: None) -> None:
    assert hot.one("SELECT 42 AS number", {}) == {"number": 42}
    hot._line().connection.execute("DISCARD ALL")

    assert hot.one("SELECT 42 AS number", {}) == {"number": 42}


def test_a_failure_half_way_through_preparing_takes_no_name_away(
    context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot.forget()
    line = hot._line()
    answer = line._answer

    def cancel() -> Any:
        answer()  # prepared on the server, but not noted
        raise psycopg.errors.QueryCanceled

    with monkeypatch.context() as halfway:
        halfway.setattr(line, "_answer", cancel)
        with pytest.raises(psycopg.errors.QueryCanceled):
            hot.one("SELECT 41 AS number", {})

    assert hot.one("SELECT 42 AS number", {}) == {"number": 42}
    assert hot._line() is line


class _TimeLimit(BaseException):
    """Raised by a signal, as RQ's are."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(*_signal: Any) -> None:
        raise _TimeLimit

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_after_a_time_limit_in_the_middle_the_next_statement_has_its_own_answer(context: None) -> None:
    with pytest.raises(_TimeLimit), _limited(0.3):
        hot.one("SELECT 41 AS number, pg_sleep(5)", {})

    assert hot.one("SELECT 42 AS number", {}) == {"number": 42}


def test_what_is_done_together_holds_or_fails_as_one(context: None, cleaner: psycopg.Connection) -> None:
    cleaner.execute("CREATE TABLE kept (number int UNIQUE)")
    insert = "INSERT INTO kept VALUES (%(number)s)"

    def same_twice() -> None:
        hot.one(insert, {"number": 1})
        hot.one(insert, {"number": 1})

    try:
        with pytest.raises(psycopg.errors.UniqueViolation):
            hot.together(same_twice)
        assert hot.many("SELECT * FROM kept", {}) == []
        hot.together(lambda: [hot.one(insert, {"number": number}) for number in (1, 2)])
        assert cleaner.execute("SELECT number FROM kept ORDER BY 1").fetchall() == [(1,), (2,)]
    finally:
        cleaner.execute("DROP TABLE kept")


def test_what_loses_a_deadlock_together_is_done_again_from_its_first_statement(context: None) -> None:
    attempts: list[int] = []

    def lose_once() -> int:
        attempts.append(len(attempts))
        hot.one("SELECT 1 AS one", {})
        if len(attempts) == 1:
            hot.one("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", {})
        return attempts[-1]

    assert hot.together(lose_once) == 1
    assert attempts == [0, 1]
