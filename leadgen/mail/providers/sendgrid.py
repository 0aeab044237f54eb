"""SendGrid's v3 API: one call for up to a thousand people, values filled in by SendGrid, every kind of answer sorted.

Documented limits: 1,000 personalizations a call, no address twice, 30 MB, 10,000 bytes of arguments (ours are 45).
There is no key that would make a call idempotent, so an answer that got lost is UNCERTAIN until the Event Webhook
brings our opaque id back.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from leadgen.mail.providers import account
from leadgen.mail.providers.account import Listed, Record
from leadgen.mail.providers.calls import Silence, within
from leadgen.mail.providers.interface import (
    Answer,
    Batch,
    Checked,
    Outcome,
    Parcel,
    Result,
    all_of,
    out_of_time,
    poisoned,
    unsubscribe_headers,
)

TIMEOUT_SECONDS = 10
LARGEST_BYTES = 30_000_000
_LONGEST_ESCAPE = 12  # bytes that JSON makes of one character at most
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
        waiting = _calls(batch)
        for _call in range(max(0, len(waiting) - 1) + _CALLS_FOR_ONE_BATCH):
            if not waiting or answer.pause_seconds:
                break
            if batch.is_late:
                answer.outcomes += [outcome for parcels in waiting for outcome in out_of_time(parcels)]
                return answer
            waiting += self._call(batch, waiting.pop(), answer)
        for parcels in waiting:
            is_free = bool(answer.pause_seconds)  # these were never asked for
            reason = answer.pause_reason or "refused_batch"
            answer.outcomes += all_of(parcels, Result.TEMPORARY, reason, is_free=is_free)
        return answer

    def check(self, sender: str) -> Checked:
        """Ask what the key may do, then hand over a mail in sandbox mode, which SendGrid checks and throws away."""
        return account.check(self.client, sender)

    def headers_of(self, batch: Batch) -> Mapping[str, str]:
        """The headers of the first personalization."""
        found: dict[str, str] = payload(batch, batch.parcels[:1])["personalizations"][0].get("headers", {})
        return found

    def listed(self, name: str, since: int, until: int, offset: int) -> list[Listed]:
        """One page of a suppression list; see account.listed."""
        return account.listed(self.client, name, since, until, offset)

    def records(self, domain: str) -> list[Record] | None:
        """The DNS records that SendGrid wants for a sending domain; see account.records."""
        return account.records(self.client, domain)

    def _call(self, batch: Batch, parcels: Sequence[Parcel], answer: Answer) -> list[Sequence[Parcel]]:
        """Make one call, add what is decided to the answer, and say which parts have to be sent again."""
        body = payload(batch, parcels)
        try:
            response = within(lambda: self.client.mail.send.post(request_body=body))
        except HTTPError as error:
            return _sort(error, parcels, answer)
        except URLError as error:
            _sort_network(error, parcels, answer)
        except (OSError, HTTPException, Silence):  # time-outs, resets and half answers after the request left
            _lost(parcels, "no_answer", answer)
        except (TypeError, ValueError, RecursionError):  # a value that JSON does not know
            return _without_poison(batch, parcels, answer)
        else:
            _taken(response, parcels, answer)
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


def _calls(batch: Batch) -> list[Sequence[Parcel]]:
    """The parcels in calls that SendGrid takes: no more than a thousand, no address twice, not too large."""
    rounds: list[dict[str, Parcel]] = []
    for parcel in batch.parcels:
        to = parcel.to.lower()
        free = next((call for call in rounds if to not in call and len(call) < SendGridProvider.largest), None)
        if free is None:
            rounds.append(free := {})
        free[to] = parcel
    waiting = [list(call.values()) for call in reversed(rounds)]
    return [part for parcels in waiting for part in _small_enough(batch, parcels)]


def _small_enough(batch: Batch, parcels: Sequence[Parcel]) -> list[Sequence[Parcel]]:
    """Measured only where a first guess, which is never too small, comes near the limit."""
    letter = batch.letter
    values = sum(len(str(value)) + 40 for parcel in parcels for value in parcel.filled.values())
    guess = values + sum(len(parcel.unsubscribe) + 400 for parcel in parcels) + len(letter.html) + len(letter.text)
    if len(parcels) < 2 or guess * _LONGEST_ESCAPE < LARGEST_BYTES:
        return [parcels]
    if len(json.dumps(payload(batch, parcels), default=str)) < LARGEST_BYTES:
        return [parcels]
    return [part for half in _halves(parcels) for part in _small_enough(batch, half)]


def _taken(response: Any, parcels: Sequence[Parcel], answer: Answer) -> None:
    """202 alone means that the mails were taken: a gateway between us may answer 200 to anything."""
    if response.status_code == 202:
        reference = response.headers.get("X-Message-Id")
        answer.outcomes += all_of(parcels, Result.ACCEPTED, reference=reference)
    else:
        _lost(parcels, f"answer_{response.status_code}", answer)


def _lost(parcels: Sequence[Parcel], reason: str, answer: Answer) -> None:
    answer.outcomes += all_of(parcels, Result.UNCERTAIN, reason)
    answer.is_trouble = True


def _without_poison(batch: Batch, parcels: Sequence[Parcel], answer: Answer) -> list[Sequence[Parcel]]:
    """Whose values cannot be written down fails alone; the others go again."""
    good: list[Parcel] = []
    for parcel in parcels:
        try:
            json.dumps(_personalization(parcel, batch))
        except (TypeError, ValueError, RecursionError) as error:
            answer.outcomes.append(poisoned(parcel, error))
        else:
            good.append(parcel)
    if len(good) == len(parcels):  # no mail is at fault: the key or the address of the API cannot be used
        _pause(answer, parcels, "sender_refused", _REFUSED_SENDER_SECONDS)
        return []
    return [good] if good else []


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
            answer.is_trouble = True
        case status if status >= 500:
            _lost(parcels, f"answer_{status}", answer)
            answer.pause_seconds, answer.pause_reason = _AWAY_SECONDS, "provider_away"
        case status:
            answer.outcomes += all_of(parcels, Result.FAILED, f"answer_{status}")
    return []


def _sort_network(error: URLError, parcels: Sequence[Parcel], answer: Answer) -> None:
    """Connecting failed, so that nothing left us; or the connection died while the request was on its way."""
    if not isinstance(error.reason, BaseException) or _was_connecting(error.reason):
        is_false = isinstance(error.reason, ssl.SSLCertVerificationError)
        _pause(answer, parcels, "not_trusted" if is_false else "provider_away", _AWAY_SECONDS)
        answer.is_trouble = True
    else:
        _lost(parcels, "no_answer", answer)


def _was_connecting(error: BaseException) -> bool:
    """Whether the error came up in `connect`: urllib wraps both kinds alike, only the way that it took tells."""
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_name == "connect":
            return True
        step = step.tb_next
    return False


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
        if bad:
            return [good] if good else []
        return _halves(parcels) if len(parcels) > 1 else _give_up(parcels, answer)
    if len(parcels) == 1 or (fields and not any(name.startswith("personalizations") for name in fields)):
        # The letter itself is at fault: halving would find every recipient guilty.
        answer.outcomes += all_of(parcels, Result.FAILED, "content" if fields else "refused")
        return []
    return _halves(parcels)


def _give_up(parcels: Sequence[Parcel], answer: Answer) -> list[Sequence[Parcel]]:
    answer.outcomes += all_of(parcels, Result.FAILED, "refused")
    return []


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
    """`Retry-After` in seconds or as a date, or `X-RateLimit-Reset` as a moment; a minute when none can be read."""
    after, reset = str(headers.get("Retry-After") or ""), str(headers.get("X-RateLimit-Reset") or "")
    if after.isdecimal():
        seconds = float(after)
    elif (moment := _moment(after)) is not None:
        seconds = moment - time.time()
    elif reset.isdecimal():
        seconds = float(reset) - time.time()
    else:
        seconds = 60.0
    return min(max(seconds, 1.0), _LONGEST_WAIT)


def _moment(date: str) -> float | None:
    try:
        parsed = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
