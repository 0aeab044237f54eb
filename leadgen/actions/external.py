"""Deeds that another system tells us of by a signed call (Standard Webhooks), and the secret that it signs with."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from leadgen.actions import deeds, service, watching
from leadgen.actions.deeds import Result
from leadgen.actions.models import ExternalKey
from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.campaigns.models import ActionKind
from leadgen.contacts import address
from leadgen.core import clock, sealed
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotAllowed, NotFound, TokenInvalid
from leadgen.core.tokens import Purpose

TOLERANCE_SECONDS = 300
LONGEST_OCCURRENCE = 100
_PREFIX = "whsec_"
_SECRET_BYTES = 32
_FOR_EVER = 100 * 365 * 24 * 3600
# No dot: what is signed is “id.timestamp.body”, and its parts must not be moved into each other.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)
_PERSON = text("""
SELECT id FROM entry WHERE campaign_id = :campaign AND (public_id = :named OR code = :named) AND status <> 'erased'
""")
_KEEP = text("""
INSERT INTO external_key (campaign_id, sealed, created_at) VALUES (:campaign, :sealed, :now)
ON CONFLICT (campaign_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at
""")


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came: the three headers of Standard Webhooks and the raw body."""

    message_id: str
    timestamp: str
    signatures: str
    body: bytes


def new_secret(campaign_id: int) -> str:
    """A new secret for the signed calls of this campaign, to be shown once; the one before stops working."""
    secret = _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    values = {"campaign": campaign_id, "sealed": sealed.seal(Purpose.EXTERNAL, [campaign_id, secret])}
    db.session.execute(_KEEP, values | {"now": clock.now()})
    return secret


def secret_since(campaign_id: int) -> datetime | None:
    """When the secret was made; None when there is none."""
    kept = db.session.get(ExternalKey, campaign_id)
    return kept.created_at if kept else None


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The signature of a call, as its sender makes it."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")).decode()


def verify(campaign_id: int, call: Call) -> None:
    """Raises NotAllowed unless the call was signed with the campaign's secret at most five minutes ago or ahead."""
    if not (_ID.fullmatch(call.message_id) and _TIMESTAMP.fullmatch(call.timestamp)):
        raise NotAllowed
    if abs(clock.now().timestamp() - int(call.timestamp)) > TOLERANCE_SECONDS:
        raise NotAllowed
    wanted = sign(_secret(campaign_id), call.message_id, call.timestamp, call.body).encode()
    given = [part.encode("utf-8", "replace") for part in call.signatures.split(" ")[:10]]
    if not any([hmac.compare_digest(wanted, one) for one in given]):  # noqa: C419 - all are compared, in constant time
        raise NotAllowed


def _secret(campaign_id: int) -> str:
    kept = db.session.get(ExternalKey, campaign_id)
    try:
        of, secret = sealed.unseal(Purpose.EXTERNAL, kept.sealed if kept else "", max_age=_FOR_EVER)
    except (TokenInvalid, binascii.Error, ValueError):
        raise NotAllowed from None
    if of != campaign_id:
        raise NotAllowed
    return str(secret)


def take(card: CampaignCard, key: str, call: Call) -> Result:
    """Credit what a verified call tells; the same webhook-id again answers “already” and changes nothing.

    Raises NotFound (action or person), Invalid (field).
    """
    action = next((action for action in card.actions if action.key == key and _is_called(action)), None)
    if action is None:
        raise NotFound
    told = _told(call.body)
    occurrence = told.get("occurrence", "")
    if not isinstance(occurrence, str) or len(occurrence) > LONGEST_OCCURRENCE or not occurrence.isprintable():
        raise Invalid("a text of at most 100 characters", "occurrence")
    name = _kept(action, occurrence) if occurrence else f"call:{call.message_id}"
    who = deeds.doer(_person(card, action, told))
    if any(deed.data.get("call") == call.message_id for deed in who.of(action)):
        return Result(deeds.Outcome.ALREADY)
    return service.credit_by(who, action, name, {"call": call.message_id})


def _kept(action: ActionCard, occurrence: str) -> str:
    """What is kept of an occurrence: it may name the person, and stands in the ledger, where nothing is erased."""
    named = f"occurrence:{action.id}:{occurrence}".encode()
    return hmac.digest(address.installation_key(), named, "sha256")[:16].hex()


def _is_called(action: ActionCard) -> bool:
    """Signed calls finish external actions, and visits of sites that call back."""
    return action.kind is ActionKind.EXTERNAL or bool(
        action.kind is ActionKind.VISIT and action.settings.get("callback")
    )


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Invalid("a JSON object", "body")
    return told


def _person(card: CampaignCard, action: ActionCard, told: dict[str, Any]) -> int:
    """Whom the call names: by the token of a visit, by entry number, or by referral code. Raises NotFound, Invalid."""
    if isinstance(token := told.get("visit"), str):
        try:
            return watching.visitor(token, action.id)
        except TokenInvalid:
            raise NotFound from None
    named = told.get("entry")
    if not isinstance(named, str) or not named.isascii() or not named.isalnum() or len(named) > 20:
        raise Invalid("an entry number or a referral code", "entry")
    found = db.session.execute(_PERSON, {"campaign": card.id, "named": named.upper()}).scalar()
    if found is None:
        raise NotFound
    return int(found)
