"""Values that the database cannot hold: a page, never a 500, and nothing half written."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.core.db import db
from leadgen.entries.models import Entry
from tests.conftest import Clock
from tests.factories import make_campaign


@pytest.mark.parametrize("path", ["/c/%00", "/r/%00", "/c/summer%00"])
def test_nothing_stands_under_an_impossible_address(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_nul_in_a_form_is_refused(app: Flask, client: FlaskClient, clock: Clock) -> None:
    with app.app_context():
        slug = make_campaign().slug
    page = client.get(f"/c/{slug}").text
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]

    clock.forward(seconds=5)
    answer = client.post(
        f"/c/{slug}",
        data={"csrf_token": token, "email": "a@mail.example.com", "first_name": "\0nul", "consent_rules": "y"},
    )

    assert answer.status_code == 400
    with app.app_context():
        assert db.session.query(Entry).count() == 0
