"""Signals of an entry alone: how the form was filled, from where, and what became of the mailbox."""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadgen.fraud.crowd import Crowd, Marks
from leadgen.fraud.observations import Found, Observation

ROLES = frozenset(
    [
        "abuse",
        "admin",
        "administrator",
        "contact",
        "help",
        "hello",
        "info",
        "jobs",
        "mail",
        "marketing",
        "newsletter",
        "noreply",
        "no-reply",
        "office",
        "postmaster",
        "sales",
        "service",
        "spam",
        "support",
        "team",
        "webmaster",
    ]
)
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}")
_HEX_TAIL = re.compile(r"[a-z]{3,}(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{4,}$")


def look(crowd: Crowd, marks: Marks) -> Iterator[tuple[int, Found]]:  # noqa: ARG001 - as all looks
    """Everything that an entry tells by itself."""
    for one in crowd.people.values():
        for code, evidence in _of(one, crowd):
            yield one.entry_id, Found(code, crowd.chosen.of(code), evidence)


def _of(one: Observation, crowd: Crowd) -> Iterator[tuple[str, dict[str, float]]]:
    chosen = crowd.chosen
    if one.is_bounced and one.confirmed_at is not None:
        yield "bounced", {}
    if one.is_trapped:
        yield "trapped", {}
    if not one.has_script:
        yield "no_script", {}
    elif one.form_seconds is not None and one.form_seconds < chosen.fast_seconds:
        code = "instant_form" if one.form_seconds < chosen.instant_seconds else "fast_form"
        yield code, {"seconds": round(one.form_seconds, 1)}
    if one.network_kind == "datacentre" and not crowd.is_free_line(one):
        yield "datacentre", {}
    if one.domain not in crowd.safe.domains:
        if one.local in ROLES:
            yield "role_address", {}
        elif _CONSONANTS.search(one.local) and one.domain not in _RELAYED:
            yield "odd_name", {}


_RELAYED = frozenset(("privaterelay.appleid.com", "mozmail.com", "duck.com", "simplelogin.com", "simplelogin.co"))
