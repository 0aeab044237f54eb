"""Votes through the verb: limits a voter, a day, a work, a network; counts are sums of what is believed."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from leadgen.core import clock as product_clock
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound, TooMany
from leadgen.core.settings import Environment, Settings
from leadgen.entries.models import EntryStatus, Review
from leadgen.gallery import jobs, voters, votes, works
from leadgen.gallery.models import Vote, Work, WorkState
from leadgen.gallery.voters import Voter
from leadgen.gallery.works import Order
from tests.conftest import Clock
from tests.factories import fresh, make_entry
from tests.gallery.conftest import Contest, make_contest

_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
_SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1"


def _stranger(address: str = "203.0.113.7", agent: str = _FIREFOX) -> Voter:
    return Voter(address, agent)


def _cast(contest: Contest, work: Work, voter: Voter) -> votes.Cast:
    given_vote = votes.cast(contest.card, work.public_id, voter)
    db.session.commit()
    return given_vote


def _refused(contest: Contest, work: Work, voter: Voter) -> Exception:
    with pytest.raises((Conflict, TooMany, NotFound)) as refused:
        _cast(contest, work, voter)
    db.session.rollback()
    return refused.value


@pytest.fixture
def voting(contest: Contest) -> Contest:
    contest.vote_now()
    return contest


def test_a_vote_counts(voting: Contest) -> None:
    work = voting.work(voting.ben)
    assert _cast(voting, work, _stranger()) == (2, True)
    assert fresh(work).votes == 1
    assert fresh(work).voted_at is not None


def test_the_same_vote_again_on_one_day_changes_nothing(voting: Contest) -> None:
    work = voting.work(voting.ben)
    assert [_cast(voting, work, _stranger()) for _ in range(3)] == [(2, True), (2, False), (2, False)]
    assert fresh(work).votes == 1


def test_so_many_votes_a_day_and_more_tomorrow(voting: Contest, clock: Clock) -> None:
    own = [voting.work(voting.ben) for _ in range(4)]
    assert [_cast(voting, work, _stranger()).left for work in own[:3]] == [2, 1, 0]
    refused = _refused(voting, own[3], _stranger())
    assert isinstance(refused, TooMany)
    assert "tomorrow" in str(refused)
    assert 60 <= refused.retry_after <= 25 * 3600
    clock.forward(days=1)
    assert _cast(voting, own[3], _stranger()).is_new
    assert _cast(voting, own[0], _stranger()).is_new
    assert fresh(own[0]).votes == 2


def test_a_day_is_one_of_the_contests_time_zone(voting: Contest, clock: Clock) -> None:
    """23:30 and 00:30 in Paris are two days, though one in UTC (or the other way round in winter)."""
    work = voting.work(voting.ben)
    now = product_clock.now()
    midnight = db.session.scalar(
        text("SELECT date_trunc('day', now() AT TIME ZONE 'Europe/Paris') AT TIME ZONE 'Europe/Paris'")
    )
    assert midnight is not None
    clock.forward(seconds=(midnight + timedelta(days=1, minutes=-30) - now).total_seconds())
    assert _cast(voting, work, _stranger()).is_new
    clock.forward(hours=1)
    assert _cast(voting, work, _stranger()).is_new


def test_a_school_behind_one_address_is_not_shut_out(voting: Contest) -> None:
    """Different browsers are different strangers; equal ones vote on their own once they entered."""
    work = voting.work(voting.ben)
    assert _cast(voting, work, _stranger(agent=_FIREFOX)).is_new
    assert _cast(voting, work, _stranger(agent=_SAFARI)).is_new
    assert not _cast(voting, work, _stranger(agent=_SAFARI)).is_new
    pupil = make_entry(voting.campaign, confirmed=True)
    assert _cast(voting, work, Voter("203.0.113.7", _SAFARI, pupil.id)).is_new
    assert fresh(work).votes == 3


def test_an_update_of_the_browser_is_no_new_voter(voting: Contest) -> None:
    work = voting.work(voting.ben)
    assert _cast(voting, work, _stranger(agent="Mozilla/5.0 Firefox/140.0.2")).is_new
    assert not _cast(voting, work, _stranger(agent="Mozilla/5.0 Firefox/140.0.3")).is_new


def test_one_household_of_ipv6_is_one_network(voting: Contest) -> None:
    work = voting.work(voting.ben)
    assert _cast(voting, work, _stranger("2001:db8:1:2::1")).is_new
    assert not _cast(voting, work, _stranger("2001:db8:1:2:ffff::9")).is_new
    assert _cast(voting, work, _stranger("2001:db8:1:3::1")).is_new


def test_an_entrant_is_one_voter_wherever_they_are(voting: Contest) -> None:
    work = voting.work(voting.ben)
    assert _cast(voting, work, Voter("203.0.113.7", _FIREFOX, voting.anna.id)).is_new
    assert not _cast(voting, work, Voter("198.51.100.1", _SAFARI, voting.anna.id)).is_new


def test_nobody_votes_for_their_own_work(voting: Contest) -> None:
    refused = _refused(voting, voting.work(voting.ben), Voter("203.0.113.7", _FIREFOX, voting.ben.id))
    assert "your own work" in str(refused)


def test_votes_may_need_an_entry(voting: Contest) -> None:
    voting.set(votes_need_entry=True)
    work = voting.work(voting.ben)
    assert "Enter first" in str(_refused(voting, work, _stranger()))
    assert _cast(voting, work, Voter("203.0.113.7", _FIREFOX, voting.anna.id)).is_new


@pytest.mark.parametrize("status", [EntryStatus.PENDING, EntryStatus.ERASED])
def test_only_confirmed_entries_vote(voting: Contest, status: EntryStatus) -> None:
    work = voting.work(voting.ben)
    voting.anna.status = status
    db.session.commit()
    assert "confirmed" in str(_refused(voting, work, Voter("203.0.113.7", _FIREFOX, voting.anna.id)))


@pytest.mark.parametrize("state", [WorkState.WAITING, WorkState.REFUSED, WorkState.WITHDRAWN])
def test_only_published_works_get_votes(voting: Contest, state: WorkState) -> None:
    assert isinstance(_refused(voting, voting.work(voting.ben, state=state), _stranger()), NotFound)


def test_works_of_excluded_people_get_none(voting: Contest) -> None:
    work = voting.work(voting.ben)
    voting.ben.review = Review.EXCLUDED
    db.session.commit()
    assert isinstance(_refused(voting, work, _stranger()), NotFound)
    assert works.published(voting.campaign.id, Order.NEW) == []


def test_there_is_no_vote_outside_its_dates(contest: Contest) -> None:
    work = contest.work(contest.ben)
    now = product_clock.now()
    assert isinstance(_refused(contest, work, _stranger()), Conflict)
    contest.set(votes_start_at=now + timedelta(hours=1), votes_end_at=now + timedelta(hours=2))
    assert isinstance(_refused(contest, work, _stranger()), Conflict)
    contest.set(votes_start_at=now - timedelta(hours=2), votes_end_at=now - timedelta(hours=1))
    assert isinstance(_refused(contest, work, _stranger()), Conflict)
    contest.vote_now()
    contest.set(status="paused")
    assert isinstance(_refused(contest, work, _stranger()), Conflict)


def test_votes_from_the_makers_own_network_are_kept_and_not_counted(voting: Contest) -> None:
    home = "198.51.100.20"
    work = voting.work(voting.ben, network=voters.maker_key(home, voting.campaign.id))
    assert _cast(voting, work, _stranger(home)) == (2, True)  # the voter is not told
    assert (fresh(work).votes, _doubts(work)) == (0, ["own_network"])
    assert _cast(voting, work, _stranger("203.0.113.7")).is_new
    assert fresh(work).votes == 1


def test_who_tries_it_out_on_the_own_machine_is_not_doubted(voting: Contest, settings: Settings) -> None:
    """All share one network there; in production such an address is judged like any other."""
    work = voting.work(voting.ben, network=voters.maker_key("127.0.0.1", voting.campaign.id))
    _cast(voting, work, _stranger("127.0.0.1"))
    assert fresh(work).votes == 1
    product_settings.use(replace(settings, environment=Environment.PRODUCTION))
    try:
        _cast(voting, work, _stranger("127.0.0.1", _SAFARI))
    finally:
        product_settings.use(settings)
    assert (fresh(work).votes, _doubts(work)) == (1, ["own_network"])


def test_a_burst_of_one_network_counts_up_to_its_bound(voting: Contest, clock: Clock) -> None:
    work = voting.work(voting.ben)
    for number in range(votes.BURST + 5):
        _cast(voting, work, _stranger(agent=f"Browser {number}"))
    assert (fresh(work).votes, _doubts(work)) == (votes.BURST, ["burst"] * 5)
    clock.forward(minutes=2)
    _cast(voting, work, _stranger(agent="Browser of the next minute"))
    assert fresh(work).votes == votes.BURST + 1


def test_one_network_does_not_decide_over_one_work(
    voting: Contest, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(votes, "FOR_ONE_WORK", 3)
    work = voting.work(voting.ben)
    for number in range(5):
        _cast(voting, work, _stranger(agent=f"Browser {number}"))
        clock.forward(minutes=2)
    assert (fresh(work).votes, _doubts(work)) == (3, ["network"] * 2)


def test_a_network_has_a_ceiling_and_entrants_do_not_care(voting: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(votes, "FROM_ONE_NETWORK", 2)
    work = voting.work(voting.ben)
    for number in range(2):
        _cast(voting, work, _stranger(agent=f"Browser {number}"))
    assert "under your own name" in str(_refused(voting, work, _stranger(agent="One more")))
    assert _cast(voting, work, Voter("203.0.113.7", "One more", voting.anna.id)).is_new


def test_votes_of_entries_under_review_do_not_count_until_they_are_cleared(voting: Contest) -> None:
    work = voting.work(voting.ben)
    _cast(voting, work, Voter("203.0.113.7", _FIREFOX, voting.anna.id))
    for review, expected in ((Review.HELD, 0), (Review.EXCLUDED, 0), (Review.CLEAR, 1)):
        voting.anna.review = review
        db.session.commit()
        votes.audit()
        assert fresh(work).votes == expected


def test_staff_may_count_doubted_votes_after_all(voting: Contest) -> None:
    work = voting.work(voting.ben)
    for number in range(votes.BURST + 5):
        _cast(voting, work, _stranger(agent=f"Browser {number}"))
    assert votes.doubted([work.id])[work.id] == [("burst", 5, 0)]
    votes.believe(voting.campaign.id, work.id, is_counted=True)
    assert fresh(work).votes == votes.BURST + 5
    votes.believe(voting.campaign.id, work.id, is_counted=False)
    assert fresh(work).votes == votes.BURST
    with pytest.raises(NotFound):
        votes.believe(voting.campaign.id + 1, work.id, is_counted=True)


def test_every_night_numbers_are_compared_with_votes_and_mended(voting: Contest) -> None:
    work, other = voting.work(voting.ben), voting.work(voting.anna)
    _cast(voting, work, _stranger())
    work.votes, other.votes = 40, 2
    db.session.commit()
    assert votes.audit() == 2
    assert (fresh(work).votes, fresh(other).votes, fresh(other).voted_at) == (1, 0, None)
    assert votes.audit() == 0
    jobs.audit_votes()


def test_the_networks_of_makers_are_forgotten_a_month_after_the_vote(voting: Contest, clock: Clock) -> None:
    work = voting.work(voting.ben, network=b"somewhere")
    clock.forward(days=30)
    votes.audit()
    assert bytes(fresh(work).network) == b"somewhere"
    clock.forward(days=10)
    votes.audit()
    assert bytes(fresh(work).network) == b""


def test_the_final_order_is_votes_then_who_had_them_first_then_the_older(voting: Contest, clock: Clock) -> None:
    """Also with the same number: the work that reached it earlier stands above."""
    first, second, third, fourth = (voting.work(voting.ben) for _ in range(4))
    for work, count in ((second, 2), (third, 2), (first, 1)):
        for number in range(count):
            _cast(voting, work, _stranger(f"203.0.113.{number}", _FIREFOX))
            clock.forward(minutes=1)
    ordered = [work.id for work in works.published(voting.campaign.id, Order.TOP)]
    assert ordered == [second.id, third.id, first.id, fourth.id]


def test_an_address_is_nowhere_in_the_table(voting: Contest) -> None:
    work = voting.work(voting.ben)
    _cast(voting, work, _stranger("203.0.113.77"))
    kept = str(db.session.execute(text("SELECT vote::text FROM vote")).all())
    assert "203.0.113.77" not in kept
    assert "Firefox" not in kept


def test_the_same_stranger_is_another_hash_tomorrow(voting: Contest, clock: Clock) -> None:
    work = voting.work(voting.ben)
    for _ in range(2):
        _cast(voting, work, _stranger())
        clock.forward(days=1)
    seen = db.session.execute(select(Vote.voter, Vote.network)).all()
    assert len({bytes(row.voter) for row in seen}) == len({bytes(row.network) for row in seen}) == 2


def test_limits_hold_when_many_press_at_once(app: Flask, clean_database: None) -> None:
    """Twenty presses of one voter for six works at the same moment: three votes, counted three times (F18–F20)."""
    with app.app_context():
        contest = make_contest()
        contest.vote_now()
        public_ids = [contest.work(contest.ben).public_id for _ in range(6)]
        card, start = contest.card, threading.Barrier(20)
        outcomes: list[str] = []

    def press(number: int) -> None:
        with app.app_context():
            start.wait()
            try:
                cast = votes.cast(card, public_ids[number % 6], _stranger())
                db.session.commit()
                outcomes.append("new" if cast.is_new else "again")
            except TooMany:
                db.session.rollback()
                outcomes.append("refused")

    threads = [threading.Thread(target=press, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert outcomes.count("new") == 3
        assert len(outcomes) == 20
        assert db.session.scalar(select(func.sum(Work.votes))) == 3
        assert db.session.scalar(select(func.count()).select_from(Vote)) == 3
        assert votes.audit() == 0


def test_a_popular_work_loses_no_vote_when_many_vote_at_once(app: Flask, clean_database: None) -> None:
    with app.app_context():
        contest = make_contest()
        contest.vote_now()
        public_id, card, start = contest.work(contest.ben).public_id, contest.card, threading.Barrier(16)

    def press(number: int) -> None:
        with app.app_context():
            start.wait()
            votes.cast(card, public_id, _stranger(f"198.51.100.{number}"))
            db.session.commit()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert db.session.scalar(select(Work.votes)) == 16
        assert votes.audit() == 0


_number = itertools.count(1)
_PRESSES = st.lists(
    st.tuples(
        st.sampled_from(["anna", "1", "2", "3"]),  # who: an entrant, or a stranger by network
        st.integers(0, 4),  # which work
        st.sampled_from([0, 0, 0, 0, 13, 25]),  # hours that pass before
    ),
    max_size=40,
)


@hypothesis_settings(max_examples=25)
@given(presses=_PRESSES, a_day=st.integers(1, 4))
def test_counts_and_limits_hold_for_any_presses(
    context: None, clock: Clock, presses: list[tuple[str, int, int]], a_day: int
) -> None:
    """Against a model in memory: at most so many a voter and day, one a work and day, numbers are sums (I02)."""
    clock.forward(seconds=-clock.seconds)
    contest = make_contest(slug=f"photos-{next(_number)}")
    contest.vote_now()
    contest.set(votes_a_day=a_day, timezone="UTC", votes_end_at=product_clock.now() + timedelta(days=90))
    own = [contest.work(contest.ben) for _ in range(5)]
    model: dict[tuple[Any, ...], set[int]] = defaultdict(set)
    numbers = [0] * 5
    for who, which, hours in presses:
        clock.forward(hours=hours)
        given_today = model[who, product_clock.now().date()]
        voter = Voter("203.0.113.9", _FIREFOX, contest.anna.id) if who == "anna" else _stranger(f"203.0.113.{who}")
        if which in given_today:
            assert _cast(contest, own[which], voter) == (a_day - len(given_today), False)
        elif len(given_today) >= a_day:
            assert isinstance(_refused(contest, own[which], voter), TooMany)
        else:
            given_today.add(which)
            numbers[which] += 1
            assert _cast(contest, own[which], voter) == (a_day - len(given_today), True)
    assert [fresh(work).votes for work in own] == numbers
    assert votes.audit() == 0


def _doubts(work: Work) -> list[str]:
    doubted = select(Vote.doubt).where(Vote.work_id == work.id, Vote.doubt != "").order_by(Vote.id)
    return list(db.session.scalars(doubted))
