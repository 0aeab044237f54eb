"""Staff say who invited an entrant; a reason is needed, and the page of an entrant shows every kind of points."""

from __future__ import annotations

from flask import Flask

from leadgen.core.db import db
from leadgen.entries.models import Entry, LedgerKind
from leadgen.web.admin import words
from tests.factories import make_entry
from tests.web.admin.studio import Staff
from tests.world import World


def test_f4_another_person_is_credited(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        campaign = db.session.merge(world.campaign)
        carl = make_entry(campaign, email="carl@mail.example", confirmed=True)
        anna = make_entry(campaign, email="annabel@mail.example", confirmed=True)
        code, carl_id, anna_id = carl.code, carl.id, anna.id
    page = f"{base}/entrants/{anna_id}"

    assert "Credit somebody else" in ada.get(page).text
    ada.post(f"{page}/referrer", {"code": code, "referrer_note": ""})
    with app.app_context():
        assert db.session.get_one(Entry, anna_id).referrer_id is None
    ada.post(f"{page}/referrer", {"code": code, "referrer_note": "He told her at the fair"})

    with app.app_context():
        assert db.session.get_one(Entry, anna_id).referrer_id == carl_id


def test_every_kind_of_points_has_its_words(app: Flask) -> None:
    with app.test_request_context():
        assert all(words.ledger_kind(kind) for kind in LedgerKind)
