"""Measures of a scorer, each on a case small enough to reckon by hand."""

from __future__ import annotations

import dataclasses

import pytest

from bench.fraud import measures, oracle
from bench.fraud.contest import BOMBING, Contest, Entry, Label, points, prize_places
from bench.fraud.measures import Steps

HONEST = Label()
CHEAT = Label("farm", "farm_crew", "referral", 1)
BOT = Label("bot", BOMBING, "referral", 2)


def entry(number: int, referrer: int | None = None, *, confirmed: bool = True, **more: object) -> Entry:
    plain = {
        "number": number,
        "referrer": referrer,
        "email": f"p{number}@gmail.com",
        "mailbox_key": f"p{number}@gmail.com",
        "mail_host": "google.com",
        "first_name": "Ada",
        "created_at": number * number * 100,
        "form_seconds": 20.0,
        "has_script": True,
        "honeypot": False,
        "network": f"n{number}",
        "address_hash": f"a{number}",
        "network_kind": "isp",
        "device": f"d{number}",
        "agent": "Safari iOS",
        "language": "fr",
        "timezone": "Europe/Paris",
        "country": "FR",
        "channel": "copy",
        "landing_host": "",
        "visits": (1,),
        "confirmed_at": number * number * 100 + 600 if confirmed else None,
        "confirm_method": "cookie_post" if confirmed else "",
        "came_back": (10**6,),
        "answered": 0,
        "bounced": False,
        "complained": False,
        "unsubscribed": False,
        "shares": 0,
    }
    return Entry(**(plain | more))


@pytest.fixture
def bombed() -> Contest:
    """1 leads honestly with 2 to 6; 7 and 8 were sent by a rival; 9 cheats with 10 to 17, who never live."""
    people = [entry(1), *(entry(n, 1) for n in range(2, 7)), *(entry(n, 1, came_back=()) for n in (7, 8)), entry(9)]
    people += [entry(n, 9, came_back=(), address_hash="same") for n in range(10, 18)]
    labels = dict.fromkeys(range(1, 18), HONEST) | dict.fromkeys((7, 8), BOT)
    labels |= {9: dataclasses.replace(CHEAT, role="head")} | dict.fromkeys(range(10, 18), CHEAT)
    return Contest(tuple(people), labels)


def test_points_are_one_and_five_for_each_confirmed_friend() -> None:
    people = [entry(1), entry(2, 1), entry(3, 1, confirmed=False), entry(4, confirmed=False)]
    assert points(people) == {1: 6, 2: 1}
    assert points(people, not_credited=frozenset({2})) == {1: 1, 2: 1}


def test_equal_points_go_to_who_came_first() -> None:
    assert prize_places({5: 6, 2: 6, 9: 11, 1: 1}, 3) == [9, 2, 5]


def test_precision_recall_and_false_positives() -> None:
    labels = {1: HONEST, 2: HONEST, 3: CHEAT, 4: CHEAT, 5: BOT}
    found = measures.detection(labels, {1: 50, 3: 40, 4: 39.9}, threshold=40)
    assert found == measures.Detection(precision=0.5, recall=1 / 3, false_positives=0.5, flagged=2)
    assert measures.detection(labels, {1: 50, 3: 40}, threshold=60).precision == 1


def test_recall_by_kind_tells_the_bombers_apart() -> None:
    labels = {1: HONEST, 3: CHEAT, 4: CHEAT, 5: BOT, 6: dataclasses.replace(CHEAT, kind="bot")}
    assert measures.recall_by_kind(labels, {3: 90, 5: 90}) == {"farm": 0.5, BOMBING: 1.0, "bot": 0.0}


def test_false_positives_by_group_count_honest_people_only() -> None:
    labels = {1: Label(group="relay"), 2: Label(group="relay"), 3: Label(group="friends"), 4: CHEAT}
    found = measures.false_positives_by_group(labels, {1: 45, 4: 100}, groups=("relay", "friends"))
    assert found == {"relay": 0.5, "friends": 0.0}


def test_states_follow_the_thresholds() -> None:
    assert measures.states_of({1: 39, 2: 40, 3: 80}) == {1: "clear", 2: "held", 3: "excluded"}
    assert measures.states_of({1: 39}, hold=30, exclude=35) == {1: "excluded"}


