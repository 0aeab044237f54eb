"""The form of one field of a campaign's form: what it is, says, limits and depends on."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from wtforms import BooleanField, FieldList, FormField, HiddenField

from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.forms import lint
from leadgen.forms import service as forms
from leadgen.forms.definition import AskAt, Definition, Field, FieldType, Page, Pattern, Sensitivity
from leadgen.web.admin import conditions
from leadgen.web.admin.conditions import ConditionForm
from leadgen.web.admin.forms import StudioForm, WholeField, between, line, moved, one_of, whole

SPARE_ROWS = 2
MORE_ROWS = 4


class QuestionTextsForm(StudioForm):
    """A question's words in one language."""

    label = line(longest=200)
    help = line(longest=300)


class OptionForm(StudioForm):
    """One choice; `id` stays while its words change."""

    id: Any = HiddenField()
    en = line(longest=120)
    fr = line(longest=120)
    picture = line(longest=60)


class QuestionForm(StudioForm):
    """One field."""

    revision = line(longest=12)
    kind = one_of(*(kind.value for kind in FieldType))
    key = line(longest=40)
    page = line(longest=20)
    en: Any = FormField(QuestionTextsForm)
    fr: Any = FormField(QuestionTextsForm)
    options: Any = FieldList(FormField(OptionForm))
    is_required: Any = BooleanField()
    ask_at = one_of(*(at.value for at in AskAt))
    least: Any = WholeField(validators=[between(-1_000_000, 1_000_000)])
    most: Any = WholeField(validators=[between(-1_000_000, 1_000_000)])
    pattern = one_of(*(pattern.value for pattern in Pattern))
    country = line(longest=2)
    parameter = line(longest=20)
    sensitivity = one_of(*(word.value for word in Sensitivity))
    fresh_days = whole(0, 3650)
    weight = whole(0, 100)
    points = whole(0, 1000)
    show: Any = FormField(ConditionForm)
    require: Any = FormField(ConditionForm)


NEW = {
    "kind": FieldType.SINGLE.value,
    "ask_at": AskAt.AFTER_CONFIRM.value,
    "pattern": "",
    "sensitivity": Sensitivity.ORDINARY.value,
    "fresh_days": 0,
    "weight": 1,
    "points": 2,
}


def as_data(field: Field, page: Page, definition: Definition) -> dict[str, Any]:
    """A field as the form shows it."""
    same = ("key", "is_required", "least", "most", "country", "parameter", "fresh_days", "weight", "points")
    options = [{"id": one["id"], "picture": one.get("picture", ""), **one["texts"]} for one in field.options]
    return {
        **{name: getattr(field, name) for name in same},
        **{name: getattr(field, name).value for name in ("ask_at", "pattern", "sensitivity")},
        **field.texts,
        "kind": field.type.value,
        "page": page.id,
        "options": options,
        "show": conditions.as_data(field.show, definition),
        "require": conditions.as_data(field.require, definition),
    }


def arrange(form: QuestionForm, deed: str) -> None:
    """Show the choices as asked: one moved (“up-2”, “down-0”), one taken out (“drop-1”), or more empty rows."""
    rows = [row.data for row in form.options if any(row.data.values())]
    word, _dash, place = deed.partition("-")
    if place.isdecimal() and word in {"up", "down"}:
        moved(rows, int(place), -1 if word == "up" else 1)
    elif place.isdecimal() and word == "drop":
        del rows[int(place) : int(place) + 1]
    _refill(form.options, rows, MORE_ROWS if deed == "more" else SPARE_ROWS)
    for part in (form.show, form.require):
        written = [row.data for row in part.form.rows if row.data.get("field")]
        _refill(part.form.rows, written, conditions.SPARE_ROWS)


def _refill(rows: Any, kept: list[dict[str, Any]], spare: int) -> None:
    errors = rows.errors
    while rows.entries:
        rows.pop_entry()
    for row in kept + [{}] * spare:
        rows.append_entry(row)
    rows.errors = errors


def chosen(campaign: Campaign, definition: Definition, form: QuestionForm, found: Field | None) -> Field:
    """The field that the form describes. Raises Invalid where a condition cannot be."""
    key = found.key if found else form.key.data or key_from(form.part(campaign.default_locale).label.data)
    names = lint.available(
        definition, forms.known_fields(campaign, definition), found.key if found else "", form.page.data
    )
    return Field(
        key=key,
        type=FieldType(form.kind.data),
        texts={code: form.part(code).data for code in i18n.LOCALES},
        options=tuple(_option(row) for row in form.options),
        is_required=form.is_required.data,
        ask_at=AskAt(form.ask_at.data),
        least=form.least.data,
        most=form.most.data,
        pattern=Pattern(form.pattern.data),
        country=form.country.data.upper(),
        parameter=form.parameter.data,
        sensitivity=Sensitivity(form.sensitivity.data),
        fresh_days=form.fresh_days.data,
        weight=form.weight.data,
        points=form.points.data,
        show=conditions.read(form.show.form, definition, names, found.show if found else None),
        require=conditions.read(form.require.form, definition, names, found.require if found else None),
    )


def _option(row: Any) -> dict[str, Any]:
    return {
        "id": row.form.id.data or "",
        "texts": {code: row.form[code].data for code in i18n.LOCALES},
        "picture": row.form.picture.data or "",
    }


def key_from(label: str) -> str:
    """A key made from the question's words, for marketers who do not care how exports call it."""
    plain = unicodedata.normalize("NFKD", label.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_0123456789")[:40].strip("_")
