"""What a simulated person reads from a page."""

from __future__ import annotations

import random

from leadgen.simulator import pages

_PAGE = b"""<form action="/search"><input name="q"></form>
<form method="post"><input type="hidden" name="csrf_token" value="a&amp;b"><input name="email" type="email">
<input name="homepage"></form>
<form action="/me/x/answers/3?lang=fr" method="post"><fieldset>
<input type="radio" name="when" value="this_year"><input type="radio" name="when" value="later">
</fieldset><button name="go" value="1">Envoyer</button></form>"""


def test_a_form_is_found_by_where_it_goes_and_by_a_field() -> None:
    own = pages.form_to(_PAGE, "")
    assert own is not None
    assert own.hidden() == {"csrf_token": "a&b"}
    assert pages.form_with(_PAGE, "email") == own
    assert pages.form_to(_PAGE, "/unsubscribe/") is None


def test_a_question_is_answered_with_one_of_its_choices() -> None:
    question = pages.form_to(_PAGE, "/answers/")
    assert question is not None
    assert question.action == "/me/x/answers/3?lang=fr"
    ((name, value),) = pages.fill(question, random.Random(1))
    assert name == "when"
    assert value in {"this_year", "later"}


def test_each_kind_of_question_gets_an_answer_of_its_kind() -> None:
    body = b"""<form action="/answers/"><input type="checkbox" name="many" value="a">
    <input type="checkbox" name="many" value="b"><input name="number" inputmode="decimal"><input type="date" name="day">
    <select name="one"><option value=""></option><option value="x">X</option></select><input name="words"></form>"""
    form = pages.form_to(body, "/answers/")
    assert form is not None
    filled = pages.fill(form, random.Random(1))
    answers = dict(filled)
    assert {value for name, value in filled if name == "many"} <= {"a", "b"}
    assert answers["number"].isdecimal()
    assert answers["day"].startswith("2027-")
    assert answers["one"] == "x"
    assert answers["words"]


def test_a_browser_asks_for_a_path_without_host_and_fragment() -> None:
    assert pages.path_of("http://127.0.0.1:8000/me/x?new=1#question") == "/me/x?new=1"
    assert pages.path_of("/c/y?ref=z") == "/c/y?ref=z"
