"""What a form is: pages of typed fields, the conditions that show or require them, and the jumps between pages.

A definition is kept and published as JSON (`from_data`, `to_data`); the script in the browser reads the same document.
Keys of fields name answers and never change their meaning; options keep their ids while their words change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from leadgen.campaigns.models import QuestionKind
from leadgen.core import logic
from leadgen.core.logic import Condition

END = "end"  # where a jump ends the form
KNOWN = "known."  # conditions ask for what is known of the person beyond this form under this prefix


class FieldType(StrEnum):
    """What a field asks for, and so how it is shown and checked."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    RANGE = "range"
    SINGLE = "single"
    MULTI = "multi"
    YES_NO = "yes_no"
    DATE = "date"
    AGE_BAND = "age_band"
    COUNTRY = "country"
    REGION = "region"
    POSTCODE = "postcode"
    RATING = "rating"
    NPS = "nps"
    RANKING = "ranking"
    PICTURE = "picture"
    CONSENT = "consent"
    HIDDEN = "hidden"
    STATEMENT = "statement"
    ADDRESS = "address"


class AskAt(StrEnum):
    """When a field is asked: in the form that opens with the confirmation, or later, one by one."""

    AFTER_CONFIRM = "after_confirm"
    LATER = "later"


class Sensitivity(StrEnum):
    """How careful one has to be with an answer; `special` are the categories of article 9 GDPR."""

    ORDINARY = "ordinary"
    PERSONAL = "personal"
    SPECIAL = "special"


class Pattern(StrEnum):
    """What a text may consist of: a closed set, each checked in time that grows with the length and no faster."""

    ANY = ""
    LETTERS = "letters"
    DIGITS = "digits"
    WEB = "web"


