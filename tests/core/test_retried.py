"""A step that lost a deadlock is done again, three times in all; every other trouble is the caller's."""

from __future__ import annotations

import pytest
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from leadgen.core.db import ATTEMPTS, db, retried


def _failing(times: int, error: type[Exception], seen: list[int]) -> int:
    """Fail the first so many times; a step that was not rolled back could not make its table again."""
    seen.append(len(seen))
    db.session.execute(text("CREATE TEMPORARY TABLE step_taken (id int) ON COMMIT DROP"))
    if len(seen) <= times:
        raise OperationalError("a statement", {}, error("lost"))
    return len(seen)


def test_the_loser_of_a_deadlock_begins_anew(context: None) -> None:
    seen: list[int] = []
    assert retried(lambda: _failing(2, DeadlockDetected, seen)) == ATTEMPTS
    db.session.rollback()


@pytest.mark.parametrize(("error", "attempts"), [(DeadlockDetected, ATTEMPTS), (LockNotAvailable, 1)])
def test_it_gives_up(context: None, error: type[Exception], attempts: int) -> None:
    seen: list[int] = []
    with pytest.raises(OperationalError):
        retried(lambda: _failing(9, error, seen))
    assert len(seen) == attempts
    db.session.rollback()
