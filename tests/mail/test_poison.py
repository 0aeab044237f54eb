"""A bad event stops only itself: it is parked, named and counted, and the others go on."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from leadgen.analytics import vitals
from leadgen.campaigns.models import Campaign
from leadgen.contacts import service as contacts
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.letters.models import Lane
from leadgen.mail import jobs, ladder, receipts
from leadgen.mail.models import Message
from tests.mail.conftest import claimed, nurture, state

GOOD = b'{"event": "processed", "sg_event_id": "good"}'


def kinds() -> list[str]:
    return [row["kind"] for row in hot.many("SELECT kind FROM provider_event ORDER BY id", {})]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"{broken}", "JSONDecodeError"),
        (b'{"event": "bounce", "n": ' + b"9" * 5000 + b"}", "ValueError"),
        (b'{"event": "bounce", "n": NaN}', "ValueError"),
        (b'{"event": "bounce", "n": 1e999}', "ValueError"),
        (b'{"event": "bounce", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "RecursionError"),
        (b'{"event": "bounce", "deep": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deep"),
        (b'{"event": "bounce", "said": "a\x01b"}', "JSONDecodeError"),
        (b'{"event": "bounce", "n": ' + b"1" + b"0" * 4000 + b"e4000}", "ValueError"),
    ],
    ids=["broken", "huge number", "NaN", "infinite", "abyss", "deep", "control sign", "huge power"],
)
def test_one_bad_event_fails_alone_and_is_named(context: None, bad: bytes, why: str) -> None:
    """M13: the good ones before and after it are stored."""
    after = GOOD.replace(b'"good"', b'"good too, with ] and , and \\" in its name"')
    receipts.store_body(b"[" + GOOD + b"," + bad + b", " + after + b"]")
    assert kinds() == ["processed", "unreadable", "processed"]
    [found] = receipts.poison()
    assert why in found.reason
    assert found.excerpt


def test_invalid_utf_8_spoils_one_event(context: None) -> None:
    receipts.store_body(b"[" + GOOD + b', {"event": "delivered", "sg_event_id": "two", "said": "\xff\xfe"}]')
    assert kinds() == ["processed", "delivered"]


def test_a_nul_and_halves_of_characters_are_left_out(context: None) -> None:
    receipts.store_body(
        b'[{"event": "x\\u0000", "sg_event_id": "a\\u0000", "n\\u0000": ["\\ud800", {"b": "\\uDFFF"}]}]'
    )
    [row] = hot.many("SELECT event_id, kind, payload FROM provider_event", {})
    assert (row["event_id"], row["kind"]) == ("a", "x")
    assert row["payload"]["n"] == ["?", {"b": "?"}]


def test_what_the_database_refuses_fails_alone(context: None) -> None:
    """Whatever PostgreSQL will not have: here a NUL that slipped through."""
    rows = [receipts._row({"event": "processed", "sg_event_id": f"e{number}"}) for number in range(20)]
    rows[7] = dataclasses.replace(rows[7], payload='{"said": "\\u0000"}')
    assert receipts._store(rows) == 20
    assert kinds().count("processed") == 19
    assert ["UntranslatableCharacter" in found.reason for found in receipts.poison()] == [True]


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b"[}", b"[]]", b"[][]", b"[{}", b"\xef\xbb\xbf[", b"[{]"])
def test_what_is_no_array_is_nothing(context: None, body: bytes) -> None:
    with pytest.raises(Invalid):
        receipts.store_body(body)
    assert kinds() == []


def test_the_same_unreadable_event_is_parked_once(context: None) -> None:
    for _try in range(3):
        receipts.store_body(b"[{broken}]")
    assert len(receipts.poison()) == 1


def test_long_ids_are_told_apart(context: None) -> None:
    receipts.store([{"event": "open", "sg_event_id": "x" * 5000 + end} for end in "ab"])
    assert len(kinds()) == 2


class TestApplying:
    """What no rule foresaw happens while an event is applied."""

    @pytest.fixture
    def messages(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> list[Message]:
        found = [nurture(campaign) for _ in range(5)]
        claimed(Lane.NURTURE)
        honest = contacts.suppress

        def suppress(brand_id: int, hashed: bytes, *words: Any) -> bool:
            if words[1] == "boom":
                raise RuntimeError("nobody thought of\x00 this")
            return honest(brand_id, hashed, *words)

        monkeypatch.setattr(contacts, "suppress", suppress)
        bounces = [
            {
                "event": "bounce",
                "reason": "boom" if index == 2 else "550",
                "sg_event_id": f"p{index}",
                "m": str(message.opaque_id),
            }
            for index, message in enumerate(found)
        ]
        receipts.store(bounces)
        return found

    def test_only_the_poisonous_event_stays(self, messages: list[Message]) -> None:
        jobs.apply_receipts()
        assert [state(message)[0] for message in messages] == ["bounced", "bounced", "sending", "bounced", "bounced"]
        [found] = receipts.poison()
        assert (found.kind, "RuntimeError" in found.reason) == ("bounce", True)
        assert hot.many("SELECT DISTINCT outcome FROM provider_event WHERE applied_at IS NOT NULL", {}) == [
            {"outcome": "hard_bounce"}
        ]

    def test_it_is_counted_and_not_tried_for_ever(self, messages: list[Message]) -> None:
        jobs.apply_receipts()
        signs = vitals.take()
        assert (signs.events_waiting, signs.events_poisonous) == (0, 1)
        assert ladder.apply_waiting() == 0

    def test_it_may_be_tried_again(self, messages: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
        """After an upgrade that knows what to do with it."""
        jobs.apply_receipts()
        monkeypatch.undo()
        assert receipts.again(receipts.poison()[0].id)
        assert not receipts.again(0)
        jobs.apply_receipts()
        assert state(messages[2]) == ("bounced", "hard")
        assert receipts.poison() == []


def test_two_processes_do_not_wait_for_each_other(campaign: Campaign) -> None:
    """The second goes on to other work; the first looks once more after it let go."""
    with db.engine.connect() as other:
        other.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ladder._APPLYING_LOCK})")
        assert ladder.apply_waiting() is None
        other.rollback()
    db.session.commit()
    assert ladder.apply_waiting() == 0