T = FieldType
WITH_OPTIONS = frozenset({T.SINGLE, T.MULTI, T.RANKING, T.PICTURE})
NUMERIC = frozenset({T.NUMBER, T.RANGE, T.RATING, T.NPS})
BOUNDED = frozenset({T.NUMBER, T.RANGE})
WORDS = frozenset({T.TEXT, T.LONG_TEXT, T.EMAIL, T.PHONE, T.REGION, T.POSTCODE, T.ADDRESS, T.COUNTRY})
# These hold no answer that is told to anybody: words on a page, and consent, which has its own evidence.
WITHOUT_ANSWER = frozenset({T.STATEMENT, T.CONSENT})
AGE_BANDS = ("under-18", "18-24", "25-34", "35-44", "45-54", "55-64", "65-plus")
# How each type is known to everything that speaks of questions: letters, audiences, exports.
QUESTION_KINDS: Mapping[FieldType, QuestionKind] = {
    **dict.fromkeys(WORDS, QuestionKind.TEXT),
    **dict.fromkeys(NUMERIC, QuestionKind.NUMBER),
    T.HIDDEN: QuestionKind.TEXT,
    T.SINGLE: QuestionKind.CHOICE,
    T.PICTURE: QuestionKind.CHOICE,
    T.AGE_BAND: QuestionKind.CHOICE,
    T.MULTI: QuestionKind.MANY,
    T.RANKING: QuestionKind.MANY,
    T.YES_NO: QuestionKind.YES_NO,
    T.DATE: QuestionKind.DATE,
}
_LOGIC_KINDS = {
    QuestionKind.TEXT: logic.Kind.TEXT,
    QuestionKind.NUMBER: logic.Kind.NUMBER,
    QuestionKind.CHOICE: logic.Kind.CHOICE,
    QuestionKind.MANY: logic.Kind.MANY,
    QuestionKind.YES_NO: logic.Kind.FLAG,
    QuestionKind.DATE: logic.Kind.DATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `texts` {locale: {"label", "help"}}, `options` [{"id", "texts": {locale: label}, "picture"}].

    `least` and `most` bound a number, or the characters of a text; `fresh_days` 0 means that an answer does not age.
    `show` and `require` are conditions over what is answered before: shown when it holds (None: always), required when
    `is_required` or when the other one holds.
    """

    key: str
    type: FieldType
    texts: dict[str, Any] = field(default_factory=dict)
    options: tuple[dict[str, Any], ...] = ()
    is_required: bool = False
    show: Condition | None = None
    require: Condition | None = None
    ask_at: AskAt = AskAt.AFTER_CONFIRM
    least: int | None = None
    most: int | None = None
    pattern: Pattern = Pattern.ANY
    country: str = ""  # of a telephone number that is written without its country's code
    parameter: str = ""  # of a hidden field: what it remembers of the way the person came, such as utm_source
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    fresh_days: int = 0
    weight: int = 1
    points: int = 2

    @property
    def has_answer(self) -> bool:
        """Whether there is an answer that is kept with the person."""
        return self.type not in WITHOUT_ANSWER

    @property
    def option_ids(self) -> tuple[str, ...]:
        """The ids that an answer may consist of; empty where any will do."""
        if self.type is T.AGE_BAND:
            return AGE_BANDS
        return tuple(str(option["id"]) for option in self.options)

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The least and the greatest number of a scale; None for what is no scale."""
        if self.type is T.RATING:
            return 1, 5
        if self.type is T.NPS:
            return 0, 10
        if self.type is T.RANGE:
            return self.least or 0, 100 if self.most is None else self.most
        return None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions, as many as it has."""
        return tuple(one for one in (self.show, self.require) if one is not None)

    def label(self, locale: str) -> str:
        """Its words in this language, else in any, else its key."""
        texts = (self.texts.get(locale, {}), *self.texts.values())
        return next((str(one["label"]) for one in texts if one.get("label")), self.key)

    def as_logic(self) -> logic.Field:
        """What conditions may ask of it."""
        if self.type is T.CONSENT:
            return logic.Field(logic.Kind.FLAG)
        return logic.Field(_LOGIC_KINDS[QUESTION_KINDS[self.type]], frozenset(self.option_ids))


@dataclass(frozen=True, slots=True)
class Jump:
    """Where to go after a page when `when` holds: a later page, or END."""

    when: Condition
    to: str


@dataclass(frozen=True, slots=True)
class Page:
    """Fields shown together. Of its jumps the first one that holds is taken, and no other."""

    id: str
    fields: tuple[Field, ...] = ()
    jumps: tuple[Jump, ...] = ()
    texts: dict[str, Any] = field(default_factory=dict)  # {locale: {"title"}}


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole form."""

    pages: tuple[Page, ...] = ()

    @property
    def fields(self) -> Iterator[Field]:
        """All fields in the order in which they are asked."""
        return (one for page in self.pages for one in page.fields)

    def field(self, key: str) -> Field | None:
        """The field with this key."""
        return next((one for one in self.fields if one.key == key), None)

    def page(self, page_id: str) -> Page | None:
        """The page with this id."""
        return next((one for one in self.pages if one.id == page_id), None)

    def page_of(self, key: str) -> Page | None:
        """The page that a field stands on."""
        return next((page for page in self.pages if any(one.key == key for one in page.fields)), None)

    @property
    def is_asking(self) -> bool:
        """Whether there is anything to answer in the form that opens with the confirmation."""
        return any(one.ask_at is AskAt.AFTER_CONFIRM and one.type is not T.HIDDEN for one in self.fields)


_WORDS_OF = {"type": FieldType, "ask_at": AskAt, "sensitivity": Sensitivity, "pattern": Pattern}
_NAMES = tuple(one.name for one in fields(Field))


def from_data(data: Mapping[str, Any]) -> Definition:
    """The definition in a document that `to_data` made, now or in an earlier release."""
    return Definition(tuple(_page(page) for page in data.get("pages", ())))


def _page(data: Mapping[str, Any]) -> Page:
    return Page(
        id=data["id"],
        fields=tuple(field_from(one) for one in data.get("fields", ())),
        jumps=tuple(Jump(one["when"], one["to"]) for one in data.get("jumps", ())),
        texts=data.get("texts", {}),
    )


def field_from(data: Mapping[str, Any]) -> Field:
    """One field of such a document."""
    values = {name: data[name] for name in _NAMES if name in data}
    values |= {name: word(values[name]) for name, word in _WORDS_OF.items() if name in values}
    return Field(**values | {"options": tuple(values.get("options", ()))})


def to_data(definition: Definition) -> dict[str, Any]:
    """The definition as JSON takes it."""
    data: dict[str, Any] = asdict(definition)
    data["pages"] = [
        page
        | {"fields": [one | {"options": list(one["options"])} for one in page["fields"]], "jumps": list(page["jumps"])}
        for page in data["pages"]
    ]
    return data
