"""Random names for people and links: public ids, referral codes, keys."""

from __future__ import annotations

import secrets

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Without 0/O, 1/I/L, 5/S, 8/B: a code is read aloud and typed from a poster.
CODE_ALPHABET = "234679ACDEFGHJKMNPQRTUVWXYZ"
PUBLIC_ID_LENGTH = 10
CODE_LENGTH = 8


def public_id() -> str:
    """Ten random characters of Crockford's base 32, for showing an entry to people."""
    return _drawn(CROCKFORD, PUBLIC_ID_LENGTH)


def referral_code(length: int = CODE_LENGTH) -> str:
    """A random referral code without look-alike characters; the database decides whether it is unique."""
    return _drawn(CODE_ALPHABET, length)


def _drawn(alphabet: str, length: int) -> str:
    """One of all words of that length, each as likely as any other: one draw, where a draw a letter costs six times."""
    number = secrets.randbelow(len(alphabet) ** length)
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(alphabet))
        letters.append(alphabet[place])
    return "".join(letters)
