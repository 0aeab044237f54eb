"""bootstrap.sh on machines of every kind, played with stubs of python3, id and uv in front of the real ones."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt", "leadgen/embedded/requirements.txt", "leadgen/embedded/uv.txt")
_UV = """#!/bin/sh
echo "$*" >> calls
case "$*" in
  venv*) mkdir -p .venv/bin; ln -sf "{python}" .venv/bin/python ;;
  *sync*) sleep 0.5 ;;
esac
"""
_PYTHON_WITHOUT_PIP = """#!/bin/sh
case "$*" in *"-m venv"*|*"import pip"*) exit 1 ;; esac
exec "{python}" "$@"
"""
_OLD_PYTHON = """#!/bin/sh
case "$1" in -V) echo Python 3.9.2 ;; *) exit 1 ;; esac
"""


class Clone:
    """A clone on a machine whose first programs are stubs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a clone's “home”"
        self.stubs = folder / "stubs"
        self.stubs.mkdir()
        for name in ("leadgen/embedded/bootstrap.sh", *LOCKS):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        self.stub("python3", '#!/bin/sh\nexec "{python}" "$@"\n')

    def stub(self, name: str, text: str, folder: Path | None = None) -> None:
        path = (folder or self.stubs) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(python=Path(sys.executable).resolve()))
        path.chmod(0o755)

    def has_uv(self) -> None:
        """As if uv had been fetched before."""
        self.stub("uv", _UV, self.folder / ".tools" / "bin")
        lock = (self.folder / "leadgen/embedded/uv.txt").read_bytes()
        sums = subprocess.run(["cksum"], check=True, input=lock, capture_output=True).stdout
        (self.folder / ".tools" / "uv.lock").write_bytes(sums)

    def begin(self, kind: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PATH": f"{self.stubs}:/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
        environment.pop("PYTHON", None)
        script = self.folder / "leadgen/embedded/bootstrap.sh"
        return subprocess.Popen(
            ["sh", str(script), kind],
            cwd="/",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def setup(self, kind: str = "run") -> tuple[int, str]:
        process = self.begin(kind)
        _, words = process.communicate(timeout=60)
        return process.returncode, words

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_a_python_without_pip_and_ensurepip_is_told_how_to_get_it(clone: Clone) -> None:
    clone.stub("python3", _PYTHON_WITHOUT_PIP)
    clone.stub("id", "#!/bin/sh\necho 1000\n")
    code, words = clone.setup()
    assert code == 1
    assert "has neither pip nor ensurepip" in words
    assert "`apt-get install python3-pip` (Debian, Ubuntu)" in words
    assert not (clone.folder / ".venv").exists()


def test_root_on_debian_gets_pip_from_the_system(clone: Clone) -> None:
    clone.stub("python3", _PYTHON_WITHOUT_PIP)
    clone.stub("id", "#!/bin/sh\necho 0\n")
    clone.stub("apt-get", f'#!/bin/sh\necho "$*" >> "{clone.stubs}/apt"\n')
    code, words = clone.setup()
    assert "pip is missing: installing the package python3-pip" in words
    assert (
        (clone.stubs / "apt").read_text().splitlines()[1].endswith("install -y -qq --no-install-recommends python3-pip")
    )
    assert code == 1  # the stub installed nothing, or what was there already may not reach a registry


def test_an_old_python_is_named(clone: Clone) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        clone.stub(name, _OLD_PYTHON)
    code, words = clone.setup()
    assert code == 1
    assert "Python 3.11 or newer is needed (found: Python 3.9.2)" in words


def test_a_newer_python_beside_an_old_one_is_found(clone: Clone) -> None:
    clone.stub("python3", _OLD_PYTHON)
    clone.stub("python3.11", '#!/bin/sh\nexec "{python}" "$@"\n')
    clone.has_uv()
    assert clone.setup() == (
        0,
        "setup: installing the libraries (requirements.txt leadgen/embedded/requirements.txt)\n",
    )


def test_nothing_is_done_twice_and_a_changed_lock_is_noticed(clone: Clone) -> None:
    clone.has_uv()
    assert clone.setup()[0] == 0
    calls = clone.calls()
    assert clone.setup() == (0, "")
    assert clone.calls() == calls
    with (clone.folder / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    assert clone.setup()[0] == 0
    new = clone.calls()[len(calls) :]
    assert len([call for call in new if "sync" in call]) == 1
    assert not [call for call in new if call.startswith("venv")]


def test_make_run_keeps_the_tools_of_make_test(clone: Clone) -> None:
    clone.has_uv()
    assert clone.setup("dev")[0] == 0
    assert clone.setup("run") == (0, "")
    assert next(call for call in clone.calls() if "sync" in call).endswith("requirements-dev.txt")


@pytest.mark.parametrize("stamp", [None, "run 1-2 Linux-x86_64 /somewhere/else", "run 1-2 Plan9-mips {folder}"])
def test_an_environment_of_another_machine_or_place_is_made_anew(clone: Clone, stamp: str | None) -> None:
    clone.has_uv()
    stale = clone.folder / ".venv" / "bin" / "python"
    stale.parent.mkdir(parents=True)
    stale.symlink_to("/nowhere/python3")
    (clone.folder / ".venv" / "leftover").touch()
    if stamp:
        (clone.folder / ".venv" / ".leadgen-lock").write_text(stamp.format(folder=clone.folder))
    assert clone.setup()[0] == 0
    assert not (clone.folder / ".venv" / "leftover").exists()
    assert stale.resolve() == Path(sys.executable).resolve()


def test_two_at_once_do_the_work_once(clone: Clone) -> None:
    clone.has_uv()
    processes = [clone.begin("run") for _ in range(3)]
    words = "".join(process.communicate(timeout=60)[1] for process in processes)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len([call for call in clone.calls() if "sync" in call]) == 1
    assert "another setup is running in this folder; waiting for it" in words


def test_a_machine_without_wheels_for_the_servers_gets_the_rest(clone: Clone) -> None:
    clone.has_uv()
    refusing = _UV.replace("*sync*)", "*sync*embedded*) exit 1 ;;\n  *sync*)")
    clone.stub("uv", refusing, clone.folder / ".tools" / "bin")
    code, words = clone.setup()
    assert code == 0
    assert "needs PostgreSQL and Valkey or Redis of its own" in words


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_names_no_registry(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text)
    pinned = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\S.*\\\n    --hash=sha256:", text, re.MULTILINE)) > 0


def test_what_runs_is_what_is_tested() -> None:
    versions = [dict(re.findall(r"^([\w.-]+)\S*==(\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS]
    run, dev, embedded, _ = versions
    assert run.items() <= dev.items()
    assert embedded.items() <= dev.items()
