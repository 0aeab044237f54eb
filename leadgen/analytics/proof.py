"""The proof file of one person: every act with its words and its seal, the mails between them, what blocks the address.

Only SELECT stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.contacts import evidence
from leadgen.contacts import service as contacts
from leadgen.contacts.evidence import Act
from leadgen.contacts.models import Contact, Suppression
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries.models import Entry

FORMAT = "leadgen.proof.1"
HOW = (
    "personal_digest = HMAC-SHA256(installation key, canonical JSON of ip, user_agent, page, email, source, note); "
    "row_hash = SHA256(previous_hash, canonical JSON of the other columns, personal_digest); one chain for each brand; "
    "`flask --app wsgi consent verify` recomputes all of it"
)
_MAILS = text("""
SELECT m.opaque_id, m.letter, m.status, m.created_at AS asked_at, m.sent_at,
       -- A provider that sends no events says so in its answer.
       coalesce((SELECT min(v.received_at) FROM provider_event v
                 WHERE v.opaque_id = m.opaque_id AND v.kind = 'delivered'),
                CASE WHEN m.status = 'delivered' THEN m.sent_at END) AS delivered_at
FROM message m WHERE m.contact_id = :contact AND m.lane = 'confirmation' ORDER BY m.id
""")
_BY_HAND = text("""
SELECT at, name, data FROM fact
WHERE contact_id = :contact AND name IN ('contact.suppressed', 'contact.released') ORDER BY id
""")


@dataclass(frozen=True, slots=True)
class ConfirmationMail:
    """A confirmation or reminder; `delivered_at` is when the provider said so, None where it says nothing."""

    opaque_id: str
    letter: str
    status: str
    asked_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Blocking:
    """A time at which the address was blocked or unblocked; `by` and `note` are of the staff, else empty."""

    at: datetime
    is_blocking: bool
    reason: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that shows what one person of a brand agreed to, in all its contests."""

    made_at: datetime
    brand: Brand
    entry: Entry
    contact: Contact
    acts: Sequence[Act]
    campaigns: dict[int, str]  # names, by number, of the contests that the acts speak of
    mails: Sequence[ConfirmationMail]
    suppressions: Sequence[Suppression]
    blockings: Sequence[Blocking]

    @property
    def broken(self) -> list[Act]:
        """Acts that are not what was sealed."""
        return [act for act in self.acts if act.fault]

    @property
    def waiting(self) -> list[Act]:
        """Acts that the next seal will hold."""
        return [act for act in self.acts if act.position is None]


def proof(campaign_id: int, entry_id: int) -> Proof:
    """The proof file of whoever is behind an entry of this campaign. Raises NotFound."""
    contact = contact_behind(campaign_id, entry_id)
    entry = db.session.get_one(Entry, entry_id)
    acts = evidence.acts_of(contact.id)
    named = {act.campaign_id for act in acts if act.campaign_id}
    names = db.session.execute(select(Campaign.id, Campaign.name).where(Campaign.id.in_(named)))
    return Proof(
        made_at=clock.now(),
        brand=accounts.brand(entry.brand_id),
        entry=entry,
        contact=contact,
        acts=acts,
        campaigns={row.id: row.name for row in names},
        mails=[_mail(row) for row in db.session.execute(_MAILS, {"contact": contact.id})],
        suppressions=contacts.suppressions_of(contact),
        blockings=[_blocking(row) for row in db.session.execute(_BY_HAND, {"contact": contact.id})],
    )


def contact_behind(campaign_id: int, entry_id: int) -> Contact:
    """Who is behind an entry of this campaign. Raises NotFound."""
    entry = db.session.get(Entry, entry_id)
    if entry is None or entry.campaign_id != campaign_id:
        raise NotFound
    return db.session.get_one(Contact, entry.contact_id)


def as_data(found: Proof) -> dict[str, Any]:
    """The same as JSON can hold it: times as ISO 8601, hashes as hexadecimal digits."""
    brand, contact = found.brand, found.contact
    names = ("name", "legal_name", "legal_address", "contact_email")
    return {
        "format": FORMAT,
        "made_at": found.made_at.isoformat(),
        "brand": {name: getattr(brand, name) for name in names},
        "person": {
            "email": contact.email,
            "email_hash": contact.address_hash.hex() if contact.address_hash else None,
            "entry": found.entry.public_id,
            "verified_at": _iso(contact.email_verified_at),
            "marketing_since": _iso(contact.marketing_at),
            "erased_at": _iso(contact.erased_at),
        },
        "acts": [_act_data(act, found.campaigns) for act in found.acts],
        "mails": [_plain(asdict(mail)) for mail in found.mails],
        "suppressions": [
            {"reason": one.reason.value, "at": _iso(one.at), "detail": one.detail} for one in found.suppressions
        ],
        "blockings": [_plain(asdict(one)) for one in found.blockings],
        "verification": {
            "is_whole": not found.broken,
            "sealed": len(found.acts) - len(found.waiting),
            "waiting": len(found.waiting),
            "how": HOW,
        },
    }


def _act_data(act: Act, campaigns: dict[int, str]) -> dict[str, Any]:
    return _plain(asdict(act)) | {"campaign": campaigns.get(act.campaign_id or 0)}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _json(value) for name, value in values.items()}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _mail(row: Any) -> ConfirmationMail:
    return ConfirmationMail(str(row.opaque_id), row.letter, row.status, row.asked_at, row.sent_at, row.delivered_at)


def _blocking(row: Any) -> Blocking:
    said = row.data
    is_blocking = row.name == "contact.suppressed"
    return Blocking(row.at, is_blocking, said.get("reason", ""), said.get("by", ""), said.get("note", ""))
