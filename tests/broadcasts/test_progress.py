"""How far a broadcast is: counted live while it is small, from the count of a job when it is large or in a list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from leadgen.broadcasts import progress
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail.models import MessageStatus, Stream
from tests.factories import make_broadcast, make_campaign, make_entry, make_message

LARGE = progress.COUNTED + 1


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


def running(campaign: Campaign, tally: dict[str, int], **values: Any) -> Broadcast:
    made = make_broadcast(campaign, **{"status": BroadcastStatus.SENDING, "started_at": clock.now()} | values)
    stream = db.session.get_one(Stream, made.stream_id)
    stream.tally, stream.tally_at = tally, clock.now() - timedelta(hours=1) if tally else None
    db.session.commit()
    return made


def mail(broadcast: Broadcast, campaign: Campaign, status: str, reason: str = "") -> None:
    entry = make_entry(campaign, confirmed=True)
    make_message(entry, lane=Lane.BULK, stream_id=broadcast.stream_id, status=MessageStatus(status), reason=reason)


@contextmanager
def reading() -> Iterator[list[str]]:
    """The statements that name the table of mails."""
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM message" in statement:
            said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield said
    event.remove(db.engine, "before_cursor_execute", note)


def test_a_small_one_is_counted_at_each_look(campaign: Campaign) -> None:
    broadcast = running(campaign, {"scheduled": 2}, wanted=2)
    mail(broadcast, campaign, "delivered")
    mail(broadcast, campaign, "scheduled")
    found = progress.of(broadcast)
    assert (found.people, found.left, found.waiting) == (2, 1, 1)


def test_a_large_one_is_never_counted_by_a_page_however_old_its_count_is(campaign: Campaign) -> None:
    broadcast = running(campaign, {"delivered": 60_000, "scheduled": 5}, wanted=60_005)
    mail(broadcast, campaign, "failed")
    with reading() as said:
        found = progress.of(broadcast)
    assert (found.people, found.left, found.waiting, found.counts[MessageStatus.FAILED]) == (60_005, 60_000, 5, 0)
    assert not [statement for statement in said if "GROUP BY status" in statement]


def test_one_that_no_job_has_counted_yet_waits_as_a_whole(campaign: Campaign) -> None:
    found = progress.of(running(campaign, {}, wanted=LARGE))
    assert (found.people, found.waiting, found.percent) == (LARGE, LARGE, 0)


def test_a_list_counts_nothing(campaign: Campaign) -> None:
    small = running(campaign, {"delivered": 1, "skipped": 1}, wanted=2, status=BroadcastStatus.SENT)
    large = running(campaign, {"delivered": 60_000}, wanted=60_005)
    with reading() as said:
        found = progress.of_all([small, large])
    assert said == []
    told = {number: (one.people, one.left, one.waiting) for number, one in found.items()}
    assert told == {small.id: (2, 1, 0), large.id: (60_005, 60_000, 5)}


def test_reasons_of_a_large_one_are_those_of_its_newest_mails(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast = running(campaign, {"failed": 4}, wanted=4)
    for reason in ("content", "address", "address"):
        mail(broadcast, campaign, "failed", reason)
    mail(broadcast, campaign, "skipped", "no_consent")
    mail(broadcast, campaign, "delivered")
    all_of_them = [("failed", "address", 2), ("failed", "content", 1), ("skipped", "no_consent", 1)]
    assert [tuple(row) for row in progress.reasons(broadcast)] == all_of_them
    monkeypatch.setattr(progress, "COUNTED", 3)
    monkeypatch.setattr(progress, "SAMPLED", 2)
    assert [tuple(row) for row in progress.reasons(broadcast)] == [all_of_them[0], all_of_them[2]]
