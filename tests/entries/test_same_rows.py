"""The hot statements against the plain way of writing the same: both leave the same rows."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.contacts import address
from leadgen.contacts.models import Consent, ConsentAction, ConsentPurpose, Contact
from leadgen.core import clock, ids
from leadgen.core.db import db
from leadgen.entries import confirming, entering
from leadgen.entries.entering import EntryRequest
from leadgen.entries.models import Entry, EntryStatus, LedgerKind, LedgerLine, LedgerPending, ReferralState
from leadgen.journal.models import Fact
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail.models import Message
from tests.entries.conftest import filled, rows
from tests.factories import make_entry

_OWN = {"id", "public_id", "code", "opaque_id", "intent", "context", "idempotency_key", "mailbox_key", "email"}
_IDS = {"entry_id", "contact_id", "source_entry_id", "address_hash", "referrer_id", "root_id"}
_TABLES = ("contact", "entry", "consent", "message", "fact", "ledger", "ledger_pending")

forms = st.fixed_dictionaries(
    {
        "first_name": st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30),
        "wants_marketing": st.booleans(),
        "channel": st.sampled_from(["", "wa", "copy"]),
        "source": st.dictionaries(st.sampled_from(["utm_source", "utm_campaign"]), st.text("abc", max_size=5)),
        "locale": st.sampled_from(["en", "fr"]),
        "is_referred": st.booleans(),
    }
)


@settings(max_examples=25)
@given(form=forms)
def test_both_ways_leave_the_same_rows(card: CampaignCard, campaign: Campaign, form: dict[str, Any]) -> None:
    number = ids.public_id()
    ben = make_entry(campaign, email=f"ben{number}@mail.example", confirmed=True)
    code = ben.code if form.pop("is_referred") else ""
    hot_form = filled(f"hot{number}@mail.example", referral_code=code, **form)
    plain_form = filled(f"plain{number}@mail.example", referral_code=code, **form)

    before = _highest()
    entered = entering.enter(card, hot_form)
    confirming.confirm(entered.entry_id, 1, "button_post")
    by_statement = _rows_after(before)

    before = _highest()
    _confirm_plainly(campaign, _enter_plainly(card, plain_form))
    by_orm = _rows_after(before)

    assert by_statement == by_orm


def _highest() -> dict[str, int]:
    return {table: rows(f"SELECT coalesce(max(id), 0) AS id FROM {table}")[0]["id"] for table in _TABLES}


def _rows_after(before: dict[str, int]) -> dict[str, list[str]]:
    return {
        table: sorted(
            json.dumps(_without_own(row), sort_keys=True, default=str)
            for row in rows(f"SELECT * FROM {table} WHERE id > %(id)s", id=before[table])
        )
        for table in _TABLES
    }


def _without_own(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what differs from one person to the next, times as “set or not”."""
    kept = {name: value for name, value in row.items() if name not in _OWN}
    for name, value in kept.items():
        if name in _IDS or name.endswith("_at") or name == "at":
            kept[name] = value is not None
    if "asked_at" in (kept.get("evidence") or {}):
        kept["evidence"] = kept["evidence"] | {"asked_at": True}
    if isinstance(kept.get("data"), dict):
        kept["data"] = {key: key in {"friend", "referrer"} or value for key, value in kept["data"].items()}
    if isinstance(kept.get("evidence"), dict):
        kept["evidence"] = {key: key in {"email", "email_hash"} or value for key, value in kept["evidence"].items()}
    return kept


