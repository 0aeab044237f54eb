"""The synthetic fraud set is the same for the same seed, holds what it says, and is not solved by one field."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from functools import cache

import pytest

from bench.fraud import held_out
from bench.fraud.contest import BOMBING, HARD_NEGATIVES, KINDS, UNDER_CHEAT, Contest, points, prize_places
from bench.fraud.generator import generate
from bench.fraud.separation import best_fields
from leadgen.contacts import address

SETTINGS = [(1, False, 0.0), (2, True, 0.0), (3, True, 0.3), (4, True, 0.6)]
SECONDS = 5


@cache
def contest(seed: int, hard: bool, evade: float) -> Contest:
    return generate(seed, hard=hard, evade=evade)


def alive(found: Contest, *, fraud: bool) -> float:
    confirmed = [
        entry
        for entry in found.entries
        if entry.confirmed_at is not None and found.labels[entry.number].is_fraud is fraud
    ]
    return sum(bool(entry.came_back) for entry in confirmed) / len(confirmed)


def test_the_same_seed_gives_the_same_contest() -> None:
    again = generate(3, hard=True, evade=0.3)
    assert again == contest(3, True, 0.3)
    assert generate(5, hard=True, evade=0.3).entries != again.entries


def test_ten_thousand_entries_take_seconds() -> None:
    begun = time.process_time()
    assert len(generate(9, hard=True, evade=0.3).entries) == 10_000
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(("seed", "hard", "evade"), SETTINGS)
def test_about_a_sixth_is_fraud_of_nine_kinds(seed: int, hard: bool, evade: float) -> None:
    found = contest(seed, hard, evade)
    kinds = Counter(label.kind for label in found.labels.values() if label.is_fraud)
    assert 0.14 <= kinds.total() / len(found.entries) <= 0.18
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 80


@pytest.mark.parametrize(("seed", "hard", "evade"), SETTINGS)
def test_every_group_is_there(seed: int, hard: bool, evade: float) -> None:
    found = contest(seed, hard, evade)
    sizes = Counter(label.group for label in found.labels.values())
    assert {name for name in (*HARD_NEGATIVES, UNDER_CHEAT) if sizes[name] < 25} == set()
    assert sizes[BOMBING] == 200
    assert not any(label.is_fraud for label in found.labels.values() if label.group in {*HARD_NEGATIVES, UNDER_CHEAT})


@pytest.mark.parametrize(("seed", "hard", "evade"), SETTINGS)
def test_no_two_people_share_a_mailbox(seed: int, hard: bool, evade: float) -> None:
    """The door refuses the second; and honest mailboxes that collide would make any scorer look worse than it is."""
    found = contest(seed, hard, evade)
    assert len({entry.mailbox_key for entry in found.entries}) == len(found.entries)


def test_the_product_reads_every_address_as_the_set_says() -> None:
    for entry in contest(2, True, 0.0).entries[::7]:
        assert address.parse(entry.email).mailbox_key == entry.mailbox_key
        assert not address.is_disposable(entry.email), "refused at the door, so it cannot be in the set"


@pytest.mark.parametrize(("seed", "hard", "evade"), SETTINGS)
def test_no_field_alone_tells_fraud_from_honest(seed: int, hard: bool, evade: float) -> None:
    best, name = best_fields(contest(seed, hard, evade))[0]
    assert best < 0.8, name


def test_a_telling_field_would_be_noticed() -> None:
    found = contest(2, True, 0.0)
    told = tuple(
        dataclasses.replace(entry, answered=99 if found.labels[entry.number].is_fraud else entry.answered)
        for entry in found.entries
    )
    assert best_fields(dataclasses.replace(found, entries=told))[0][0] == 1


def test_labels_stand_apart_from_entries() -> None:
    found = contest(2, True, 0.0)
    fields = {field.name for field in dataclasses.fields(found.entries[0])}
    assert fields.isdisjoint(field.name for field in dataclasses.fields(found.labels[1]))


def test_honest_people_follow_cheats_too() -> None:
    found = contest(3, True, 0.3)
    referrers = {entry.referrer for entry in found.entries if found.labels[entry.number].group == UNDER_CHEAT}
    assert len(referrers) > 20
    assert all(found.labels[number].is_fraud for number in referrers if number)


def test_hard_makes_honest_people_look_like_cheats() -> None:
    assert alive(contest(2, True, 0.0), fraud=False) < alive(contest(1, False, 0.0), fraud=False) - 0.1
    assert alive(contest(2, True, 0.0), fraud=True) > 0.03


def test_evade_is_the_share_of_crews_that_hide() -> None:
    def hiding(found: Contest) -> float:
        crews = {label.crew: label.evades for label in found.labels.values() if label.crew}
        return sum(crews.values()) / len(crews)

    assert hiding(contest(2, True, 0.0)) == 0
    assert 0.15 < hiding(contest(3, True, 0.3)) < 0.45 < hiding(contest(4, True, 0.6)) < 0.75


def test_cheats_stand_among_the_first_ten() -> None:
    found = contest(2, True, 0.0)
    leading = prize_places(points(found.entries))
    cheats = sum(found.labels[number].is_fraud for number in leading)
    assert 2 <= cheats <= 8


def test_the_bombed_leader_is_honest_and_leads_without_the_bots() -> None:
    found = contest(3, True, 0.3)
    target = {entry.referrer for entry in found.entries if found.labels[entry.number].group == BOMBING}
    (leader,) = target
    assert leader is not None
    assert not found.labels[leader].is_fraud
    spared = found.without(BOMBING)
    assert leader in prize_places(points(spared.entries))
    assert len(spared.entries) == len(found.entries) - 200


def test_held_out_adds_one_kind_and_one_group() -> None:
    found = held_out.generate_held_out(6, hard=True, evade=0.3)
    kinds = {label.kind for label in found.labels.values() if label.is_fraud}
    groups = Counter(label.group for label in found.labels.values() if not label.is_fraud)
    assert kinds - set(KINDS) == {held_out.KIND}
    assert groups[held_out.GROUP] >= 100


@pytest.mark.parametrize(("entries", "evade"), [(100, 0.0), (10_000, 1.5)])
def test_what_would_say_nothing_is_refused(entries: int, evade: float) -> None:
    with pytest.raises(ValueError, match="at least 5000 entries"):
        generate(1, hard=False, evade=evade, entries=entries)
