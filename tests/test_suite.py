"""The suite's own promises: a clean database for each test, a clock that moves, no way out."""

import gc
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from unittest.mock import Mock

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.embedded.processes import is_alive
from tests import network
from tests.conftest import Clock, Groups, ThreadsConnections

_ADD_BRAND = """
INSERT INTO brand (name, slug, legal_name, legal_address, contact_email, sender_name, sender_email)
VALUES ('Azur', 'azur', 'Azur SAS', 'Nice', 'a@azur.test', 'Azur', 'a@azur.test') RETURNING id
"""


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_finds_an_empty_database(app: Flask, number: int) -> None:
    assert hot.one("SELECT count(*) AS brands FROM brand", {}) == {"brands": 0}
    assert hot.one(_ADD_BRAND, {}) == {"id": 1}


def test_cleaning_takes_under_30_ms(app: Flask, cleaner: psycopg.Connection) -> None:
    times = []
    for _ in range(20):
        start = time.perf_counter()
        cleaner.execute("SELECT suite.clean()")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.030  # what it takes when nobody else takes the processor meanwhile


def test_a_thread_that_forgets_its_connection_fails_nobody(
    app: Flask, threads_connections: ThreadsConnections, recwarn: pytest.WarningsRecorder
) -> None:
    left: list[weakref.ref[psycopg.Connection]] = []

    def work() -> None:
        hot.one("SELECT 1 AS one", {})
        left.append(weakref.ref(hot._line().connection))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    threads_connections.close_those_of_the_dead()
    gc.collect()
    assert [one() for one in left] == [None]
    assert [str(warning.message) for warning in recwarn] == []


def test_what_is_dear_to_start_is_one_piece_of_work_and_each_other_test_is_its_own() -> None:
    places = (
        "faults/test_a.py::test_b[1]",
        "journeys/test_c.py::test_d",
        "mail/test_e.py::test_f",
        "test_g.py::test_h",
    )
    pieces = [Groups._split_scope(Mock(), f"tests/{place}") for place in places]
    assert pieces == ["product", "product", "tests/mail/test_e.py::test_f", "tests/test_g.py::test_h"]


def test_the_clock_moves_and_comes_back(app: Flask, clock: Clock) -> None:
    before = product_clock.now()
    clock.forward(days=3)
    assert (product_clock.now() - before).days == 3


def test_the_application_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200


def test_a_connection_to_the_world_is_refused_by_name() -> None:
    with pytest.raises(network.OutsideWorldError, match=r"tried to reach 192\.0\.2\.1:443"), socket.socket() as wire:
        wire.connect(("192.0.2.1", 443))
    with pytest.raises(network.OutsideWorldError, match=r"api\.example"):
        socket.create_connection(("api.example", 443))
    assert len(network.attempts) == 2
    network.attempts.clear()


_START_AND_WAIT = """
import signal
from tests import servers
running = servers.Running()
print(running.folder, *(server.process.pid for server in running.servers), flush=True)
signal.pause()
"""


def test_a_killed_suite_leaves_no_server_and_no_folder() -> None:
    with subprocess.Popen([sys.executable, "-c", _START_AND_WAIT], stdout=subprocess.PIPE, text=True) as suite:
        assert suite.stdout
        folder, *pids = suite.stdout.readline().split()
        suite.kill()
    deadline = time.monotonic() + 60
    while Path(folder).exists() or any(is_alive(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
