"""What the DNS says about a sending domain: SPF, DKIM, return path, DMARC and where answers go, each as a light."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from leadgen.core import dns
from leadgen.mail.providers.account import Record

# RFC 7208 4.6.4: a receiver gives up after ten questions, and then SPF fails for everybody.
MOST_LOOKUPS = 10
_ASKING = re.compile(r"^[+?~-]?(include:|a(?=$|[:/])|mx(?=$|[:/])|ptr(?=$|:)|exists:)|^redirect=", re.IGNORECASE)
_FOLLOWED = re.compile(r"^[+?~-]?include:(?P<included>.+)|^redirect=(?P<redirected>.+)", re.IGNORECASE)
_END = re.compile(r"^(?P<sign>[+?~-]?)all$", re.IGNORECASE)
_POLICIES = {"none", "quarantine", "reject"}
_SENDGRID = "sendgrid.net"


class Light(StrEnum):
    """How things stand; `unknown` where nothing can be said from here."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `code` chooses its words, `values` stand in them, `records` are to be copied."""

    key: str
    light: Light
    code: str
    values: dict[str, str] = field(default_factory=dict)
    records: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sender:
    """The sending domain, who sends for it, and which records that provider wants (None: it did not say)."""

    domain: str
    contact_email: str
    provider: str  # sendgrid, smtp, file
    host: str = ""  # of the SMTP server
    wanted: Sequence[Record] | None = None


def look(sender: Sender) -> list[Finding]:
    """Every finding that the DNS can give; takes seconds, so only jobs ask."""
    path = _return_path(sender)
    is_path_own = path.light is Light.GREEN and sender.provider == "sendgrid"
    return [_spf(sender, is_path_own=is_path_own), _dkim(sender), path, _dmarc(sender), _mail_server(sender)]


def _spf(sender: Sender, *, is_path_own: bool) -> Finding:
    texts = dns.texts(sender.domain)
    if texts is None:
        return Finding("spf", Light.UNKNOWN, "dns_unknown")
    found = [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]
    advised = [_record("TXT", sender.domain, f"v=spf1 {_mechanism(sender)} ~all")]
    if not found:
        # SendGrid's automated security brings a return path of its own, whose SPF counts instead.
        light = Light.AMBER if is_path_own else Light.RED
        return Finding("spf", light, "spf_missing", records=advised)
    if len(found) > 1:
        return Finding("spf", Light.RED, "spf_many", {"number": str(len(found))})
    return _spf_record(found[0], sender, is_path_own=is_path_own)


def _spf_record(record: str, sender: Sender, *, is_path_own: bool) -> Finding:
    terms, values = record.split()[1:], {"record": record}
    ends = [end["sign"] for term in terms if (end := _END.match(term))]
    is_delegated = any(term.lower().startswith("redirect=") for term in terms)
    if "+" in ends or "" in ends:
        return Finding("spf", Light.RED, "spf_open", values)
    lookups = _lookups(terms, {sender.domain})
    if lookups > MOST_LOOKUPS:
        return Finding("spf", Light.RED, "spf_lookups", values | {"number": str(lookups)})
    if not is_path_own and not _names_provider(terms, sender):
        better = " ".join(["v=spf1", _mechanism(sender), *terms])
        return Finding("spf", Light.AMBER, "spf_without_provider", values, [_record("TXT", sender.domain, better)])
    if not (ends or is_delegated) or "?" in ends:
        return Finding("spf", Light.AMBER, "spf_no_end", values)
    return Finding("spf", Light.GREEN, "spf_good", values | {"number": str(lookups)})


def _mechanism(sender: Sender) -> str:
    if sender.provider == "sendgrid":
        return f"include:{_SENDGRID}"
    return f"a:{sender.host}" if sender.host and "." in sender.host else "a mx"


def _names_provider(terms: Sequence[str], sender: Sender) -> bool:
    """SendGrid must be named; which names stand for somebody's own mail server cannot be told from here."""
    return sender.provider != "sendgrid" or any(_SENDGRID in term.lower() for term in terms)


def _lookups(terms: Sequence[str], seen: set[str]) -> int:
    """How many questions a receiver has to ask; counting ends soon after there are too many."""
    number = sum(1 for term in terms if _ASKING.match(term))
    for term in terms:
        followed = _FOLLOWED.match(term)
        name = (followed["included"] or followed["redirected"]).lower() if followed else ""
        if not name or name in seen or number > MOST_LOOKUPS:
            continue
        seen.add(name)
        for text in dns.texts(name) or ():
            if text.lower().split(" ")[0] == "v=spf1":
                number += _lookups(text.split()[1:], seen)
    return number


