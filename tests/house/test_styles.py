"""Stylesheets that a browser reads to their end: one brace lost in a merge silently switches off all that follows."""

from pathlib import Path

import pytest

from tests.house.source import PRODUCT

SHEETS = sorted((PRODUCT / "web/static").rglob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_rule_is_closed_before_the_next_begins(sheet: Path) -> None:
    depth = 0
    for number, line in enumerate(sheet.read_text().splitlines(), 1):
        depth += line.count("{") - line.count("}")
        assert depth >= 0, f"{sheet.name}:{number} closes what is not open"
        if line.startswith("/*"):
            assert depth == 0, f"{sheet.name}:{number} a rule above is not closed"
    assert depth == 0
