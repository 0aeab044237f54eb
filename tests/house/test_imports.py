"""Imports run downstairs only: the contract of pyproject.toml holds, and it notices what it must notice."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import PRODUCT, ROOT, modules, place, rooms, tree

_FLOORS = "Imports run downstairs only"
# What somebody in a hurry would write, and the contract that must then break.
_FAULTS = {
    "contacts calls entries": ("contacts/fault.py", "from leadgen.entries import models\n", _FLOORS),
    "an import hidden in a function": (
        "campaigns/fault.py",
        "def late():\n    from leadgen.mail import models\n    return models\n",
        _FLOORS,
    ),
    "a room that is on no floor": ("newroom/__init__.py", "", "newroom"),
    "a model that calls its service": (
        "journal/models.py",
        "from leadgen.journal import service\n",
        "Inside a room: jobs above service above models",
    ),
    "a room that speaks HTTP": ("nurture/fault.py", "import flask\n", "Rooms know no HTTP"),
    "a door that borrows from the other": (
        "web/admin/fault.py",
        "from leadgen.web.public import fault\n",
        "The doors do not borrow from each other",
    ),
    "Redis outside its wall": ("accounts/fault.py", "import redis\n", "Only the wall knows the vendor"),
}


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder), "PATH": "", "COLUMNS": "200", "NO_COLOR": "1"},
    )


def test_the_contract_is_kept() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("fault", _FAULTS)
def test_the_contract_notices(fault: str, tmp_path: Path) -> None:
    name, text, broken = _FAULTS[fault]
    shutil.copytree(PRODUCT, tmp_path / "leadgen", ignore=shutil.ignore_patterns("__pycache__", "static"))
    for top in ("pyproject.toml", "config.py"):
        shutil.copy(ROOT / top, tmp_path)
    planted = tmp_path / "leadgen" / name
    planted.parent.mkdir(exist_ok=True)
    (tmp_path / "leadgen" / "web" / "public" / "fault.py").touch()
    planted.write_text((planted.read_text() if planted.exists() else "") + text)
    result = _lint(tmp_path)
    assert result.returncode != 0
    assert broken in result.stdout + result.stderr


def test_packages_hold_a_docstring_and_hand_nothing_on() -> None:
    for path in sorted(PRODUCT.rglob("__init__.py")):
        body = tree(path).body
        assert len(body) == 1, f"{place(path)} holds more than its docstring"
        assert ast.get_docstring(tree(path)), f"{place(path)} does not say what the room is"


def test_no_import_hides_in_a_function() -> None:
    """`cli.py` may: a command imports what it runs, so that --help stays fast."""
    hidden = [
        place(path, inner.lineno)
        for path in modules()
        if path.name != "cli.py"
        for outer in ast.walk(tree(path))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_no_room_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "services", "models", "lib", "shared"}
    named = {place(path) for path in PRODUCT.rglob("*.py") if path.stem in drawers - {"models"}}
    assert named | (drawers & set(rooms())) == set()


def test_relationships_point_down_and_have_no_way_back() -> None:
    """A way back makes the lower room know the upper one; foreign keys name tables for the same reason."""
    wrong = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            names = {keyword.arg for keyword in node.keywords}
            if node.func.id == "relationship" and names & {"backref", "back_populates"}:
                wrong.append(place(path, node.lineno))
            if node.func.id == "ForeignKey" and not isinstance(node.args[0], ast.Constant):
                wrong.append(place(path, node.lineno))
    assert wrong == []
