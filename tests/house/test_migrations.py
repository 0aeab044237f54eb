"""One line of migrations, equal to the models, and passable in both directions with data in every table."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from leadgen.app import create_app
from leadgen.contacts import address
from leadgen.core import hot, migrate
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from tests import servers
from tests.house.source import ROOT
from tests.world import make_one_of_everything


@pytest.fixture
def scratch(worker_name: str) -> Iterator[Engine]:
    """A database of this test's own, without any table."""
    url = servers.empty_database(f"migrations_{worker_name}")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    yield engine
    engine.dispose()


_IS_BLOCKING = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
)


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_there_is_one_head() -> None:
    scripts = ScriptDirectory.from_config(migrate.alembic_config("unused"))
    assert len(scripts.get_heads()) == 1


def test_models_equal_migrations(scratch: Engine) -> None:
    migrate.upgrade(_url(scratch))
    with scratch.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, db.metadata) == []


def test_alembic_knows_the_models_of_every_room() -> None:
    """What its environment does not import, `alembic revision --autogenerate` would drop."""
    rooms = {f"import leadgen.{path.parent.name}.models" for path in (ROOT / "leadgen").glob("*/models.py")}
    assert rooms <= {line.split("  #")[0] for line in (ROOT / "migrations" / "env.py").read_text().splitlines()}


def test_every_migration_goes_up_down_and_up_again(scratch: Engine) -> None:
    scripts = ScriptDirectory.from_config(migrate.alembic_config("unused"))
    for script in reversed(list(scripts.walk_revisions())):
        migrate.upgrade(_url(scratch), script.revision)
        migrate.downgrade(_url(scratch), script.down_revision or "base")
        migrate.upgrade(_url(scratch), script.revision)
    migrate.downgrade(_url(scratch), "base")
    assert set(inspect(scratch).get_table_names()) == {"alembic_version"}


@pytest.fixture
def filled(scratch: Engine, settings: Settings) -> Iterator[Engine]:
    """The scratch database with a row in every table."""
    migrate.upgrade(_url(scratch))
    address.forget_installation()
    application = create_app(replace(settings, database_url=_url(scratch)))
    with application.app_context():
        make_one_of_everything()
        db.engine.dispose()
    yield scratch
    hot.forget()
    address.forget_installation()
    product_settings.use(settings)


def test_migrations_pass_with_a_row_in_every_table(filled: Engine) -> None:
    """The last step down and up again never fails on data, and loses no row of a table that it does not drop."""
    counted = {table.name: _count(filled, table.name) for table in db.metadata.sorted_tables}
    assert min(counted.values()) > 0
    head = ScriptDirectory.from_config(migrate.alembic_config("unused")).get_revision("head")
    migrate.downgrade(_url(filled), str(head.down_revision or "base"))
    kept = set(inspect(filled).get_table_names()) - {"alembic_version"}
    migrate.upgrade(_url(filled))
    assert {name: _count(filled, name) for name in kept} == {name: counted[name] for name in kept}


_FIGURES = "SELECT id, points, clicked_at, contests, clicks, friends, deeds, works, rewards FROM contact ORDER BY id"


def _rows(engine: Engine, statement: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_figures_come_back_as_they_were_also_when_the_migration_was_stopped(filled: Engine) -> None:
    """It commits on its way; begun again, it comes to the same."""
    before = _rows(filled, _FIGURES)
    assert any(row[1] for row in before)
    with filled.begin() as connection:
        connection.execute(text("UPDATE contact SET points = 77, contests = '{77}', clicks = 77"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0010'"))
    migrate.upgrade(_url(filled))
    assert _rows(filled, _FIGURES) == before
    migrate.downgrade(_url(filled), "0010")
    migrate.upgrade(_url(filled))
    assert _rows(filled, _FIGURES) == before


def test_people_are_confirmed_while_two_machines_migrate(filled: Engine) -> None:
    """A confirmation goes from the entry to the contact: the migration, which waits for it, holds no contact yet."""
    migrate.downgrade(_url(filled), "0010")
    with ThreadPoolExecutor(2) as machines, filled.connect() as confirming:
        confirming.execute(text("SET LOCAL lock_timeout = '2s'"))
        confirming.execute(text("UPDATE entry SET reached_at = reached_at"))
        done = [machines.submit(migrate.upgrade, _url(filled)) for _ in range(2)]
        until = time.monotonic() + 10
        while not confirming.execute(text(_IS_BLOCKING)).scalar_one():
            assert time.monotonic() < until
            time.sleep(0.02)
        confirming.execute(text("UPDATE contact SET last_inbound_at = now()"))
        confirming.commit()
        for one in done:
            one.result(timeout=20)
    assert _rows(filled, "SELECT version_num FROM alembic_version") == [("0011",)]


def _count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())
