"""A folder for the servers of one test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose name is as unpleasant as a clone's may be, and that the user `nobody` can enter."""
    folder = Path(tempfile.mkdtemp(prefix="a clone's “var” "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
