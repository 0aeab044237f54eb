"""What people typed, taken apart without falling over it."""

import pytest

from leadgen.core import text


@pytest.mark.parametrize("address", ["http://[::1", "https://[our site]/", "http://a]b/", "//[", "https://x:99999999/"])
def test_an_address_that_cannot_be_taken_apart_has_no_parts(address: str) -> None:
    assert text.address_parts(address).hostname is None
