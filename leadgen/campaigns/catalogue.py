"""The campaign templates that come with the product: data in templates/*.yaml, in every language of the product."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from leadgen.core import i18n
from leadgen.core.errors import NotFound

FOLDER = Path(__file__).parent / "templates"
_BRAND = "{brand}"


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A template as the marketer chooses it, in the current language. `days` is how long its contest runs."""

    key: str
    name: str
    summary: str
    picture: str
    days: int


def all_cards() -> list[TemplateCard]:
    """Every template, the simplest first, in the current language."""
    found = sorted((read(path.stem) for path in FOLDER.glob("*.yaml")), key=lambda data: int(data["position"]))
    return [_card(data, i18n.locale()) for data in found]


def _card(data: dict[str, Any], locale: str) -> TemplateCard:
    return TemplateCard(
        key=data["key"],
        name=data["names"][locale],
        summary=data["summaries"][locale],
        picture=data["picture"],
        days=data["days"],
    )


@lru_cache(maxsize=32)
def read(key: str) -> dict[str, Any]:
    """The whole template; the caller must not change it. Raises NotFound."""
    path = FOLDER / f"{key}.yaml"
    if not key.replace("-", "").isalnum() or not path.is_file():
        raise NotFound
    return {"key": key, **yaml.safe_load(path.read_text(encoding="utf-8"))}


@lru_cache(maxsize=1)
def nameless() -> frozenset[str]:
    """What the templates call prizes that nobody has named yet, in every language: “Our grand prize”."""
    prizes = [prize for path in FOLDER.glob("*.yaml") for prize in read(path.stem)["prizes"]]
    return frozenset(str(words["title"]) for prize in prizes for words in prize["texts"].values())


def filled(part: Any, brand_name: str) -> Any:
    """A copy of a part of a template in which {brand} is the brand's name."""
    if isinstance(part, str):
        return part.replace(_BRAND, brand_name)
    if isinstance(part, dict):
        return {key: filled(value, brand_name) for key, value in part.items()}
    if isinstance(part, list):
        return [filled(value, brand_name) for value in part]
    return part
