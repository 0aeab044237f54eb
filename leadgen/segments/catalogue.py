"""What a segment may ask for: the fields of a brand, each one entry of a table.

To add a field, add one `Spec` to the table of its group in segments.persons or segments.deeds: its key, its words, its
kind and where its value stands. The builder, the sentence, the compiler and the checks read nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Field, Kind
from leadgen.segments.sources import At, DaysAgo, Flag, OnDay, Over, Rows, Scale, Source


class Group(StrEnum):
    """What a field is about; the builder lists fields in these groups, in this order."""

    IDENTITY = "identity"
    CONSENT = "consent"
    ANSWERS = "answers"
    CONTESTS = "contests"
    LETTERS = "letters"
    FRIENDS = "friends"
    SCORES = "scores"
    VALUE = "value"

    def word(self) -> str:
        """What the group is called in the current language."""
        return {
            Group.IDENTITY: _("Person"),
            Group.CONSENT: _("Consent"),
            Group.ANSWERS: _("Answers"),
            Group.CONTESTS: _("Contests"),
            Group.LETTERS: _("Letters"),
            Group.FRIENDS: _("Friends brought"),
            Group.SCORES: _("Scores"),
            Group.VALUE: _("Value"),
        }[self]


Words = Callable[[], str]
Options = Callable[[], Mapping[str, str]]


def _no_options() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One field. `says` is a relative clause with `%(what)s` in it, for so many things where the kind is a number.

    `lacking` and `having` are the clauses for people of whom nothing is known and something is; a flag's are its no and
    its yes. `example` is a whole condition in plain words, for whoever wonders what the field is good for.
    """

    key: str
    group: Group
    word: Words
    kind: Kind
    source: Source
    says: Callable[[float], str]
    example: Words
    lacking: Words | None = None
    having: Words | None = None
    options: Options = _no_options
    may_lack: bool = True  # whether there are people of whom it is not known
    is_counted: bool = False  # a number from 0 on that is always known

    def asked(self) -> Iterator[tuple[str, Asked]]:
        """The names by which conditions ask for it."""
        yield self.key, Asked(self, self.kind, self.source, frozenset(self.options()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Spec):
    """A moment: conditions ask for its day (`key.on`) and for how many days ago it was (`key.days`)."""

    kind: Kind = Kind.DATE
    source: Source = field(init=False, repr=False, default=None)  # type: ignore[assignment]
    at: Callable[[Scale], Source]

    def asked(self) -> Iterator[tuple[str, Asked]]:
        """By day, and by age."""
        yield f"{self.key}.on", Asked(self, Kind.DATE, self.at(OnDay()), frozenset())
        yield f"{self.key}.days", Asked(self, Kind.NUMBER, self.at(DaysAgo()), frozenset())


@dataclass(frozen=True, slots=True)
class Asked:
    """A name that conditions may use, and the field that it belongs to."""

    spec: Spec
    kind: Kind
    source: Source
    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All fields of one brand, by key, in the order of their groups; and the names that conditions use."""

    brand_id: int
    zone: str
    specs: Mapping[str, Spec]
    asked: Mapping[str, Asked] = field(init=False)

    def __post_init__(self) -> None:
        """Work out the names once."""
        named = {name: asked for spec in self.specs.values() for name, asked in spec.asked()}
        object.__setattr__(self, "asked", named)

    def fields(self) -> dict[str, Field]:
        """As core.logic checks conditions against."""
        return {name: Field(asked.kind, asked.options) for name, asked in self.asked.items()}


def latest(rows: Rows, figure: str) -> Callable[[Scale], Source]:
    """The last moment among somebody's rows; unknown without any."""
    return lambda scale: Over(rows, figure, scale, none=None)


def at(sql: str, scale: Scale) -> Source:
    """A value on the contact, by whichever scale."""
    return At(sql, scale)


def flag(key: str, group: Group, word: Words, sql: str, *, sayings: tuple[Words, Words], example: Words) -> Spec:
    """A yes or no that is always known."""
    yes, no = sayings
    return Spec(
        key=key,
        group=group,
        word=word,
        kind=Kind.FLAG,
        source=At(sql, Flag()),
        says=lambda _n: yes(),
        having=yes,
        lacking=no,
        example=example,
        may_lack=False,
    )


def count(key: str, group: Group, word: Words, source: Source, *, says: Callable[[float], str], example: Words) -> Spec:
    """A number of things, 0 where there are none."""
    return Spec(
        key=key,
        group=group,
        word=word,
        kind=Kind.NUMBER,
        source=source,
        says=says,
        example=example,
        may_lack=False,
        is_counted=True,
    )


def escaped(words: str) -> str:
    """Somebody's words inside a pattern that is filled in later."""
    return words.replace("%", "%%")
