"""The queue of looks: nothing wanted is lost, nothing is looked at by two at once, and a storm is one look."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from flask import Flask
from rq.timeouts import JobTimeoutException
from sqlalchemy import text

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core.db import db
from leadgen.core.queue import QueueName
from leadgen.entries import confirming, entering
from leadgen.entries.models import Entry, EntryStatus, ReferralState
from leadgen.fraud import bands, jobs, looks, reading, scoring, service, sightings
from leadgen.fraud.models import Verdict
from leadgen.journal.vocabulary import FactName
from tests.entries.conftest import filled, rows
from tests.factories import fresh, make_entry
from tests.factories_contest import make_sighting
from tests.fraud.conftest import look, put, serve, work


def _score(entry: Entry) -> int:
    found = db.session.get(Verdict, entry.id, populate_existing=True)
    return found.score if found else 0


def _friends(campaign: Campaign, number: int = 8) -> list[Entry]:
    head = make_entry(campaign, confirmed=True)
    return [
        make_entry(campaign, confirmed=True, referrer=head, referral_state=ReferralState.COUNTED) for _ in range(number)
    ]


def _seen_alike(friends: Sequence[Entry]) -> None:
    for friend in friends:
        make_sighting(friend, device="the-same", network=b"n", address=b"a", form_seconds=2.0)


def test_of_two_looks_at_once_the_later_one_has_seen_everything(
    app: Flask, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has read and still reckons when more is seen; another is wanted, and must not be overwritten by the first."""
    friends = _friends(campaign)
    looks.want([friend.id for friend in friends])
    db.session.commit()
    has_read, may_go_on, campaign_id = threading.Event(), threading.Event(), campaign.id
    reckon = scoring.score

    def slow(*args: Any, **kwargs: Any) -> dict[int, scoring.Score]:
        if not has_read.is_set():
            has_read.set()
            assert may_go_on.wait(20)
        return reckon(*args, **kwargs)

    def serve_all() -> None:
        with app.app_context():
            while not looks.serve(campaign_id):
                pass

    monkeypatch.setattr(scoring, "score", slow)
    first, second = threading.Thread(target=serve_all), threading.Thread(target=serve_all)
    first.start()
    assert has_read.wait(20)
    _seen_alike(friends)
    looks.want([friend.id for friend in friends])
    db.session.commit()
    second.start()
    second.join(0.5)
    assert second.is_alive()
    may_go_on.set()
    first.join(20)
    second.join(20)

    assert {fresh(friend).referral_state for friend in friends[1:]} == {ReferralState.ON_HOLD}
    assert rows("SELECT 1 FROM look") == []


