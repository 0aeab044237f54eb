"""Scoring many: those of whom something new is known, and everybody in rounds, some thousand at a time.

Every step commits, so a killed worker goes on where it stopped, and memory holds one step.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import delete, select, text

from leadgen.accounts.models import Brand
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db, retried
from leadgen.journal.models import Fact
from leadgen.scores import scoring, service
from leadgen.scores.models import ContactScore, RulesState, ScoreRules, ScoreWanted
from leadgen.scores.sources import SETTLED

STEP = 5_000
_CLICKS_OF = timedelta(hours=26)  # as far back as mail.clicks.fold looks
_WANT = text("""
INSERT INTO score_wanted (contact_id)
SELECT DISTINCT w.id FROM (
    SELECT unnest(CAST(:contacts AS bigint[])) AS id
    UNION ALL SELECT contact_id FROM entry WHERE id = ANY(:entries)
) AS w ORDER BY 1
""")
_CLICKERS = text("""
INSERT INTO score_wanted (contact_id)
SELECT DISTINCT m.contact_id
FROM click k JOIN message m ON m.id = k.message_id
JOIN score_rules r ON r.brand_id = m.brand_id AND r.state = 'standing'
LEFT JOIN contact_score s ON s.contact_id = m.contact_id AND s.number = r.number
WHERE k.id > coalesce((SELECT id FROM click WHERE at < :since ORDER BY id DESC LIMIT 1), 0) AND k.kind = 'human'
  AND k.at < :settled AND (s.scored_at IS NULL OR k.at >= s.scored_at - make_interval(secs => :seconds))
ORDER BY 1
""")
_CLAIM = text("""
DELETE FROM score_wanted WHERE id IN (
    SELECT id FROM score_wanted ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
) RETURNING contact_id
""")


def hear(facts: Sequence[Fact]) -> None:
    """Have the people scored whom these facts are about (reaction, may run twice).

    Nobody is rung for: the bell is struck every ten seconds, and who confirms and answers is scored once for all of it.
    """
    contacts = {fact.contact_id for fact in facts if fact.contact_id}
    entries = {fact.entry_id for fact in facts if fact.entry_id and not fact.contact_id}
    db.session.execute(_WANT, {"contacts": sorted(contacts), "entries": sorted(entries)})


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: their numbers and what they came from go (reaction, may run twice)."""
    contact_ids = {fact.contact_id for fact in facts if fact.contact_id}
    scoring.forget(contact_ids)
    db.session.execute(delete(ScoreWanted).where(ScoreWanted.contact_id.in_(contact_ids)))


def want_clickers() -> None:
    """Have those scored who clicked in a letter since they last were, once it is settled that they are human (job)."""
    now = clock.now()
    given = {"since": now - _CLICKS_OF, "settled": now - SETTLED, "seconds": SETTLED.total_seconds()}
    db.session.execute(_CLICKERS, given)


def serve(seconds: float) -> bool:
    """Score those who wait, then go on with rounds, for so long; whether nothing is left. Commits each step."""
    until = time.monotonic() + seconds
    for step in (_serve_wanted, go_round, _sweep):
        while retried(step):
            if time.monotonic() > until:
                return False
    return True


def begin_all() -> None:
    """Begin a round over the contacts of every brand, of the version in force (nightly job); commits.

    It moves the bands of those whose engagement decayed, and finds what no fact told.
    """
    for brand_id in db.session.scalars(select(Brand.id).order_by(Brand.id)).all():
        scoring.alone(brand_id)  # or the version that we begin with is over when we write
        version = service.ensure(brand_id)
        if version.reached_id is None:
            version.reached_id, version.done, version.of = 0, 0, service.people(brand_id)
        db.session.commit()


def _serve_wanted() -> bool:
    ids = db.session.scalars(_CLAIM, {"limit": STEP}).all()
    brands: dict[int, list[int]] = {}
    for contact_id, brand_id in db.session.execute(select(Contact.id, Contact.brand_id).where(Contact.id.in_(ids))):
        brands.setdefault(brand_id, []).append(contact_id)
    for brand_id, contacts in sorted(brands.items()):
        score_now(brand_id, contacts)
    db.session.commit()
    return bool(ids)


def score_now(brand_id: int, contact_ids: Collection[int]) -> None:
    """Score these contacts of a brand by the version in force, and by the one that is being reckoned if any is."""
    scoring.alone(brand_id)
    for version in (service.ensure(brand_id), service.computing(brand_id)):
        if version is not None:
            scoring.score(version, contact_ids)


def go_round() -> bool:
    """One step of one round; a new version comes before a nightly look."""
    going = select(ScoreRules.brand_id, ScoreRules.number).where(ScoreRules.reached_id.is_not(None))
    first = db.session.execute(going.order_by(ScoreRules.state, ScoreRules.brand_id).limit(1)).first()
    if first is None:
        return False
    scoring.alone(first.brand_id)
    version = db.session.get_one(ScoreRules, tuple(first), populate_existing=True)
    if version.reached_id is not None:
        _step(version, version.reached_id)
    db.session.commit()
    return True


def _step(version: ScoreRules, reached: int) -> None:
    following = select(Contact.id).where(Contact.brand_id == version.brand_id, Contact.id > reached)
    ids = db.session.scalars(following.order_by(Contact.id).limit(STEP)).all()
    if ids:
        scoring.score(version, ids, is_round=True)
        version.reached_id = ids[-1]
        version.done += len(ids)
        return
    version.reached_id = None
    if version.state is RulesState.COMPUTING:
        _stand(version)


def _stand(version: ScoreRules) -> None:
    """The new version is whole: from this commit on it is the one that counts."""
    before = service.standing(version.brand_id)
    if before is not None:
        before.state, before.reached_id = RulesState.PAST, None
        db.session.flush()  # there is one at a time
    version.state, version.stood_at = RulesState.STANDING, clock.now()


def _sweep() -> bool:
    """Delete the scores of versions that are over, some thousand at a time; the versions themselves stay."""
    past = select(ScoreRules).where(ScoreRules.state == RulesState.PAST, ScoreRules.is_swept.is_(False))
    version = db.session.scalars(past.order_by(ScoreRules.brand_id, ScoreRules.number).limit(1)).first()
    if version is None:
        return False
    scoring.alone(version.brand_id)
    rows = select(ContactScore.contact_id).filter_by(brand_id=version.brand_id, number=version.number)
    ids = db.session.scalars(rows.limit(STEP)).all()
    scoring.forget(ids, version.number)
    version.is_swept = not ids
    db.session.commit()
    return True
