"""Signed links: good for one purpose, for a while, under any key that is still in use."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import pytest
from itsdangerous import BadSignature

from leadgen.core import clock as product_clock
from leadgen.core import settings as current
from leadgen.core import tokens
from leadgen.core.errors import TokenExpired, TokenInvalid
from leadgen.core.settings import Settings
from leadgen.core.tokens import Purpose
from tests.conftest import Clock


@pytest.fixture(autouse=True)
def _settings(settings: Settings, app: object) -> Iterator[None]:
    current.use(settings)
    yield
    current.use(settings)


def test_the_payload_comes_back() -> None:
    assert tokens.read(Purpose.CONFIRM, tokens.sign(Purpose.CONFIRM, {"s": 1}), max_age=60) == {"s": 1}


@pytest.mark.parametrize(("made_for", "used_for"), list(itertools.permutations(Purpose, 2)))
def test_a_token_of_one_purpose_is_refused_for_every_other(made_for: Purpose, used_for: Purpose) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(used_for, tokens.sign(made_for, 1))


@pytest.mark.parametrize("rubbish", ["", "x", "a.b.c", "é", "." * 500])
def test_rubbish_is_refused(rubbish: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(Purpose.CONFIRM, rubbish)


def test_an_expired_token_still_says_what_it_was_about(clock: Clock) -> None:
    token = tokens.sign(Purpose.CONFIRM, {"s": 1})
    clock.forward(days=8)

    with pytest.raises(TokenExpired) as expired:
        tokens.read(Purpose.CONFIRM, token, max_age=7 * 86400)
    assert expired.value.payload == {"s": 1}


def test_old_links_and_codes_survive_a_rotation_and_die_with_their_key(settings: Settings) -> None:
    old_token, old_code = tokens.sign(Purpose.STATUS, 1), tokens.six_digits(1, 1, 1)

    current.use(dataclasses.replace(settings, secret_keys=("n" * 32, *settings.secret_keys)))
    assert tokens.read(Purpose.STATUS, old_token) == 1
    assert old_code in tokens.six_digits_for_keys(1, 1, 1)
    assert tokens.six_digits(1, 1, 1) != old_code

    current.use(dataclasses.replace(settings, secret_keys=("n" * 32,)))
    with pytest.raises(TokenInvalid):
        tokens.read(Purpose.STATUS, old_token)


def test_a_code_depends_on_each_of_its_numbers() -> None:
    codes = {tokens.six_digits(*parts) for parts in itertools.product(range(5), repeat=3)}
    assert len(codes) > 120
    assert all(len(code) == 6 and code.isdigit() for code in codes)


@pytest.mark.parametrize("payload", [7, "é", [1, True, None], {"s": 1, "g": 2}, {"text": "a" * 300}, []])
def test_our_signing_is_itsdangerous_own(payload: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sign` is a shorter way to the same token: theirs reads it, and what they do not compress is the same text."""
    moment = product_clock.now()
    monkeypatch.setattr(product_clock, "now", lambda: moment)
    serializer = tokens._serializer(Purpose.STATUS, current.get().secret_keys)
    token = tokens.sign(Purpose.STATUS, payload)
    assert serializer.loads(token) == payload
    theirs = str(serializer.dumps(payload))
    assert token == theirs or theirs.startswith(".")


def test_whatever_we_do_not_read_at_once_is_judged_by_itsdangerous(clock: Clock) -> None:
    """`read` is a shorter way to the same answer, for good tokens, changed ones, and those of its long way alone."""
    serializer = tokens._serializer(Purpose.STATUS, current.get().secret_keys)
    token = tokens.sign(Purpose.STATUS, {"s": 1})
    changed = [f"{token[:place]}{'A' if sign != 'A' else 'B'}{token[place + 1 :]}" for place, sign in enumerate(token)]
    for one in [token, *changed]:
        try:
            assert tokens.read(Purpose.STATUS, one, max_age=60) == serializer.loads(one, max_age=60)
        except TokenInvalid:
            with pytest.raises(BadSignature):
                serializer.loads(one, max_age=60)

    compressed = str(serializer.dumps({"text": "a" * 300}))
    assert compressed.startswith(".")
    assert tokens.read(Purpose.STATUS, compressed, max_age=60) == {"text": "a" * 300}


def test_a_token_of_the_future_is_refused(clock: Clock) -> None:
    clock.forward(days=1)
    token = tokens.sign(Purpose.CONFIRM, 1)
    clock.forward(days=-1)

    with pytest.raises(TokenExpired):
        tokens.read(Purpose.CONFIRM, token, max_age=60)
