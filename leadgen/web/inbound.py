"""What providers post to us: SendGrid's signed Event Webhook, checked over the raw bytes, stored, answered at once."""

from __future__ import annotations

import base64
import logging
import re
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Blueprint, request
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.eventwebhook.eventwebhook_header import EventWebhookHeader

from leadgen.core import clock, settings
from leadgen.core.errors import Invalid
from leadgen.mail import receipts
from leadgen.web.guards import Guard, guarded_by

log = logging.getLogger(__name__)
blueprint = Blueprint("inbound", __name__)
# SendGrid tries for 24 hours and does not say whether a later try is signed anew; the event's id is the real guard.
_OLDEST_SECONDS = 72 * 3600
_SKEW_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)


@blueprint.post("/webhooks/sendgrid")
@guarded_by(Guard.SIGNATURE)
def sendgrid() -> tuple[str, int]:
    """Store the events; they are applied by a worker. What is longer than MAX_CONTENT_LENGTH is answered 413."""
    stamp = request.headers.get(EventWebhookHeader.TIMESTAMP, "")
    signature = request.headers.get(EventWebhookHeader.SIGNATURE, "")
    if not signature or not _is_recent(stamp):
        return "signature\n", 403  # nothing of a stranger's body is read
    body = request.get_data(cache=False)
    if not _is_genuine(body, stamp, signature):
        return "signature\n", 403
    try:
        receipts.store_body(body)
    except Invalid:
        return "not an array of events\n", 400
    return "", 204


def _is_recent(stamp: str) -> bool:
    """Whether the timestamp is one, of ten digits, and of the last three days."""
    if not _TIMESTAMP.fullmatch(stamp):
        return False
    return -_SKEW_SECONDS <= clock.now().timestamp() - int(stamp) <= _OLDEST_SECONDS


def _is_genuine(body: bytes, stamp: str, signature: str) -> bool:
    """Whether SendGrid signed these very bytes with one of its keys; while a key is exchanged there are two.

    The library by itself takes text, accepts any age and digits moved between timestamp and body, and raises on missing
    headers and on signatures that are no base64; here every doubt is a no.
    """
    keys = settings.get().sendgrid_webhook_public_key.split(",")
    return any(_signed(key.strip(), stamp.encode() + body, signature) for key in keys if key.strip())


def _signed(key: str, signed: bytes, signature: str) -> bool:
    try:
        _public_key(key).verify(base64.b64decode(signature), signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, AttributeError):
        return False
    return True


@lru_cache(maxsize=4)
def _public_key(key: str) -> ec.EllipticCurvePublicKey:
    """The key as SendGrid's settings page shows it. Raises ValueError when it is none."""
    return EventWebhook(key).public_key  # type: ignore[no-any-return]
