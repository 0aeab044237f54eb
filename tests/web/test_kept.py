"""Parts of pages that are rendered once for everybody: what they may differ by, and that nobody's own gets in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import SimpleNamespace

import pytest
from flask import Flask
from jinja2.exceptions import TemplateSyntaxError

from leadgen.core import i18n
from leadgen.web import kept


@pytest.fixture(autouse=True)
def _forget() -> None:
    kept.forget()


def shown(app: Flask, template: str, *, version: int = 1, **values: object) -> str:
    with app.test_request_context():
        card = SimpleNamespace(id=1, version=version, name="Summer", brand=SimpleNamespace(name="<b>Cap</b>"))
        return app.jinja_env.from_string(template).render(card=card, **values)


def test_a_part_is_rendered_once_for_each_version(app: Flask) -> None:
    template = '{% kept "a" %}{{ card.name }} {{ card.brand.name }}{% endkept %}{{ standing }}'
    assert shown(app, template, standing="Anna") == "Summer &lt;b&gt;Cap&lt;/b&gt;Anna"
    assert shown(app, template, standing="Ben") == "Summer &lt;b&gt;Cap&lt;/b&gt;Ben"
    assert len(kept._parts) == 1
    shown(app, template, version=2, standing="Ben")
    assert len(kept._parts) == 2


def test_a_part_differs_by_language(app: Flask) -> None:
    template = '{% kept "a" %}{{ card.id }}{{ _("Privacy") }}{% endkept %}'
    with app.test_request_context():
        found = []
        for code in ("en", "fr"):
            with i18n.speaking(code):
                found.append(app.jinja_env.from_string(template).render(card=SimpleNamespace(id=1, version=1)))
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "body",
    [
        "{{ standing.points }}",
        "{{ request.path }}",
        "{% if token %}x{% endif %}",
        "{{ _('Hello %(name)s', name=first_name) }}",
        # A name that the part sets, read where it is still the page's.
        "{% set one = one.upper() %}{{ one }}",
        "{{ secret }}{% set secret = 1 %}",
        "{% for secret in [secret] %}{{ secret }}{% endfor %}",
        "{% with secret = secret %}{{ secret }}{% endwith %}",
        "{% if card.id %}{% set secret = 1 %}{% endif %}{{ secret }}",
        "{% for secret in [1] %}x{% endfor %}{{ secret }}",
        "{% macro said(word=secret) %}{{ word }}{% endmacro %}{{ said() }}",
        "{% for one in [1] %}{{ self._TemplateReference__context.secret }}{% endfor %}",
        "{{ loop.index }}",
    ],
)
def test_a_part_that_speaks_of_a_person_is_refused(app: Flask, body: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="may not speak of"):
        app.jinja_env.from_string('{% kept "a" %}' + body + "{% endkept %}")


def test_names_that_the_part_sets_itself_are_its_own(app: Flask) -> None:
    template = '{% kept "a" %}{{ card.id }}{% for n in [1, 2] %}{% set m = n %}{{ m }}{% endfor %}{% endkept %}'
    assert shown(app, template) == "112"


def test_the_count_of_its_own_loop_is_the_parts_own(app: Flask) -> None:
    template = '{% kept "a" %}{{ card.id }}{% for n in [5, 6] %}{{ loop.index }}{% endfor %}{% endkept %}'
    assert shown(app, template) == "112"


def test_every_template_compiles(app: Flask) -> None:
    for name in app.jinja_env.list_templates(extensions=["html", "txt", "xml"]):
        app.jinja_env.get_template(name)


def test_what_is_somebodys_own_is_filled_into_its_places_each_time_and_escaped(app: Flask) -> None:
    template = '{% kept "a", name=first_name, number=2 + 1 %}{{ card.id }}<b>{{ name }}</b>{{ number }} {{ name }}'
    template += "{% endkept %}"
    assert shown(app, template, first_name="Anna") == "1<b>Anna</b>3 Anna"
    assert shown(app, template, first_name="<i>Ben") == "1<b>&lt;i&gt;Ben</b>3 &lt;i&gt;Ben"
    assert len(kept._parts) == 1


@pytest.mark.parametrize(
    "body",
    [
        "{% if name %}x{% endif %}",
        "{{ name | upper }}",
        "{{ name ~ '' }}",
        "{{ _('Hello %(name)s', name=name) }}",
        "{% for letter in name %}x{% endfor %}",
        "{% set other = name %}{{ other }}",
    ],
)
def test_what_is_somebodys_own_decides_nothing_in_a_part(app: Flask, body: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="may only be said as it is"):
        app.jinja_env.from_string('{% kept "a", name=first_name %}' + body + "{% endkept %}")


def test_texts_of_a_campaign_are_kept_for_each_version_of_it(app: Flask) -> None:
    template = '{% kept "a" %}{{ texts("title") }}{% endkept %}'
    assert shown(app, template, texts=lambda _key: "One") == "One"
    assert shown(app, template, version=2, texts=lambda _key: "Two") == "Two"


class Look(StrEnum):
    """A list of ours."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True)
class Deed:
    """Something of a person's, closed as long as nobody wrote a word into it."""

    look: Look
    number: int = 1
    words: str = ""
    at: datetime | None = None


_BY = '{% kept "a", name=first_name by deed=deed %}{% if deed.look == "done" %}{{ deed.number + 1 }}{% endif %}'
_BY += "{{ deed.words | upper }} {{ name }}{% endkept %}"


def test_what_decides_is_named_and_a_part_is_kept_for_each_value_of_it(app: Flask) -> None:
    assert shown(app, _BY, first_name="Anna", deed=Deed(Look.DONE)) == "2 Anna"
    assert shown(app, _BY, first_name="<Ben>", deed=Deed(Look.DONE)) == "2 &lt;Ben&gt;"
    assert shown(app, _BY, first_name="Ben", deed=Deed(Look.OPEN)) == " Ben"
    assert shown(app, _BY, first_name="Ben", deed=Deed(Look.DONE, number=6)) == "7 Ben"
    assert len(kept._parts) == 3
    shown(app, _BY, version=2, first_name="Ben", deed=Deed(Look.DONE))
    assert len(kept._parts) == 4


@pytest.mark.parametrize(
    ("deed", "expected"),
    [(Deed(Look.OPEN, words="<mine>"), "&lt;MINE&gt; &lt;Ben&gt;"),
     (Deed(Look.DONE, at=datetime(2026, 7, 1, tzinfo=UTC)), "2 &lt;Ben&gt;")],
)  # fmt: skip
def test_a_part_that_differs_by_a_word_or_a_moment_is_kept_for_nobody(app: Flask, deed: Deed, expected: str) -> None:
    assert shown(app, _BY, first_name="<Ben>", deed=deed) == expected
    assert not kept._parts


def test_true_one_and_the_word_of_a_list_are_not_taken_for_each_other(app: Flask) -> None:
    template = '{% kept "a" by one=one %}{{ one }}{% endkept %}'
    found = [shown(app, template, one=value) for value in (1, True, Look.OPEN, (1,), (True,), None, "")]
    assert found == ["1", "True", "open", "(1,)", "(True,)", "None", ""]


def test_a_part_includes_nothing_that_sees_the_whole_page(app: Flask) -> None:
    with pytest.raises(TemplateSyntaxError, match="may not include"):
        app.jinja_env.from_string('{% kept "a" %}{% if card.id %}{% include "base.html" %}{% endif %}{% endkept %}')
