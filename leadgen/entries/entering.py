"""Entering a campaign: contact, entry, evidence of consent, confirmation mail and fact in one statement.

The tests keep a plain ORM version of the same and compare the rows that both leave.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg

from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import TouchModel
from leadgen.contacts import address
from leadgen.contacts.address import Address
from leadgen.contacts.evidence import PRIVACY_NOTICE
from leadgen.core import clock, hot, ids, queue
from leadgen.core.errors import Conflict
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.mail import bounds
from leadgen.mail.bounds import FORMS_A_DAY, MAILS_PER_ADDRESS

CONFIRMATION_LIFE = timedelta(days=7)
CODE_LIFE = timedelta(minutes=15)
MAIL_LIFE = timedelta(hours=24)
_CODE_ATTEMPTS = 5
# A chain of friends may grow longer; its generations are counted up to here (F4).
MOST_GENERATIONS = 50
_LONGEST_CODE = 16
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes a new one at each call that is not plain

_ENTER = f"""
WITH campaign_now AS (
    SELECT id FROM campaign
    WHERE id = %(campaign)s AND status IN ('live', 'scheduled') AND starts_at <= %(now)s AND %(now)s < ends_at
), person AS (
    INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, created_at)
    SELECT %(brand)s, %(mailbox)s, %(email)s, %(hash)s, %(first_name)s, %(locale)s, %(timezone)s, %(now)s
    FROM campaign_now
    -- An unverified form never changes a contact; the empty update only makes the row come back, and waits for
    -- another form with the same address.
    ON CONFLICT (brand_id, mailbox_key) DO UPDATE SET brand_id = contact.brand_id
    RETURNING id
), inviter AS (
    -- Found by the code alone, each by a look of its own: a plan made while the tables were empty would go through all
    -- entries of the campaign, or for a list of codes, an empty one too, through the whole table.
    -- An excluded inviter stays the inviter: the credit waits until somebody clears them, or never comes.
    SELECT id, coded.code, referrer_id, ref2_id, coalesce(root_id, id) AS root_id, depth
    FROM unnest(%(codes)s::text[]) WITH ORDINALITY AS asked (code, place)
    CROSS JOIN LATERAL (SELECT * FROM entry WHERE entry.code = asked.code OFFSET 0) AS coded
    WHERE campaign_id = %(campaign)s AND status = 'confirmed'
    ORDER BY asked.place LIMIT 1
), joined AS (
    INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, locale, rules_version, is_marketing_wanted,
                       referrer_id, ref2_id, ref3_id, root_id, depth, referral_state, channel, source,
                       touch_model, first_touch_code, last_touch_code, landing_variant,
                       code_expires_at, last_mail_at, expires_at, created_at)
    SELECT %(public_id)s, %(code)s, %(brand)s, %(campaign)s, person.id, %(locale)s, %(rules_version)s, %(marketing)s,
           inviter.id, inviter.referrer_id, inviter.ref2_id, inviter.root_id,
           least(coalesce(inviter.depth + 1, 0), {MOST_GENERATIONS}),
           CASE WHEN inviter.id IS NULL THEN 'none' ELSE 'awaiting' END, %(channel)s, %(source)s::jsonb,
           %(touch_model)s, %(first_code)s, %(last_code)s, %(landing_variant)s,
           %(code_expires_at)s, %(now)s, %(expires_at)s, %(now)s
    FROM person LEFT JOIN inviter ON true
    ON CONFLICT (campaign_id, contact_id) DO UPDATE SET campaign_id = entry.campaign_id
    RETURNING id, contact_id, referrer_id, (xmax = 0) AS is_new
), evidence AS (
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
    SELECT %(brand)s, contact_id, %(campaign)s, id, act.purpose, act.action, %(now)s, 'form', act.evidence::jsonb
    FROM joined, (VALUES ('rules', 'given', %(rules_evidence)s),
                         ('marketing', %(marketing_action)s, %(marketing_evidence)s)) AS act (purpose, action, evidence)
    WHERE is_new
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                         status, reason, due_at, expires_at, created_at)
    SELECT 'doi:' || id || ':1:1', %(brand)s, %(campaign)s, contact_id, id, 'confirmation', 'confirmation', 'confirm',
           %(locale)s, jsonb_build_object('entry', id, 'generation', 1, 'code_number', 1),
           CASE WHEN recent.is_within THEN 'scheduled' ELSE 'suppressed' END,
           CASE WHEN recent.is_within THEN '' ELSE 'address_limit' END,
           %(now)s, %(mail_expires_at)s, %(now)s
    FROM joined, (
        SELECT written.mails < {MAILS_PER_ADDRESS} AND written.forms < {FORMS_A_DAY} AS is_within
        FROM ({bounds.written("%(hash)s", "%(now)s")}) AS written
    ) AS recent
    WHERE is_new
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data)
    SELECT CASE WHEN is_new THEN 'entry.created' ELSE 'entry.repeated' END,
           %(now)s, %(brand)s, %(campaign)s, contact_id, id,
           jsonb_strip_nulls(jsonb_build_object('referrer', referrer_id, 'channel', %(channel)s::text))
    FROM joined
    UNION ALL
    SELECT 'referral.unknown', %(now)s, %(brand)s, %(campaign)s, joined.contact_id, joined.id,
           jsonb_build_object('typed', %(typed_code)s::text)
    FROM joined LEFT JOIN inviter ON true
    WHERE is_new AND %(typed_code)s::text <> '' AND inviter.code IS DISTINCT FROM %(typed_code)s::text
)
SELECT id, is_new FROM joined
"""  # noqa: S608 - the only values put in by Python are constants of the product


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """What a filled-in form says. `seconds` is how long the form was open; `source` holds utm_* and the like.

    `referral_code` is of the link followed last, `first_code` of the one followed first (where that is known, else
    empty), `typed_code` what the person typed under “who invited you”: it comes before both when it is good.
    """

    address: Address
    first_name: str
    wants_marketing: bool
    referral_code: str
    channel: str
    source: dict[str, Any]
    locale: str
    timezone: str
    ip: str
    user_agent: str
    page: str
    seconds: float
    first_code: str = ""
    typed_code: str = ""
    landing_variant: str = ""
    device: str = ""  # of the cookie that is set when a form is sent; against entries by the dozen, nothing else
    is_trapped: bool = False  # the field that people do not see was filled in


@dataclass(frozen=True, slots=True)
class Entered:
    """`is_own` is False when the address had entered before: this browser has not shown that the entry is its own."""

    entry_id: int
    is_own: bool
    masked: str


def enter(card: CampaignCard, request: EntryRequest) -> Entered:
    """Enter the campaign; an address that is in already keeps its entry, and the worker writes to its owner.

    New, known, suppressed and erased addresses get the same answer for the same work. The same address
    at the same instant leaves one entry and one mail. Raises Conflict when the campaign takes no entries (any more).
    """
    for attempt in range(_CODE_ATTEMPTS):
        values = _values(card, request, code_length=ids.CODE_LENGTH + attempt)
        try:
            row = hot.one(_ENTER, values)
            break
        except psycopg.errors.UniqueViolation:  # a random code was taken: try a longer one
            continue
    else:
        raise RuntimeError("no free referral code")
    if row is None:
        raise Conflict(_("This contest takes no entries at the moment."))
    queue.ring(Bell.CONFIRMATIONS if row["is_new"] else Bell.FACTS)
    return Entered(row["id"], bool(row["is_new"]), address.mask(request.address.email))


def deadline(card: CampaignCard, moment: datetime) -> datetime:
    """Until when an entry made at `moment` can be confirmed: seven days, cut at the end of the campaign's grace."""
    return min(moment + CONFIRMATION_LIFE, card.ends_at + timedelta(seconds=card.grace_seconds))


