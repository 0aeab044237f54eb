"""Works from hand to wall: handing in, withdrawing, and what staff decide."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select

from leadgen.actions import service as actions
from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.core import clock, ids
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries import owners, waiting
from leadgen.entries.models import Entry, EntryStatus
from leadgen.gallery import kinds, phases, voters
from leadgen.gallery.kinds import WorkKind
from leadgen.gallery.models import Work, WorkState
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.mail import service as mail
from leadgen.pictures import service as pictures
from leadgen.pictures.models import Picture
from leadgen.pictures.service import Remade

_SAME_PRESS = timedelta(minutes=2)
_SHOWN = (WorkState.WAITING, WorkState.PUBLISHED)
_DECISIONS = {WorkState.PUBLISHED: FactName.WORK_PUBLISHED, WorkState.REFUSED: FactName.WORK_REFUSED}
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkInput:
    """What somebody hands in; `photo` are the bytes of the file, `rights` the words of the box that they ticked.

    `is_agreed` says whether they did; `address` is where the request came from.
    """

    title: str
    body: str
    photo: bytes | None
    is_agreed: bool
    rights: str
    address: str


class Faults(Invalid):
    """Everything that is wrong with a work, each with its field; none of it was kept."""

    def __init__(self, faults: Sequence[Invalid]) -> None:
        super().__init__(str(faults[0]), faults[0].field)
        self.faults = list(faults)


class Before(NamedTuple):
    """How a work stood before a decision, to take that back."""

    work_id: int
    state: WorkState
    reason: str


def hand_in(entry_id: int, card: CampaignCard, action: ActionCard, given: WorkInput) -> Work:
    """Keep a work until staff have looked at it; the same sent twice within two minutes is one work.

    Raises Faults with a sentence for each field; Conflict when no work is taken, or this person has handed in as many
    as the action allows.
    """
    if not phases.takes(card, action):
        raise Conflict(_("Works are not taken at the moment."))
    remade = _checked(action, given)
    theirs = select(Entry).where(Entry.id == entry_id).with_for_update(key_share=True)
    entry = db.session.scalar(theirs.execution_options(populate_existing=True))
    if entry is None or entry.status is not EntryStatus.CONFIRMED:
        raise Conflict(_("Confirm your address first; then you can hand in."))
    title, body = kinds.tidy_line(given.title), kinds.tidy_text(given.body)
    if same := _just_sent(entry_id, action.id, title, body):
        return same
    if left_of(entry_id, action) <= 0:
        raise Conflict(_("You have handed in as many works as you may. Withdraw one to make room."))
    picture = pictures.keep(entry.brand_id, remade) if remade else None
    work = Work(
        public_id=ids.public_id() + ids.public_id(),
        campaign_id=card.id,
        entry_id=entry_id,
        action_id=action.id,
        title=title,
        body=body,
        picture_id=picture.id if picture else None,
        state=WorkState.WAITING,
        rights=given.rights,
        network=voters.maker_key(given.address, card.id),
        created_at=clock.now(),
    )
    db.session.add(work)
    db.session.flush()
    _record(FactName.WORK_SUBMITTED, entry, work)
    return work


def left_of(entry_id: int, action: ActionCard) -> int:
    """How many more works this person may hand in for the action; what was refused or withdrawn does not count."""
    statement = select(func.count()).select_from(Work).filter_by(entry_id=entry_id, action_id=action.id)
    found: int = db.session.scalar(statement.where(Work.state.in_(_SHOWN))) or 0
    return kinds.most_of(action) - found


def withdraw(entry_id: int, public_id: str) -> None:
    """Take one's own work back: its picture goes at once, and until the contest is closed its points.

    Raises NotFound.
    """
    work = db.session.scalar(select(Work).filter_by(public_id=public_id, entry_id=entry_id).with_for_update())
    if work is None or work.state is WorkState.WITHDRAWN:
        raise NotFound
    _move(work, WorkState.WITHDRAWN, reason="", by="")
    _delete_picture(work)
    _record(FactName.WORK_WITHDRAWN, db.session.get_one(Entry, entry_id), work)


def decide(campaign_id: int, work_ids: Collection[int], state: WorkState, *, by: str, reason: str = "") -> list[Before]:
    """Publish or refuse works of this campaign; answers how those that changed stood before.

    `reason` is read by the maker: one of kinds.REASONS, or own words. The first time a work is published its maker
    earns the action's points; a work refused later loses them, until the contest is closed: then works come and go and
    points stay. The maker hears of it by mail, once a day at most.
    Raises Invalid when a refusal has no reason.
    """
    reason = kinds.tidy_line(reason)[:LONGEST_REASON]
    if state is WorkState.REFUSED and not reason:
        raise Invalid(_("Say why, so that the maker can do better."), "reason")
    changed = []
    for work in _locked(campaign_id, work_ids):
        if work.state is WorkState.WITHDRAWN or (work.state, work.reason) == (state, reason):
            continue
        changed.append(Before(work.id, work.state, work.reason))
        entry = db.session.get_one(Entry, work.entry_id)
        _move(work, state, reason=reason if state is WorkState.REFUSED else "", by=by)
        _record(_DECISIONS[state], entry, work)
        _tell(entry)
    return changed


def restore(campaign_id: int, before: Collection[Before], *, by: str) -> int:
    """Take a decision back: each work stands again as it did; answers how many moved. Nobody is written to."""
    as_before = {one.work_id: one for one in before}
    moved = 0
    for work in _locked(campaign_id, as_before):
        one = as_before[work.id]
        if work.state is not WorkState.WITHDRAWN and one.state is not WorkState.WITHDRAWN:
            moved += (work.state, work.reason) != (one.state, one.reason)
            _move(work, one.state, reason=one.reason, by=by)
    return moved


def _checked(action: ActionCard, given: WorkInput) -> Remade | None:
    """The photo made anew, if the action asks for one. Raises Faults with all that is wrong at once."""
    faults = kinds.faults_of_words(action, given.title, given.body)
    remade = None
    if kinds.kind_of(action) is WorkKind.PHOTO:
        try:
            remade = pictures.remake(given.photo or b"")
        except Invalid as error:
            faults.insert(0, error)
    if not given.is_agreed:
        faults.append(Invalid(_("Tick the box to hand in: without the right to show your work we cannot."), "rights"))
    if faults:
        raise Faults(faults)
    return remade


def _just_sent(entry_id: int, action_id: int, title: str, body: str) -> Work | None:
    statement = select(Work).filter_by(entry_id=entry_id, action_id=action_id, title=title, body=body)
    found: Work | None = db.session.scalar(
        statement.where(Work.state == WorkState.WAITING, Work.created_at > clock.now() - _SAME_PRESS).limit(1)
    )
    return found


def _locked(campaign_id: int, work_ids: Collection[int]) -> list[Work]:
    statement = select(Work).where(Work.campaign_id == campaign_id, Work.id.in_(list(work_ids)))
    works = list(db.session.scalars(statement.order_by(Work.id).with_for_update()))
    owners.hold([work.entry_id for work in works])
    return works


def _move(work: Work, state: WorkState, *, reason: str, by: str) -> None:
    """Put a work into a state; what it earns comes and goes with being published."""
    before, work.state, work.reason = work.state, state, reason
    work.decided_by, work.decided_at = by, clock.now()
    db.session.flush()
    with contextlib.suppress(NotFound):  # the person is erased, or the action is not there any more
        if state is WorkState.PUBLISHED and before is not state:
            _credit(work)
        elif before is WorkState.PUBLISHED and state is not before:
            _take_back(work)


def _credit(work: Work) -> None:
    """The action's points, once as its rule says, as of the day on which the work was handed in."""
    actions.credit_done(work.entry_id, work.action_id, work.public_id, {"work": work.public_id}, at=work.created_at)


def _take_back(work: Work) -> None:
    """Take its points; another published work of the same person may earn them in its place."""
    if not actions.withdraw(work.entry_id, work.action_id, work.public_id, reason="work"):
        return
    same = select(Work).filter_by(entry_id=work.entry_id, action_id=work.action_id, state=WorkState.PUBLISHED)
    for other in db.session.scalars(same.order_by(Work.id)):
        _credit(other)


def _delete_picture(work: Work) -> None:
    picture_id, work.picture_id = work.picture_id, None
    db.session.flush()
    db.session.execute(delete(Picture).where(Picture.id == picture_id))


def _tell(entry: Entry) -> None:
    """One letter a day at most: somebody whose five photos are looked at hears of it once."""
    if entry.status is not EntryStatus.CONFIRMED:
        return
    context: dict[str, int | str] = {"entry": entry.id, "access_version": entry.access_version, "code": entry.code}
    intent = f"works:{entry.id}:{clock.now():%Y-%m-%d}"
    mail.want(waiting.wanted(entry, intent, "work_decided", context))


def _record(name: FactName, entry: Entry, work: Work) -> None:
    journal.record(
        name,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        work=work.id,
    )
