"""Faults for the machine of the contest to find: each changes one statement or verb, in the test only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import pytest
from sqlalchemy import text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import confirming, credits, entering, judging, points, referrals
from leadgen.entries.models import ReferralReason
from leadgen.rewards import vault

Patch = pytest.MonkeyPatch
FAULTS: dict[str, Callable[[Patch], None]] = {}


def _planted(name: str) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    def note(fault: Callable[[Patch], None]) -> Callable[[Patch], None]:
        FAULTS[name] = fault
        return fault

    return note


def _rewrite(patch: Patch, room: ModuleType, name: str, *changes: tuple[str, str]) -> None:
    statement = getattr(room, name)
    for before, after in changes:
        assert before in statement, f"{name} has no “{before}” any more: plant this fault anew"
        statement = statement.replace(before, after)
    patch.setattr(room, name, statement)


@_planted("a credit is keyed by the entry, not by the mailbox")
def _(patch: Patch) -> None:
    key = "'referral:' || campaign_id || ':' || encode(verified.address_hash, 'hex')"
    _rewrite(patch, confirming, "_CONFIRM", (key, "'referral:' || campaign_id || ':' || done.id"))


@_planted("a bounce takes nothing back")
def _(patch: Patch) -> None:
    patch.setattr(referrals, "leave", lambda _facts: None)


@_planted("a cap keeps the friend from confirming")
def _(patch: Patch) -> None:
    over = """AND NOT EXISTS (SELECT FROM entry f JOIN campaign k ON k.id = f.campaign_id
              WHERE f.referral_state = 'counted' AND f.referrer_id = e.referrer_id AND k.cap_total = 1)
              AND %(now)s < e.expires_at"""
    _rewrite(patch, confirming, "_CONFIRM", ("AND %(now)s < e.expires_at", over))


@_planted("a review leaves people in their bucket")
def _(patch: Patch) -> None:
    patch.setattr(points, "leave_ranking", lambda _entry_id: None)


@_planted("what is given back carries a new time")
def _(patch: Patch) -> None:
    statement = str(credits._GIVE_BACK.text).replace("first.at, 'again:'", "CAST(:now AS timestamptz), 'again:'")
    assert ":now" in statement
    late = text(statement)
    patch.setattr(credits, "reinstate", lambda key: credits._written(late, {"key": key, "now": clock.now()}))


@_planted("the delay is forgotten")
def _(patch: Patch) -> None:
    _rewrite(patch, confirming, "_CONFIRM", ("c.hold_hours > 0 OR ", ""))


@_planted("an erasure takes the referrer's points")
def _(patch: Patch) -> None:
    def forget(entry_ids: Sequence[int]) -> None:
        for entry_id in entry_ids:
            referrals.refuse(entry_id, ReferralReason.MANUAL)

    patch.setattr(referrals, "forget", forget)


@_planted("friends who were taken back stay counted")
def _(patch: Patch) -> None:
    _rewrite(patch, points, "_FOLD", ("sum(friends) AS friends", "count(*) FILTER (WHERE friends > 0) AS friends"))


@_planted("the tie-break forgets that a line was taken back")
def _(patch: Patch) -> None:
    _rewrite(patch, points, "_FOLD", ("CASE WHEN sums.is_reversing THEN", "CASE WHEN false THEN"))


@_planted("an excluded referrer is credited")
def _(patch: Patch) -> None:
    _rewrite(patch, confirming, "_CONFIRM", ("WHEN r.review = 'excluded' THEN", "WHEN false THEN"))


@_planted("a second confirmation confirms again")
def _(patch: Patch) -> None:
    once = "e.status IN ('pending', 'bounced')"
    _rewrite(patch, confirming, "_CONFIRM", (once, "e.status IN ('pending', 'bounced', 'confirmed')"))


@_planted("another contest's code brings credit here")
def _(patch: Patch) -> None:
    _rewrite(patch, entering, "_ENTER", ("WHERE campaign_id = %(campaign)s AND status = 'confirmed'\n    ORDER",
                                         "WHERE status = 'confirmed'\n    ORDER"))  # fmt: skip


@_planted("a later form takes the friend over")
def _(patch: Patch) -> None:
    kept = "DO UPDATE SET campaign_id = entry.campaign_id"
    taken = "DO UPDATE SET referrer_id = coalesce(excluded.referrer_id, entry.referrer_id)"
    _rewrite(patch, entering, "_ENTER", (kept, taken))


@_planted("a hold holds nothing back")
def _(patch: Patch) -> None:
    patch.setattr(referrals, "_take_back", lambda case: bool(judging.lines_of(case)))


@_planted("whoever left in the delay counts all the same")
def _(patch: Patch) -> None:
    patch.setattr(judging, "departure", lambda _case: None)


@_planted("a cap counts nobody")
def _(patch: Patch) -> None:
    patch.setattr(judging, "_is_over_cap", lambda _case: False)


@_planted("what is reversed stays with whoever brought the referrer")
def _(patch: Patch) -> None:
    original = judging.lines_of
    patch.setattr(judging, "lines_of", lambda case: [key for key in original(case) if not key.startswith("indirect")])


@_planted("one coupon goes to two people")
def _(patch: Patch) -> None:
    def hand_out(milestone_id: int, entry_id: int) -> str | None:
        return vault.code_of(milestone_id, entry_id) or _first_code(milestone_id)

    patch.setattr(vault, "hand_out", hand_out)


def _first_code(milestone_id: int) -> str | None:
    return db.session.scalar(text("SELECT min(code) FROM coupon WHERE milestone_id = :id"), {"id": milestone_id})
