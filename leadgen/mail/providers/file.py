"""The provider of development: one `.eml` file per mail, and addresses that play every kind of trouble.

An address at a domain that begins with `simulator.` (for instance bounce@simulator.example.com, also with an ending:
bounce-7@…) plays its name:

    bounce          accepted, then an event says that the mailbox does not exist
    soft, blocked   accepted, then an event says that the mailbox refused the mail for now
    complain        delivered, then an event says that the person pressed “spam”
    complain-later  delivered, and the complaint comes an hour later by the product's clock
    timeout         the mail is written, but the answer is lost: the message is uncertain
    429             the first attempt is answered “too many requests”, later ones go through
    refuse          refused at once and for good
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadgen.core import clock
from leadgen.mail.providers.compose import compose, headers
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
)

INDEX = ".by-address"
# What the mailbox page explains, in this order.
PLAYS = ("bounce", "soft", "complain", "complain-later", "timeout", "429", "refuse")
_MAGIC = re.compile(
    r"(bounce|soft|blocked|complain-later|complain|timeout|429|refuse)(?:[-+.][^@]*)?@simulator\..+", re.IGNORECASE
)
_LIMIT_SECONDS = 2.0
_AWAY_SECONDS = 5.0
_COMPLAINT_AFTER = timedelta(hours=1)
_BOUNCE = {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such mailbox"}
_BLOCKED = {"event": "bounce", "type": "blocked", "reason": "421 4.7.0 come back later"}
_TOLD: Mapping[str, tuple[dict[str, str], ...]] = {
    "bounce": (_BOUNCE,),
    "soft": (_BLOCKED,),
    "blocked": (_BLOCKED,),
    "complain": ({"event": "delivered"}, {"event": "spamreport"}),
    "complain-later": ({"event": "delivered"},),
}
Events = list[dict[str, Any]]


class FileProvider:
    """Writes mails to a folder. `tell` takes events as a provider's webhook would bring them, and when they come."""

    largest = 200

    def __init__(self, folder: str, tell: Callable[[Events, datetime], object]) -> None:
        self.folder = Path(folder)
        self.tell = tell

    def send(self, batch: Batch) -> Answer:
        """Write each mail; a file appears complete or not at all."""
        answer = Answer()
        for number, parcel in enumerate(batch.parcels):
            if batch.is_late:
                answer.outcomes += out_of_time(batch.parcels[number:])
                break
            try:
                outcome = self._one(batch, parcel)
            except OSError:  # the disk is full, or the folder is not ours: no mail is at fault
                answer.outcomes += all_of(batch.parcels[number:], Result.TEMPORARY, "provider_away", is_free=True)
                answer.pause_seconds, answer.pause_reason, answer.is_trouble = _AWAY_SECONDS, "provider_away", True
                break
            if outcome.reason == "rate_limited":
                answer.pause_seconds, answer.pause_reason = _LIMIT_SECONDS, outcome.reason
            answer.outcomes.append(outcome)
        return answer

    def check(self, _sender: str) -> Checked:
        """Write a file and take it away again."""
        probe = self.folder / INDEX / f"{uuid.uuid4()}.probe"
        try:
            probe.parent.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            return Checked(is_ok=False, code="folder_not_writable", detail=str(error.strerror or ""))
        return Checked(is_ok=True, code="folder_writable")

    def headers_of(self, batch: Batch) -> Mapping[str, str]:
        """The headers of the composed mail."""
        return headers(compose(batch, batch.parcels[0]))

    def _one(self, batch: Batch, parcel: Parcel) -> Outcome:
        magic = _MAGIC.fullmatch(parcel.to)
        play = magic[1].lower() if magic else ""
        if play == "429" and parcel.attempt == 1:
            return Outcome(parcel.message_id, Result.TEMPORARY, "rate_limited", delay=_LIMIT_SECONDS)
        if play == "refuse":
            return Outcome(parcel.message_id, Result.FAILED, "address", is_address_fault=True)
        try:
            content = compose(batch, parcel).as_bytes()
        except Exception as error:  # noqa: BLE001 - what cannot be written as a mail stops only itself
            return poisoned(parcel, error)
        self._write(parcel, content)
        if play == "timeout":
            return Outcome(parcel.message_id, Result.UNCERTAIN, "timeout")
        if play in _TOLD:
            self._tell(play, parcel)
            return Outcome(parcel.message_id, Result.ACCEPTED)
        return Outcome(parcel.message_id, Result.DELIVERED)

    def _tell(self, play: str, parcel: Parcel) -> None:
        now = clock.now()
        self.tell([_event(said, parcel, now) for said in _TOLD[play]], now)
        if play == "complain-later":
            later = now + _COMPLAINT_AFTER
            self.tell([_event({"event": "spamreport"}, parcel, later)], later)

    def _write(self, parcel: Parcel, content: bytes) -> None:
        """One file under a name that sorts by time, and a second name by address, so that a mailbox opens at once."""
        by_address = self.folder / INDEX / address_key(parcel.to)
        by_address.mkdir(parents=True, exist_ok=True)
        name = f"{clock.now():%Y%m%dT%H%M%S.%f}-{parcel.opaque_id}-{parcel.attempt}.eml"
        draft = self.folder / INDEX / f"{uuid.uuid4()}.draft"
        draft.write_bytes(content)
        os.link(draft, by_address / name)
        draft.rename(self.folder / name)


def address_key(address: str) -> str:
    """The folder that holds the mails of one address."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:24]


def _event(said: dict[str, str], parcel: Parcel, at: datetime) -> dict[str, Any]:
    same = {"email": parcel.to, "m": parcel.opaque_id, "timestamp": int(at.timestamp())}
    return {**same, **said, "sg_event_id": f"file-{uuid.uuid4()}"}
