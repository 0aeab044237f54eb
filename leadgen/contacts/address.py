"""Addresses: which mailbox an address means, likely typing errors, throw-away domains, and how one is shown."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from disposable_email_domains import blocklist
from email_validator import EmailNotValidError, validate_email

from leadgen.core import hot
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

LONGEST = 254
_IGNORING_DOTS = frozenset({"gmail.com"})
_SAME_AS = {"googlemail.com": "gmail.com"}
# Providers that document sub-addressing; for all others a “+” may be part of the name.
_SUB_ADDRESSING = frozenset(
    {
        *(
            "gmail.com",
            "outlook.com",
            "outlook.fr",
            "hotmail.com",
            "hotmail.fr",
            "hotmail.co.uk",
            "live.com",
            "live.fr",
        ),
        *("icloud.com", "me.com", "mac.com", "fastmail.com", "fastmail.fm", "protonmail.com", "proton.me", "pm.me"),
    }
)
# Privacy relays are honest addresses, even where a list of throw-away domains names them.
_RELAYS = frozenset(
    {
        "privaterelay.appleid.com",
        "mozmail.com",
        "duck.com",
        "simplelogin.com",
        "simplelogin.co",
        "slmail.me",
        "aleeas.com",
    }
)
_COMMON = (
    *(
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "outlook.fr",
        "hotmail.com",
        "hotmail.fr",
        "hotmail.co.uk",
        "live.com",
    ),
    *(
        "live.fr",
        "msn.com",
        "yahoo.com",
        "yahoo.fr",
        "yahoo.co.uk",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
    ),
    *(
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "sfr.fr",
        "laposte.net",
        "bbox.fr",
        "neuf.fr",
        "numericable.fr",
        "proton.me",
    ),
    *(
        "protonmail.com",
        "pm.me",
        "gmx.com",
        "gmx.fr",
        "gmx.net",
        "gmx.de",
        "mail.com",
        "email.com",
        "web.de",
        "fastmail.com",
    ),
    *("skynet.be", "telenet.be", "bluewin.ch", "hey.com", "duck.com", "example.com", "example.org", "example.net"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """`email` is what the person typed, for sending; `mailbox_key` names the mailbox behind it."""

    email: str
    mailbox_key: str


def parse(raw: str) -> Address:
    """Understand an address as typed. Raises Invalid with a sentence in the current language."""
    typed = unicodedata.normalize("NFKC", raw).strip()
    if not typed:
        raise Invalid(_("Enter your e-mail address."), "email")
    if len(typed) > LONGEST:
        raise Invalid(_("This address is too long."), "email")
    if not typed.rpartition("@")[0].isascii():  # a domain has another spelling for this (IDNA), a mailbox has none
        message = _("The part before the @ may hold only unaccented Latin letters, digits and signs. Check it.")
        raise Invalid(message, "email")
    try:
        checked = validate_email(typed, check_deliverability=False)
    except EmailNotValidError:
        raise Invalid(_("Check the address: it should look like name@example.com."), "email") from None
    return Address(checked.normalized, mailbox_key(checked.local_part, checked.ascii_domain))


def mailbox_key(local_part: str, domain: str) -> str:
    """The canonical name of a mailbox: two spellings that reach the same one give the same key."""
    local, domain = unicodedata.normalize("NFKC", local_part).lower(), domain.lower()
    domain = _SAME_AS.get(domain, domain)
    if domain in _SUB_ADDRESSING:
        local = local.split("+", 1)[0] or local
    if domain in _IGNORING_DOTS:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def suggestion(email: str) -> str | None:
    """The address that was probably meant (“gmial.com”), or None. It is offered, never put in place silently."""
    local, _at, domain = email.rpartition("@")
    meant = _close_domain(domain.lower())
    return f"{local}@{meant}" if meant else None


@lru_cache(maxsize=4096)
def _close_domain(domain: str) -> str | None:
    if domain in _COMMON:
        return None
    close = difflib.get_close_matches(domain, _COMMON, n=1, cutoff=0.86)
    return close[0] if close else None


def is_disposable(email: str) -> bool:
    """Whether the domain, or one above it, is known for throw-away mailboxes. Privacy relays are not."""
    domain = email.rpartition("@")[2].lower()
    if domain in _RELAYS:
        return False
    parts = domain.split(".")
    return any(".".join(parts[start:]) in blocklist for start in range(len(parts) - 1))


def refuse_disposable(email: str) -> None:
    """Raise Invalid, in words, for a throw-away mailbox."""
    if is_disposable(email):
        message = _("This is a throw-away mailbox. Winners hear by mail: please use an address that you keep.")
        raise Invalid(message, "email")


def mask(email: str) -> str:
    """The address as its owner recognises it and nobody else reads it: `j•••@g•••.fr`."""
    local, _at, domain = email.rpartition("@")
    name, _dot, top = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••.{top}"


def address_hash(key: str) -> bytes:
    """The keyed hash of a mailbox key: how suppression remembers an address that is otherwise forgotten."""
    return hmac.digest(installation_key(), key.encode(), hashlib.sha256)


@lru_cache(maxsize=1)
def installation_key() -> bytes:
    """The key of all keyed hashes of this installation; 32 random bytes that the first migration made."""
    row = hot.one("SELECT address_key FROM installation WHERE id = 1", {})
    assert row is not None
    return bytes(row["address_key"])


def forget_installation() -> None:
    """Read the key anew (tests, where databases come and go in one process)."""
    installation_key.cache_clear()
