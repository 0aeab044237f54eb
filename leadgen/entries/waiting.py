"""While an address is not confirmed: send the mail again or refuse, and what the owner of a known address hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update

from leadgen.campaigns import cards
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock, hot, queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.entries.correcting import OPEN
from leadgen.entries.entering import CODE_LIFE, deadline
from leadgen.entries.models import BY_ITSELF, Entry, EntryStatus, ReferralReason, ReferralState
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail import bounds
from leadgen.mail import service as mail
from leadgen.mail.models import MessageStatus
from leadgen.mail.service import Wanted

# Pauses before the second, third and fourth mail; there is no fifth.
RESEND_PAUSES = (timedelta(seconds=60), timedelta(minutes=5), timedelta(hours=1))

_ASK = """
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
SELECT 'entry.asked', %(now)s, brand_id, campaign_id, contact_id, id, jsonb_build_object('own', %(own)s::boolean)
FROM entry WHERE id = %(entry)s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How an entry stands, and what is wrong with its address' domain (`no_mx`), if anything."""

    status: EntryStatus
    address_problem: str


def look(entry_id: int) -> Look | None:
    """How an entry stands, None for one that is not there; open waiting pages ask again and again."""
    row = hot.one("SELECT status, address_problem FROM entry WHERE id = %(entry)s", {"entry": entry_id})
    return Look(EntryStatus(row["status"]), row["address_problem"]) if row else None


def ask(entry_id: int, *, is_own: bool) -> None:
    """Somebody pressed “send the mail again”: one row, whoever it is. What it leads to is decided by the worker.

    `is_own`: by the browser that made the entry. Anybody else has only typed an address.
    """
    hot.one(_ASK, {"entry": entry_id, "own": is_own, "now": clock.now()})
    queue.ring(Bell.FACTS)


def resend(entry_id: int, *, is_asked: bool = True) -> int:
    """Send the confirmation mail again, with a new code; earlier links stay good. Answers the seconds until the next.

    The second mail is possible after 60 s, the third after 5 min, the fourth and last after 1 h, all within what an
    address may get (mail.bounds); `is_asked` is False for what anybody can cause by typing the address. An expired
    entry gets a new deadline. Raises TooMany (with `retry_after` when waiting helps), Conflict when the contest takes
    no confirmations any more, NotFound.
    """
    entry = _locked(entry_id)
    card = cards.by_id(entry.campaign_id)
    now = clock.now()
    new_deadline = deadline(card, now)
    if now >= new_deadline or entry.status not in OPEN:
        raise Conflict(_("This entry can no longer be confirmed."))
    if entry.mails_sent > len(RESEND_PAUSES) or _is_too_many(entry, is_asked=is_asked, now=now):
        raise TooMany(_("We have sent this mail as often as we may. Look in your spam folder."), retry_after=0)
    if wait := _seconds_until_resend(entry):
        raise TooMany(_("Wait a moment before asking for another mail."), retry_after=wait)
    entry.mails_sent += 1
    entry.expires_at = max(entry.expires_at, new_deadline)
    entry.status = EntryStatus.PENDING
    if entry.referral_state is ReferralState.NOT_COUNTED and entry.referral_reason in BY_ITSELF:
        entry.referral_state, entry.referral_reason = ReferralState.AWAITING, ReferralReason.NONE
    _want_confirmation(entry, now, is_asked=is_asked)
    return _seconds_until_resend(entry)


def refuse(entry_id: int, generation: int) -> None:
    """“It wasn't me”: end the entry and never write to this address for it again. Doing it twice is the same as once.

    Raises NotFound for an entry that is not there, Conflict when it was confirmed or corrected in the meantime.
    """
    entry = _locked(entry_id)
    if entry.status is EntryStatus.REFUSED:
        return
    if entry.generation != generation or entry.status not in OPEN:
        raise Conflict(_("This entry can no longer be refused here."))
    entry.status = EntryStatus.REFUSED
    if entry.referral_state is not ReferralState.NONE:
        entry.referral_state, entry.referral_reason = ReferralState.NOT_COUNTED, ReferralReason.INELIGIBLE
    contact = contacts.get(entry.contact_id)
    if contact.email_verified_at is None and contact.address_hash is not None:
        contacts.suppress(entry.brand_id, contact.address_hash, SuppressionReason.REFUSED, "it was not me")
    _record(FactName.ENTRY_REFUSED, entry)


