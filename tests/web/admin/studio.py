"""A member of staff at work: signs in through the real page and sends forms with the token of the session."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import factories

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Staff:
    """One person with one browser."""

    def __init__(self, app: Flask, email: str = "ada@staff.example") -> None:
        self.client: FlaskClient = app.test_client()
        self.email = email

    def sign_in(self, password: str = factories.PASSWORD, **more: str) -> TestResponse:
        return self.post("/admin/sign-in", {"email": self.email, "password": password, **more})

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **options: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **options)

    def token(self) -> str:
        found = _TOKEN.search(self.get("/admin/sign-in", follow_redirects=True).text)
        assert found is not None
        return found[1]


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send back from the page's main form, untouched."""
    form = max(re.findall(r"<form[^>]*novalidate.*?</form>", page, re.DOTALL), key=len)
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, kind = _attribute(tag, "name"), _attribute(tag, "type")
        if name and (kind not in {"radio", "checkbox"} or " checked" in tag):
            found[name] = _attribute(tag, "value")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        found[name] = _plain(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        found[name] = _plain(chosen[1]) if chosen else ""
    return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return _plain(found[1]) if found else ""


def _plain(text: str) -> str:
    for entity, sign in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text
