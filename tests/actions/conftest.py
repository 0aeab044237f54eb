"""A live campaign, somebody who confirmed, and short words for doing actions."""

from __future__ import annotations

from typing import Any

import pytest

from leadgen.actions import service as actions
from leadgen.actions.service import Result, Shown
from leadgen.campaigns import cards
from leadgen.campaigns.models import Action, ActionKind, Campaign, Proof
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import person, points
from leadgen.entries.models import Entry
from tests.factories import make_campaign, make_entry
from tests.factories_contest import make_action

QUESTIONS = [
    {
        "id": "one",
        "texts": {"en": {"label": "Where is Porto?", "why": "It lies at the mouth of the Douro."}},
        "options": [{"id": "a", "texts": {"en": "Portugal"}}, {"id": "b", "texts": {"en": "Spain"}}],
        "right": ["a"],
    },
    {
        "id": "two",
        "texts": {"en": {"label": "Which are islands?", "why": ""}},
        "options": [{"id": x, "texts": {"en": x}} for x in ("Malta", "Lisbon", "Madeira")],
        "right": ["Malta", "Madeira"],
    },
]
RIGHT = {"one": ["a"], "two": ["Malta", "Madeira"]}
SETTINGS: dict[ActionKind, dict[str, Any]] = {
    ActionKind.SHARE: {"networks": ["wa", "fb"]},
    ActionKind.VISIT: {"url": "https://brand.example/new", "seconds": 10, "callback": False},
    ActionKind.VIDEO: {"url": "https://films.example/a.mp4", "seconds": 30, "poster": "", "captions": ""},
    ActionKind.QUIZ: {"questions": QUESTIONS, "tries": 1, "pass": 2, "each": False},
    ActionKind.CODE: {},
    ActionKind.DAILY: {},
    ActionKind.FOLLOW: {"network": "ig", "url": "https://social.example/brand"},
    ActionKind.UPLOAD: {},
    ActionKind.CUSTOM: {"approval": False, "asks": False},
    ActionKind.EXTERNAL: {},
}
VERIFIED = {ActionKind.QUIZ, ActionKind.CODE, ActionKind.DAILY, ActionKind.UPLOAD}


@pytest.fixture(autouse=True)
def _forget_caches() -> None:
    points.forget()
    person.forget()


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def ben(campaign: Campaign) -> Entry:
    return make_entry(campaign, email="ben@mail.example", first_name="Ben", confirmed=True)


def an(kind: ActionKind, campaign: Campaign, *, settings: dict[str, Any] | None = None, **values: Any) -> Action:
    """An action of this kind with settings that make it one."""
    values.setdefault("proof", Proof.VERIFIED if kind in VERIFIED else Proof.DECLARED)
    made = make_action(campaign, kind=kind, settings=SETTINGS[kind] | (settings or {}), **values)
    cards.forget()
    return made


def do(entry: Entry, action: Action, **shown: Any) -> Result:
    """One press on the person's page, and its commit."""
    card = cards.by_id(entry.campaign_id)
    found = next(one for one in card.actions if one.id == action.id)
    result = actions.do(entry.id, found, Shown(**shown))
    db.session.commit()
    return result


def total(entry: Entry) -> tuple[int, int]:
    """Points and chances of all deeds in the ledger."""
    row = hot.one(
        "SELECT coalesce(sum(points), 0) AS points, coalesce(sum(chances), 0) AS chances FROM ledger "
        "WHERE entry_id = %(entry)s AND kind IN ('action', 'reversal')",
        {"entry": entry.id},
    )
    assert row is not None
    return int(row["points"]), int(row["chances"])


def lines(entry: Entry) -> list[dict[str, Any]]:
    """The ledger of deeds, oldest first."""
    return hot.many(
        "SELECT points, chances, proof, action_id, at, idempotency_key AS key FROM ledger "
        "WHERE entry_id = %(entry)s AND kind = 'action' ORDER BY id",
        {"entry": entry.id},
    )
