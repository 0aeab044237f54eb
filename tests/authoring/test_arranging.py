"""Steps of a draft are put in, moved, doubled and taken out without losing one, and without one too many."""

import random
from typing import Any

import pytest

from leadgen.authoring import arranging
from leadgen.authoring.arranging import Place
from leadgen.core.errors import Invalid, NotFound
from leadgen.nurture.definition import MOST_LEVELS, MOST_STEPS, from_data

DRAFT: dict[str, Any] = {
    "trigger": {"on": "confirmed"},
    "steps": [
        {"kind": "letter", "key": "a"},
        {
            "kind": "branch",
            "key": "fork",
            "when": {"all": []},
            "yes": [{"kind": "letter", "key": "y", "experiment": "1:y:2"}],
            "no": [],
        },
        {"kind": "end", "key": "z"},
    ],
}


def _keys(data: dict[str, Any]) -> list[str]:
    return [step.key for step in from_data(data).walk()]


def _way(data: dict[str, Any], key: str, by: int, times: int) -> list[Place]:
    ways = []
    for _time in range(times):
        data = arranging.moved(data, key, by)
        ways.append(arranging.place_of(data, key))
    return ways


def test_a_step_gets_everywhere_by_two_buttons() -> None:
    down = [
        Place("fork", "yes", 0),
        Place("fork", "yes", 1),
        Place("fork", "no", 0),
        Place("", "", 1),
        Place("", "", 2),
    ]
    assert _way(DRAFT, "a", 1, 6) == [*down, down[-1]]
    back = _way(DRAFT, "z", -1, 6)
    assert back[:4] == [Place("fork", "no", 0), Place("fork", "yes", 1), Place("fork", "yes", 0), Place("", "", 1)]
    assert back[4:] == [Place(), Place()]


def test_a_branch_does_not_go_into_itself() -> None:
    assert _way(DRAFT, "fork", 1, 2) == [Place("", "", 2)] * 2


def test_nothing_is_lost_or_given_twice_whatever_is_pressed() -> None:
    lots = random.Random(5)
    data = DRAFT
    for _press in range(300):
        keys = _keys(data)
        deed = lots.choice(["up", "down", "down", "add", "twin", "remove"])
        try:
            if deed == "add":
                step = arranging.fresh(data, lots.choice(arranging.KINDS))
                data = arranging.inserted(data, lots.choice(arranging.places(data)), step)
                assert set(_keys(data)) == {*keys, step["key"]}
            elif deed == "twin" and keys:
                data, twin = arranging.duplicated(data, lots.choice(keys))
                assert twin not in keys
            elif deed == "remove" and len(keys) > 6:
                data = arranging.removed(data, lots.choice(keys))
            elif keys:
                data = arranging.moved(data, lots.choice(keys), 1 if deed == "down" else -1)
                assert sorted(_keys(data)) == sorted(keys)
        except Invalid:
            continue
        assert len(_keys(data)) == len(set(_keys(data))) <= MOST_STEPS


def test_the_draft_that_is_given_stays_as_it_is() -> None:
    before = str(DRAFT)
    arranging.moved(DRAFT, "a", 1)
    arranging.removed(DRAFT, "fork")
    arranging.inserted(DRAFT, Place("fork", "no", 0), {"kind": "end", "key": "new"})
    arranging.replaced(DRAFT, "y", {"wait": {"seconds": 5}, "experiment": None})
    assert str(DRAFT) == before


def test_a_twin_is_a_test_of_its_own() -> None:
    made, twin = arranging.duplicated(DRAFT, "fork")
    inside = arranging.find(made, twin)["yes"][0]
    assert inside["key"] not in _keys(DRAFT)
    assert "experiment" not in inside
    assert arranging.place_of(made, twin) == Place("", "", 2)


def test_a_key_that_was_taken_out_does_not_come_again() -> None:
    """A letter is sent to a person once for its key: under an old one the new letter would reach nobody."""
    first = arranging.fresh(DRAFT, "letter")
    emptied = arranging.removed(arranging.inserted(DRAFT, Place(), first), first["key"])
    assert arranging.fresh(emptied, "letter")["key"] != first["key"]


def test_there_are_not_too_many_steps_or_levels() -> None:
    deep = DRAFT
    for level in range(1, MOST_LEVELS):
        branch = {"kind": "branch", "key": f"level-{level}", "when": {"all": []}}
        deep = arranging.inserted(deep, Place("fork" if level == 1 else f"level-{level - 1}", "no", 0), branch)
    last = Place(f"level-{MOST_LEVELS - 1}", "yes", 0)
    with pytest.raises(Invalid):
        arranging.inserted(deep, last, arranging.fresh(deep, "branch"))
    arranging.inserted(deep, last, arranging.fresh(deep, "letter"))
    full = {"steps": [{"kind": "letter", "key": str(number)} for number in range(MOST_STEPS)]}
    with pytest.raises(Invalid):
        arranging.duplicated(full, "0")


@pytest.mark.parametrize("place", [Place("absent", "yes"), Place("a", "yes"), Place("fork", "up"), Place("fork", "")])
def test_a_place_that_is_none_is_absent(place: Place) -> None:
    with pytest.raises(NotFound):
        arranging.inserted(DRAFT, place, {"kind": "end", "key": "new"})
    with pytest.raises(NotFound):
        arranging.removed(DRAFT, "absent")
