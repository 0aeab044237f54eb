"""What contacts are worth, in the studio: the brand's prices, what they make of the base, and one person's figure."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from leadgen.accounts.models import Brand
from leadgen.core.db import db
from leadgen.segments import fields, sentences
from leadgen.worth import refreshing
from leadgen.worth.models import Prices
from tests.factories_contest import make_prices, make_sale
from tests.web.admin.studio import Staff
from tests.web.public.street import text_of
from tests.world import World


@pytest.fixture
def page(world: World) -> str:
    return f"/admin/brands/{world.brand.id}/value"


def _payload(**said: Any) -> dict[str, str]:
    usual = {"currency": "CHF", "consent": "1,50", "entry": "2", "form": "0", "answer": "0", "goal": "0"}
    return usual | {"discount": "50"} | said


@pytest.fixture
def _priced(app: Flask, world: World) -> None:
    with app.app_context():
        make_prices(world.brand.id)
        make_sale(world.ben.contact_id, world.brand.id)


def test_an_empty_page_teaches(ada: Staff, page: str, world: World, base: str) -> None:
    assert "Give a deed a value above and save." in text_of(ada.get(page))
    assert "You have not said yet what deeds are worth to you." in text_of(ada.get(f"{base}/entrants/{world.ben.id}"))


@pytest.mark.usefixtures("_priced")
def test_prices_are_kept_in_minor_units_and_can_be_taken_back(app: Flask, ada: Staff, page: str, world: World) -> None:
    answer = ada.post(page, _payload())
    assert answer.status_code == 303
    with app.app_context():
        kept = db.session.get_one(Prices, world.brand.id)
        assert (kept.currency, kept.consent, kept.entry, kept.discount) == ("CHF", 150, 200, 50)
    shown = ada.get(page).text
    assert f'action="{page}"' in shown, "the way back"
    assert 'name="entry" value="1.00"' in shown


@pytest.mark.usefixtures("_priced")
@pytest.mark.parametrize(
    ("field", "typed"), [("currency", "ZZZ"), ("entry", "much"), ("entry", ""), ("discount", "101"), ("goal", "-1")]
)
def test_what_cannot_be_is_refused_at_its_field_and_kept(
    app: Flask, ada: Staff, page: str, world: World, field: str, typed: str
) -> None:
    answer = ada.post(page, _payload(**{field: typed}))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert re.search(rf'<a href="#{field}">[A-Z][a-z ,]+: ', answer.text), "the summary names the field"
    if field != "currency":
        assert f'value="{typed}"' in answer.text
    with app.app_context():
        assert db.session.get_one(Prices, world.brand.id).entry == 100


@pytest.mark.usefixtures("_priced")
def test_the_base_and_one_person_show_the_same_figure_with_its_lines(
    app: Flask, ada: Staff, page: str, world: World, base: str
) -> None:
    ada.post(page, _payload(currency="EUR", entry="10"))
    with app.app_context():
        refreshing.work_out(world.brand.id)
    listed = text_of(ada.get(page))
    dossier = text_of(ada.get(f"{base}/entrants/{world.ben.id}"))
    assert "Ben" in listed
    assert "1 contest confirmed €10" in dossier
    assert "1 sale €9.90" in dossier
    assert "Each generation counts 50% of the one before it" in dossier


@pytest.mark.usefixtures("_priced")
def test_segments_ask_for_it_in_plain_words(app: Flask, ada: Staff, world: World) -> None:
    with app.test_request_context():
        catalogue = fields.of_brand(db.session.get_one(Brand, world.brand.id))
        told = sentences.sentence(catalogue, {"field": "worth", "op": "gte", "value": 12.5})
    assert told == "People whose contact value in EUR is at least 12.5"


def test_it_speaks_french(ada: Staff, page: str) -> None:
    ada.post("/admin/language", {"locale": "fr", "next": page})
    assert "Ce que valent les actes" in text_of(ada.get(page))
