"""What every test may ask for: the application on a clean database, a clock to move, a browser; and the guards."""

import dataclasses
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from leadgen.app import create_app
from leadgen.campaigns import cards
from leadgen.core import clock as product_clock
from leadgen.core import dns, hot, i18n, queue
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Environment, Settings
from leadgen.entries import lately, points
from leadgen.journal import counters
from leadgen.visits import service as visits
from leadgen.web import kept
from tests import browser, network, servers
from tests.names import NameServer, name_server

_PATIENCE = 60_000  # milliseconds that a browser test waits for what it expects; the machine may be busy
# What is dear to start, and dearer twice on one machine: tests of a group run one after another, in one process.
_GROUPS = {"faults": "product", "journeys": "product", "bench": "bench"}


# No example has a deadline on the wall's clock: a machine that is busy would break it. Examples of one test share its
# database, which is what the health check of fixtures warns of; they make campaigns of their own.
hypothesis.settings.register_profile(
    "suite",
    parent=hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


def pytest_configure() -> None:
    """Close the way out, in every process of the suite."""
    network.close()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers in the one process that starts the suite; its workers are handed the addresses."""
    if not _is_worker(session.config) and not session.config.option.collectonly:
        session.config.stash[_running] = servers.Running()


class Groups(LoadScopeScheduling):
    """Hands out test by test, and the rooms of a group as one piece; the largest piece first.

    pytest-xdist 3.8 writes the name of a group where pytest 9.2 does not read it, so that its marks group nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        room = nodeid.removeprefix("tests/").split("/", 1)[0]
        return _GROUPS.get(room, nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    """Our own for `--dist loadgroup`."""
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers after the last test of the last worker."""
    if running := config.stash.get(_running, None):
        running.end()


_running = pytest.StashKey[servers.Running]()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(autouse=True)
def _stay_here() -> Iterator[None]:
    """Fail the test that tried to reach the world, even when the code it tests swallowed the refusal."""
    network.attempts.clear()
    yield
    if network.attempts:
        pytest.fail(network.attempts[0])


@pytest.fixture(scope="session")
def worker_name() -> str:
    """`gw0`, `gw1`, … under pytest-xdist, else `main`."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def database_url(worker_name: str) -> str:
    """A database with all tables, this worker's own."""
    return servers.fresh_database(f"test_{worker_name}")


@pytest.fixture(scope="session")
def redis_url(worker_name: str) -> str:
    """A Redis database, this worker's own."""
    return servers.redis_database(int("0" + worker_name.removeprefix("gw")) if worker_name != "main" else 15)


@pytest.fixture(scope="session")
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the application under test; a mail is a file, the clock can be moved."""
    folder = tmp_path_factory.mktemp("settings")
    return Settings(
        environment=Environment.TEST,
        database_url=database_url.replace("postgresql://", "postgresql+psycopg://", 1),
        redis_url=redis_url,
        secret_keys=("the-key-of-the-suite-is-long-enough",),
        base_url="http://localhost",
        trusted_proxies=0,
        mail_provider="file",
        sendgrid_api_key="",
        sendgrid_api_base="http://you-forgot-the-double.invalid",
        sendgrid_webhook_public_key="",
        smtp_url="",
        mail_dir=str(folder / "mail"),
        clock_file=str(folder / "clock"),
    )


class ThreadsConnections:
    """The connections that `hot` made for threads, held until they are closed.

    A thread that ends without `hot.forget()` drops an open connection; the warning about it is an error here, and would
    fail whatever test happens to run when the garbage is collected.
    """

    def __init__(self) -> None:
        self._made: list[tuple[threading.Thread, psycopg.Connection[hot.Row]]] = []
        self._connect = hot._connect

    def connect(self) -> psycopg.Connection[hot.Row]:
        """What `hot` calls for a new connection."""
        connection = self._connect()
        self._made.append((threading.current_thread(), connection))
        return connection

    def close_those_of_the_dead(self) -> None:
        """Close what threads left that have ended, and let go of what is closed."""
        for thread, connection in self._made:
            if not thread.is_alive():
                connection.close()
        self._made = [(thread, connection) for thread, connection in self._made if not connection.closed]


@pytest.fixture(scope="session")
def threads_connections() -> Iterator[ThreadsConnections]:
    """Knows all connections of `hot` in this process."""
    made = ThreadsConnections()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hot, "_connect", made.connect)
        yield made
        made.close_those_of_the_dead()


@pytest.fixture(scope="session")
def _application(settings: Settings, threads_connections: ThreadsConnections) -> Iterator[Flask]:
    application = create_app(settings)
    yield application
    hot.forget()
    with application.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def cleaner(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to this worker's database that no code under test uses."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of this worker's Redis database."""
    with redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def clean_database(
    cleaner: psycopg.Connection, redis_client: redis.Redis, threads_connections: ThreadsConnections
) -> Iterator[None]:
    """Afterwards: no row, no key, no cached campaign."""
    yield
    threads_connections.close_those_of_the_dead()
    visits.forget()
    counters.flush()  # what this test counted is not the next one's
    queue.ring_out()  # and what it rang must not come late into the next one's queues
    servers.clean(cleaner)
    redis_client.flushdb()
    cards.forget()
    kept.forget()
    points.forget()
    lately.forget()


@pytest.fixture
def app(_application: Flask, settings: Settings, clean_database: None) -> Iterator[Flask]:
    """The application on an empty database. Open a context yourself: `with app.app_context():`."""
    # Settings and clock belong to the process: a test before this one may have built another application.
    product_settings.use(settings)
    product_clock.use_shift_file(settings.clock_file)
    i18n.set_locale(i18n.DEFAULT_LOCALE)  # somebody may have spoken French before
    yield _application
    shutil.rmtree(settings.mail_dir, ignore_errors=True)
    Path(settings.clock_file or "").unlink(missing_ok=True)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context around the whole test, for tests of verbs. Not beside `client`: it shares the session."""
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor without a browser."""
    return app.test_client()


@dataclasses.dataclass
class Clock:
    """Moves the product's clock, in every process that reads the same settings."""

    path: Path
    seconds: float = 0.0

    def forward(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let so much time pass at once."""
        self.seconds += ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        draft = self.path.with_suffix(".draft")
        draft.write_text(str(self.seconds))
        draft.replace(self.path)


@pytest.fixture
def clock(app: Flask, settings: Settings) -> Clock:
    """The product's clock; it shows the real time again after the test."""
    return Clock(Path(settings.clock_file or ""))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """A domain name server on this machine, asked in place of the world's; knows what the test writes into it."""
    with name_server() as server:
        monkeypatch.setattr(dns, "_resolver", server.resolver)
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium. Fails, with the sentence that says what to install, where none is."""
    browser.find()
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        launched = browser.launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor with a browser of their own: no cookies, nothing cached."""
    visitor = chromium.new_context(locale="en-GB")
    visitor.set_default_timeout(_PATIENCE)
    yield visitor
    visitor.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """A tab of that visitor."""
    return browser_context.new_page()
