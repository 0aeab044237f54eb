"""Sealed tokens: ours alone to read."""

import base64

import pytest

from leadgen.core import sealed
from leadgen.core.errors import TokenInvalid
from leadgen.core.tokens import Purpose
from tests.conftest import Clock


def test_what_is_sealed_comes_back(app: object) -> None:
    token = sealed.seal(Purpose.WAITING, [7, "Zoé"])
    assert sealed.unseal(Purpose.WAITING, token, max_age=60) == [7, "Zoé"]


def test_nothing_can_be_read_from_it_and_numbers_do_not_show_in_its_length(app: object) -> None:
    one, other = sealed.seal(Purpose.BROWSER, 0), sealed.seal(Purpose.BROWSER, 123_456_789_012)
    assert len(one) == len(other)
    assert b"123456" not in base64.urlsafe_b64decode(other + "=" * (-len(other) % 4))
    assert one != sealed.seal(Purpose.BROWSER, 0)


@pytest.mark.parametrize("token", ["", "x", "é", "a.b.c", "A" * 80])
def test_foreign_tokens_are_refused(app: object, token: str) -> None:
    with pytest.raises(TokenInvalid):
        sealed.unseal(Purpose.WAITING, token, max_age=60)


def test_a_token_is_good_for_one_purpose_and_one_time(app: object, clock: Clock) -> None:
    token = sealed.seal(Purpose.WAITING, 1)
    with pytest.raises(TokenInvalid):
        sealed.unseal(Purpose.BROWSER, token, max_age=60)
    clock.forward(seconds=61)
    with pytest.raises(TokenInvalid):
        sealed.unseal(Purpose.WAITING, token, max_age=60)


def test_a_changed_letter_is_noticed(app: object) -> None:
    token = sealed.seal(Purpose.WAITING, 1)
    changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    with pytest.raises(TokenInvalid):
        sealed.unseal(Purpose.WAITING, changed, max_age=60)
