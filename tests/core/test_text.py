"""What people typed, taken apart without falling over it."""

import pytest

from leadgen.core import text


@pytest.mark.parametrize("address", ["http://[::1", "https://[our site]/", "http://a]b/", "//[", "https://x:99999999/"])
def test_an_address_that_cannot_be_taken_apart_has_no_parts(address: str) -> None:
    assert text.address_parts(address).hostname is None


@pytest.mark.parametrize("mark", "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_nobodys_words_turn_the_direction_of_what_follows(mark: str) -> None:
    assert text.one_line(f"{mark}An{mark}na\nwon{mark}") == "Anna won"
    assert text.shown_name(f"An{mark}na{mark}") == "Anna"


def test_what_joins_letters_and_pictures_stays_in_a_name() -> None:
    assert text.shown_name("می\u200cنا") == "می\u200cنا"
