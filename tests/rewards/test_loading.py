"""Codes come in by CSV: trimmed, each once, with a report of what was not taken (F8)."""

from __future__ import annotations

import io
import time

import pytest

from leadgen.campaigns.models import Campaign, Delivery
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.rewards import loading, vault
from leadgen.rewards.loading import Reject
from leadgen.rewards.models import AwardState
from tests.factories_contest import make_coupon
from tests.rewards.conftest import ben, look, rows, state, tier


def _load(tier_id: int, content: bytes) -> loading.Loaded:
    loaded = loading.load(tier_id, io.BytesIO(content))
    db.session.commit()
    return loaded


def test_codes_are_trimmed_and_each_taken_once(campaign: Campaign) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    make_coupon(vault_tier, "OLD")
    loaded = _load(
        vault_tier.id, b"code\r\n  ONE \r\n\r\nTWO,ignored\r\nONE\r\nOLD\r\n" + b"x" * 65 + b"\r\nA\x07B\r\n"
    )

    assert (loaded.added, loaded.rejected) == (2, 4)
    assert set(loaded.rejects) == {
        Reject(5, "ONE", "twice"),
        Reject(6, "OLD", "known"),
        Reject(7, "x" * 64, "long"),
        Reject(8, "AB", "unreadable"),
    }
    assert {row["code"] for row in rows("SELECT code FROM coupon")} == {"OLD", "ONE", "TWO"}


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfcode\nONE\n", "code\nONE\n".encode("utf-16"), b"ONE;2026\n", b"Code\tuntil\nONE\t2026", b'"ONE"\r'],
)
def test_what_spreadsheets_write_is_read(campaign: Campaign, content: bytes) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    _load(vault_tier.id, content)

    assert rows("SELECT code FROM coupon") == [{"code": "ONE"}]


@pytest.mark.parametrize("content", [b"caf\xe9\n", b"", b"code\n\n", b"\x89PNG\r\n\x1a\n\x00\xff"])
def test_what_is_no_list_of_codes_is_refused_whole(campaign: Campaign, content: bytes) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    with pytest.raises(Invalid) as refused:
        loading.load(vault_tier.id, io.BytesIO(content))
    db.session.rollback()

    assert refused.value.field == "file"
    assert vault.counts([vault_tier.id])[vault_tier.id].loaded == 0


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'ONE\n"TWO\nTHREE\n', 2),
        (b'"ONE\nTWO\n', 1),
        (b'ONE\nTWO;"a note\nTHREE\n', 2),
        (b'ONE,1\nTWO,2\n"THREE\nFOUR\n"FIVE"\n', 3),
        (b'ONE\n"TWO\nTHREE"\nFOUR\n', 2),
        (b'ONE\n"TWO\n' + b"CODE\n" * 100_000, 2),
    ],
)
def test_a_quotation_mark_that_swallows_lines_is_told_with_its_line(
    campaign: Campaign, content: bytes, line: int
) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    if b";" in content:
        content = b"code;note\n" + content
        line += 1
    for deed in (loading.load, loading.preview):
        with pytest.raises(Invalid, match=f"^Line {line}: a quotation mark"):
            deed(vault_tier.id, io.BytesIO(content))
        db.session.rollback()


@pytest.mark.parametrize("wrong", [b'"TWO"D', b"TWO;" + b"x" * 131_073, b'"TWO" ;x'])
def test_a_line_that_cannot_be_read_is_not_told_as_open(campaign: Campaign, wrong: bytes) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    with pytest.raises(Invalid, match=r"^Line 2: the quotation marks of this line cannot be read, or it is too long"):
        loading.preview(vault_tier.id, io.BytesIO(b"code;note\n" + wrong + b"\nTHREE\n"))


def test_a_note_of_several_lines_is_no_fault(campaign: Campaign) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    loaded = _load(vault_tier.id, b'ONE,"two\nlines"\nTWO,x\nTWO,y\n')
    assert loaded.added == 2
    assert loaded.rejects == [Reject(4, "TWO", "twice")]


def test_a_preview_says_what_loading_then_does(campaign: Campaign) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    make_coupon(vault_tier, "OLD")
    content = b"code\nA\nOLD\nA\nB\nC\nD\nE\nF\n" + b"x" * 65
    preview = loading.preview(vault_tier.id, io.BytesIO(content))
    assert preview.first == [(2, "A"), (5, "B"), (6, "C"), (7, "D"), (8, "E")]
    assert vault.counts([vault_tier.id])[vault_tier.id].loaded == 1
    loaded = _load(vault_tier.id, content)
    assert (preview.added, preview.rejected, preview.rejects) == (loaded.added, loaded.rejected, loaded.rejects)
    assert [(one.line, one.reason) for one in loaded.rejects] == [(3, "known"), (4, "twice"), (10, "long")]


def test_limits_hold(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    monkeypatch.setattr(loading, "MOST_CODES", 2)
    with pytest.raises(Invalid, match="at most 2 codes"):
        loading.load(vault_tier.id, io.BytesIO(b"A\nB\nC\n"))
    monkeypatch.setattr(loading, "MOST_BYTES", 2)
    with pytest.raises(Invalid, match="too large"):
        loading.load(vault_tier.id, io.BytesIO(b"A\nB\nC\n"))


def test_a_hundred_thousand_codes_take_seconds(campaign: Campaign) -> None:
    vault_tier = tier(campaign, delivery=Delivery.CODE)
    content = "".join(f"CODE-{number:08d}\n" for number in range(100_000)).encode()
    began = time.monotonic()
    loaded = _load(vault_tier.id, content)
    took = time.monotonic() - began

    assert (loaded.added, loaded.rejected) == (100_000, 0)
    assert took < 30, "about three seconds on an idle machine"
    again = _load(vault_tier.id, content)
    assert (again.added, again.rejected, len(again.rejects)) == (0, 100_000, loading.REJECTS_SHOWN)


def test_who_waits_for_a_code_is_served_by_the_import(campaign: Campaign) -> None:
    vault_tier, anna = tier(campaign, 1, delivery=Delivery.CODE, stock=None), ben(campaign, friends=1)
    look(anna)
    assert state(anna, vault_tier) is AwardState.RESERVE

    assert _load(vault_tier.id, b"ONE\n").served == 1
    assert state(anna, vault_tier) is AwardState.DELIVERED
    assert rows("SELECT letter FROM message WHERE context ->> 'reward_code' = 'ONE'") == [{"letter": "reward_code"}]
