"""One message of a person who thinks that we are wrong, and our answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.text import undirected
from leadgen.entries.models import Entry, EntryStatus, ReferralReason, ReferralState, Review
from leadgen.fraud.models import Appeal
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail import service as mail
from leadgen.mail.service import Wanted

LONGEST = 500
LONGEST_ANSWER = 1_000
# What somebody can ask us to look at again; what the friend did or left undone is not ours to change.
_DISPUTABLE = (
    ReferralReason.RISK,
    ReferralReason.SAME_PERSON,
    ReferralReason.DISPOSABLE_EMAIL,
    ReferralReason.DUPLICATE,
    ReferralReason.VELOCITY,
    ReferralReason.MANUAL,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the person's page shows of it: whether there is something to say, what was said, and our answer."""

    may_appeal: bool
    appeal: Appeal | None


def standing(entry_id: int) -> Standing:
    """Whether this person may still write to us, and what they wrote."""
    appeal = db.session.get(Appeal, entry_id)
    return Standing(appeal is None and _has_ground(entry_id), appeal)


def send(entry_id: int, words: str) -> Appeal:
    """Keep the one message of a confirmed person (F11).

    Raises Invalid(field="appeal"), Conflict for a second one or without a ground, NotFound.
    """
    tidy = undirected(words).strip()
    if not tidy:
        raise Invalid(_("Write in a few words what we should know."), "appeal")
    if len(tidy) > LONGEST:
        found = {"limit": LONGEST, "found": len(tidy)}
        raise Invalid(_("Use %(limit)d characters at most; there are %(found)d.") % found, "appeal")
    # Locked, so that nobody is erased between the look and the commit.
    entry = db.session.get(Entry, entry_id, with_for_update={"key_share": True}, populate_existing=True)
    if entry is None:
        raise NotFound
    if db.session.get(Appeal, entry_id, with_for_update=True) is not None:
        raise Conflict(_("You have written to us about this before. We answer by mail."))
    if not _has_ground(entry_id):
        raise Conflict(_("There is nothing to look at again."))
    appeal = Appeal(entry_id=entry_id, campaign_id=entry.campaign_id, text=tidy, at=clock.now())
    db.session.add(appeal)
    _tell(FactName.APPEAL_RECEIVED, entry, note=tidy)
    return appeal


def answer(campaign_id: int, entry_id: int, words: str, *, by: str) -> Appeal:
    """Answer an appeal, once; the person gets a mail that says so, and reads it on their page.

    Raises NotFound, Conflict when it was answered, Invalid(field="answer").
    """
    appeal = db.session.get(Appeal, entry_id, with_for_update=True)
    if appeal is None or appeal.campaign_id != campaign_id:
        raise NotFound
    if appeal.answered_at is not None:
        raise Conflict(_("This message was answered before."))
    tidy = words.strip()
    if not 1 <= len(tidy) <= LONGEST_ANSWER:
        raise Invalid(_("Write an answer of at most %(limit)d characters.") % {"limit": LONGEST_ANSWER}, "answer")
    appeal.answer, appeal.answered_by, appeal.answered_at = tidy, by, clock.now()
    entry = db.session.get_one(Entry, entry_id)
    mail.want(
        Wanted(
            intent=f"appeal:{entry_id}",
            letter="appeal_answer",
            brand_id=entry.brand_id,
            campaign_id=entry.campaign_id,
            contact_id=entry.contact_id,
            entry_id=entry.id,
            locale=entry.locale,
            context={"entry": entry.id, "access_version": entry.access_version, "code": entry.code},
        )
    )
    _tell(FactName.APPEAL_ANSWERED, entry, by=by, note=tidy)
    return appeal


def of_campaign(campaign_id: int, limit: int = 100) -> Sequence[Any]:
    """Appeals with the person's name: unanswered ones first, oldest first; then the others, newest first."""
    rows = db.session.execute(
        select(Appeal, Entry.public_id, Contact.first_name, Contact.email)
        .join(Entry, Entry.id == Appeal.entry_id)
        .join(Contact, Contact.id == Entry.contact_id)
        .where(Appeal.campaign_id == campaign_id)
        .order_by(Appeal.answered_at.desc().nulls_first(), Appeal.at)
        .limit(limit)
    )
    return rows.all()


def held(contact_id: int) -> dict[str, Any]:
    """What a person wrote to us about checks, and our answers, for the file that they download."""
    theirs = select(Appeal).join(Entry, Entry.id == Appeal.entry_id).where(Entry.contact_id == contact_id)
    return {
        "messages_about_checks": [
            {
                "at": one.at.isoformat(),
                "text": one.text,
                "answer": one.answer,
                "answered_at": one.answered_at.isoformat() if one.answered_at else None,
            }
            for one in db.session.scalars(theirs.order_by(Appeal.at))
        ]
    }


def forget(facts: Sequence[Fact]) -> None:
    """Take what erased people wrote, and what we answered, out of the table (reaction to contact.erased)."""
    theirs = select(Entry.id).where(Entry.contact_id.in_([fact.contact_id for fact in facts]))
    db.session.execute(delete(Appeal).where(Appeal.entry_id.in_(theirs)))


def _has_ground(entry_id: int) -> bool:
    entry = db.session.get(Entry, entry_id)
    if entry is None or entry.confirmed_at is None or entry.status is EntryStatus.ERASED:
        return False
    refused = (ReferralState.ON_HOLD, ReferralState.NOT_COUNTED, ReferralState.REVERSED)
    disputed = select(Entry.id).where(
        Entry.referrer_id == entry_id,
        Entry.referral_state.in_(refused),
        Entry.referral_reason.in_(_DISPUTABLE),
    )
    return entry.review is not Review.CLEAR or db.session.scalar(disputed.limit(1)) is not None


def _tell(name: FactName, entry: Entry, **data: str) -> None:
    journal.record(
        name,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        **data,
    )