def test_what_is_seen_after_the_confirmation_was_told_is_looked_at(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers tell facts beside each other: here the one with the confirmation is the faster."""
    entered = entering.enter(cards.by_id(campaign.id), filled("zoe@mail.example", seconds=0.2))
    confirming.confirm(entered.entry_id, 1, "button_post")
    with monkeypatch.context() as slower:
        slower.setattr(
            reactions, "REACTIONS", {FactName.ENTRY_CONFIRMED: reactions.REACTIONS[FactName.ENTRY_CONFIRMED]}
        )
        reactions.drain()
    serve()
    entry = db.session.get_one(Entry, entered.entry_id)
    assert _score(entry) == 0

    sightings.write([entered.entry_id])
    db.session.commit()
    serve()
    assert _score(entry) > 0


def test_losing_redis_and_the_worker_loses_no_look(
    campaign: Campaign, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    friends = _friends(campaign)
    _seen_alike(friends)
    looks.want([friend.id for friend in friends])  # nothing rings
    db.session.commit()

    def die(_entry_ids: Any) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as killed:
        killed.setattr(bands, "settle", die)
        with pytest.raises(SystemExit):
            looks.serve(campaign.id)
    db.session.rollback()
    assert {fresh(friend).referral_state for friend in friends} == {ReferralState.COUNTED}

    work(redis_client)
    assert {fresh(friend).referral_state for friend in friends[1:]} == {ReferralState.ON_HOLD}
    assert rows("SELECT 1 FROM look") == []


def test_a_contest_that_was_looked_at_and_not_settled_is_settled_later(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    friends = _friends(campaign)
    _seen_alike(friends)
    jobs.rescore()
    assert not looks.serve(campaign.id)
    assert _score(friends[1]) > 0
    with monkeypatch.context() as hurried:
        hurried.setattr(service, "settle_bands", lambda _campaign_id: False)
        assert not looks.serve(campaign.id)
    serve()
    assert {fresh(friend).referral_state for friend in friends[1:]} == {ReferralState.ON_HOLD}
    assert rows("SELECT 1 FROM look") == []


def test_some_who_were_looked_at_and_not_settled_are_settled_later(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    friends = _friends(campaign)
    _seen_alike(friends)
    looks.want([friend.id for friend in friends])
    db.session.commit()
    with monkeypatch.context() as hurried:
        hurried.setattr(bands, "settle", lambda _judged: False)
        assert not looks.serve(campaign.id)
    assert _score(friends[1]) > 0
    assert fresh(friends[1]).referral_state is ReferralState.COUNTED
    serve()
    assert {fresh(friend).referral_state for friend in friends[1:]} == {ReferralState.ON_HOLD}
    assert rows("SELECT 1 FROM look") == []


def test_a_storm_of_friends_is_read_as_one_group(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    friends = _friends(campaign, 12)
    read: list[Sequence[int]] = []
    around = reading.around

    def count(entry_ids: Sequence[int]) -> list[reading.Neighbourhood]:
        read.append(entry_ids)
        return around(entry_ids)

    monkeypatch.setattr(reading, "around", count)
    for friend in [*friends, *friends]:
        looks.want([friend.id])
        db.session.commit()
    serve()
    assert [sorted(ids) for ids in read] == [sorted(friend.id for friend in friends)]


def test_a_look_that_took_long_lets_the_next_ones_gather(
    campaign: Campaign, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[int] = []
    monkeypatch.setattr(looks, "serve", lambda campaign_id: bool(served.append(campaign_id)) or True)
    monkeypatch.setattr(jobs, "_SHORT", 0.0)
    monkeypatch.setattr(jobs, "_REST", 1e6)
    friend = make_entry(campaign, confirmed=True)
    for _ in range(3):
        looks.want([friend.id])
        db.session.commit()
        work(redis_client)
    jobs.look_at(campaign.id)  # put before the rest began
    assert served == [campaign.id]


def test_each_contest_is_a_job_of_its_own_and_waits_once(campaign: Campaign, redis_client: redis.Redis) -> None:
    other, small, wide = make_entry(confirmed=True), QueueName.EVENTS, QueueName.SLOW
    looks.want([make_entry(campaign, confirmed=True).id, other.id])
    looks.want_whole([other.campaign_id])
    db.session.commit()
    for _ in range(2):
        jobs.look()
    assert [list(job.args) for job in put(redis_client, small)] == [[campaign.id]]
    assert [list(job.args) for job in put(redis_client, wide)] == [[other.campaign_id]]
    assert len(looks.waiting()) == 2


def test_a_contest_is_served_by_one_job_at_a_time(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[int] = []

    def serve(campaign_id: int) -> bool:
        served.append(campaign_id)
        jobs.look_at(campaign_id)
        return True

    monkeypatch.setattr(looks, "serve", serve)
    jobs.look_at(campaign.id)
    assert served == [campaign.id]


def test_a_time_limit_ends_the_job_and_its_contest_rests(
    campaign: Campaign, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks.want([make_entry(campaign, confirmed=True).id])
    db.session.commit()

    def stop(*_signal: Any) -> None:
        raise JobTimeoutException

    def serve(_campaign_id: int) -> bool:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        return bool(db.session.execute(text("SELECT pg_sleep(2)")))

    before = signal.signal(signal.SIGALRM, stop)
    try:
        monkeypatch.setattr(looks, "serve", serve)
        with pytest.raises(JobTimeoutException):
            jobs.look_at(campaign.id)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert looks.waiting() == [campaign.id]  # by another connection
    jobs.look()
    assert put(redis_client, QueueName.EVENTS) == []


def test_one_contest_that_cannot_be_looked_at_keeps_no_other_waiting(
    campaign: Campaign,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = make_entry(confirmed=True)
    looks.want([make_entry(campaign, confirmed=True).id, other.id])
    db.session.commit()
    serve_one = looks.serve

    def serve(campaign_id: int) -> bool:
        if campaign_id == campaign.id:
            raise RuntimeError("broken on purpose")
        return serve_one(campaign_id)

    monkeypatch.setattr(looks, "serve", serve)
    work(redis_client)
    assert looks.waiting() == [campaign.id]
    assert "broken on purpose" in caplog.text


def test_whoever_did_not_confirm_waits_for_the_confirmation(campaign: Campaign) -> None:
    pending = make_entry(campaign)
    make_sighting(pending, is_trapped=True)
    look(pending.id)
    assert pending.status is EntryStatus.PENDING
    assert rows("SELECT 1 FROM verdict") == []
    assert rows("SELECT 1 FROM look") == []


def test_from_the_draw_on_nobody_is_looked_at(campaign: Campaign) -> None:
    friends = _friends(campaign)
    _seen_alike(friends)
    looks.want([friend.id for friend in friends])
    campaign.status = CampaignStatus.DRAWING
    db.session.commit()
    serve()
    assert rows("SELECT 1 FROM verdict") == []
    assert rows("SELECT 1 FROM look") == []
