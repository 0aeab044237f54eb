"""Each signal fires on what it is about, and not on the honest people who look alike."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from leadgen.core import i18n
from leadgen.fraud import scoring, signals, weights
from leadgen.fraud.observations import Found, Observation, SafeList
from tests.fraud.conftest import DAY, MOMENT, USUAL, codes_of, friends, seen, spaced

HEAD = 1
DEAD: dict[str, Any] = {"returns": 0}


def test_bounced_speaks_of_confirmed_addresses_only() -> None:
    assert "bounced" in codes_of([seen(1, is_bounced=True)], 1)
    assert "bounced" not in codes_of([seen(1, is_bounced=True, confirmed_at=None)], 1)


def test_a_group_whose_addresses_are_blanked_is_judged_by_the_rest() -> None:
    assert "one_line" not in codes_of(friends(6, address=""), 2)


def test_a_trap_and_a_missing_script_are_seen() -> None:
    assert codes_of([seen(1, is_trapped=True)], 1) == {"trapped"}
    assert codes_of([seen(1, has_script=False, form_seconds=None)], 1) == {"no_script"}


@pytest.mark.parametrize(
    ("seconds", "code"), [(1.2, "instant_form"), (2.2, "fast_form"), (3.5, None)], ids=["script", "filled", "hand"]
)
def test_how_fast_the_form_was(seconds: float, code: str | None) -> None:
    assert codes_of([seen(1, form_seconds=seconds)], 1) == ({code} if code else set())


def test_a_text_browser_or_a_traveller_alone_is_let_pass() -> None:
    for values in ({"has_script": False}, {"network_kind": "datacentre"}, {"form_seconds": 2.0}):
        found = scoring.score([seen(1, **values)], MOMENT, usual=USUAL)
        assert found[1].points < 34


def test_functions_and_random_names_but_no_relays() -> None:
    assert "role_address" in codes_of([seen(1, local="info", domain="firm.example")], 1)
    assert "odd_name" in codes_of([seen(1, local="xkcvbnmqz1")], 1)
    assert codes_of([seen(1, local="dpdcnf87nuxkcvbzz", domain="privaterelay.appleid.com")], 1) == set()


def test_a_family_at_home_stays_below_every_band() -> None:
    """Four people on one line and one browser: seen, and let be."""
    people = [seen(1), *(seen(n, 1, device="d1", address="a1", agent="Chrome Android") for n in range(2, 5))]
    found = scoring.score(people, MOMENT, usual=USUAL)
    assert codes_of(people, 2) >= {"same_device", "same_address"}
    assert max(score.points for score in found.values()) < 34


def test_one_browser_again_and_again_is_held() -> None:
    people = spaced(friends(9, device="d1", address="a1", returns=0))
    found = scoring.score(people, MOMENT, usual=USUAL)
    assert "crowded_device" in codes_of(people, 5)
    assert found[5].points >= 67
    assert found[1].points < 67


def test_the_same_line_with_another_cookie_is_one_hand() -> None:
    people = [seen(1, agent="Safari iOS"), seen(2, 1, address="a1", agent="Safari iOS")]
    assert codes_of(people, 2) == {"same_address", "same_hand"}


def test_a_carriers_address_is_nobodys_line() -> None:
    strangers = [seen(n, address="carrier") for n in range(10, 40)]
    people = [seen(1, address="carrier"), seen(2, 1, address="carrier"), *strangers]
    assert "same_address" not in codes_of(people, 2)


def test_counted_addresses_are_alike_and_family_names_are_not() -> None:
    one = seen(1, local="paul.martin", domain="gmail.com")
    assert "alike_address" in codes_of([one, seen(2, 1, local="paul.martin7", domain="gmail.com")], 2)
    assert "alike_address" not in codes_of([one, seen(2, 1, local="zoe.martin", domain="gmail.com")], 2)


def _ring() -> list[Observation]:
    """1 brought 2 and 3; each brings a second mailbox of the next one's browser."""
    circle = [seen(1), seen(2, 1), seen(3, 1)]
    second = [(4, 2, "d1"), (5, 3, "d2"), (6, 1, "d3"), (7, 2, "d3"), (8, 3, "d1"), (9, 1, "d2")]
    return circle + [seen(number, referrer, device=device, returns=0) for number, referrer, device in second]


def test_friends_who_swap_second_mailboxes_are_a_circle() -> None:
    assert "swapped_device" in codes_of(_ring(), 4)
    assert "second_mailboxes" in codes_of(_ring(), 2)


def test_friends_who_meet_at_a_party_are_none() -> None:
    people = [seen(1), seen(2, 1), seen(3, 2), seen(4, 3), seen(5, 2)]
    assert not any("mailboxes" in code or "circle" in code for n in range(1, 6) for code in codes_of(people, n))


def test_a_group_that_never_lives_is_held_and_its_head_is_not() -> None:
    people = spaced(friends(25, returns=0))
    found = scoring.score(people, MOMENT, usual=USUAL)
    assert "lifeless_all" in codes_of(people, 9)
    assert found[9].points >= 34
    assert HEAD not in found


def test_a_group_of_which_half_live_is_not() -> None:
    people = spaced([seen(1), *(seen(n, 1, returns=n % 2) for n in range(2, 27))])
    assert not any(code.startswith("lifeless") for n in range(2, 27) for code in codes_of(people, n))


def test_whoever_confirmed_today_has_had_no_time_to_come_back() -> None:
    people = [replace(one, confirmed_at=MOMENT.at - 3600) for one in friends(25, returns=0)]
    assert not any(code.startswith("lifeless") for code in codes_of(people, 9))


