"""Scoring contacts: what they stand with is reckoned from its sources and written where it differs.

Nothing is added up in passing, so a fact that is told twice counts once, and what was taken back (a friend, a click
that turned out to be a machine's) is gone with the next look. One scorer at a time works for a brand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from leadgen.accounts.models import Brand
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.scores import reckoning, sources
from leadgen.scores import rules as documents
from leadgen.scores.models import RulesState, ScoreRules
from leadgen.scores.reckoning import Line, Person
from leadgen.scores.rules import Rules

_ALONE = 7_215_046
_KEPT = text("""
SELECT contact_id, fit, disqualified_by, worth, worth_at, alive_at, fit_band, engagement_band, letters, reactions
FROM contact_score WHERE contact_id = ANY(:ids) AND number = :number
""")
_STOOD = text("""
SELECT s.contact_id, s.fit_band, s.engagement_band FROM contact_score s
WHERE s.contact_id = ANY(:ids)
  AND s.number = (SELECT number FROM score_rules WHERE brand_id = :brand AND state = 'standing')
""")
_LEDGER = text("""
SELECT contact_id, rule, event, points FROM score_contribution WHERE contact_id = ANY(:ids) AND number = :number
""")
_DROP_LINES = text("""
DELETE FROM score_contribution s
USING unnest(CAST(:contacts AS bigint[]), CAST(:rules AS text[]), CAST(:events AS text[]))
      AS g (contact_id, rule, event)
WHERE s.contact_id = g.contact_id AND s.number = :number AND s.rule = g.rule AND s.event = g.event
""")
# COPY, because as arrays a million people's rows cost more to send than to reckon. What is written in it are numbers,
# moments, words of enums, and keys of rules, which are letters, digits and underscores (scores.checking).
_ADD_LINES = "COPY score_contribution (contact_id, number, rule, event, kind, points, at) FROM STDIN"
_ADD_SCORES = """
COPY contact_score (contact_id, number, brand_id, scored_at, fit, disqualified_by, worth, worth_at, alive_at, fit_band,
                    engagement_band, letters, reactions) FROM STDIN
"""
_FORGET = """
DELETE FROM {table} WHERE contact_id = ANY(:ids) AND number = coalesce(CAST(:number AS int), number)
"""
_FORGET_LINES, _FORGET_SCORES = (text(_FORGET.format(table=name)) for name in ("score_contribution", "contact_score"))


class Kept(NamedTuple):
    """A person's row as far as it is reckoned."""

    fit: int
    disqualified_by: str
    worth: float
    worth_at: datetime
    alive_at: datetime
    fit_band: str
    engagement_band: str
    letters: int
    reactions: int