def _enter_plainly(card: CampaignCard, form: EntryRequest) -> Entry:
    now = clock.now()
    contact = Contact(
        brand_id=card.brand.id,
        mailbox_key=form.address.mailbox_key,
        email=form.address.email,
        address_hash=address.address_hash(form.address.mailbox_key),
        first_name=form.first_name,
        locale=form.locale,
        timezone=form.timezone,
        created_at=now,
    )
    db.session.add(contact)
    db.session.flush()
    inviter = db.session.scalar(select(Entry).where(Entry.code == form.referral_code)) if form.referral_code else None
    entry = Entry(
        public_id=ids.public_id(),
        code=ids.referral_code(),
        brand_id=card.brand.id,
        campaign_id=card.id,
        contact_id=contact.id,
        locale=form.locale,
        rules_version=card.rules_version,
        is_marketing_wanted=form.wants_marketing,
        referrer_id=inviter and inviter.id,
        ref2_id=inviter and inviter.referrer_id,
        ref3_id=inviter and inviter.ref2_id,
        root_id=inviter and (inviter.root_id or inviter.id),
        depth=inviter.depth + 1 if inviter else 0,
        referral_state=ReferralState.AWAITING if inviter else ReferralState.NONE,
        first_touch_code=form.referral_code,
        last_touch_code=form.referral_code,
        channel=form.channel,
        source=form.source,
        code_expires_at=now + entering.CODE_LIFE,
        last_mail_at=now,
        expires_at=entering.deadline(card, now),
        created_at=now,
    )
    db.session.add(entry)
    db.session.flush()
    for purpose, action, key in (
        (ConsentPurpose.RULES, ConsentAction.GIVEN, "consent_rules"),
        (
            ConsentPurpose.MARKETING,
            ConsentAction.GIVEN if form.wants_marketing else ConsentAction.REFUSED,
            "consent_marketing",
        ),
    ):
        _add(Consent, entry, purpose=purpose, action=action, at=now, channel="form", evidence=_shown(card, form, key))
    _add(
        Message,
        entry,
        intent=f"doi:{entry.id}:1:1",
        lane=Lane.CONFIRMATION,
        purpose=MailPurpose.CONFIRMATION,
        letter="confirm",
        locale=form.locale,
        due_at=now,
        expires_at=now + entering.MAIL_LIFE,
        created_at=now,
    )
    data = {"channel": form.channel} | ({"referrer": inviter.id} if inviter else {})
    _add(Fact, entry, name="entry.created", at=now, data=data)
    db.session.commit()
    return entry


def _shown(card: CampaignCard, form: EntryRequest, key: str) -> dict[str, Any]:
    shown = entering._shown(card, form, address.address_hash(form.address.mailbox_key))
    return json.loads(entering._evidence(shown, card.text(key, form.locale)))


def _confirm_plainly(campaign: Campaign, entry: Entry) -> None:
    now = clock.now()
    entry.status, entry.confirmed_at, entry.reached_at = EntryStatus.CONFIRMED, now, now
    entry.confirm_method = "button_post"
    contact = db.session.get_one(Contact, entry.contact_id)
    contact.email_verified_at = contact.last_inbound_at = now
    contact.contests = [campaign.id]
    purposes = [ConsentPurpose.RULES]
    if entry.is_marketing_wanted:
        contact.marketing_at = now
        purposes.append(ConsentPurpose.MARKETING)
    for purpose in purposes:
        evidence = {"method": "button_post", "generation": 1, "asked_at": entry.created_at.isoformat()}
        evidence |= {"email": "own", "email_hash": "own"}
        _add(
            Consent,
            entry,
            purpose=purpose,
            action=ConsentAction.CONFIRMED,
            at=now,
            channel="confirm page",
            evidence=evidence,
        )
    _credit(entry, entry, LedgerKind.ENTRY, campaign.entry_points)
    told = {"method": "button_post", "marketing": entry.is_marketing_wanted}
    _add(Fact, entry, name="entry.confirmed", at=now, data=told)
    if entry.referrer_id:
        inviter = db.session.get_one(Entry, entry.referrer_id)
        _credit(inviter, entry, LedgerKind.REFERRAL, campaign.referral_points)
        entry.referral_state = ReferralState.COUNTED
        data = {"friend": entry.id, "points": campaign.referral_points}
        fact = Fact(name="referral.counted", at=now, brand_id=entry.brand_id, campaign_id=campaign.id, data=data)
        fact.entry_id = inviter.id
        db.session.add(fact)
    _add(
        Message,
        entry,
        intent=f"welcome:{entry.id}",
        lane=Lane.SERVICE,
        purpose=MailPurpose.SERVICE,
        letter="welcome",
        locale=entry.locale,
        due_at=now,
        expires_at=now,
        created_at=now,
    )
    db.session.commit()


def _credit(to: Entry, because_of: Entry, kind: LedgerKind, worth: int) -> None:
    now = clock.now()
    line = LedgerLine(campaign_id=to.campaign_id, entry_id=to.id, kind=kind, points=worth, chances=worth, at=now)
    line.source_entry_id = because_of.id if kind is LedgerKind.REFERRAL else None
    line.rules_version, line.idempotency_key = because_of.rules_version, f"{kind}:{because_of.id}"
    pending = LedgerPending(campaign_id=to.campaign_id, entry_id=to.id, points=worth, chances=worth, at=now)
    pending.kind, pending.friends = kind, int(kind is LedgerKind.REFERRAL)
    db.session.add_all([line, pending])


def _add(model: type[Any], entry: Entry, **values: Any) -> None:
    same = {"brand_id": entry.brand_id, "campaign_id": entry.campaign_id, "contact_id": entry.contact_id}
    db.session.add(model(**same, entry_id=entry.id, **values))
