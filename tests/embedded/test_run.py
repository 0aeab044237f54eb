"""`make run`'s machinery, with a product of trivial parts: it starts once, stays alive, and ends without a trace."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from leadgen.embedded.processes import free_port, is_alive, is_taken

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
WITHOUT_SERVERS = {"DATABASE_URL": "postgresql://elsewhere/leadgen", "REDIS_URL": "redis://elsewhere/0"}


def _until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _parents() -> dict[int, int]:
    """Who is whose child on this machine."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return parents


class Product:
    """One running product of trivial parts."""

    def __init__(self, home: Path, *words: str, command: tuple[str, ...] = (sys.executable,), **environ: str) -> None:
        self.port = free_port()
        self.folder = home / "var"
        self.output = home / f"output-{self.port}"
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")} | environ
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*command, "-m", "tests.embedded.product", str(self.folder), str(self.port), *words],
                cwd=ROOT, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def said(self, words: str) -> bool:
        return words in self.output.read_text()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return self.said("ready as")

    def family(self) -> set[int]:
        """The process and everything below it."""
        parents = _parents()
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def listener(self) -> int:
        """The process that answers on the port."""
        inode = next(
            words[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if (words := line.split())[3] == "0A" and int(words[1].split(":")[1], 16) == self.port
        )
        return next(pid for pid in self.family() if f"socket:[{inode}]" in _descriptors(pid))

    def settings(self) -> dict[str, str]:
        lines = (self.folder / "run.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def _descriptors(pid: int) -> set[str]:
    return {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Product]]:
    """Start a product in this test's folder; whatever is left of it is killed afterwards."""
    started: list[Product] = []

    def start(*words: str, **options: Any) -> Product:
        started.append(Product(home, *words, **options))
        return started[-1]

    yield start
    for product in started:
        for pid in product.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        product.process.wait()


@pytest.fixture
def product(start: Callable[..., Product]) -> Product:
    running = start()
    _until(running.is_ready)
    return running


def test_its_addresses_are_there_for_other_terminals_and_for_nobody_else(product: Product) -> None:
    assert stat.S_IMODE((product.folder / "run.env").stat().st_mode) == 0o600
    settings = product.settings()
    assert settings["LEADGEN_ENV"] == "development"
    assert settings["PORT"] == str(product.port)
    assert len(settings["SECRET_KEY"]) >= 32
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        assert connection.info.dbname == "leadgen"


@pytest.mark.parametrize(("number", "more"), [(signal.SIGTERM, ["stubborn"]), (signal.SIGINT, [])])
def test_a_signal_ends_everything_in_under_five_seconds(
    start: Callable[..., Product], number: signal.Signals, more: list[str]
) -> None:
    product = start(*more, **WITHOUT_SERVERS)
    _until(product.is_ready)
    family = product.family()
    asked_at = time.monotonic()
    product.process.send_signal(number)
    assert product.process.wait(PATIENCE) == 0
    assert time.monotonic() - asked_at < 5
    assert not any(map(is_alive, family))
    assert not (product.folder / "run.env").exists()


def test_data_and_secret_stay_for_the_next_run(product: Product, start: Callable[..., Product]) -> None:
    before = product.settings()
    with psycopg.connect(before["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    product.process.terminate()
    product.process.wait(PATIENCE)
    again = start()
    _until(again.is_ready)
    assert again.settings()["SECRET_KEY"] == before["SECRET_KEY"]
    with psycopg.connect(again.settings()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_sigkill_leaves_no_process_and_the_next_run_starts(product: Product, start: Callable[..., Product]) -> None:
    family = product.family()
    assert len(family) > 8  # guard, two parts and a child, Valkey, PostgreSQL and its own
    product.process.kill()
    product.process.wait()
    again = start()  # at once: it waits for the remains
    _until(lambda: not any(map(is_alive, family)))
    _until(again.is_ready)


def test_sigkill_leaves_not_even_a_part_that_refuses_to_end(start: Callable[..., Product]) -> None:
    product = start("stubborn", **WITHOUT_SERVERS)
    _until(product.is_ready)
    family = product.family()
    product.process.kill()
    product.process.wait()
    _until(lambda: not any(map(is_alive, family)))
    assert not (product.folder / "run.env").exists()


def test_a_part_that_dies_starts_again_and_leaves_no_orphan(start: Callable[..., Product]) -> None:
    product = start(**WITHOUT_SERVERS)
    _until(product.is_ready)
    web = product.listener()
    orphan = next(pid for pid, parent in _parents().items() if parent == web)
    os.kill(web, signal.SIGKILL)
    _until(lambda: product.said("web ended (SIGKILL); it starts again in 0.5 s"))
    _until(lambda: not is_alive(orphan))
    _until(lambda: is_taken(product.port))
    assert product.listener() != web


def test_a_server_that_dies_comes_back_at_the_same_address(product: Product) -> None:
    with psycopg.connect(product.settings()["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        (postmaster,) = connection.execute("SELECT pg_postmaster_start_time()").fetchone() or ()
    pid = int(next(product.folder.glob("postgres/data/postmaster.pid")).read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    _until(lambda: product.said("PostgreSQL ended"))

    def is_back() -> bool:
        try:
            with psycopg.connect(product.settings()["DATABASE_URL"]) as connection:
                row = connection.execute("SELECT pg_postmaster_start_time() <> %s, one FROM kept", [postmaster])
                return row.fetchone() == (True, 1)
        except psycopg.OperationalError:
            return False

    _until(is_back)


def test_a_part_that_cannot_work_is_tried_with_growing_patience(start: Callable[..., Product]) -> None:
    product = start("failing", **WITHOUT_SERVERS)
    _until(lambda: product.said("failing ended (exit 1); it starts again in 1 s"))
    assert product.said("RuntimeError: this part cannot work")
    assert product.process.poll() is None


def test_a_second_run_in_the_same_folder_is_refused_in_one_sentence(start: Callable[..., Product]) -> None:
    product = start(**WITHOUT_SERVERS)
    _until(product.is_ready)
    second = start()
    assert second.process.wait(PATIENCE) == 1
    assert second.output.read_text() == (
        f"Leadgen already runs in this folder (process {product.process.pid}, "
        f"http://127.0.0.1:{product.port}): stop it first.\n"
    )
    assert product.is_ready()


def test_a_taken_port_is_named_in_one_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = subprocess.run(
            [sys.executable, "-m", "tests.embedded.product", str(home / "var"), str(port)],
            cwd=ROOT, check=False, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"Port {port} is in use by another program: choose another one with `make run PORT={port + 1}`."
    )


def test_a_signal_while_it_prepares_ends_the_servers_too(start: Callable[..., Product]) -> None:
    product = start("slow")
    _until(lambda: product.said("preparing"))
    family = product.family()
    product.process.terminate()
    product.process.wait(PATIENCE)
    _until(lambda: not any(map(is_alive, family)))


def test_it_ends_with_the_make_that_started_it(start: Callable[..., Product]) -> None:
    command = ("sh", "-c", '"$0" "$@"; true', sys.executable)  # a parent that is not make, but counts as one
    product = start(command=command, MAKELEVEL="1", **WITHOUT_SERVERS)
    _until(product.is_ready)
    family = product.family()
    product.process.kill()
    product.process.wait()
    _until(lambda: not any(map(is_alive, family)))


def test_servers_that_the_environment_names_are_not_started(start: Callable[..., Product]) -> None:
    product = start(**WITHOUT_SERVERS)
    _until(product.is_ready)
    assert product.settings()["DATABASE_URL"] == "postgresql://elsewhere/leadgen"
    assert not (product.folder / "postgres").exists()
    assert not (product.folder / "valkey").exists()
