"""Ready sequences to begin with, from examples.yaml; in every language of the product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from leadgen.campaigns import catalogue
from leadgen.core import i18n
from leadgen.core.errors import NotFound
from leadgen.nurture.definition import from_data, to_data

EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Example:
    """A sequence to begin with; name and use in the current language."""

    key: str
    name: str
    use: str
    definition: dict[str, Any]

    def data(self, brand: str) -> dict[str, Any]:
        """Its definition, with the brand's name in it."""
        return to_data(from_data(catalogue.filled(self.definition, brand)))


def ready() -> list[Example]:
    """All of them, in the current language; the empty one is the last."""
    return [
        Example(one["key"], one["names"][i18n.locale()], one["uses"][i18n.locale()], one["definition"])
        for one in _written()
    ]


def get(key: str) -> Example:
    """The one of that key. Raises NotFound."""
    found = next((one for one in ready() if one.key == key), None)
    if found is None:
        raise NotFound(key)
    return found


@lru_cache(maxsize=1)
def _written() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8"))
    return found
