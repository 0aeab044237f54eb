"""The product's source as the house tests look at it: files, syntax trees, rooms."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "leadgen"
TOP = (ROOT / "config.py", ROOT / "wsgi.py")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file that runs in production."""
    return (*TOP, *sorted(PRODUCT.rglob("*.py")))


@cache
def rooms() -> tuple[str, ...]:
    """The packages directly under leadgen/, and what runs beside them as single modules is not one."""
    return tuple(sorted(path.parent.name for path in PRODUCT.glob("*/__init__.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(), filename=str(path))


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, Function):
            yield node


def strings(path: Path) -> Iterator[ast.Constant]:
    """Every string constant of a file, docstrings included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def docstrings(path: Path) -> set[str]:
    """The docstrings of a file, as they stand."""
    described = (ast.Module, ast.ClassDef, *Function.__args__)
    nodes = (node for node in ast.walk(tree(path)) if isinstance(node, described))
    return {text for node in nodes if (text := ast.get_docstring(node, clean=False))}


def lines_of(function: Function) -> int:
    """How long a function is, without its docstring: what a reader has to hold in mind."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def place(path: Path, line: int | None = None) -> str:
    """`leadgen/app.py:12`, for a message that an editor can follow."""
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


@cache
def tracked(*suffixes: str) -> tuple[Path, ...]:
    """Every file of the repository that git knows or would add, of these endings (all when none is given)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no .git
        away = {".git", ".venv", ".tools", "var"}
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        listed = [str(path) for path in found if away.isdisjoint(path.parts)]
    files = (ROOT / name for name in listed if name)
    return tuple(path for path in files if path.is_file() and (not suffixes or path.suffix in suffixes))
