"""Many people in a sequence at once, made by a few statements: who got which wording, and what they did afterwards."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Consent, ConsentAction, ConsentPurpose, Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail.models import Click, ClickKind, Message, MessageStatus
from leadgen.nurture.models import Enrolment, EnrolmentStatus, Sequence, SequenceVersion
from tests import texts
from tests.factories import fresh, make_campaign, make_sequence, publish

_number = itertools.count(1)
GOAL = {"on": {"on": "form_finished"}, "days": 10, "value": 5_000}


def defined(
    *variants: str, holdout: int = 0, goal: bool = True, experiment: str = "e1", **weights: int
) -> dict[str, Any]:
    """A definition with one letter, `step_1`, in these wordings."""
    worded = [{"key": key, "weight": weights.get(key, 1), "texts": texts.step(1)} for key in variants or ("a",)]
    letter: dict[str, Any] = {"kind": "letter", "key": "step_1", "variants": worded}
    if len(worded) > 1:
        letter["experiment"] = experiment
    data: dict[str, Any] = {"trigger": {"on": "confirmed"}, "steps": [letter], "holdout": holdout}
    return data | ({"goal": GOAL} if goal else {})


def make_tested(
    *variants: str, campaign: Campaign | None = None, days_ago: int = 30, key: str = "tested", **definition: Any
) -> Sequence:
    """A sequence with one letter in these wordings, published once, so many days ago; its draft is the same."""
    campaign = campaign or make_campaign()
    sequence = make_sequence(campaign, key=key, definition=defined(*variants, **definition))
    _date(sequence, days_ago)
    return fresh(sequence)


def republish(sequence: Sequence, *variants: str, days_ago: float, **definition: Any) -> None:
    """Publish another version, so many days ago."""
    publish(sequence, defined(*variants, **definition))
    _date(sequence, days_ago)


def _date(sequence: Sequence, days_ago: float) -> None:
    version = db.session.get_one(SequenceVersion, (sequence.id, sequence.version))
    version.published_at = clock.now() - timedelta(days=days_ago)
    db.session.commit()


@dataclass(frozen=True, kw_only=True)
class Deeds:
    """What so many people did: hours after the letter, or None for never."""

    goal: float | None = None
    click: float | None = None
    machine: float | None = None
    left: float | None = None  # unsubscribed
    complained: bool = False
    status: MessageStatus = MessageStatus.DELIVERED
    is_held: bool = False
    is_written_to: bool = True
    days_ago: float = 20
    version: int = 1
    values: tuple[tuple[str, Any], ...] = ()  # of the contact


def people(sequence: Sequence, number: int, deeds: Deeds = Deeds(), variant: str = "a") -> list[int]:
    """So many people who did the same; answers the ids of their contacts."""
    at = clock.now() - timedelta(days=deeds.days_ago)
    brand_id = db.session.get_one(Campaign, sequence.campaign_id).brand_id
    contacts = _insert(Contact, [_contact(brand_id, dict(deeds.values)) for _ in range(number)])
    enrolments = _insert(Enrolment, [_enrolment(sequence, brand_id, one, deeds, at) for one in contacts])
    if deeds.is_written_to and not deeds.is_held:
        step = next(one.id for one in sequence.steps if one.variant == variant)
        pairs = zip(contacts, enrolments, strict=True)
        messages = _insert(Message, [_message(sequence, brand_id, step, *pair, deeds, at) for pair in pairs])
        _react(brand_id, contacts, messages, deeds, at)
    db.session.commit()
    return contacts


def _insert(model: Any, rows: list[dict[str, Any]]) -> list[int]:
    return (
        list(db.session.scalars(insert(model).returning(model.id, sort_by_parameter_order=True), rows)) if rows else []
    )


def _contact(brand_id: int, values: dict[str, Any]) -> dict[str, Any]:
    key = f"many{next(_number)}@mail.example"
    row = {"brand_id": brand_id, "mailbox_key": key, "email": key, "address_hash": key.encode(), "first_name": "Kim"}
    return row | {"locale": "fr", "timezone": "Europe/Paris", "created_at": clock.now()} | values


def _enrolment(sequence: Sequence, brand_id: int, contact_id: int, deeds: Deeds, at: datetime) -> dict[str, Any]:
    return {
        "sequence_id": sequence.id,
        "campaign_id": sequence.campaign_id,
        "brand_id": brand_id,
        "entry_id": 1_000_000 + contact_id,
        "contact_id": contact_id,
        "status": EnrolmentStatus.HELD_OUT if deeds.is_held else EnrolmentStatus.ACTIVE,
        "step_key": "",
        "anchor_at": at,
        "next_run_at": at + timedelta(days=300),
        "enrolled_at": at,
        "version": deeds.version,
        "goal_at": None if deeds.goal is None else at + timedelta(hours=deeds.goal),
    }


def _message(
    sequence: Sequence, brand_id: int, step_id: int, contact_id: int, enrolment_id: int, deeds: Deeds, at: datetime
) -> dict[str, Any]:
    is_sent = deeds.status in {MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED}
    return {
        "intent": f"seq:{enrolment_id}:step_1",
        "brand_id": brand_id,
        "campaign_id": sequence.campaign_id,
        "contact_id": contact_id,
        "lane": Lane.NURTURE,
        "purpose": MailPurpose.MARKETING,
        "stream_id": sequence.stream_id,
        "domain_group": "other",
        "letter": "sequence",
        "enrolment_id": enrolment_id,
        "step_id": step_id,
        "locale": "fr",
        "status": deeds.status,
        "reason": "complaint" if deeds.complained else "",
        "due_at": at,
        "expires_at": at + timedelta(days=2),
        "created_at": at,
        "sent_at": at if is_sent else None,
    }


def _react(brand_id: int, contacts: list[int], messages: list[int], deeds: Deeds, at: datetime) -> None:
    for kind, hours in ((ClickKind.HUMAN, deeds.click), (ClickKind.MACHINE, deeds.machine)):
        if hours is not None:
            moment = at + timedelta(hours=hours)
            _insert(Click, [{"message_id": one, "at": moment, "kind": kind} for one in messages])
    if deeds.left is not None:
        row = {"brand_id": brand_id, "purpose": ConsentPurpose.MARKETING, "action": ConsentAction.WITHDRAWN}
        row |= {"at": at + timedelta(hours=deeds.left), "channel": "unsubscribe page"}
        _insert(Consent, [row | {"contact_id": one} for one in contacts])
