"""One PostgreSQL and one Valkey for a whole run of the suite, shared by all its processes; a fresh database for each.

The process that starts the suite starts the servers and ends them; a guard does it should that process be killed. Each
worker clones its own database from one that the real migrations made once.
"""

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from leadgen.core import migrate
from leadgen.embedded.postgres import Postgres
from leadgen.embedded.processes import Guard
from leadgen.embedded.servers import Server
from leadgen.embedded.valkey import Valkey

_HANDED_ON = "LEADGEN_TEST_SERVERS"  # how worker processes learn the addresses
_TEMPLATE = "leadgen_template"
_BUILDING = 4711  # advisory lock: one process makes the template, the others wait
# Deleting few rows is ten times faster than truncating their tables; a table that grew is truncated.
_CLEAN = """
CREATE SCHEMA suite;
CREATE FUNCTION suite.clean() RETURNS void LANGUAGE plpgsql
SET session_replication_role = replica SET lock_timeout = '5s' AS $$
DECLARE
    relation record;
    touched boolean;
BEGIN
    FOR relation IN
        SELECT oid::regclass AS name, relkind AS kind, pg_relation_size(oid) > 200000 AS is_big FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
        AND relname NOT IN ('alembic_version', 'installation') -- what the migrations wrote
    LOOP
        IF relation.kind = 'S' THEN
            EXECUTE format('SELECT is_called FROM %s', relation.name) INTO touched;
            IF touched THEN
                PERFORM setval(relation.name, (SELECT seqstart FROM pg_sequence WHERE seqrelid = relation.name), false);
            END IF;
        ELSIF relation.is_big THEN
            EXECUTE format('TRUNCATE %s CASCADE', relation.name);
        ELSE
            EXECUTE format('DELETE FROM %s', relation.name);
        END IF;
    END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Addresses:
    """Where the servers of this run of the suite are; `database` is the administrators' database."""

    database: str
    redis: str


class Running:
    """The servers, held by the process that started the suite."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="leadgen-tests-"))
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder / "postgres", durable=False, database="postgres")
        self.servers: list[Server] = [self.postgres, Valkey(self.folder / "valkey", durable=False)]
        self.guard = Guard(grace=2.0, afterwards=self.remove_folders)
        for server in self.servers:
            server.start()
            assert server.process is not None
            self.guard.watch(server.process.pid)
        addresses = Addresses(self.servers[0].url, self.servers[1].url)
        os.environ[_HANDED_ON] = json.dumps(asdict(addresses))

    def end(self) -> None:
        """Stop the servers and remove everything."""
        for server in self.servers:
            server.stop()
        self.guard.dismiss()
        self.remove_folders()
        del os.environ[_HANDED_ON]

    def remove_folders(self) -> None:
        home = self.folder / "postgres"
        if home.is_symlink():  # root's data may lie elsewhere
            shutil.rmtree(home.resolve(), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def addresses() -> Addresses:
    """The addresses that the starting process handed on."""
    return Addresses(**json.loads(os.environ[_HANDED_ON]))


def fresh_database(name: str) -> str:
    """The URL of a database of that name with all tables and no rows; an older one of the same name is dropped."""
    with psycopg.connect(addresses().database, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_BUILDING])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone():
            _make_template(connection)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE))
        )
    return _named(name)


def empty_database(name: str) -> str:
    """The URL of a database of that name without any table, for tests of the migrations themselves."""
    with psycopg.connect(addresses().database, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _named(name)


def clean(connection: psycopg.Connection) -> None:
    """Remove every row and start every sequence anew. Fails after 5 seconds when a test left a transaction open."""
    connection.execute("SELECT suite.clean()")


def redis_database(number: int) -> str:
    """The URL of one of Valkey's numbered databases."""
    return addresses().redis.rsplit("/", 1)[0] + f"/{number}"


def _make_template(connection: psycopg.Connection) -> None:
    draft = f"{_TEMPLATE}_draft"
    url = empty_database(draft)
    migrate.upgrade(url)
    with psycopg.connect(url) as made:
        made.execute(_CLEAN)
    connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(_TEMPLATE))
    )


def _named(name: str) -> str:
    return addresses().database.rsplit("/", 1)[0] + f"/{name}"
