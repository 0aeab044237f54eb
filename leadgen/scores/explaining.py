"""Why a person has the numbers that they have: lines that add up to exactly what is shown, and what is missing.

The numbers are those of ContactScore, which every page and segment shows. See scores.reckoning for how parts of
engagement become whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from leadgen.contacts.models import Contact
from leadgen.core import clock, logic
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Kind
from leadgen.scores import asked, reckoning, sources, words
from leadgen.scores import rules as documents
from leadgen.scores.asked import Asked
from leadgen.scores.models import ContactScore, ContributionKind, RulesState, ScoreContribution, ScoreRules
from leadgen.scores.rules import Band, DeedRule, Disqualifier, FitRule, Rules


@dataclass(frozen=True, slots=True)
class Part:
    """A line: `points` are what it gave once, None where it gave nothing by itself; `now` is what counts today."""

    says: str
    now: int
    points: int | None = None
    days: int | None = None  # how many whole days ago


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and its lines; they add up to it."""

    number: int
    band: Band
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Missing:
    """A question that is not answered yet, and how many points of fit an answer can give at most."""

    says: str
    up_to: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Both numbers of a person with their reasons; without any, `why_not` says why there are none."""

    why_not: str = ""
    version: int = 0
    fit: Figure | None = None
    engagement: Figure | None = None
    missing: Sequence[Missing] = ()
    reactivity: str = ""
    letters: int = 0
    reactions: int = 0
    alive_at: datetime | None = None

    @property
    def grade(self) -> str:
        """A1 to D4; empty without a score."""
        return self.fit.band.key + self.engagement.band.key if self.fit and self.engagement else ""


@dataclass(frozen=True, slots=True)
class _Words:
    rules: Rules
    known: Mapping[str, Asked]
    names: Mapping[int | str, str] = field(default_factory=dict)

    def of(self, key: str) -> str:
        """What a rule says."""
        rule = self.rules.by_key.get(key)
        if isinstance(rule, DeedRule):
            return words.deed_rule(rule, self.known, self.names)
        return words.condition(rule.when, self.known) if rule is not None else key


def explained(contact: Contact, *, is_public: bool = False) -> Explanation:
    """Both numbers of a contact as of now; `is_public`: in words for the person, who knows contests by their titles."""
    version, row, lines = _read(contact)
    reason = sources.why_not(contact.id, contact.brand_id)
    if version is None or row is None or reason:
        return Explanation(why_not=words.why_not(reason))
    rules, now = documents.read(version.definition), clock.now()
    says = _Words(rules, asked.fields(contact.brand_id), asked.names(contact.brand_id, is_public=is_public))
    return Explanation(
        version=version.number,
        fit=_fit(says, row, [one for one in lines if one.kind is ContributionKind.FIT]),
        engagement=_engagement(says, row, [one for one in lines if one.kind is ContributionKind.ENGAGEMENT], now),
        missing=_missing(says, contact.answers, reckoning.HIGHEST - row.fit),
        reactivity=reckoning.reactivity(row.letters, row.reactions, row.alive_at, now).value,
        letters=row.letters,
        reactions=row.reactions,
        alive_at=row.alive_at,
    )


def held(contact_id: int) -> dict[str, Any]:
    """The same for the file that the person may download."""
    found = explained(db.session.get_one(Contact, contact_id), is_public=True)
    if found.fit is None or found.engagement is None:
        return {"scores": None}
    told = {name: _told(one) for name, one in (("fit", found.fit), ("engagement", found.engagement))}
    more = {"grade": found.grade, "rules_version": found.version, "reactivity": found.reactivity}
    return {"scores": told | more}


def _told(figure: Figure) -> dict[str, Any]:
    parts = [{"reason": one.says, "points": one.now} for one in figure.parts]
    return {"number": figure.number, "because_of": parts}


def _read(contact: Contact) -> tuple[ScoreRules | None, ContactScore | None, list[ScoreContribution]]:
    """The rules in force, the row and its lines, newest first: by one statement, that all are of the same moment."""
    found = (
        select(ScoreRules, ContactScore, ScoreContribution)
        .outerjoin(ContactScore, (ContactScore.contact_id == contact.id) & (ContactScore.number == ScoreRules.number))
        .outerjoin(
            ScoreContribution,
            (ScoreContribution.contact_id == ContactScore.contact_id)
            & (ScoreContribution.number == ContactScore.number),
        )
        .where(ScoreRules.brand_id == contact.brand_id, ScoreRules.state == RulesState.STANDING)
        .order_by(ScoreContribution.at.desc(), ScoreContribution.event.desc(), ScoreContribution.rule)
    )
    rows = db.session.execute(found.execution_options(populate_existing=True)).all()
    version, row = (rows[0][0], rows[0][1]) if rows else (None, None)
    return version, row, [line for _version, _row, line in rows if line is not None]


def _fit(says: _Words, row: ContactScore, lines: Sequence[ScoreContribution]) -> Figure:
    order = {one.key: place for place, one in enumerate(says.rules.fit)}
    ordered = sorted(lines, key=lambda one: order.get(one.rule, 0))
    parts = [Part(says.of(one.rule), one.points, one.points) for one in ordered]
    if row.disqualified_by:
        rule = says.rules.by_key[row.disqualified_by]
        assert isinstance(rule, Disqualifier)
        parts.append(Part(_("Does not fit: %(reason)s") % {"reason": rule.reason}, -sum(one.now for one in parts)))
    _bound(parts, sum(part.now for part in parts))
    return Figure(row.fit, _band(says.rules.fit_bands, row.fit_band), parts)


def _engagement(says: _Words, row: ContactScore, lines: Sequence[ScoreContribution], now: datetime) -> Figure:
    half_life = says.rules.half_life
    total = reckoning.whole(reckoning.left(row.worth, row.worth_at, now, half_life))
    shares = reckoning.shared(total, [reckoning.left(one.points, one.at, now, half_life) for one in lines])
    parts = [
        Part(says.of(one.rule), share, one.points, max(0, (now - one.at).days))
        for one, share in zip(lines, shares, strict=True)
    ]
    silence = reckoning.taken_by_silence(says.rules, row.alive_at, now)
    if silence:
        parts.append(Part(_("No sign of life"), -silence, None, (now - row.alive_at).days))
    number = reckoning.engagement(says.rules, row.worth, row.worth_at, row.alive_at, now)
    _bound(parts, total - silence)
    return Figure(number, _band(says.rules.engagement_bands, row.engagement_band), parts)


def _bound(parts: list[Part], total: int) -> None:
    """The line of what the bounds cut off a total; never made to fit what the lines before it miss."""
    cut = reckoning.clamped(total) - total
    if cut:
        parts.append(Part(_("A score is never above 100") if cut < 0 else _("A score is never below 0"), cut))


def _band(bands: Sequence[Band], key: str) -> Band:
    return next(one for one in bands if one.key == key)


def _missing(says: _Words, answers: Mapping[str, Any], room: int) -> list[Missing]:
    """What answers could add, each at most as much as is left to 100 (`room`); nothing where nothing is."""
    known = reckoning.known_of(answers)
    found = _more_answers(says, known)
    for name, asked_for in says.known.items():
        if name == asked.ANSWERED or known.get(name) not in (None, "", []):
            continue
        rules = [one for one in says.rules.fit if logic.fields_of(one.when) == {name}]
        most = max((_given(rules, name, value) for value in _candidates(rules, asked_for.kind)), default=0)
        more = most - _given(rules, name, None)
        if more > 0:
            found.append(Missing(asked_for.word, more))
    bounded = [replace(one, up_to=min(one.up_to, room)) for one in found] if room > 0 else []
    return sorted(bounded, key=lambda one: -one.up_to)


def _more_answers(says: _Words, known: Mapping[str, Any]) -> list[Missing]:
    rules = [one for one in says.rules.fit if logic.fields_of(one.when) == {asked.ANSWERED}]
    more = sum(max(0, one.points) for one in rules if not logic.holds(one.when, known))
    return [Missing(_("More answers"), more)] if more else []


def _given(rules: Sequence[FitRule], name: str, value: Any) -> int:
    return sum(one.points for one in rules if logic.holds(one.when, {name: value}))


def _candidates(rules: Sequence[FitRule], kind: Kind) -> list[Any]:
    """Answers among which the best one is: those that the rules speak of, and for numbers what lies beside them."""
    spoken: list[Any] = []
    for rule in rules:
        for part in logic.comparisons(rule.when):
            value = part.get("value")
            spoken += value if isinstance(value, list) else [value]
    named = [one for one in spoken if one is not None]
    if kind is Kind.NUMBER:
        return [value + more for value in named for more in (-1, 0, 1)] or [0]
    if kind is Kind.MANY:
        return [named or ["?"]]
    return [*named, "?"]
