"""Which mailbox providers share a pace: the groups of recipients' domains, and everybody else as `other`."""

from __future__ import annotations

OTHER = "other"
_DOMAINS = {
    "gmail": ("gmail.com", "googlemail.com"),
    "microsoft": (
        "outlook.com",
        "outlook.fr",
        "hotmail.com",
        "hotmail.fr",
        "hotmail.co.uk",
        "live.com",
        "live.fr",
        "msn.com",
    ),
    "yahoo": ("yahoo.com", "yahoo.fr", "yahoo.co.uk", "ymail.com", "rocketmail.com", "aol.com"),
    "apple": ("icloud.com", "me.com", "mac.com"),
    "orange": ("orange.fr", "wanadoo.fr"),
    "free": ("free.fr", "aliceadsl.fr"),
    "sfr": ("sfr.fr", "neuf.fr", "cegetel.net", "club-internet.fr"),
    "laposte": ("laposte.net",),
}
_GROUPS = {domain: group for group, domains in _DOMAINS.items() for domain in domains}
# `""` is of messages that were planned before there were groups.
ALL = ("", OTHER, *_DOMAINS)

# The group of the contact `c`, as SQL: `COLUMN` of what `JOIN` adds. Needs the values of `columns()`.
COLUMN = "coalesce(g.name, 'other')"
JOIN = """LEFT JOIN unnest(CAST(:domains AS text[]), CAST(:domain_groups AS text[])) AS g (domain, name)
    ON g.domain = split_part(lower(c.email), '@', 2)"""


def columns() -> dict[str, list[str]]:
    """The two arrays that `JOIN` compares with."""
    return {"domains": list(_GROUPS), "domain_groups": list(_GROUPS.values())}


def members() -> dict[str, tuple[str, ...]]:
    """The domains of each group but `other`."""
    return dict(_DOMAINS)


def of(email: str) -> str:
    """The group of one address."""
    return _GROUPS.get(email.rpartition("@")[2].lower(), OTHER)
