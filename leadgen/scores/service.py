"""A brand's rules by version: drafted, published, put back. What is published never changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.accounts.models import Brand
from leadgen.contacts.models import Contact
from leadgen.core import clock, queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.scores import checking, scoring
from leadgen.scores import rules as documents
from leadgen.scores.models import RulesState, ScoreRules


def standing(brand_id: int) -> ScoreRules | None:
    """The version in force; None until the first person of a new brand is scored."""
    return _in(brand_id, RulesState.STANDING)


def draft(brand_id: int) -> ScoreRules | None:
    """What is being written, if anything is."""
    return _in(brand_id, RulesState.DRAFT)


def computing(brand_id: int) -> ScoreRules | None:
    """What was published and is being reckoned for everybody, if anything is."""
    return _in(brand_id, RulesState.COMPUTING)


def versions(brand_id: int) -> Sequence[ScoreRules]:
    """All of them, newest first."""
    found = select(ScoreRules).filter_by(brand_id=brand_id)
    return db.session.scalars(found.order_by(ScoreRules.number.desc())).all()


def get(brand_id: int, number: int) -> ScoreRules:
    """One version. Raises NotFound."""
    found = db.session.scalar(select(ScoreRules).filter_by(brand_id=brand_id, number=number))
    if found is None:
        raise NotFound
    return found


def ensure(brand_id: int) -> ScoreRules:
    """The version in force; a brand without one begins with the default, reckoned for everybody in the background.

    One that has versions and none in force goes on with what stood last, as a version of its own.
    """
    while (found := standing(brand_id)) is None:
        now = clock.now()
        first = insert(ScoreRules).values(
            brand_id=brand_id, number=_next_number(brand_id), state=RulesState.STANDING,
            definition=_stood_last(brand_id), changed_at=now, published_at=now, stood_at=now, reached_id=0,
            of=people(brand_id),
        )  # fmt: skip
        db.session.execute(first.on_conflict_do_nothing())  # of another's draft of this number: the next one
    return found


def open_draft(brand: Brand, by: str, based_on: int | None = None) -> ScoreRules:
    """The draft; a new one says what version `based_on` says, else the one in force.

    A draft that is there already is put away, where it can be put back from, when another version is asked for; else
    it is gone on with. Raises NotFound.
    """
    origin = ensure(brand.id) if based_on is None else get(brand.id, based_on)
    known = draft(brand.id)
    if known is not None and based_on is None:
        return known
    if known is not None:
        discard(known)
    made = ScoreRules(
        brand_id=brand.id, number=_next_number(brand.id), state=RulesState.DRAFT, definition=origin.definition,
        revision=1, based_on=origin.number, changed_at=clock.now(), changed_by=by,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def save(brand: Brand, definition: Any, revision: int, by: str, *, seen: int) -> ScoreRules:
    """Replace what the draft says, or begin one for a writer who saw none (revision 0) but version `seen` (0: none).

    Raises Invalid with the field, Conflict when somebody else saved or published since.
    """
    checked, now = checking.checked(brand.id, definition), standing(brand.id)
    if revision == 0 and draft(brand.id) is None and seen == (now.number if now else 0):
        revision = open_draft(brand, by).revision
    return save_draft(brand, checked, revision, by)


def save_draft(brand: Brand, definition: Any, revision: int, by: str) -> ScoreRules:
    """Replace what the draft says. `revision` is the one that the writer saw.

    Raises Invalid with the field, Conflict when somebody else saved or published since.
    """
    found = _locked_draft(brand.id, revision)
    found.definition = checking.checked(brand.id, definition)
    found.revision += 1
    found.changed_at, found.changed_by = clock.now(), by
    db.session.flush()
    return found


def discard(found: ScoreRules) -> None:
    """Put a draft away; it stays among the versions."""
    if found.state is RulesState.DRAFT:
        found.state, found.is_swept = RulesState.PAST, True
        db.session.flush()


def publish(brand: Brand, revision: int, by: str) -> ScoreRules:
    """Have the draft reckoned for everybody; the scores in force stay until that is done, then it stands.

    One that is still being reckoned is overtaken; one that begins to stand at this moment is waited for, and stands.
    Raises Conflict when the draft is another than the writer saw.
    """
    scoring.alone(brand.id)
    found = _locked_draft(brand.id, revision)
    overtaken = computing(brand.id)
    if overtaken is not None:
        overtaken.state, overtaken.reached_id = RulesState.PAST, None
    found.state = RulesState.COMPUTING
    found.published_at, found.published_by = clock.now(), by
    found.reached_id, found.done, found.of = 0, 0, people(brand.id)
    db.session.flush()
    queue.ring_after_commit(db.session(), Bell.SCORES)
    return found


def people(brand_id: int) -> int:
    """How many contacts a round goes over."""
    counted = select(func.count()).select_from(Contact).where(Contact.brand_id == brand_id)
    return db.session.scalar(counted.where(Contact.erased_at.is_(None))) or 0


def _in(brand_id: int, state: RulesState) -> ScoreRules | None:
    found = select(ScoreRules).filter_by(brand_id=brand_id, state=state)
    return db.session.scalars(found.execution_options(populate_existing=True)).first()


def _next_number(brand_id: int) -> int:
    return (db.session.scalar(select(func.max(ScoreRules.number)).filter_by(brand_id=brand_id)) or 0) + 1


def _stood_last(brand_id: int) -> dict[str, Any]:
    stood = select(ScoreRules.definition).where(ScoreRules.brand_id == brand_id, ScoreRules.stood_at.is_not(None))
    return db.session.scalar(stood.order_by(ScoreRules.stood_at.desc()).limit(1)) or documents.default()


def _locked_draft(brand_id: int, revision: int) -> ScoreRules:
    found = db.session.scalars(
        select(ScoreRules).filter_by(brand_id=brand_id, state=RulesState.DRAFT)
        .with_for_update().execution_options(populate_existing=True)
    ).first()  # fmt: skip
    if found is None or found.revision != revision:
        raise Conflict(_("Somebody else changed these rules while you were looking. Look at them, then try again."))
    return found
