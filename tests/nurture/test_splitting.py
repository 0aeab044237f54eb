"""Who gets which wording, and who is held out (nurture.splitting)."""

from collections import Counter

import pytest

from leadgen.nurture import splitting


def test_each_gets_its_share_of_the_people() -> None:
    drawn = Counter(splitting.variant_of("letter-1", (1, 2, 1), contact) for contact in range(20_000))

    assert all(abs(drawn[place] - 20_000 * share) < 400 for place, share in enumerate((0.25, 0.5, 0.25)))


def test_a_variant_without_weight_is_nobodys() -> None:
    assert {splitting.variant_of("x", (0, 1, 0), contact) for contact in range(500)} == {1}


def test_the_draw_is_the_persons_for_ever() -> None:
    """Pinned: another way to draw would give people who wait another letter, and mix up who was held out."""
    assert [splitting.variant_of("a", (1, 1), contact) for contact in range(8)] == [1, 0, 0, 1, 0, 1, 1, 1]
    assert [contact for contact in range(200) if splitting.is_held_out(7, 3, contact)] == [105, 121, 138, 189]


def test_two_experiments_and_the_holdout_share_no_draw() -> None:
    both = Counter(
        (
            splitting.variant_of("a", (1, 1), contact),
            splitting.variant_of("b", (1, 1), contact),
            splitting.is_held_out(1, 50, contact),
        )
        for contact in range(8_000)
    )
    assert min(both.values()) > 900
    assert len(both) == 8


def test_nobody_is_held_out_of_a_sequence_without_holdout() -> None:
    assert not any(splitting.is_held_out(1, 0, contact) for contact in range(1_000))
    assert sum(splitting.is_held_out(1, 10, contact) for contact in range(10_000)) in range(900, 1_100)


@pytest.mark.parametrize("weights", [(), (0, 0), (2, -1)])
def test_weights_that_say_nothing_are_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\("):
        splitting.variant_of("a", weights, 1)