def answer_repeated(facts: Sequence[Fact]) -> None:
    """Somebody typed an address that has entered before: its owner, and only they, hear of it by mail (reaction).

    Waiting entries get the confirmation again within its limits; confirmed ones the link to their page, once a day.
    """
    for entry_id in sorted({fact.entry_id for fact in facts if fact.entry_id}):
        _answer(entry_id, is_asked=False)


def answer_asked(facts: Sequence[Fact]) -> None:
    """“Send the mail again”: the browser that made the entry has its pauses, anybody else only typed an address."""
    own = {fact.entry_id: bool(fact.data.get("own")) for fact in facts if fact.entry_id}
    for entry_id, is_own in sorted(own.items()):
        _answer(entry_id, is_asked=is_own)


def _answer(entry_id: int, *, is_asked: bool) -> None:
    entry = db.session.scalar(select(Entry).where(Entry.id == entry_id).with_for_update())
    if entry is None:
        return
    if entry.status is EntryStatus.CONFIRMED:
        want_page_link(entry)
    elif entry.status in OPEN:
        try:
            resend(entry_id, is_asked=is_asked)
        except (TooMany, Conflict, NotFound):
            return


def mail_page_link(entry_id: int) -> None:
    """Mail the link to their page to whoever confirmed this entry, at most once a day. Raises NotFound."""
    entry = _locked(entry_id)
    if entry.status is not EntryStatus.CONFIRMED:
        raise NotFound
    want_page_link(entry)


def want_page_link(entry: Entry) -> None:
    """Mail the link to the person's page to its owner, at most once a day."""
    context: dict[str, int | str] = {"entry": entry.id, "access_version": entry.access_version, "code": entry.code}
    mail.want(wanted(entry, f"page:{entry.id}:{clock.now():%Y-%m-%d}", "page_link", context))


def wanted(entry: Entry, intent: str, letter: str, context: dict[str, int | str]) -> Wanted:
    """A letter to this entrant, now."""
    return Wanted(
        intent=intent,
        letter=letter,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        locale=entry.locale,
        context=context,
    )


def mark_bounced(facts: Sequence[Fact]) -> None:
    """An address is dead: what waits for it can stop waiting, and its page says so (reaction)."""
    contact_ids = [fact.contact_id for fact in facts if fact.data.get("reason") == SuppressionReason.HARD_BOUNCE]
    waiting = update(Entry).where(Entry.contact_id.in_(contact_ids), Entry.status == EntryStatus.PENDING)
    brought = waiting.where(Entry.referral_state == ReferralState.AWAITING)
    db.session.execute(
        brought.values(
            status=EntryStatus.BOUNCED, referral_state=ReferralState.NOT_COUNTED, referral_reason=ReferralReason.BOUNCE
        )
    )
    db.session.execute(waiting.values(status=EntryStatus.BOUNCED))


def _locked(entry_id: int) -> Entry:
    entry = db.session.scalar(select(Entry).where(Entry.id == entry_id).with_for_update())
    if entry is None or entry.status is EntryStatus.ERASED:
        raise NotFound
    contacts.get(entry.contact_id)  # raises NotFound for a forgotten person
    return entry


def _seconds_until_resend(entry: Entry) -> int:
    pause = RESEND_PAUSES[min(entry.mails_sent, len(RESEND_PAUSES)) - 1]
    return max(0, round((entry.last_mail_at + pause - clock.now()).total_seconds()))


def _is_too_many(entry: Entry, *, is_asked: bool, now: datetime) -> bool:
    """Whether the address has had its mails; then the one that was wanted stands in its timeline, once a day."""
    hashed = contacts.get(entry.contact_id).address_hash
    assert hashed is not None
    if bounds.is_within(hashed, is_asked=is_asked):
        return False
    intent = f"doi:{entry.id}:{entry.generation}:limit:{now:%Y-%m-%d}"
    db.session.flush()
    refused = wanted(entry, intent, "confirm", _numbers(entry))
    mail.want(replace(refused, status=MessageStatus.SUPPRESSED, reason="address_limit"))
    return True


def _want_confirmation(entry: Entry, now: datetime, *, is_asked: bool) -> None:
    entry.code_number += 1
    entry.code_tries = 0
    entry.code_expires_at = now + CODE_LIFE
    entry.last_mail_at = now
    db.session.flush()
    intent = f"doi:{entry.id}:{entry.generation}:{entry.mails_sent}"
    mail.want(wanted(entry, intent, "confirm", _numbers(entry) | ({"asked": 1} if is_asked else {})))


def _numbers(entry: Entry) -> dict[str, int | str]:
    return {"entry": entry.id, "generation": entry.generation, "code_number": entry.code_number}


def _record(name: FactName, entry: Entry) -> None:
    journal.record(
        name,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
    )
