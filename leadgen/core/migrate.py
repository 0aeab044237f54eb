"""Migrations by alembic, started from Python: upgrade, downgrade, write a new one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# Any number that nobody else takes: two web machines that start together must not migrate together.
_LOCK = 7_215_031
_PAUSE = 0.2  # seconds


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; a second caller waits for the first."""
    _locked(url, lambda: command.upgrade(alembic_config(url), revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision` (“base” for empty)."""
    _locked(url, lambda: command.downgrade(alembic_config(url), revision))


def write(url: str, message: str) -> None:
    """Write a new migration that makes the database at `url` equal to the models."""
    command.revision(alembic_config(url), message=message, autogenerate=True)


def alembic_config(url: str) -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def _locked(url: str, work: Callable[[], None]) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            # Asked again and again: an index that the other builds beside its readers waits for every statement that
            # runs, and so would wait for one that waits for the lock.
            while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one():
                time.sleep(_PAUSE)
            work()
    finally:
        engine.dispose()  # the lock ends with its connection