def _dkim(sender: Sender) -> Finding:
    if sender.provider != "sendgrid":
        return Finding("dkim", Light.UNKNOWN, f"dkim_{sender.provider}")
    if sender.wanted is not None:
        return _wanted("dkim", sender)
    names = [f"s{number}._domainkey.{sender.domain}" for number in (1, 2)]
    said = [dns.cname(name) for name in names]
    if None in said:
        return Finding("dkim", Light.UNKNOWN, "dns_unknown")
    if all(str(target).endswith(_SENDGRID) for target in said):
        return Finding("dkim", Light.GREEN, "dkim_good")
    return Finding("dkim", Light.RED, "dkim_missing")


def _return_path(sender: Sender) -> Finding:
    if sender.provider == "smtp":
        return Finding("return_path", Light.GREEN, "return_path_own", {"domain": sender.domain})
    if sender.provider == "file":
        return Finding("return_path", Light.UNKNOWN, "return_path_file")
    if sender.wanted is None:
        return Finding("return_path", Light.UNKNOWN, "return_path_unknown")
    return _wanted("return_path", sender)


def _wanted(use: str, sender: Sender) -> Finding:
    """Whether the records that SendGrid wants are there; those that are not are to be copied."""
    wanted = [record for record in sender.wanted or () if record.use == use]
    if not wanted:
        return Finding(use, Light.RED, "not_authenticated", {"domain": sender.domain})
    answers = [(record, _says(record)) for record in wanted]
    if missing := [record for record, says in answers if says is False]:
        records = [_record(record.kind, record.name, record.value) for record in missing]
        return Finding(use, Light.RED, f"{use}_missing", records=records)
    if any(says is None for _record_, says in answers):
        return Finding(use, Light.UNKNOWN, "dns_unknown")
    return Finding(use, Light.GREEN, f"{use}_good", {"domain": sender.domain})


def _says(record: Record) -> bool | None:
    if record.kind == "CNAME":
        target = dns.cname(record.name)
        return None if target is None else target == record.value.lower()
    if record.kind == "TXT":
        texts = dns.texts(record.name)
        return None if texts is None else record.value in texts
    return dns.takes_mail(record.name, is_fresh=True)


def _dmarc(sender: Sender) -> Finding:
    """The record of the domain itself or of the domain above it (RFC 7489 6.6.3)."""
    advised = [_record("TXT", f"_dmarc.{sender.domain}", f"v=DMARC1; p=none; rua=mailto:{sender.contact_email}")]
    for name in _upwards(sender.domain):
        texts = dns.texts(f"_dmarc.{name}")
        if texts is None:
            return Finding("dmarc", Light.UNKNOWN, "dns_unknown")
        found = [text for text in texts if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if len(found) > 1:
            return Finding("dmarc", Light.RED, "dmarc_many", {"number": str(len(found))})
        if found:
            return _policy(found[0], is_above=name != sender.domain, advised=advised)
    return Finding("dmarc", Light.RED, "dmarc_missing", records=advised)


def _policy(record: str, *, is_above: bool, advised: list[dict[str, str]]) -> Finding:
    tags = dict(tag.strip().split("=", 1) for tag in record.split(";") if "=" in tag)
    tags = {name.strip().lower(): value.strip() for name, value in tags.items()}
    policy = (tags.get("sp") if is_above else "") or tags.get("p", "")
    values = {"record": record, "policy": policy.lower()}
    if policy.lower() not in _POLICIES:
        return Finding("dmarc", Light.RED, "dmarc_broken", values, advised)
    if not tags.get("rua"):
        return Finding("dmarc", Light.AMBER, "dmarc_no_reports", values)
    if policy.lower() == "none":
        return Finding("dmarc", Light.AMBER, "dmarc_watches", values)
    return Finding("dmarc", Light.GREEN, "dmarc_good", values)


def _upwards(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _mail_server(sender: Sender) -> Finding:
    match dns.takes_mail(sender.domain, is_fresh=True):
        case True:
            return Finding("mx", Light.GREEN, "mx_good", {"domain": sender.domain})
        case False:
            return Finding("mx", Light.RED, "mx_missing", {"domain": sender.domain})
    return Finding("mx", Light.UNKNOWN, "dns_unknown")


def _record(kind: str, name: str, value: str) -> dict[str, str]:
    return {"kind": kind, "name": name, "value": value}
