"""What staff decide in the review: of whom, why, and taken back for thirty days."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, text, update

from leadgen.campaigns.models import Campaign
from leadgen.contacts.address import mask
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries import judging, points
from leadgen.entries.models import Entry
from leadgen.fraud import bands
from leadgen.fraud.models import Decision, Ruling, Verdict
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName

UNDO_FOR = timedelta(days=30)
MOST_AT_ONCE = 1_000
LONGEST_REASON = 500

_DECIDE = text("""
INSERT INTO verdict AS v (entry_id, campaign_id, score, decision, decided_codes, decided_by, decided_at, scored_at)
SELECT e.id, e.campaign_id, 0, :decision, known.codes, :by, :now, :now
FROM entry e CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(code ORDER BY code), '{}') AS codes FROM signal s WHERE s.entry_id = e.id
) AS known
WHERE e.id = ANY(:entries)
ON CONFLICT (entry_id) DO UPDATE SET decision = excluded.decision, decided_codes = excluded.decided_codes,
    decided_by = excluded.decided_by, decided_at = excluded.decided_at
""")

_FORGET = text("""
UPDATE ruling r SET reason = '' FROM entry e
WHERE e.contact_id = ANY(:contacts) AND r.campaign_id = e.campaign_id
  AND r.entry_ids @> jsonb_build_array(jsonb_build_object('entry', e.id))
""")


def rule(campaign_id: int, entry_ids: Collection[int], deed: Decision, *, reason: str, by: str) -> Ruling:
    """Accept, hold or reject these entrants of one campaign, whatever their scores say, and apply it at once.

    Raises Invalid(field="reason") without a reason, Invalid for too many at once, NotFound when none of them is there,
    Conflict once the contest's list is frozen.
    """
    tidy = reason.strip()
    if not tidy:
        raise Invalid(_("Say why: the reason is kept with the decision."), "reason")
    if len(tidy) > LONGEST_REASON:
        raise Invalid(_("Use %(limit)d characters at most.") % {"limit": LONGEST_REASON}, "reason")
    if len(entry_ids) > MOST_AT_ONCE:
        raise Invalid(_("Decide about %(limit)d people at most at once.") % {"limit": MOST_AT_ONCE}, "entries")
    points.alone()  # before any row of a verdict: the reactions write those under it
    theirs = select(Entry.id, Entry.brand_id).where(Entry.campaign_id == campaign_id, Entry.id.in_(entry_ids))
    found = db.session.execute(theirs.order_by(Entry.id)).all()
    if not found:
        raise NotFound
    _require_open(campaign_id)
    ids = [row.id for row in found]
    before = _decisions(ids)
    ruling = Ruling(
        campaign_id=campaign_id,
        deed=deed,
        entry_ids=[{"entry": one, "before": Decision.NONE} | before.get(one, {}) for one in ids],
        reason=tidy,
        by=by,
        at=clock.now(),
    )
    db.session.add(ruling)
    _decide(ids, deed, by, ruling.at)
    bands.apply(ids)
    for one, brand_id in found:
        _tell(FactName.REVIEW_DECIDED, brand_id, campaign_id, one, deed=deed.value, by=by, note=tidy)
    return ruling


def undo(campaign_id: int, ruling_id: int, *, by: str) -> Ruling:
    """Take a ruling back, for thirty days; people about whom somebody decided anew since keep that decision.

    Raises NotFound; Conflict when it was taken back before or is too old, or the contest's list is frozen.
    """
    points.alone()
    ruling = db.session.get(Ruling, ruling_id, with_for_update=True)
    if ruling is None or ruling.campaign_id != campaign_id:
        raise NotFound
    if ruling.undone_at is not None:
        raise Conflict(_("This decision was taken back before."))
    if clock.now() - ruling.at > UNDO_FOR:
        raise Conflict(_("This decision is older than thirty days and stays. Decide anew instead."))
    _require_open(campaign_id)
    ruling.undone_at, ruling.undone_by = clock.now(), by
    touched = _still_ruled_by(ruling)
    for decision in Decision:
        ids = [one["entry"] for one in ruling.entry_ids if one["before"] == decision and one["entry"] in touched]
        if ids:
            _decide(ids, decision, by, ruling.undone_at)
    _know_again([one for one in ruling.entry_ids if one["entry"] in touched and "codes" in one])
    bands.apply(sorted(touched))
    for one, brand_id in db.session.execute(select(Entry.id, Entry.brand_id).where(Entry.id.in_(touched))):
        _tell(FactName.REVIEW_RETURNED, brand_id, campaign_id, one, deed=ruling.deed.value, by=by)
    return ruling


def forget(facts: Sequence[Fact]) -> None:
    """Take the reasons out of every decision about erased people; what was decided stays (reaction)."""
    db.session.execute(_FORGET, {"contacts": [fact.contact_id for fact in facts if fact.contact_id]})


def latest(campaign_id: int, limit: int = 100) -> Sequence[Ruling]:
    """The log of decisions, newest first."""
    statement = select(Ruling).where(Ruling.campaign_id == campaign_id).order_by(Ruling.id.desc()).limit(limit)
    return db.session.scalars(statement).all()


class Person(NamedTuple):
    """Somebody of whom was decided; without a name and an address once erased."""

    entry_id: int
    public_id: str
    first_name: str
    masked: str


def people(found: Sequence[Ruling], most: int) -> dict[int, list[Person]]:
    """Who the first so many people of each of these rulings are, by the ruling's id."""
    wanted = {ruling.id: [one["entry"] for one in ruling.entry_ids[:most]] for ruling in found}
    ids = {one for listed in wanted.values() for one in listed}
    statement = select(Entry.id, Entry.public_id, Contact.first_name, Contact.email).join(Contact)
    known = {
        row.id: Person(row.id, row.public_id, row.first_name or "", mask(row.email) if row.email else "")
        for row in db.session.execute(statement.where(Entry.id.in_(ids)))
    }
    return {ruling_id: [known[one] for one in listed if one in known] for ruling_id, listed in wanted.items()}


