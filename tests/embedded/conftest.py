"""A folder for the servers of one test."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadgen.embedded.postgres import Postgres


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose name is as unpleasant as a clone's may be, and that the user `nobody` can enter."""
    folder = Path(tempfile.mkdtemp(prefix="a clone's “var” "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """A folder with the data and the password of a PostgreSQL that ran once: copying them is quicker than initdb."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    folder.chmod(0o755)
    server = Postgres(folder / "postgres")
    server.start()
    server.stop()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def used_home(home: Path, cluster: Path) -> Path:
    """The folder of the test, in which a PostgreSQL ran before."""
    assert not (cluster / "postgres").is_symlink()  # a copy of the link would be the same data
    subprocess.run(["cp", "-a", cluster / "postgres", cluster / "postgres.password", home], check=True)
    return home
