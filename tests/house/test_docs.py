"""What newcomers read is true: settings, rooms, floors, links, commands and pictures are those of the code."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.source import PRODUCT, ROOT, place, rooms, tracked

README = (ROOT / "README.md").read_text()
_PICTURE_BYTES = 250_000
_PAGES = sorted(path for path in tracked(".md") if "tests" not in path.parts)


def _top_modules() -> set[str]:
    return {path.stem for path in PRODUCT.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("page", ["README.md", "docs/deployment.md"])
def test_every_setting_is_explained(page: str) -> None:
    source = (ROOT / "config.py").read_text()
    read = set(re.findall(r"env(?:\.get\(|, )\s*[\"']([A-Z_]+)[\"']", source))
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / page).read_text(), re.MULTILINE))
    assert {"DATABASE_URL", "SECRET_KEY"} <= read
    assert read == explained


def test_every_room_is_listed_with_a_sentence() -> None:
    table = README.split("| room | what it is |\n|---|---|\n")[1].split("\n\n")[0]
    listed = {name for row in table.splitlines() for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert listed == (set(rooms()) | _top_modules()) - {"translations"}


def test_the_drawn_floors_are_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = [[part.strip(" ()") for part in layer.split("|")] for layer in contracts[0]["layers"]]
    drawing = next(block for block in re.findall(r"```\n(.*?)```", README, re.DOTALL) if " cli\n" in block)
    drawn = [re.findall(r"[a-z]+", re.sub(r"\(.*?\)", "", line)) for line in drawing.splitlines()]
    assert drawn == floors


@pytest.mark.parametrize("page", _PAGES, ids=place)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{place(page)} points to {target}"
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
            }


@pytest.mark.parametrize("page", _PAGES, ids=place)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", _PAGES, ids=place)
def test_named_files_exist(page: Path) -> None:
    """Paths in backticks that start in a folder of ours; those with a placeholder are shapes, not names."""
    named = re.findall(r"`((?:leadgen|templates|tests|migrations|docs|bench)/[\w./-]+\w)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_pictures_are_small_and_shown() -> None:
    pictures = [path for path in tracked(".png", ".jpg", ".webp") if (ROOT / "docs") in path.parents]
    pages = " ".join(page.read_text() for page in _PAGES)
    assert [place(path) for path in pictures if path.stat().st_size > _PICTURE_BYTES] == []
    assert [place(path) for path in pictures if path.name not in pages] == []


def test_no_page_is_named_that_is_not_here() -> None:
    """A comment may send the reader to a document only if they can open it."""
    here = {path.name for path in _PAGES}
    named = [
        f"{place(path, number)} {name}"
        for path in tracked(".py", ".html", ".toml", ".sh", ".js", ".css", ".yaml")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for name in re.findall(r"\b[a-zA-Z-]+\.md\b", line)
        if name not in here
    ]
    assert named == []


def test_every_rule_is_named_by_a_test() -> None:
    rules = (ROOT / "CONTRIBUTING.md").read_text().split("## Rules that are never broken")[1].split("\n## ")[0]
    numbers = set(re.findall(r"^(\d+)\. ", rules, re.MULTILINE))
    tests = " ".join(
        path.read_text() for path in tracked(".py") if "tests" in path.parts and path.name != "test_docs.py"
    )
    named = set(re.findall(r"\brules?[ _](\d+)", tests, re.IGNORECASE))
    named |= set(re.findall(r"\brules \d+ and (\d+)", tests, re.IGNORECASE))
    assert len(numbers) == 12
    assert numbers - named == set()