def may_be_undone(ruling: Ruling) -> bool:
    """Whether a ruling can still be taken back."""
    return ruling.undone_at is None and clock.now() - ruling.at <= UNDO_FOR


def _require_open(campaign_id: int) -> None:
    if db.session.get_one(Campaign, campaign_id).status in judging.FROZEN:
        raise Conflict(_("The list of entrants is final; what was decided stays as it is."))


def _decisions(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What stood before, for each of whom somebody decided: the decision, by whom, when, and what was known then."""
    decided = select(Verdict).where(Verdict.entry_id.in_(ids), Verdict.decided_at.is_not(None))
    return {
        one.entry_id: {
            "before": one.decision,
            "codes": list(one.decided_codes),
            "by": one.decided_by,
            "at": one.decided_at.isoformat(),
        }
        for one in db.session.scalars(decided.execution_options(populate_existing=True))
        if one.decided_at is not None and one.decision is not Decision.NONE
    }


def _know_again(kept: Sequence[Mapping[str, Any]]) -> None:
    """An earlier decision stands again as it was made: what was found since then is news to it, as before."""
    for one in kept:
        at = datetime.fromisoformat(one["at"])
        again = update(Verdict).where(Verdict.entry_id == one["entry"])
        db.session.execute(again.values(decided_codes=one["codes"], decided_by=one["by"], decided_at=at))


def _decide(ids: Sequence[int], decision: Decision, by: str, at: datetime) -> None:
    db.session.flush()
    db.session.execute(_DECIDE, {"entries": list(ids), "decision": decision.value, "by": by, "now": at})
    if decision is Decision.NONE:
        cleared = update(Verdict).where(Verdict.entry_id.in_(ids))
        db.session.execute(cleared.values(decided_codes=[], decided_by="", decided_at=None))


def _still_ruled_by(ruling: Ruling) -> set[int]:
    ids = [one["entry"] for one in ruling.entry_ids]
    statement = select(Verdict.entry_id).where(
        Verdict.entry_id.in_(ids), Verdict.decided_at == ruling.at, Verdict.decision == ruling.deed
    )
    return set(db.session.scalars(statement))


def _tell(name: FactName, brand_id: int, campaign_id: int, entry_id: int, **data: str) -> None:
    contact_id = db.session.scalar(select(Entry.contact_id).where(Entry.id == entry_id))
    journal.record(name, brand_id=brand_id, campaign_id=campaign_id, contact_id=contact_id, entry_id=entry_id, **data)
