"""What a pile of friends says, and what it must not say of the honest friends of the same person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from leadgen.fraud import scoring
from leadgen.fraud.observations import Observation
from tests.fraud.conftest import DAY, MOMENT, USUAL, codes_of, seen, spaced

BOTS: dict[str, Any] = {"form_seconds": 1.9, "network_kind": "datacentre", "returns": 0, "agent": "Chrome Windows"}


def _storm(first: int = 100, number: int = 200, **values: Any) -> list[Observation]:
    """A script's entries through the link of person 1, one each half minute of the tenth day."""
    arrivals = {n: 10 * DAY + 30 * (n - first) for n in range(first, first + number)}
    return [seen(n, 1, **({"created_at": at} | BOTS | values)) for n, at in arrivals.items()]


def _points(people: list[Observation]) -> dict[int, int]:
    return {number: score.points for number, score in scoring.score(people, MOMENT, usual=USUAL).items()}


def test_programs_are_told_by_the_hour_in_which_they_came() -> None:
    assert "scripted_pile" in codes_of([seen(1), *_storm(number=30)], 110)
    slow = [replace(one, created_at=DAY + 7000.0 * n) for n, one in enumerate(_storm(number=30))]
    assert "scripted_pile" not in codes_of([seen(1), *slow], 110)


def test_the_hurried_few_of_a_large_honest_burst_are_no_pile() -> None:
    """A post that brings 200 people within an hour, one in ten of whom let the browser fill the form in."""
    seconds = {n: 2.0 if n % 10 == 0 else 20.0 + n % 9 for n in range(2, 202)}
    burst = [seen(n, 1, created_at=10 * DAY + 15 * n, form_seconds=spent) for n, spent in seconds.items()]
    assert "scripted_pile" not in codes_of([seen(1), *burst], 100)


def test_a_storm_that_nobody_opened_the_link_for_counts_against_itself_alone() -> None:
    """Whoever sends bots to somebody's link takes nothing from a friend who travelled on another day."""
    honest = [
        seen(1, openings=20),
        *spaced([seen(n, 1, returns=n % 2) for n in range(2, 22)]),
        seen(50, 1, created_at=5 * DAY, network_kind="datacentre", form_seconds=2.5, returns=0),
    ]
    bombed = [*honest, *_storm()]
    assert "unopened" in codes_of(bombed, 150)
    assert "unopened" not in codes_of(bombed, 50)
    alone, after = _points(honest), _points(bombed)
    assert {number for number in range(1, 51) if after.get(number, 0) >= 34} == set()
    assert after.get(50, 0) == alone.get(50, 0)
    assert all(after[bot.entry_id] >= 34 for bot in _storm())


@pytest.mark.parametrize("values", [{"network_kind": "datacentre"}, {"has_script": False}, {"form_seconds": 2.0}])
def test_one_friend_with_the_sign_of_a_storm_on_another_day_is_none_of_it(values: dict[str, Any]) -> None:
    people = [seen(1), seen(50, 1, created_at=5 * DAY, returns=0, **values), *_storm(**values)]
    assert not {"from_datacentres", "without_script", "fast_forms", "scripted_pile"} & codes_of(people, 50)


def _same_browsers(first: int, at: float) -> list[Observation]:
    """Ten friends within an hour, all with the referrer's browser and line, and none of whom lives."""
    return [seen(n, 1, created_at=at + 300.0 * (n - first), device="d1", address="a1", agent="Safari iOS", returns=0)
            for n in range(first, first + 10)]  # fmt: skip


def test_whoever_stands_in_the_midst_of_held_friends_and_does_not_live_is_held_too() -> None:
    crew = [seen(1), *_same_browsers(10, 5 * DAY)]
    quiet = seen(50, 1, created_at=5 * DAY + 1300.0, returns=0)
    assert "midst" in codes_of([*crew, quiet], 50)
    assert "midst" not in codes_of([*crew, replace(quiet, returns=1)], 50)
    assert "midst" not in codes_of([*crew, replace(quiet, created_at=9 * DAY, confirmed_at=9 * DAY + 60)], 50)
    today = replace(quiet, confirmed_at=MOMENT.at - 3600)
    assert "midst" not in codes_of([*crew, today], 50), "somebody new has had no time to come back"


def test_the_midst_of_a_rivals_bots_is_nobodys_company() -> None:
    honest = seen(50, 1, created_at=10 * DAY + 1500.0, returns=0, agent="Chrome Windows")
    assert not {"midst", "company"} & codes_of([seen(1), *_storm(), honest], 50)


def test_friends_like_those_around_them_share_their_doubt() -> None:
    crew = [seen(1, local="paul.martin", domain="gmail.com"), *_same_browsers(10, 5 * DAY)]
    later = seen(50, 1, local="paul.martin7", domain="gmail.com", agent="Firefox Linux", returns=0,
                 created_at=5 * DAY + 5 * 3600.0)  # fmt: skip
    assert "company" in codes_of([*crew, later], 50)
    assert "company" not in codes_of([*crew, replace(later, local="zoe")], 50), "they have nothing in common"


def test_dead_mailboxes_of_the_own_browser_are_told_of_the_person_and_hold_no_place() -> None:
    people = [seen(1), *_same_browsers(10, 5 * DAY)]
    assert codes_of(people, 1) == {"own_mailboxes"}
    assert 34 <= _points(people)[1] < 50
    assert "own_mailboxes" not in codes_of([seen(1), *_storm()], 1)
    living = [replace(one, returns=1) for one in people]
    assert "own_mailboxes" not in codes_of(living, 1)


def _stand(alive: int) -> list[Observation]:
    """Forty visitors enter at one tablet through the link of whoever puts it up; so many of ten come back later."""
    return spaced(
        [seen(1, address="fair"), *(seen(n, 1, device="tablet", address="fair", agent="Safari iOS",
                                         returns=int(n % 10 < alive)) for n in range(2, 42))],
        600.0,
    )  # fmt: skip


def test_a_stand_whose_visitors_live_is_let_be_though_all_share_browser_and_line() -> None:
    assert max(_points(_stand(alive=4)).values(), default=0) < 34


def test_a_browser_from_which_nobody_lives_is_no_stand() -> None:
    held = _points(_stand(alive=0))
    assert min(held[n] for n in range(3, 42)) >= 67


def test_small_domains_whose_mailboxes_do_not_live_and_names_that_are_counted() -> None:
    people = spaced([seen(1), *(seen(n, 1 + n % 2, domain="odd.example", returns=0) for n in range(3, 15))])
    assert "lifeless_domain" in codes_of(people, 6)
    school = [replace(one, returns=int(one.entry_id % 2)) for one in people]
    assert "lifeless_domain" not in codes_of(school, 6)
    names = {n: f"amelie{n}" if n < 6 else f"{n}.other" for n in range(2, 12)}
    counted = spaced([seen(1), *(seen(n, 1, local=name) for n, name in names.items())])
    assert "one_stem" in codes_of(counted, 3)
    assert "one_stem" not in codes_of(counted, 8)


def test_a_page_that_sends_no_living_people_is_not_held_against_those_whose_own_visitors_live() -> None:
    bought = [seen(n, 1, landing_host="t.example", returns=0) for n in range(10, 60)]
    fans = [seen(n, 2, landing_host="t.example", returns=n % 2) for n in range(100, 112)]
    people = [seen(1), seen(2), *spaced([*bought, *fans])]
    assert "lifeless_host" in codes_of(people, 20)
    assert "lifeless_host" not in codes_of(people, 102)
