"""What a referrer hears of friends who count: the first at once, then one letter a day; and who gets very many."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from leadgen.campaigns import cards
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries.models import Entry, EntryStatus, LedgerKind, LedgerLine
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail import service as mail
from leadgen.mail.models import Message
from leadgen.mail.service import Wanted

log = logging.getLogger(__name__)
LETTER = "friend_counted"
# The letter of a day gathers what counted since the one before; it leaves at this hour of the campaign's time zone.
HOUR = time(9)
MANY_A_DAY = 50


def friends_counted(facts: Sequence[Fact]) -> None:
    """Write to the referrers of friends who count now, and note who gets suspiciously many in a day (reaction)."""
    for entry_id in sorted({fact.entry_id for fact in facts if fact.entry_id}):
        entry = db.session.get(Entry, entry_id)
        if entry is not None and entry.status is EntryStatus.CONFIRMED:
            zone = ZoneInfo(cards.by_id(entry.campaign_id).timezone)
            _want_letter(entry, zone)
            _note_many(entry, zone)


def _want_letter(entry: Entry, zone: ZoneInfo) -> None:
    """The first friend is told at once. All later ones wait for the next morning: so no day has two letters (F5)."""
    today = clock.now().astimezone(zone).date()
    written = select(Message.id).where(Message.entry_id == entry.id, Message.letter == LETTER).limit(1)
    if db.session.scalar(written) is None:
        mail.want(_letter(entry, f"{LETTER}:{entry.id}:{today}", None))
        return
    tomorrow = today + timedelta(days=1)
    mail.want(_letter(entry, f"{LETTER}:{entry.id}:{tomorrow}", datetime.combine(tomorrow, HOUR, zone)))


def _letter(entry: Entry, intent: str, due_at: datetime | None) -> Wanted:
    context: dict[str, int | str] = {"entry": entry.id, "access_version": entry.access_version, "code": entry.code}
    return Wanted(
        intent=intent,
        letter=LETTER,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        locale=entry.locale,
        context=context,
        due_at=due_at,
    )


def _note_many(entry: Entry, zone: ZoneInfo) -> None:
    """A line in the log and a fact, once a day, for a referrer with more friends in a day than most have in all."""
    day_starts_at = datetime.combine(clock.now().astimezone(zone).date(), time(), zone)
    latest = select(LedgerLine.at).where(LedgerLine.entry_id == entry.id, LedgerLine.kind == LedgerKind.REFERRAL)
    nth = db.session.scalar(latest.order_by(LedgerLine.id.desc()).offset(MANY_A_DAY - 1).limit(1))
    if nth is None or nth < day_starts_at:
        return
    said = select(Fact.id).where(Fact.entry_id == entry.id, Fact.name == FactName.REFERRAL_SURGED.value)
    if db.session.scalar(said.where(Fact.at >= day_starts_at).limit(1)) is not None:
        return
    log.warning("entry %d of campaign %d was credited %d friends today", entry.id, entry.campaign_id, MANY_A_DAY)
    journal.record(
        FactName.REFERRAL_SURGED,
        brand_id=entry.brand_id,
        campaign_id=entry.campaign_id,
        entry_id=entry.id,
        friends=MANY_A_DAY,
    )
