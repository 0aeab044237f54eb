"""The templates: complete in both languages, and lawful from the start (rules generator)."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from leadgen import seed
from leadgen.campaigns import catalogue
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.checking import NEEDED_TEXTS, missing_before_launch
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.nurture import sequences
from tests.factories import make_brand

PICTURES = Path(seed.__file__).parent / "web" / "static" / "pictures"
KEYS = ["prize-draw", "top-referrers", "milestones", "waitlist", "coupon-giveaway", "quiz", "photo-contest"]
# What only the marketer can say; a waiting list needs nothing more, codes what they are worth.
MISSING = {key: {"prizes"} for key in KEYS} | {"waitlist": set(), "coupon-giveaway": {"rewards"}}


def _leaves(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [leaf for value in part.values() for leaf in _leaves(value)]
    if isinstance(part, list):
        return [leaf for value in part for leaf in _leaves(value)]
    return [part] if isinstance(part, str) else []


def test_the_seven_templates_are_offered_in_the_readers_language() -> None:
    with i18n.speaking("fr"):
        cards = campaigns.templates()

    assert [card.key for card in cards] == KEYS
    assert cards[0].name == "Tirage au sort"
    assert all(card.summary and card.picture and card.days for card in cards)


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_say_the_same_things(key: str) -> None:
    template = catalogue.read(key)
    english, french = template["texts"]["en"], template["texts"]["fr"]

    assert set(english) == set(french)
    assert len(english["faq"]) == len(french["faq"])
    assert all(english[name] and french[name] for name in NEEDED_TEXTS if name != "rules")


@pytest.mark.parametrize("key", KEYS)
def test_french_has_its_typography(key: str) -> None:
    template = catalogue.read(key)
    french = _leaves([template["texts"]["fr"], [prize["texts"]["fr"] for prize in template["prizes"]]])
    french += _leaves([step["texts"]["fr"] for step in template["sequence"]["steps"]])

    assert not [leaf for leaf in french if any(sign in leaf for sign in (" :", " ;", " !", " ?", " »", "« ", "'"))]


@pytest.mark.parametrize("key", KEYS)
def test_french_needs_no_elision_before_the_brands_name(key: str) -> None:
    """“de Escales” would be wrong, and “d’Haribo” as well: no rule tells from the letters."""
    assert not [
        leaf for leaf in _leaves(catalogue.read(key)) if re.search(r"\b(de|que|jusque|lorsque) \{brand\}", leaf)
    ]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.usefixtures("context")
def test_only_the_prizes_values_are_missing_before_launch(key: str) -> None:
    campaign = campaigns.create_from_template(make_brand(locale="en"), key, name="Summer")

    assert {problem.where for problem in missing_before_launch(campaign)} == MISSING[key]
    made = sequences.set_up(campaign)
    db.session.commit()
    assert sequences.missing(made) == []


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.usefixtures("context")
def test_the_rules_are_filled_in_both_languages(key: str) -> None:
    brand = make_brand(name="Cap Sud")
    campaign = campaigns.create_from_template(brand, key, name="Summer")

    for locale in i18n.LOCALES:
        rules = campaign.texts[locale]["rules"]
        assert "{" not in rules
        assert brand.legal_name in rules
        assert brand.legal_address in rules
        assert brand.contact_email in rules
    assert "France" in campaign.texts["en"]["rules"]
    assert "No purchase" in campaign.texts["en"]["rules"]
    assert "Aucun achat" in campaign.texts["fr"]["rules"]


@pytest.mark.usefixtures("context")
def test_a_code_that_goes_out_at_once_asks_for_no_answer() -> None:
    coupons, draw = (
        campaigns.create_from_template(make_brand(), key, name="Summer").texts
        for key in ("coupon-giveaway", "prize-draw")
    )

    assert "within 14 days of the close" not in coupons["en"]["rules"]
    assert "no need to answer us to keep it" in coupons["en"]["rules"]
    assert "14 jours suivant la clôture" not in coupons["fr"]["rules"]
    assert "pas nécessaire de nous répondre pour le garder" in coupons["fr"]["rules"]
    assert "within 14 days of the close" in draw["en"]["rules"]
    assert "dans les 14 jours suivant la clôture" in draw["fr"]["rules"]


@pytest.mark.parametrize("data", [*map(catalogue.read, KEYS), yaml.safe_load(seed.DATA.read_text("utf-8"))])
def test_every_picture_is_drawn(data: dict[str, Any]) -> None:
    hero = data["picture"] if "picture" in data else data["campaign"]["picture"]
    named = [f"{hero}.svg", f"{hero}.png", *(f"{prize['picture']}.svg" for prize in data["prizes"])]

    assert [name for name in named if not (PICTURES / name).is_file()] == []


@pytest.mark.usefixtures("context")
def test_the_brand_is_named_in_the_consent() -> None:
    campaign = campaigns.create_from_template(make_brand(name="Cap Sud"), "prize-draw", name="Summer")
    db.session.commit()

    assert "Cap Sud" in campaign.texts["fr"]["consent_marketing"]


@pytest.mark.parametrize("key", ["nothing", "../models", "", "prize-draw.yaml"])
def test_a_template_that_does_not_exist(key: str) -> None:
    with pytest.raises(NotFound):
        catalogue.read(key)


def test_a_waiting_list_promises_no_points() -> None:
    """Its questions bring none: neither do the letters of its sequence speak of any."""
    template = catalogue.read("waitlist")
    assert {question["points"] for question in template["questions"]} == {0}
    said = _leaves([step["texts"] for step in template["sequence"]["steps"]])
    assert [words for words in said if "points" in words] == []


@pytest.mark.parametrize("key", ["coupon-giveaway", "photo-contest"])
def test_where_points_decide_nothing_no_letter_promises_any(key: str) -> None:
    said = _leaves([step["texts"] for step in catalogue.read(key)["sequence"]["steps"]])
    assert [words for words in said if "points" in words] == []
