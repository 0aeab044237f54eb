"""A form and the campaign's questions: what one says to the other.

Letters, audiences, exports and points know questions (`campaigns.ask`), so every field that holds an answer is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from leadgen.campaigns.models import QuestionKind
from leadgen.campaigns.service import QuestionInput
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.forms.definition import (
    AGE_BANDS,
    QUESTION_KINDS,
    WITH_OPTIONS,
    AskAt,
    Definition,
    Field,
    FieldType,
    Page,
)

_TYPES = {
    QuestionKind.TEXT: FieldType.TEXT,
    QuestionKind.NUMBER: FieldType.NUMBER,
    QuestionKind.CHOICE: FieldType.SINGLE,
    QuestionKind.MANY: FieldType.MULTI,
    QuestionKind.DATE: FieldType.DATE,
    QuestionKind.YES_NO: FieldType.YES_NO,
}
FIRST_PAGE = "p1"


class Asked(Protocol):
    """A question, as its row or its card has it."""

    @property
    def key(self) -> str:
        """Names the answer."""

    @property
    def kind(self) -> QuestionKind:
        """What an answer is."""

    @property
    def texts(self) -> dict[str, Any]:
        """{locale: {"label", "help"}}."""

    @property
    def options(self) -> list[dict[str, Any]]:
        """[{"id", "texts"}]."""

    @property
    def points(self) -> int:
        """What the first answer earns."""


def derived(questions: Sequence[Asked]) -> Definition:
    """The form of a campaign that has only questions: all of them on one page, none required."""
    fields = tuple(
        Field(
            key=question.key,
            type=_TYPES[QuestionKind(question.kind)],
            texts=question.texts,
            options=tuple(question.options),
            points=question.points,
        )
        for question in questions
    )
    return Definition((Page(FIRST_PAGE, fields),))


def projected(definition: Definition) -> list[QuestionInput]:
    """The questions that a form asks."""
    return [_question(one, is_always=is_always) for one, is_always in _with_reach(definition) if one.has_answer]


def _with_reach(definition: Definition) -> Iterator[tuple[Field, bool]]:
    """Each field, and whether everybody is asked it."""
    is_sure = True
    for page in definition.pages:
        for one in page.fields:
            is_asked = one.show is None and one.type is not FieldType.HIDDEN
            yield one, is_asked and (is_sure or one.ask_at is AskAt.LATER)
        is_sure = is_sure and not page.jumps


def _question(one: Field, *, is_always: bool) -> QuestionInput:
    is_hidden = one.type is FieldType.HIDDEN
    return QuestionInput(
        key=one.key,
        kind=QUESTION_KINDS[one.type],
        texts={code: {"label": one.key} for code in i18n.LOCALES} if is_hidden else one.texts,
        options=options_of(one),
        points=0 if is_hidden else one.points,
        is_always=is_always,
    )


def options_of(one: Field) -> tuple[dict[str, Any], ...]:
    """The choices of a field with their labels; the ages that we offer have theirs from us."""
    if one.type is FieldType.AGE_BAND:
        return tuple({"id": band, "texts": _age_words(band)} for band in AGE_BANDS)
    return one.options if one.type in WITH_OPTIONS else ()


def _age_words(band: str) -> dict[str, str]:
    told = {}
    for code in i18n.LOCALES:
        with i18n.speaking(code):
            first, _dash, last = band.partition("-")
            if band == AGE_BANDS[0]:
                told[code] = _("Under 18")
            elif band == AGE_BANDS[-1]:
                told[code] = _("65 or over")
            else:
                told[code] = _("%(first)s to %(last)s") % {"first": first, "last": last}
    return told
