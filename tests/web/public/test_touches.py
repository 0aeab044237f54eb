"""Who gets the credit of several links, and of a code that was typed (F4)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from leadgen.campaigns import cards
from leadgen.core import tokens
from leadgen.core.db import db
from leadgen.core.tokens import Purpose
from leadgen.entries import entering
from leadgen.entries.models import Entry
from leadgen.web.public import forms
from tests.entries.conftest import rows
from tests.factories import make_campaign, make_entry


@pytest.fixture
def codes(app: Flask) -> dict[str, Any]:
    with app.app_context():
        campaign = make_campaign()
        found = {name: make_entry(campaign, confirmed=True, first_name=name).code for name in ("Ben", "Carl")}
        return found | {"id": campaign.id, "slug": campaign.slug}


def _remember(codes: dict[str, Any], model: str) -> None:
    rows(
        "UPDATE campaign SET is_remembering_touch = true, touch_model = %(model)s WHERE id = %(id)s RETURNING id",
        model=model,
        id=codes["id"],
    )
    cards.forget()


def _follow(client: FlaskClient, codes: dict[str, Any], name: str) -> str:
    return client.get(f"/c/{codes['slug']}?ref={tokens.sign(Purpose.REFERRAL, [codes[name], 'wa'])}").text


def _enter(app: Flask, client: FlaskClient, codes: dict[str, Any], *, ref: str = "", **typed: str) -> Entry:
    token = tokens.sign(Purpose.FORM, [codes["id"], 0, "x"])
    with app.app_context():
        token = forms.new_token(codes["id"])
    forms.FASTEST_SECONDS, before = 0.0, forms.FASTEST_SECONDS
    try:
        path = f"/c/{codes['slug']}" + (f"?ref={tokens.sign(Purpose.REFERRAL, [codes[ref], 'wa'])}" if ref else "")
        fields = {"csrf_token": token, "email": "anna@mail.example", "first_name": "Anna", "consent_rules": "y"}
        assert client.post(path, data=fields | typed).status_code == 303
    finally:
        forms.FASTEST_SECONDS = before
    with app.app_context():
        return db.session.query(Entry).order_by(Entry.id.desc()).limit(1).one()


def _referrer(app: Flask, entry: Entry) -> str:
    with app.app_context():
        found = db.session.get(Entry, entry.referrer_id) if entry.referrer_id else None
        return found.code if found else ""


def test_rule_11_no_cookie_unless_the_campaign_says_so(client: FlaskClient, codes: dict[str, Any]) -> None:
    _follow(client, codes, "Ben")
    assert client.get_cookie(f"touch_{codes['id']}", path=f"/c/{codes['slug']}") is None


@pytest.mark.parametrize(("model", "credited"), [("first_touch", "Ben"), ("last_touch", "Carl")])
def test_f4_the_model_says_whose_link_counts(
    app: Flask, client: FlaskClient, codes: dict[str, Any], model: str, credited: str
) -> None:
    _remember(codes, model)
    assert "Ben" in _follow(client, codes, "Ben")
    assert credited in _follow(client, codes, "Carl")  # who is shown is who is credited

    entry = _enter(app, client, codes, ref="Carl")

    assert _referrer(app, entry) == codes[credited]
    assert (entry.touch_model, entry.first_touch_code, entry.last_touch_code) == (model, codes["Ben"], codes["Carl"])


def test_f4_a_typed_code_comes_before_the_link(app: Flask, client: FlaskClient, codes: dict[str, Any]) -> None:
    entry = _enter(app, client, codes, ref="Carl", invited_by=f" http://localhost/r/{codes['Ben'].lower()}?ch=wa ")
    assert _referrer(app, entry) == codes["Ben"]


def test_f4_an_unknown_typed_code_enters_without_credit_and_is_noted(
    app: Flask, client: FlaskClient, codes: dict[str, Any]
) -> None:
    entry = _enter(app, client, codes, invited_by="N0B0DY")

    assert entry.referrer_id is None
    assert [row["data"] for row in rows("SELECT data FROM fact WHERE name = 'referral.unknown'")] == [
        {"typed": "N0B0DY"}
    ]


def test_a_code_is_found_in_what_people_paste() -> None:
    assert entering.tidy_code(" https://win.example/r/ab2-cd?ch=qr ") == "AB2CD"
    assert entering.tidy_code("my friend Benjamin from the office") == ""