def test_steps_take_points_of_held_referrals_and_leave_the_person(bombed: Contest) -> None:
    steps = Steps(dict.fromkeys((7, 8), "held") | dict.fromkeys(range(10, 18), "excluded"))
    board = measures.board(bombed, steps)
    assert board[1] == 26
    assert board[9] == 1
    assert board[7] == 1
    assert 10 not in board
    assert 7 not in measures.board(bombed, dataclasses.replace(steps, is_held_on_board=False))


def test_a_decision_on_credit_stands_above_the_state(bombed: Contest) -> None:
    assert measures.board(bombed, Steps({7: "held"}, {7: True, 8: False}))[1] == 31


def test_cheats_in_the_top_before_and_after(bombed: Contest) -> None:
    assert measures.cheats_in_top(bombed, places=1) == 1
    steps = Steps(dict.fromkeys(range(10, 18), "held"))
    assert measures.cheats_in_top(bombed, steps, places=1) == 0


def test_the_oracle_takes_what_looks_wrong_on_the_screen(bombed: Contest) -> None:
    found = measures.review(bombed, Steps(dict.fromkeys((7, 8), "held")), places=1)
    assert found.winners == (1,)
    assert (found.cheats, found.honest_struck) == (0, 0)
    assert found.struck == (9,)


def test_the_oracle_reads_no_more_than_it_may(bombed: Contest) -> None:
    found = measures.review(bombed, Steps({}), must_review=(2, 3, 4), limit=3, places=1)
    assert found.cases == 3
    assert found.cheats == 1


def test_the_oracle_works_through_whoever_moves_up(bombed: Contest) -> None:
    found = measures.review(bombed, Steps(dict.fromkeys((7, 8), "held")), must_review=(9,), places=2)
    assert found.winners[0] == 1
    assert found.cases >= 3


def test_a_case_shows_counting_referrals_beside_what_is_usual(bombed: Contest) -> None:
    reader = oracle.Reader(bombed.entries, {n: n not in {7, 8, 10} for n in range(1, 18)})
    case = reader.case(9, ("7 of 8 share one address",))
    assert case.facts.count == 7
    assert case.facts.pending == pytest.approx(1 / 8)
    assert (case.facts.alive, case.facts.one_address) == (0, 1)
    assert case.usual.count == 17
    assert case.usual.alive == pytest.approx(7 / 17)


def test_what_is_pending_condemns_nobody_alone(bombed: Contest) -> None:
    """A rival may have sent it, and each sentence may be about that."""
    reader = oracle.Reader(bombed.entries, {n: n < 7 or n > 8 for n in range(1, 18)})
    case = reader.case(1, ("one", "two", "three"))
    worse = dataclasses.replace(case, facts=dataclasses.replace(case.facts, pending=0.9))
    assert not oracle.strikes(worse)


def test_the_oracle_lets_few_referrals_pass(bombed: Contest) -> None:
    reader = oracle.Reader(bombed.entries, {n: n < 14 for n in range(1, 18)})
    assert reader.case(9).facts.count == 4
    assert not oracle.strikes(reader.case(9))


def test_bombing_is_harmless_when_only_the_bots_lose_credit(bombed: Contest) -> None:
    found = measures.bombing(bombed, Steps(dict.fromkeys((7, 8), "excluded")))
    assert found == measures.Bombed(1, "clear", 26, 26, 0, is_unharmed=True)


def test_bombing_harms_when_friends_lose_credit_or_the_leader_is_held(bombed: Contest) -> None:
    bots = dict.fromkeys((7, 8), "held")
    friend = measures.bombing(bombed, Steps(bots | {2: "held"}))
    assert (friend.clean_points, friend.is_unharmed) == (21, False)
    assert not measures.bombing(bombed, Steps(bots | {1: "held"})).is_unharmed
    assert measures.bombing(bombed, Steps({})).bots_credited == 2


def test_bombing_is_judged_by_what_was_decided_without_the_bots(bombed: Contest) -> None:
    """A friend who is held either way was not harmed by the bombing."""
    alone = Steps({2: "held"})
    found = measures.bombing(bombed, Steps(dict.fromkeys((2, 7, 8), "held")), alone)
    assert (found.clean_points, found.clean_points_alone, found.is_unharmed) == (21, 21, True)
