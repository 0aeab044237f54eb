"""What templates may use: words of marketers as HTML, and an error for an attribute that is misspelt."""

import pytest
from flask import Flask
from jinja2 import UndefinedError

from leadgen.campaigns.cards import PrizeCard
from leadgen.campaigns.models import Mechanic
from leadgen.web import pages

_PRIZE = PrizeCard(id=1, mechanic=Mechanic.DRAW, texts={}, quantity=1, value=100, currency="EUR", picture="")


def test_empty_lines_part_paragraphs_and_line_ends_stay() -> None:
    assert pages.paragraphs("One\ntwo\r\n\r\n\nThree") == "<p>One<br>two</p><p>Three</p>"


def test_what_was_typed_is_escaped() -> None:
    assert "<script>" not in pages.paragraphs("<script>alert(1)</script>")
    assert "<script>" not in pages.articles("1. <script>alert(1)</script>")


def test_a_numbered_line_of_its_own_is_a_heading_of_the_rules() -> None:
    shown = pages.articles("1. Organiser\n\nWe are.\n\n12. Law and disputes\n\n3. A sentence.\n\n4. Two\nlines")

    assert shown == (
        "<h2>1. Organiser</h2><p>We are.</p><h2>12. Law and disputes</h2><p>3. A sentence.</p><p>4. Two<br>lines</p>"
    )


def test_an_attribute_that_does_not_exist_is_an_error(app: Flask) -> None:
    with pytest.raises(UndefinedError, match="worth"):
        app.jinja_env.from_string("{{ prize.worth }}").render(prize=_PRIZE)


def test_what_is_left_out_is_an_empty_place(app: Flask) -> None:
    template = app.jinja_env.from_string("[{{ prize.texts.title }}{{ notice }}{% if notice %}!{% endif %}]")
    assert template.render(prize=_PRIZE) == "[]"
