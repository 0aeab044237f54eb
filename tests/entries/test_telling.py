"""Friends who count are told of: the first at once, then one letter a day; very many in a day are noted (F5)."""

from __future__ import annotations

import pytest

from leadgen import reactions
from leadgen.campaigns.cards import CampaignCard
from leadgen.core.db import db
from leadgen.entries import confirming, entering, telling
from tests.conftest import Clock
from tests.entries.conftest import filled, rows

pytestmark = pytest.mark.usefixtures("context")


def _bring(card: CampaignCard, ben: int, *names: str) -> None:
    [row] = rows("SELECT code FROM entry WHERE id = %(id)s", id=ben)
    for name in names:
        entered = entering.enter(card, filled(f"{name}@mail.example", referral_code=row["code"]))
        confirming.confirm(entered.entry_id, 1, "button_post")
    db.session.rollback()
    reactions.drain()


def _letters(ben: int) -> list[str]:
    found = rows("SELECT intent FROM message WHERE entry_id = %(id)s AND letter = 'friend_counted' ORDER BY id", id=ben)
    return [row["intent"].rpartition(":")[2] for row in found]


def test_f5_the_first_friend_is_told_at_once_and_later_ones_once_a_day(card: CampaignCard, clock: Clock) -> None:
    ben = entering.enter(card, filled("ben@mail.example")).entry_id
    confirming.confirm(ben, 1, "button_post")

    _bring(card, ben, "anna")
    assert len(_letters(ben)) == 1
    _bring(card, ben, "carl")
    _bring(card, ben, "dora", "eve")
    assert len(_letters(ben)) == 2

    clock.forward(days=3)
    _bring(card, ben, "fay", "gus")
    days = _letters(ben)
    assert len(days) == len(set(days)) == 3  # never two of one day


def test_f5_more_friends_than_usual_in_a_day_are_noted_once(
    card: CampaignCard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(telling, "MANY_A_DAY", 3)
    ben = entering.enter(card, filled("ben@mail.example")).entry_id
    confirming.confirm(ben, 1, "button_post")

    _bring(card, ben, "anna", "carl")
    assert rows("SELECT id FROM fact WHERE name = 'referral.surged'") == []
    _bring(card, ben, "dora")
    _bring(card, ben, "eve")

    assert len(rows("SELECT id FROM fact WHERE name = 'referral.surged'")) == 1
    assert "3 friends today" in caplog.text
