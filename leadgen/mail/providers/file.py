"""The provider of development: one `.eml` file per mail, and addresses that play every kind of trouble.

An address at a domain that begins with `simulator.` (for instance bounce@simulator.example.com, also with an ending:
bounce-7@…) plays its name:

    bounce      accepted, then an event says that the mailbox does not exist
    complain    delivered, then an event says that the person pressed “spam”
    timeout     the mail is written, but the answer is lost: the message is uncertain
    429         the first attempt is answered “too many requests”, later ones go through
    refuse      refused at once and for good
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leadgen.core import clock
from leadgen.mail.providers.compose import compose
from leadgen.mail.providers.interface import Answer, Batch, Outcome, Parcel, Result

INDEX = ".by-address"
_MAGIC = re.compile(r"(bounce|complain|timeout|429|refuse)(?:[-+.][^@]*)?@simulator\..+", re.IGNORECASE)
_LIMIT_SECONDS = 2.0


class FileProvider:
    """Writes mails to a folder. `tell` takes events as a provider's webhook would bring them."""

    largest = 200

    def __init__(self, folder: str, tell: Callable[[list[dict[str, Any]]], int]) -> None:
        self.folder = Path(folder)
        self.tell = tell

    def send(self, batch: Batch) -> Answer:
        """Write each mail; a file appears complete or not at all."""
        answer = Answer()
        for parcel in batch.parcels:
            outcome = self._one(batch, parcel)
            if outcome.reason == "rate_limited":
                answer.pause_seconds, answer.pause_reason = _LIMIT_SECONDS, outcome.reason
            answer.outcomes.append(outcome)
        return answer

    def _one(self, batch: Batch, parcel: Parcel) -> Outcome:
        magic = _MAGIC.fullmatch(parcel.to)
        play = magic[1].lower() if magic else ""
        if play == "429" and parcel.attempt == 1:
            return Outcome(parcel.message_id, Result.TEMPORARY, "rate_limited", delay=_LIMIT_SECONDS)
        if play == "refuse":
            return Outcome(parcel.message_id, Result.FAILED, "address", is_address_fault=True)
        self._write(parcel, compose(batch, parcel).as_bytes())
        if play == "timeout":
            return Outcome(parcel.message_id, Result.UNCERTAIN, "timeout")
        if play in {"bounce", "complain"}:
            self.tell(_events(play, parcel))
            return Outcome(parcel.message_id, Result.ACCEPTED)
        return Outcome(parcel.message_id, Result.DELIVERED)

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


def _events(play: str, parcel: Parcel) -> list[dict[str, Any]]:
    told = {
        "bounce": [{"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such mailbox"}],
        "complain": [{"event": "delivered"}, {"event": "spamreport"}],
    }[play]
    moment = int(clock.now().timestamp())
    same = {"email": parcel.to, "m": parcel.opaque_id, "timestamp": moment}
    return [{**same, **event, "sg_event_id": f"file-{uuid.uuid4()}"} for event in told]
