"""Whether one field, or one page, is well formed when the marketer saves it; what spans the form is lint's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.editing import check_picture
from leadgen.campaigns.service import QuestionInput
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.forms.definition import (
    BOUNDED,
    QUESTION_KINDS,
    WITH_OPTIONS,
    AskAt,
    Definition,
    Field,
    FieldType,
    Pattern,
    Sensitivity,
)
from leadgen.forms.values import CALLING_CODES

MOST_FIELDS, MOST_PAGES, MOST_JUMPS = 60, 30, 10
PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "host")
_LIMITED = BOUNDED | {FieldType.TEXT, FieldType.LONG_TEXT, FieldType.REGION, FieldType.ADDRESS}
_WORDY = {FieldType.TEXT, FieldType.REGION}


def checked(one: Field) -> Field:
    """The field as it is kept, without what its type has no use for.

    Raises Invalid; its `field` is key, label, points, options, least, most, weight, fresh_days or parameter.
    """
    as_question = QuestionInput(
        key=one.key,
        kind=QUESTION_KINDS.get(one.type, QUESTION_KINDS[FieldType.TEXT]),
        texts={code: dict(words) for code, words in one.texts.items()}
        if one.type is not FieldType.HIDDEN
        else _named(one),
        options=one.options if one.type in WITH_OPTIONS else _TWO,
        points=one.points,
    )
    values = campaigns.checked_question(as_question)
    _check_numbers(one)
    if one.type is FieldType.HIDDEN and one.parameter not in PARAMETERS:
        raise Invalid(_("Choose what the field remembers."), "parameter")
    return _without_useless(
        replace(
            one,
            texts=values["texts"],
            options=_with_pictures(one, values["options"]) if one.type in WITH_OPTIONS else (),
        )
    )


_TWO = ({"id": "a", "texts": {"en": "a"}}, {"id": "b", "texts": {"en": "b"}})  # for types whose choices are ours


def _named(one: Field) -> dict[str, dict[str, str]]:
    """The words of a field that nobody reads: its key where there are none."""
    words = {code: dict(texts) for code, texts in one.texts.items() if texts.get("label")}
    return words or {"en": {"label": one.key, "help": ""}}


def _with_pictures(one: Field, options: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    pictures = {str(option.get("id", "")): str(option.get("picture", "")) for option in one.options}
    written = [option for option in one.options if any(str(word).strip() for word in option["texts"].values())]
    kept = []
    for option, given in zip(options, written, strict=True):
        picture = str(given.get("picture", "")) or pictures.get(option["id"], "")
        kept.append(option | {"picture": check_picture(picture)} if picture else option)
    return tuple(kept)


def _check_numbers(one: Field) -> None:
    if one.least is not None and one.most is not None and one.least >= one.most and one.type in _LIMITED:
        raise Invalid(_("The greatest must be above the least."), "most")
    if not 0 <= one.weight <= 100:
        raise Invalid(_("Give a whole number from %(least)d to %(most)d.") % {"least": 0, "most": 100}, "weight")
    if not 0 <= one.fresh_days <= 3650:
        raise Invalid(_("Give a whole number from %(least)d to %(most)d.") % {"least": 0, "most": 3650}, "fresh_days")
    if one.sensitivity is Sensitivity.SPECIAL and (one.is_required or one.points):
        raise Invalid(_("Data of a special category cannot be required or bring points."), "points")


def _without_useless(one: Field) -> Field:
    kind = one.type
    is_silent = not one.has_answer or kind is FieldType.HIDDEN
    return replace(
        one,
        is_required=one.is_required and not is_silent,
        require=None if is_silent else one.require,
        least=one.least if kind in _LIMITED else None,
        most=one.most if kind in _LIMITED else None,
        pattern=one.pattern if kind in _WORDY else Pattern.ANY,
        country=one.country if kind is FieldType.PHONE and one.country in CALLING_CODES else "",
        parameter=one.parameter if kind is FieldType.HIDDEN else "",
        ask_at=AskAt.AFTER_CONFIRM if is_silent else one.ask_at,
        points=0 if is_silent else one.points,
        weight=0 if is_silent else one.weight,
    )


def check_whole(definition: Definition) -> None:
    """Raises Invalid or Conflict when fields share a key, or there are too many of something."""
    keys = [one.key for one in definition.fields]
    if len(set(keys)) < len(keys):
        raise Invalid(_("Another question of this campaign has this key."), "key")
    if len(keys) > MOST_FIELDS:
        raise Conflict(_("Keep to %(limit)d questions at most.") % {"limit": MOST_FIELDS})
    if len(definition.pages) > MOST_PAGES:
        raise Conflict(_("Keep to %(limit)d pages at most.") % {"limit": MOST_PAGES})
    if any(len(page.jumps) > MOST_JUMPS for page in definition.pages):
        raise Conflict(_("Keep to %(limit)d jumps a page at most.") % {"limit": MOST_JUMPS})
