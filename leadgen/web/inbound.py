"""What providers post to us: SendGrid's signed Event Webhook, checked over the raw bytes, stored, answered at once."""

from __future__ import annotations

import binascii
import json
import logging
import re
from functools import lru_cache
from typing import Any

from flask import Blueprint, request
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.eventwebhook.eventwebhook_header import EventWebhookHeader

from leadgen.core import clock, settings
from leadgen.mail import receipts
from leadgen.web.guards import Guard, guarded_by

log = logging.getLogger(__name__)
blueprint = Blueprint("inbound", __name__)
# SendGrid tries for 24 hours and does not say whether a later try is signed anew; the event's id is the real guard.
_OLDEST_SECONDS = 72 * 3600
_SKEW_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{10}")


@blueprint.post("/webhooks/sendgrid")
@guarded_by(Guard.SIGNATURE)
def sendgrid() -> tuple[str, int]:
    """Store the events; they are applied by a worker."""
    body = request.get_data(cache=False)
    if not _is_genuine(body):
        return "signature\n", 403
    events = _events(body)
    if events is None:
        return "not an array of events\n", 400
    receipts.store(events)
    return "", 204


def _is_genuine(body: bytes) -> bool:
    """Whether SendGrid signed these very bytes lately.

    The library by itself accepts any age and digits moved between timestamp and body, and raises on missing headers and
    on signatures that are no base64; here every doubt is a no.
    """
    key = settings.get().sendgrid_webhook_public_key
    stamp = request.headers.get(EventWebhookHeader.TIMESTAMP, "")
    signature = request.headers.get(EventWebhookHeader.SIGNATURE, "")
    if not key or not signature or not _TIMESTAMP.fullmatch(stamp):
        return False
    age = clock.now().timestamp() - int(stamp)
    if not -_SKEW_SECONDS <= age <= _OLDEST_SECONDS:
        return False
    try:
        return bool(_verifier(key).verify_signature(body.decode(), signature, stamp))
    except (ValueError, TypeError, binascii.Error):
        return False


@lru_cache(maxsize=2)
def _verifier(key: str) -> EventWebhook:
    return EventWebhook(key)


def _events(body: bytes) -> list[dict[str, Any]] | None:
    """The events of a body, those that are no objects left out; None when it is no JSON array."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, list):
        return None
    events = [event for event in parsed if isinstance(event, dict)]
    if len(events) < len(parsed):
        log.warning("%d of %d events are no objects and were left out", len(parsed) - len(events), len(parsed))
    return events
