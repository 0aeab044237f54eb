"""A brand's accent stays readable, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgen.core import colour

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_every_accent_becomes_readable(accent: str) -> None:
    """WCAG 2.2: 4.5 for text, 3 for controls, in both schemes."""
    found = colour.palette(accent)
    assert colour.contrast(found.light.ground, "#ffffff") >= 3
    assert colour.contrast(found.dark.ground, "#1a2025") >= 3
    for scheme in (found.light, found.dark):
        assert colour.contrast(scheme.ground, scheme.ink) >= 4.5
        assert colour.contrast(scheme.text, scheme.soft) >= 4.5
    assert colour.contrast(found.light.text, "#ffffff") >= 4.5
    assert colour.contrast(found.dark.text, "#1a2025") >= 4.5


def test_a_readable_accent_stays_as_it_is() -> None:
    found = colour.palette("#0B6E6E")
    assert found.light.ground == "#0b6e6e"
    assert not found.is_corrected


def test_an_unreadable_one_is_corrected_and_says_so() -> None:
    assert colour.palette("#ffdd00").is_corrected


@pytest.mark.parametrize("wrong", ["", "red", "#fff", "#gggggg"])
def test_what_is_no_colour_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"colour|base 16"):
        colour.palette(wrong)
