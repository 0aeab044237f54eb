"""Questions to the domain name system, none slower than three seconds; for jobs, never for a page."""

from __future__ import annotations

import time
from functools import lru_cache

from dns.exception import DNSException
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, Answer, NoAnswer, Resolver

from leadgen.core import notes

SECONDS = 3.0
_SECONDS_A_TRY = 1.0
# How long `takes_mail` believes an answer. A domain that takes no mail may be repaired soon, and “unknown” may pass.
_KEPT_SECONDS = {True: 6 * 3600.0, False: 3600.0, None: 60.0}
_WORDS = {True: "yes", False: "no", None: "unknown"}
_MEANINGS = {words: meaning for meaning, words in _WORDS.items()}


class _Unknown(Exception):
    """No server answered, or none with sense."""


def takes_mail(domain: str, *, is_fresh: bool = False) -> bool | None:
    """Whether mail to this domain has a place to go: an MX record, or without one an address (RFC 5321 5.1).

    False for a domain that does not exist, has neither, or says by a null MX that it takes no mail (RFC 7505); None
    when no answer came within three seconds. Answers are shared by all processes for a while; `is_fresh` asks anew.
    """
    name, key = _name(domain), _key(domain)
    if not is_fresh and (kept := notes.read(key)):
        return _MEANINGS.get(kept.text)
    try:
        found = _takes_mail(name, time.monotonic() + SECONDS)
    except _Unknown:
        found = None
    notes.leave(key, _WORDS[found], _KEPT_SECONDS[found])
    return found


def is_known(domain: str) -> bool:
    """Whether `takes_mail` has the answer at hand and asks nobody."""
    return notes.read(_key(domain)) is not None


def texts(name: str) -> list[str] | None:
    """The TXT records of a name, the parts of each put together; empty when there are none, None when unknown.

    Asked anew each time: who looks has perhaps just changed them.
    """
    try:
        answer = _ask(name, "TXT", time.monotonic() + SECONDS)
    except _Unknown:
        return None
    records = [record for record in answer or () if isinstance(record, TXT)]
    return [b"".join(record.strings).decode("utf-8", "replace") for record in records]


def cname(name: str) -> str | None:
    """What a name is an alias of, in small letters without a dot at its end; "" when of nothing, None when unknown."""
    try:
        answer = _ask(name, "CNAME", time.monotonic() + SECONDS)
    except _Unknown:
        return None
    records = [record for record in answer or () if isinstance(record, CNAME)]
    return records[0].target.to_text(omit_final_dot=True).lower() if records else ""


def _name(domain: str) -> str:
    return domain.strip().rstrip(".").lower()


def _key(domain: str) -> str:
    return f"takes-mail:{_name(domain)}"


def _takes_mail(name: str, until: float) -> bool:
    hosts = [record.exchange for record in _ask(name, "MX", until) or () if isinstance(record, MX)]
    if hosts:
        return any(host.labels != (b"",) for host in hosts)
    return bool(_ask(name, "A", until) or _ask(name, "AAAA", until))


def _ask(name: str, kind: str, until: float) -> Answer | None:
    """The answer, or None when the name has no such record. Raises _Unknown."""
    left = until - time.monotonic()
    if left <= 0:
        raise _Unknown
    try:
        return _resolver().resolve(name, kind, lifetime=left, search=False)
    except (NXDOMAIN, NoAnswer):
        return None
    except (DNSException, OSError, UnicodeError) as error:
        raise _Unknown from error


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    """The machine's own resolver. Tests put one in its place that asks a server on 127.0.0.1."""
    resolver = Resolver()
    resolver.timeout = _SECONDS_A_TRY
    return resolver