def alone(brand_id: int) -> None:
    """Wait until nobody else scores for the brand; until the transaction's end nobody else will."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:room, :brand)"), {"room": _ALONE, "brand": brand_id})


def score(version: ScoreRules, contact_ids: Collection[int], *, is_round: bool = False) -> int:
    """Bring these contacts' numbers by this version up to now; answers how many were scored. The caller is `alone`.

    Whoever moves from one band of the standing rules into another has a fact `score.crossed` written, once for each
    crossing. Being scored for the first time is one for a newcomer, who comes from the lowest bands, and none in a
    round over all contacts: of people whom everything has long been known nothing has happened.
    """
    now, rules = clock.now(), documents.read(version.definition)
    brand = db.session.get_one(Brand, version.brand_id)
    people = sources.people(brand.id, brand.timezone, contact_ids, now)
    given = {"ids": sorted(contact_ids), "number": version.number}
    before = {row[0]: Kept(*row[1:]) for row in db.session.execute(_KEPT, given).all()}
    bands = _bands_before(version, before, given)
    ledger = _Ledger(version.number, contact_ids)
    after: dict[int, Kept] = {}
    for person in people:
        reckoned = reckoning.outcome(rules, person, now)
        ledger.compare(person.id, reckoned.lines)
        after[person.id] = _kept(rules, person, reckoned, bands.get(person.id, ("", "")), now)
    forget(set(contact_ids) - set(after), version.number)
    ledger.write()
    changed = {key: one for key, one in after.items() if not is_round or before.get(key) != one}
    _write(version, before, changed, now)
    if version.state is RulesState.STANDING:
        _tell(version, rules, before, changed, is_round=is_round)
    return len(people)


def _bands_before(
    version: ScoreRules, before: Mapping[int, Kept], given: Mapping[str, Any]
) -> dict[int, tuple[str, str]]:
    """The bands that people stand in: of a version that is being reckoned for the first time, by the one in force."""
    found = {key: (one.fit_band, one.engagement_band) for key, one in before.items()}
    if version.state is RulesState.COMPUTING:
        rows = db.session.execute(_STOOD, {**given, "brand": version.brand_id})
        found = {row[0]: (row[1], row[2]) for row in rows} | found
    return found


def _kept(rules: Rules, person: Person, reckoned: reckoning.Outcome, bands: tuple[str, str], now: datetime) -> Kept:
    engaged = reckoning.engagement(rules, reckoned.worth, reckoned.worth_at, person.alive_at, now)
    return Kept(
        fit=reckoned.fit,
        disqualified_by=reckoned.disqualified_by,
        worth=reckoned.worth,
        worth_at=reckoned.worth_at,
        alive_at=person.alive_at,
        fit_band=reckoning.band(rules.fit_bands, reckoned.fit, bands[0]),
        engagement_band=reckoning.band(rules.engagement_bands, engaged, bands[1]),
        letters=person.letters,
        reactions=person.reactions,
    )


class _Ledger:
    """What the ledger holds of some contacts, and what it must hold."""

    def __init__(self, number: int, contact_ids: Collection[int]) -> None:
        self.number = number
        rows = db.session.execute(_LEDGER, {"ids": sorted(contact_ids), "number": number}).all()
        self.held: dict[tuple[int, str, str], int] = {(row[0], row[1], row[2]): row[3] for row in rows}
        self.new: list[tuple[int, Line]] = []

    def compare(self, contact_id: int, lines: Sequence[Line]) -> None:
        """Keep what is there already; the rest is to be written, and what is left over at the end to go."""
        for line in lines:
            key = (contact_id, line.rule, line.event)
            if self.held.get(key) == line.points:
                del self.held[key]
            else:
                self.new.append((contact_id, line))

    def write(self) -> None:
        """Take out what is there no more or differs, and add what is new."""
        if self.held:
            contacts, rules, events = (list(column) for column in zip(*self.held, strict=True))
            given = {"contacts": contacts, "rules": rules, "events": events, "number": self.number}
            db.session.execute(_DROP_LINES, given)
        number = self.number
        _copy(
            _ADD_LINES,
            [(who, number, one.rule, one.event, one.kind.value, one.points, one.at) for who, one in self.new],
        )


def _write(version: ScoreRules, before: Collection[int], changed: Mapping[int, Kept], now: datetime) -> None:
    """Rows that change are written anew."""
    again = {"ids": sorted(set(before) & set(changed)), "number": version.number}
    db.session.execute(_FORGET_SCORES, again)
    head = (version.number, version.brand_id, now)
    _copy(_ADD_SCORES, [(key, *head, *one) for key, one in changed.items()])


def _copy(statement: str, rows: Collection[tuple[object, ...]]) -> None:
    """Send rows whose texts hold no sign that COPY would take for one of its own."""
    if rows:
        cursor = db.session.connection().connection.cursor()
        with cursor.copy(statement) as copy:
            copy.write("".join("\t".join(map(str, row)) + "\n" for row in rows))


def _tell(
    version: ScoreRules, rules: Rules, before: Mapping[int, Kept], changed: Mapping[int, Kept], *, is_round: bool
) -> None:
    for contact_id, one in changed.items():
        old = before.get(contact_id)
        if old is None and is_round:
            continue
        was = (old.fit_band, old.engagement_band) if old else (rules.fit_bands[-1].key, rules.engagement_bands[-1].key)
        for kind, source, target in (("fit", was[0], one.fit_band), ("engagement", was[1], one.engagement_band)):
            if source != target:
                data: dict[str, Any] = {
                    "kind": kind,
                    "from": source,
                    "to": target,
                    "grade": one.fit_band + one.engagement_band,
                }
                journal.record(FactName.SCORE_CROSSED, brand_id=version.brand_id, contact_id=contact_id, **data)


def forget(contact_ids: Collection[int], number: int | None = None) -> None:
    """Delete these contacts' numbers and ledger, of one version or of all."""
    for statement in (_FORGET_LINES, _FORGET_SCORES) if contact_ids else ():
        db.session.execute(statement, {"ids": sorted(contact_ids), "number": number})
