"""Finds a Chromium for the browser tests, installs one when it can, and says in one sentence what to do when it cannot.

`python -m tests.browser` is the installing part; `make test` calls it.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_MISSING = (
    "The browser tests need Chromium and none is here: install it (`apt-get install chromium` on Debian and Ubuntu, "
    "`dnf install chromium` on Fedora, or `.venv/bin/playwright install --with-deps chromium`) and run the tests again."
)
_DRIVER_MISSING = (
    "The browser tests need a library that Playwright's driver uses and that is not here: install it "
    "(`apt-get install libatomic1` on Debian and Ubuntu, `dnf install libatomic` on Fedora) and run the tests again."
)
# Nothing but the page under test: no look-ups, updates or reports of the browser's own.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    # By its own name it says that it is headless, and is taken for a machine that draws previews.
    "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36",
)


class NoBrowserError(RuntimeError):
    """No Chromium runs here."""


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium. Raises NoBrowserError with the sentence that says what to install."""
    # As root Chromium refuses its sandbox; elsewhere the sandbox needs user namespaces that containers often forbid.
    flags = [*FLAGS, "--no-sandbox"]
    return playwright.chromium.launch(executable_path=find(), headless=True, args=flags)


@cache
def find() -> str:
    """The path of a Chromium that answers, when Playwright can drive it. Raises NoBrowserError."""
    if not _runs(_driver()):
        raise NoBrowserError(_DRIVER_MISSING)
    for candidate in _candidates():
        if _runs(candidate):
            return str(candidate)
    raise NoBrowserError(_MISSING)


def install() -> None:
    """Install Chromium: with the system's packages as root, else into Playwright's folder. May fail; `find` tells."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in ("update -qq", "install -y -qq --no-install-recommends chromium fonts-liberation libatomic1"):
            subprocess.run(
                ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words.split()],
                check=False,
                stdout=subprocess.DEVNULL,
                env=environment,
            )
    if any(map(_runs, _candidates())):
        return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _driver() -> Path:
    return Path(compute_driver_executable()[0])


def _candidates() -> list[Path]:
    named = [Path(found) for name in _NAMES if (found := shutil.which(name))]
    cache_folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium_headless_shell-*/*/*headless*shell")
    downloaded = [path for pattern in patterns for path in sorted(cache_folder.glob(pattern), reverse=True)]
    return [*named, _MAC, *downloaded]


def _runs(candidate: Path) -> bool:
    try:
        return subprocess.run([candidate, "--version"], check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def main() -> None:
    """Make sure that a Chromium is here. Does not fail: the browser tests do, each with the sentence."""
    try:
        find()
    except NoBrowserError:
        sys.stderr.write("setup: installing Chromium for the browser tests\n")
        install()
        try:
            find()
        except NoBrowserError as error:
            sys.stderr.write(f"setup: {error}\n")


if __name__ == "__main__":
    main()
