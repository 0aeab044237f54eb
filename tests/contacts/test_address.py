"""Addresses: one mailbox has one key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgen.contacts import address
from leadgen.core.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (" Anna@Mail.Example.COM ", "anna@mail.example.com"),
        ("an.na+contest@gmail.com", "anna@gmail.com"),
        ("anna@googlemail.com", "anna@gmail.com"),
        ("anna+contest@outlook.com", "anna@outlook.com"),
        ("anna+contest@company.example.com", "anna+contest@company.example.com"),
        ("an.na@company.example.com", "an.na@company.example.com"),
        ("anna@bücher.example.com", "anna@xn--bcher-kva.example.com"),
    ],
)
def test_two_spellings_of_one_mailbox_have_one_key(typed: str, key: str) -> None:
    assert address.parse(typed).mailbox_key == key


def test_the_address_is_kept_as_typed_for_sending() -> None:
    assert address.parse("An.Na+x@Gmail.com").email == "An.Na+x@gmail.com"


@pytest.mark.parametrize(
    "typed", ["", "anna", "anna@", "@mail.com", "a b@mail.com", "a@b@c.com", f"{'a' * 300}@mail.com"]
)
def test_what_is_no_address_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        address.parse(typed)
    assert refused.value.field == "email"


@pytest.mark.parametrize("typed", ["éric@exämple.fr", "éric@example.com", "анна@example.com"])
def test_a_mailbox_that_no_mail_can_name_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(Invalid, match="before the @") as refused:
        address.parse(typed)
    assert refused.value.field == "email"


@given(st.emails())
def test_the_key_of_a_key_is_the_key(email: str) -> None:
    try:
        key = address.parse(email).mailbox_key
    except Invalid:
        return
    assert address.mailbox_key(*key.rsplit("@", 1)) == key


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a@gmial.com", "a@gmail.com"),
        ("a@hotmial.fr", "a@hotmail.fr"),
        ("a@gmail.com", None),
        ("a@mail.com", None),
        ("a@my-company.fr", None),
    ],
)
def test_a_likely_typing_error_is_offered(typed: str, meant: str | None) -> None:
    assert address.suggestion(typed) == meant


@pytest.mark.parametrize(
    ("email", "is_disposable"),
    [
        ("a@mailinator.com", True),
        ("a@sub.mailinator.com", True),
        ("a@gmail.com", False),
        ("a@privaterelay.appleid.com", False),
        ("a@duck.com", False),
    ],
)
def test_throw_away_domains_are_known_and_relays_are_honest(email: str, is_disposable: bool) -> None:
    assert address.is_disposable(email) is is_disposable


def test_a_masked_address_tells_its_owner_only() -> None:
    assert address.mask("jeanne.dupont@gmail.co.uk") == "j•••@g•••.uk"
