"""A visitor who reads pages the way a browser without scripts does."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from leadgen.core import hot
from tests.conftest import Clock

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@dataclass
class Visitor:
    """Fills in the entry form as people do: a few seconds after the page came."""

    client: FlaskClient
    clock: Clock

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path, **kwargs)

    def post(self, path: str, data: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        return self.client.post(path, data=data, **kwargs)

    def enter(self, path: str = "/c/island?lang=en", *, seconds: float = 4.0, **fields: str | None) -> TestResponse:
        """Open the landing page, wait, and send the form; a field given as None is not sent."""
        hidden = fields_of(self.get(path))
        self.clock.forward(seconds=seconds)
        return self.post(path, payload(**(hidden | fields)))


def payload(**fields: str | None) -> dict[str, str]:
    """A form filled in with defaults."""
    defaults: dict[str, str | None] = {"email": "zoe@mail.example", "first_name": "Zoé", "consent_rules": "1"}
    return {name: value for name, value in (defaults | fields).items() if value is not None}


def fields_of(answer: TestResponse) -> dict[str, str | None]:
    """The hidden fields of the page's form."""
    tags = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
    return {name: html.unescape(value) for name, value in tags}


def value_of(answer: TestResponse, field: str) -> str:
    """What stands in a field of the page."""
    found = re.search(rf'<input[^>]*id="{field}"[^>]*value="([^"]*)"', answer.text)
    return html.unescape(found[1]) if found else ""


def text_of(answer: TestResponse) -> str:
    """The page's words, without markup."""
    words = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", answer.text, flags=re.DOTALL))
    return " ".join(html.unescape(words).split())


def count(table: str) -> int:
    """How many rows a table has."""
    rows = hot.many("SELECT relname FROM pg_class WHERE relname = %(table)s AND relkind = 'r'", {"table": table})
    assert rows
    found = hot.one(f'SELECT count(*) AS number FROM "{table}"', {})
    assert found is not None
    return int(found["number"])