def tidy_code(typed: str) -> str:
    """The referral code in what somebody typed or pasted, be it a whole link; empty when there is none in it."""
    last = typed.strip().rstrip("/").rpartition("/")[2].partition("?")[0].upper()
    code = "".join(sign for sign in last if sign.isascii() and sign.isalnum())
    return code if len(code) <= _LONGEST_CODE else ""


def _codes(card: CampaignCard, request: EntryRequest) -> list[str]:
    """The codes that may bring somebody the credit, the strongest first (F4)."""
    touches = [request.first_code, request.referral_code]
    if card.touch_model is TouchModel.LAST:
        touches.reverse()
    return [code for code in (request.typed_code, *touches) if code]


def _values(card: CampaignCard, request: EntryRequest, *, code_length: int) -> dict[str, Any]:
    now = clock.now()
    hashed = address.address_hash(request.address.mailbox_key)
    shown = _shown(card, request, hashed)
    return {
        "now": now,
        "campaign": card.id,
        "brand": card.brand.id,
        "rules_version": card.rules_version,
        "email": request.address.email,
        "mailbox": request.address.mailbox_key,
        "hash": hashed,
        "first_name": request.first_name,
        "locale": request.locale,
        "timezone": request.timezone,
        "marketing": request.wants_marketing,
        "marketing_action": "given" if request.wants_marketing else "refused",
        "rules_evidence": _evidence(shown, card.text("consent_rules", request.locale)),
        "marketing_evidence": _evidence(shown, card.text("consent_marketing", request.locale)),
        "codes": _codes(card, request),
        "touch_model": card.touch_model.value,
        "first_code": request.first_code or request.referral_code,
        "last_code": request.referral_code,
        "typed_code": request.typed_code,
        "landing_variant": request.landing_variant,
        "channel": request.channel,
        "source": _AS_JSON(request.source),
        "public_id": ids.public_id(),
        "code": ids.referral_code(code_length),
        "code_expires_at": now + CODE_LIFE,
        "expires_at": deadline(card, now),
        "mail_expires_at": now + MAIL_LIFE,
    }


def _shown(card: CampaignCard, request: EntryRequest, hashed: bytes) -> dict[str, Any]:
    """What was shown and how it was answered, but for the words beside each box."""
    trapped = {"trapped": True} if request.is_trapped else {}
    return {
        "control": "box, unticked by default",
        "rules_version": card.rules_version,
        "privacy_notice": PRIVACY_NOTICE,
        "form": "entry",
        "page_version": card.version,
        "locale": request.locale,
        "page": request.page,
        "source": request.source,
        "seconds": round(request.seconds, 1),
        "email": request.address.email,
        "email_hash": hashed.hex(),
        "ip": request.ip,
        "user_agent": request.user_agent[:300],
        "device": request.device,
        "script": bool(request.timezone),  # only the page's script sends it
    } | trapped


def _evidence(shown: dict[str, Any], wording: str) -> str:
    """All of it as JSON, with the words beside one box."""
    return _AS_JSON({"wording": wording, "wording_sha256": _sha256(wording), **shown})


@lru_cache(maxsize=256)
def _sha256(wording: str) -> str:
    return hashlib.sha256(wording.encode()).hexdigest()
