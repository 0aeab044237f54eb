"""The embedded servers start for whoever we are, keep data and port, ask for a password, and say why they cannot."""

import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadgen.embedded import postgres, valkey
from leadgen.embedded.postgres import Postgres
from leadgen.embedded.processes import CannotStart, free_port
from leadgen.embedded.valkey import Valkey

# The product starts its servers before it has threads; a process of the suite may have some from other tests.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def database(used_home: Path) -> Iterator[Postgres]:
    server = Postgres(used_home / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store(home: Path) -> Iterator[Valkey]:
    server = Valkey(home / "valkey")
    server.start()
    yield server
    server.stop()


def _kill(server: Postgres | Valkey) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()


def _until_it_answers(server: Postgres | Valkey) -> None:
    deadline = time.monotonic() + 60
    while not server.answers():
        if not server.is_running():
            server.spawn()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_port_of_a_server_is_none_that_a_client_may_get_while_it_restarts() -> None:
    assert max(free_port() for _ in range(200)) < 32_768


def test_postgres_never_runs_as_root_and_lets_nobody_in_without_the_password(database: Postgres, home: Path) -> None:
    assert database.process is not None
    assert Path(f"/proc/{database.process.pid}").stat().st_uid != 0
    assert stat.S_IMODE((home / "postgres.password").stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=database.port, user="leadgen", dbname="leadgen")
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT current_setting('timezone'), lower('É')").fetchone() == ("UTC", "é")


def test_a_killed_postgres_comes_back_on_its_port_with_its_data(database: Postgres) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    port = database.port
    _kill(database)
    database.spawn()
    _until_it_answers(database)
    assert database.port == port
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_postgres_starts_over_a_pid_file_that_names_another_living_process(database: Postgres, home: Path) -> None:
    _kill(database)
    (database.data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    again = Postgres(home / "postgres")
    again.start()
    again.stop()


def test_a_start_waits_for_the_postgres_of_a_run_before(database: Postgres, home: Path) -> None:
    again = Postgres(home / "postgres")
    again.start()
    assert not database.is_running()
    again.stop()


def test_an_interrupted_first_start_leaves_nothing_that_hurts(home: Path) -> None:
    server = Postgres(home / "postgres")
    (home / "postgres" / "draft-half").mkdir(parents=True)
    server.start()
    server.stop()
    assert not list(server.home.glob("draft-*"))


def test_data_of_another_version_are_refused_in_one_sentence(database: Postgres, home: Path) -> None:
    database.stop()
    (database.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match=r"was made by PostgreSQL 9 and this is PostgreSQL \d+"):
        Postgres(home / "postgres").start()


def test_a_lost_password_is_named(database: Postgres, home: Path) -> None:
    database.stop()
    (home / "postgres.password").unlink()
    with pytest.raises(CannotStart, match=r"postgres\.password, is gone"):
        Postgres(home / "postgres").start()


def test_a_server_that_ends_at_once_is_quoted(database: Postgres, home: Path) -> None:
    database.stop()
    (database.data / "postgresql.conf").write_text("no_such_setting = on\n")
    with pytest.raises(CannotStart, match="no_such_setting"):
        Postgres(home / "postgres").start()


def test_valkey_asks_for_its_password_and_shows_it_nowhere(store: Valkey) -> None:
    assert store.process is not None
    command = Path(f"/proc/{store.process.pid}/cmdline").read_bytes().decode()
    assert store.url.split(":")[2].split("@")[0] not in command
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=store.port, retry=Retry(NoBackoff(), 0)).ping()


def test_a_killed_valkey_comes_back_on_its_port_with_its_data(store: Valkey) -> None:
    with redis.from_url(store.url) as client:
        client.set("kept", "1")
        client.config_set("appendfsync", "always")  # do not wait a second for the disk
        client.set("kept", "2")
    port = store.port
    _kill(store)
    store.spawn()
    _until_it_answers(store)
    assert store.port == port
    with redis.from_url(store.url) as client:
        assert client.get("kept") == b"2"


def test_valkey_evicts_nothing_and_writes_every_second(store: Valkey) -> None:
    with redis.from_url(store.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("append*")["appendfsync"] == "everysec"
        assert client.config_get("append*")["appendonly"] == "yes"


@pytest.mark.parametrize("server", [Postgres, Valkey])
def test_a_machine_without_binaries_is_told_what_to_install(
    server: type[Postgres | Valkey], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (postgres, valkey):
        monkeypatch.setattr(module, "_candidates", lambda: iter(()))
    with pytest.raises(CannotStart, match=r"is here: install one .* or set (DATABASE|REDIS)_URL"):
        server(home / "server").start()


def test_the_servers_die_with_the_process_that_started_them(home: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            servers = [Postgres(home / "postgres"), Valkey(home / "valkey")]
            for server in servers:
                server.start()
            os.write(writer, " ".join(str(server.process and server.process.pid) for server in servers).encode())
            signal.pause()
        finally:
            os._exit(1)
    pids = os.read(reader, 100).decode().split()
    assert len(pids) == 2
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
