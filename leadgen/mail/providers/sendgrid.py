"""SendGrid's v3 API: one call for up to a thousand people, values filled in by SendGrid, every kind of answer sorted.

Documented limits: 1,000 personalizations a call, no address twice, 30 MB; there is no key that would make a call
idempotent, so an answer that got lost is UNCERTAIN until the Event Webhook brings our opaque id back.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.error import URLError

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from leadgen.mail.providers.interface import Answer, Batch, Outcome, Parcel, Result, all_of, unsubscribe_headers

TIMEOUT_SECONDS = 10
_CALLS_FOR_ONE_BATCH = 40  # bound on looking for the one bad recipient among a thousand
_REFUSED_SENDER_SECONDS = 60.0  # how often a refused key is tried again, so that a repaired one is noticed
_AWAY_SECONDS = 5.0
_LONGEST_WAIT = 3600.0
_CULPRIT = re.compile(r"personalizations\.(\d+)\.")
# Open and click tracking need a consent of their own (rule 9), and links that we sign must stay as they are.
_TRACKING_OFF = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}


class SendGridProvider:
    """Sends through the sendgrid library, which by itself would wait for ever."""

    largest = 1000

    def __init__(self, api_key: str, host: str) -> None:
        self.client = SendGridAPIClient(api_key, host=host).client
        self.client.timeout = TIMEOUT_SECONDS

    def send(self, batch: Batch) -> Answer:
        """One call when all is well; on 400 the culprit is singled out, on 413 the batch is halved."""
        answer = Answer()
        waiting: list[Sequence[Parcel]] = [batch.parcels] if batch.parcels else []
        for _call in range(_CALLS_FOR_ONE_BATCH):
            if not waiting or answer.pause_seconds:
                break
            waiting += self._call(batch, waiting.pop(), answer)
        for parcels in waiting:
            answer.outcomes += all_of(parcels, Result.TEMPORARY, answer.pause_reason or "refused_batch")
        return answer

    def _call(self, batch: Batch, parcels: Sequence[Parcel], answer: Answer) -> list[Sequence[Parcel]]:
        """Make one call, add what is decided to the answer, and say which parts have to be sent again."""
        try:
            response = self.client.mail.send.post(request_body=payload(batch, parcels))
        except HTTPError as error:
            return _sort(error, parcels, answer)
        except URLError as error:
            _sort_network(error, parcels, answer)
        except OSError:  # time-outs and resets after the request left
            answer.outcomes += all_of(parcels, Result.UNCERTAIN, "no_answer")
        else:
            reference = response.headers.get("X-Message-Id")
            answer.outcomes += all_of(parcels, Result.ACCEPTED, reference=reference)
        return []


def payload(batch: Batch, parcels: Sequence[Parcel]) -> dict[str, Any]:
    """The body of a call: personal data stand in `to` and `substitutions` only, never in arguments or categories."""
    letter, brand = batch.letter, batch.letter.brand
    return {
        "personalizations": [_personalization(parcel, batch) for parcel in parcels],
        "from": {"email": brand.sender_email, "name": brand.sender_name},
        "reply_to": {"email": brand.contact_email, "name": brand.sender_name},
        "subject": letter.subject,
        "content": [
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": letter.html},
        ],
        "tracking_settings": _TRACKING_OFF,
    }


def _personalization(parcel: Parcel, batch: Batch) -> dict[str, Any]:
    said: dict[str, Any] = {
        "to": [{"email": parcel.to}],
        "substitutions": {f"[[{name}]]": value for name, value in parcel.filled.items()},
        "custom_args": {"m": parcel.opaque_id},
    }
    if headers := unsubscribe_headers(parcel, batch.letter):
        said["headers"] = headers
    return said


def _sort(error: HTTPError, parcels: Sequence[Parcel], answer: Answer) -> list[Sequence[Parcel]]:
    """What an error answer means; answers the parts that have to be sent again."""
    match error.status_code:
        case 400:
            return _single_out(error, parcels, answer)
        case 413 if len(parcels) > 1:
            return _halves(parcels)
        case 413:
            answer.outcomes += all_of(parcels, Result.FAILED, "too_large")
        case 401 | 403:
            _pause(answer, parcels, "sender_refused", _REFUSED_SENDER_SECONDS)
        case 429:
            _pause(answer, parcels, "rate_limited", _seconds_until_reset(error.headers))
        case 503:
            _pause(answer, parcels, "provider_away", _AWAY_SECONDS)
        case status if status >= 500:
            answer.outcomes += all_of(parcels, Result.UNCERTAIN, f"answer_{status}")
        case status:
            answer.outcomes += all_of(parcels, Result.FAILED, f"answer_{status}")
    return []


def _sort_network(error: URLError, parcels: Sequence[Parcel], answer: Answer) -> None:
    """Connecting failed (nothing left us), or the connection died while the request was on its way."""
    if isinstance(error.reason, TimeoutError | ConnectionResetError | BrokenPipeError):
        answer.outcomes += all_of(parcels, Result.UNCERTAIN, "no_answer")
    else:
        _pause(answer, parcels, "provider_away", _AWAY_SECONDS)


def _pause(answer: Answer, parcels: Sequence[Parcel], reason: str, seconds: float) -> None:
    answer.pause_seconds, answer.pause_reason = seconds, reason
    answer.outcomes += [Outcome(parcel.message_id, Result.TEMPORARY, reason, is_free=True) for parcel in parcels]


def _single_out(error: HTTPError, parcels: Sequence[Parcel], answer: Answer) -> list[Sequence[Parcel]]:
    """One bad recipient makes SendGrid refuse all. It names the culprit, or halving finds it; the rest goes again."""
    fields = _fields(error.body)
    if culprits := {int(found[1]) for name in fields if (found := _CULPRIT.search(f"{name}."))}:
        bad = [parcel for index, parcel in enumerate(parcels) if index in culprits]
        answer.outcomes += all_of(bad, Result.FAILED, "address")
        good = [parcel for index, parcel in enumerate(parcels) if index not in culprits]
        return [good] if good and bad else []
    if len(parcels) == 1 or (fields and not any(name.startswith("personalizations") for name in fields)):
        # The letter itself is at fault: halving would find every recipient guilty.
        answer.outcomes += all_of(parcels, Result.FAILED, "content" if fields else "refused")
        return []
    return _halves(parcels)


def _fields(body: bytes | str) -> list[str]:
    try:
        errors = json.loads(body)["errors"]
        return [str(error.get("field") or "") for error in errors if error.get("field")]
    except (ValueError, TypeError, KeyError, AttributeError):  # a gateway's page instead of the API's JSON
        return []


def _halves(parcels: Sequence[Parcel]) -> list[Sequence[Parcel]]:
    middle = len(parcels) // 2
    return [parcels[middle:], parcels[:middle]]


def _seconds_until_reset(headers: Mapping[str, str]) -> float:
    """`Retry-After` in seconds, or `X-RateLimit-Reset` as a moment; a minute when neither can be read."""
    for name, base in (("Retry-After", 0.0), ("X-RateLimit-Reset", time.time())):
        value = str(headers.get(name) or "")
        if value.isdecimal():
            return min(max(float(value) - base, 1.0), _LONGEST_WAIT)
    return 60.0
