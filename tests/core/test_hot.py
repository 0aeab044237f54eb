"""The hot connection: replaced when the server went away, tried again when it lost a deadlock."""

from __future__ import annotations

import psycopg
import pytest

from leadgen.core import hot


def test_a_connection_that_the_server_ended_is_replaced(context: None, cleaner: psycopg.Connection) -> None:
    [before] = hot.many("SELECT pg_backend_pid() AS pid", {})
    cleaner.execute("SELECT pg_terminate_backend(%s)", (before["pid"],))

    [after] = hot.many("SELECT pg_backend_pid() AS pid", {})

    assert after["pid"] != before["pid"]


def test_the_loser_of_a_deadlock_tries_again(context: None) -> None:
    connection = hot._connection()
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
