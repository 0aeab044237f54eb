"""One round trip to PostgreSQL for paths that run once per lead: a connection per thread, statements prepared once.

The ORM costs 0.7–1 ms a round trip. Entering, confirming and the person's page are each one statement instead, sent
here outside any transaction: the statement is the transaction. It is handed to libpq as it was prepared, values turned
into parameters and rows read by psycopg's own adapters: a cursor of psycopg's adds as much Python as `SELECT 1` costs
the server five times over.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, TypeVar

import psycopg
from psycopg import errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import DeadlockDetected, FeatureNotSupported, InvalidSqlStatementName, SerializationFailure
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from leadgen.core import settings

Row = dict[str, Any]
T = TypeVar("T")
_ATTEMPTS = 3
_BREATH = 0.05  # seconds in which the winner gets the lock that we gave up; asked for again at once, we take it first
# Of one connection. A statement counts once for each mix of its values' types (a small number has another than a large
# one), so that long lives may reach it; then all are prepared anew.
_MOST_PREPARED = 512
_PLACE = re.compile(r"%(?:\((\w+)\)s|%)")
# Said of a prepared statement before it runs: a table that it reads got a column, or somebody discarded it.
_STALE = (FeatureNotSupported, InvalidSqlStatementName)
_local = threading.local()


class Line:
    """A connection of one thread, with what it has prepared."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Nothing is prepared yet."""
        self.connection = connection
        self.pid = os.getpid()  # a fork inherits the object, but must not use its connection
        self._adapters = Transformer(connection)
        self._prepared: dict[tuple[bytes, tuple[int, ...]], tuple[bytes, tuple[str, ...]]] = {}
        self._names = count()

    @property
    def is_open(self) -> bool:
        """Whether it can be used by this process."""
        return self.connection.pgconn.status == ConnStatus.OK and self.pid == os.getpid()

    def run(self, statement: bytes, values: Sequence[Any]) -> list[Row]:
        """Every row of the answer. Raises psycopg.Error; OperationalError when the connection is gone."""
        adapters, server = self._adapters, self.connection.pgconn
        parameters: Any = adapters.dump_sequence(values, [PyFormat.AUTO] * len(values))
        key = (statement, adapters.types or ())
        name, columns = self._prepared.get(key) or self._prepare(*key)
        server.send_query_prepared(name, parameters, adapters.formats)
        answer = self._answer()
        adapters.set_pgresult(answer)
        return adapters.load_rows(0, answer.ntuples, lambda row: dict(zip(columns, row, strict=True)))

    def _prepare(self, statement: bytes, types: tuple[int, ...]) -> tuple[bytes, tuple[str, ...]]:
        """Its name on the server, and the names of its columns."""
        server = self.connection.pgconn
        if len(self._prepared) >= _MOST_PREPARED:
            server.send_query(b"DEALLOCATE ALL")
            self._answer()
            self._prepared.clear()
        name = b"hot%d" % next(self._names)  # never given twice: what was prepared may not have been noted
        server.send_prepare(name, statement, types)
        self._answer()
        server.send_describe_prepared(name)
        shown = self._answer()
        columns = tuple((shown.fname(place) or b"").decode() for place in range(shown.nfields))
        self._prepared[statement, types] = name, columns
        return name, columns

    def _answer(self) -> PGresult:
        """What the server answers to what was sent; its error is raised as psycopg would raise it."""
        # Waited for in short pieces, as psycopg does: signals, such as that of a job's time limit, get through.
        answer: PGresult = self.connection.wait(generators.execute(self.connection.pgconn))[-1]
        if answer.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            raise errors.error_from_result(answer)
        return answer


def one(statement: str, values: Mapping[str, Any]) -> Row | None:
    """Run `statement` as a transaction of its own and return its first row, or None.

    It may be run twice: once more on a new connection when the server went away, up to three times when it was the
    loser of a deadlock. So every statement sent here must be harmless when repeated. What the server no longer knows as
    it was prepared did not run, and is prepared anew. Raises psycopg.Error.
    """
    rows = _run(statement, values)
    return rows[0] if rows else None


def many(statement: str, values: Mapping[str, Any]) -> list[Row]:
    """Like `one`, for all rows."""
    return _run(statement, values)


def together(work: Callable[[], T]) -> T:
    """Do `work` with all statements that it sends here in one transaction: all of them hold, or none.

    It may be done twice, as a statement may be run twice. Raises psycopg.Error.
    """
    return _surely(lambda line: _transaction(line, work))


def _transaction(line: Line, work: Callable[[], T]) -> T:
    with line.connection.transaction():
        return work()


def _run(statement: str, values: Mapping[str, Any]) -> list[Row]:
    numbered, names = _numbered(statement)
    in_order = [values[name] for name in names]
    if _is_together():
        return _whole(_line(), numbered, in_order)  # what fails is begun anew by `together`, from the first statement
    return _surely(lambda line: _whole(line, numbered, in_order))


def _surely(run: Callable[[Line], T]) -> T:
    for _attempt in range(_ATTEMPTS - 1):
        line = _line()
        try:
            return run(line)
        except (DeadlockDetected, SerializationFailure):
            time.sleep(_BREATH)
        except _STALE:
            forget()
        except psycopg.OperationalError:
            if not line.connection.closed:
                raise
    return run(_line())


def _whole(line: Line, statement: bytes, values: Sequence[Any]) -> list[Row]:
    """Run it to the end, or forget the connection: what the server still answers to half of it belongs to nobody."""
    try:
        return line.run(statement, values)
    except psycopg.Error:
        raise
    except BaseException:  # such as a job's time limit
        forget()
        raise


@lru_cache(maxsize=512)
def _numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with $1, $2, … in place of %(name)s, and the names in that order; done once for each statement."""
    names = list(dict.fromkeys(name for name in _PLACE.findall(statement) if name))
    places = {name: f"${number}" for number, name in enumerate(names, 1)}
    return _PLACE.sub(lambda found: places.get(found[1], "%"), statement).encode(), tuple(names)


def forget() -> None:
    """Close this thread's connection; the next statement opens a new one (tests, and after a fork)."""
    line: Line | None = getattr(_local, "line", None)
    _local.line = None
    if line is not None:
        line.connection.close()


def _line() -> Line:
    line: Line | None = getattr(_local, "line", None)
    if line is None or not line.is_open:
        line = _local.line = Line(_connect())
    return line


def _is_together() -> bool:
    line: Line | None = getattr(_local, "line", None)
    return line is not None and line.is_open and line.connection.info.transaction_status != TransactionStatus.IDLE


def _connect() -> psycopg.Connection[Any]:
    url = settings.get().database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    # A generic plan saves planning the same statement for each lead: 0.35 against 0.5 ms of server time, measured.
    return psycopg.connect(url, autocommit=True, options="-c plan_cache_mode=force_generic_plan -c jit=off")
