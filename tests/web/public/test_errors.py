"""Error pages: what happened, what to do, in the visitor's language, with a reference that the log knows."""

import logging
import re

import psycopg
import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.core import hot
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor


def test_an_unknown_page_is_told_in_both_languages(visitor: Visitor, scene: Scene) -> None:
    assert "This page does not exist" in visitor.get("/nowhere", headers={"Accept-Language": "en"}).text
    answer = visitor.get("/nowhere", headers={"Accept-Language": "fr"})
    assert answer.status_code == 404
    assert "Cette page n’existe pas" in answer.text


def test_a_wrong_method_names_the_right_ones(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.client.delete("/c/island")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_too_large_a_form_is_refused(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.post("/c/island", {"email": "x" * 3_000_000})
    assert answer.status_code == 413


def test_a_fault_of_ours_has_a_reference_and_no_trace(
    app: Flask, visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_slug: str) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(cards, "by_slug", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    with caplog.at_level(logging.ERROR):
        answer = visitor.get("/c/island?lang=en")
    assert answer.status_code == 500
    assert "That is our fault" in answer.text
    assert "the secret inside" not in answer.text
    reference = re.search(r"reference ([0-9a-f]{8})", answer.text)
    assert reference
    assert reference[1] in caplog.text


def test_with_the_database_away_pages_stay_as_long_as_they_are_known(
    visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and Retry-After for what is not known, the landing page for what is."""

    def away(*_args: object) -> None:
        raise psycopg.OperationalError("the server is gone")

    visitor.get("/c/island")
    monkeypatch.setattr(hot, "one", away)
    monkeypatch.setattr(cards, "FRESH_SECONDS", 0.0)
    assert visitor.get("/c/island").status_code == 200
    answer = visitor.get("/c/elsewhere?lang=en")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "20"
    assert "Nothing of yours is lost" in answer.text


def test_error_pages_are_kept_nowhere(visitor: Visitor, scene: Scene) -> None:
    assert visitor.get("/nowhere").headers["Cache-Control"] == "no-store"