def test_four_friends_are_too_few_to_judge_together() -> None:
    people = friends(4, returns=0, network_kind="datacentre", has_script=False)
    assert codes_of(people, 3) == {"no_script", "datacentre"}


def test_bots_at_a_rivals_link_take_nothing_from_him_and_his_friends() -> None:
    """Bombing: the bots are held, the friends and the leader stand as if nobody had come (bar e)."""
    honest = [seen(1), *(seen(n, 1, returns=n % 2, local=f"{n}.{n * 7919}") for n in range(2, 42))]
    bots = [
        seen(n, 1, created_at=10 * DAY + 30 * n, form_seconds=1.1, has_script=n % 2 == 0, network_kind="datacentre",
             returns=0, agent="Chrome Windows")
        for n in range(100, 300)
    ]  # fmt: skip
    alone = scoring.score(honest, MOMENT, usual=USUAL)
    bombed = scoring.score([*honest, *bots], MOMENT, usual=USUAL)
    assert all(bombed[bot.entry_id].points >= 34 for bot in bots)
    for one in honest:
        before, after = (found.get(one.entry_id, scoring.CLEAN).points for found in (alone, bombed))
        assert (before >= 34, after >= 34) == (False, False)


def test_what_a_brand_calls_safe_is_not_held_against_anybody() -> None:
    hall = friends(9, address="a1", network="hall", network_kind="datacentre", domain="school.example")
    people = spaced(hall, 600.0)
    safe = SafeList(networks=frozenset({"hall"}), domains=frozenset({"school.example"}))
    assert {"one_line", "from_datacentres", "one_domain"} <= codes_of(people, 5)
    assert not {"one_line", "from_datacentres", "one_domain", "datacentre", "same_address"} & codes_of(people, 5, safe)


def test_a_household_that_is_safe_may_share_a_browser() -> None:
    people = friends(9, device="d1", address="a1")
    assert "crowded_device" in codes_of(people, 5)
    assert "crowded_device" not in codes_of(people, 5, SafeList(households=frozenset({"a1"})))


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("from_datacentres", {"network_kind": "datacentre"}),
        ("one_line", {"address": "hall", "network": "hall", "returns": 0}),
        ("one_domain", {"domain": "odd.example"}),
        ("one_provider", {"domain": "gmx.fr"}),
        ("one_agent", {"agent": "Chrome Android"}),
        ("elsewhere", {"timezone": "Asia/Dhaka"}),
        ("without_script", {"has_script": False}),
        ("fast_forms", {"form_seconds": 2.0}),
    ],
)
def test_what_a_group_has_in_common(code: str, values: dict[str, Any]) -> None:
    assert code in codes_of(spaced(friends(20, **values), 600.0), 9)
    mixed = spaced([seen(1), *(seen(n, 1, **(values if n == 9 else {})) for n in range(2, 22))])
    assert code not in codes_of(mixed, 9)


def test_a_hand_has_a_rhythm_and_a_metronome_a_beat() -> None:
    people = [seen(1), *(seen(n, 1, address="hall", form_seconds=9.0 + n % 2) for n in range(2, 12))]
    assert "one_rhythm" in codes_of(people, 5)
    beat = [seen(1), *(seen(n, 1, created_at=2 * DAY + 150.0 * n) for n in range(2, 22))]
    assert "clockwork" in codes_of(beat, 9)
    assert "clockwork" not in codes_of(spaced(friends(20), 600.0), 9)


def test_hurry_is_compared_with_what_is_usual() -> None:
    people = [seen(1), *(seen(n, 1, created_at=2 * DAY + n * n * 999, confirmed_at=2 * DAY + n * n * 999 + 60)
                         for n in range(2, 22))]  # fmt: skip
    assert "confirmed_at_once" in codes_of(people, 9)
    quick = scoring.score(people, MOMENT, usual=replace(USUAL, quick=0.95))
    assert 9 not in quick


def test_the_last_hours_and_sleepers() -> None:
    ends = MOMENT.ends_at
    late = [seen(1), *(seen(n, 1, created_at=ends - 60.0 * n * n) for n in range(2, 12))]
    assert "last_hours" in codes_of(late, 5)
    woken = [seen(n, 1, created_at=5 * DAY + n * 7777, confirmed_at=ends - 600 * n) for n in range(2, 12)]
    assert "sleepers" in codes_of([seen(1), *woken], 5)


def test_every_signal_has_a_sentence_with_its_numbers_in_both_languages() -> None:
    people = [
        *spaced(friends(20, device="d1", address="a1", domain="gmx.fr", returns=0, form_seconds=2.0)),
        *_ring()[3:],
    ]
    found = [one for score in scoring.score(people, MOMENT, usual=USUAL).values() for one in score.found]
    assert len({one.code for one in found}) > 10
    for locale in i18n.LOCALES:
        with i18n.speaking(locale):
            for one in found:
                assert not re.search(r"[?%]", signals.sentence(one)), one
    assert weights.POINTS.keys() == signals.CODES


def test_a_number_that_an_old_version_did_not_store_shows_as_unknown() -> None:
    assert "?" in signals.sentence(Found("crowded_device", 30, {}))
    assert signals.sentence(Found("gone_since", 1)) == "gone_since"


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_one_second_is_not_told_in_the_plural(locale: str) -> None:
    """Units stand as signs, which no number bends."""
    with i18n.speaking(locale):
        told = signals.sentence(Found("fast_form", 5, {"seconds": 1}))
        told += signals.sentence(Found("confirmed_at_once", 5, {"number": 5, "of": 6, "minutes": 1}))
    assert "1 s" in told
    assert not re.search(r"1 (secondes|seconds|minutes)", told)
