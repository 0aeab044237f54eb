"""Each state of a sending domain's records has its light, and what is missing can be copied."""

from __future__ import annotations

import pytest
from flask import Flask

from leadgen.core import notes
from leadgen.mail import sender_dns
from leadgen.mail.providers.account import Record
from leadgen.mail.sender_dns import Finding, Light, Sender
from tests.names import NameServer

DOMAIN = "mail.capsud.example"
PATH = Record("return_path", "CNAME", f"em7.{DOMAIN}", "u7.wl.sendgrid.net")
DKIM = Record("dkim", "CNAME", f"s1._domainkey.{DOMAIN}", "s1.domainkey.u7.wl.sendgrid.net")


@pytest.fixture(autouse=True)
def _fresh(app: Flask, names: NameServer) -> None:
    notes.forget()
    names.records[DOMAIN, "A"] = ["192.0.2.1"]


def looked(provider: str = "sendgrid", *, wanted: list[Record] | None = None, host: str = "") -> dict[str, Finding]:
    sender = Sender(DOMAIN, "bonjour@capsud.example", provider, host, wanted)
    return {finding.key: finding for finding in sender_dns.look(sender)}


def judged(finding: Finding) -> tuple[str, str]:
    return finding.light.value, finding.code


@pytest.mark.parametrize(
    ("record", "light", "code"),
    [
        ('"v=spf1 include:sendgrid.net -all"', "green", "spf_good"),
        ('"v=spf1 include:sendgrid.net ~all"', "green", "spf_good"),
        ('"v=spf1 include:sendgrid.net redirect=other.example"', "green", "spf_good"),
        ('"v=spf1 include:sendgrid.net ?all"', "amber", "spf_no_end"),
        ('"v=spf1 include:sendgrid.net"', "amber", "spf_no_end"),
        ('"v=spf1 include:sendgrid.net +all"', "red", "spf_open"),
        ('"v=spf1 all"', "red", "spf_open"),
        ('"v=spf1 include:other.example -all"', "amber", "spf_without_provider"),
        ('"v=spf10 -all"', "red", "spf_missing"),
    ],
)
def test_spf(names: NameServer, record: str, light: str, code: str) -> None:
    names.records[DOMAIN, "TXT"] = [record, '"some other record"']
    assert judged(looked()["spf"]) == (light, code)


def test_two_spf_records_are_none(names: NameServer) -> None:
    """RFC 7208 4.5: receivers then fail."""
    names.records[DOMAIN, "TXT"] = ['"v=spf1 -all"', '"v=spf1 include:sendgrid.net -all"']
    assert judged(looked()["spf"]) == ("red", "spf_many")


def test_more_than_ten_questions_are_too_many_and_circles_end(names: NameServer) -> None:
    """RFC 7208 4.6.4."""
    names.records[DOMAIN, "TXT"] = ['"v=spf1 include:sendgrid.net include:one.example ~all"']
    names.records["one.example", "TXT"] = ['"v=spf1 a mx ptr exists:x.example include:two.example ~all"']
    names.records["two.example", "TXT"] = ['"v=spf1 include:one.example a:x.example mx:y.example/24 ~all"']
    assert looked()["spf"].values["number"] == "10"
    names.records["two.example", "TXT"] = ['"v=spf1 include:one.example a:x.example mx:y.example a:z.example ~all"']
    assert judged(looked()["spf"]) == ("red", "spf_lookups")


def test_the_record_to_copy_names_the_provider(names: NameServer) -> None:
    assert looked()["spf"].records == [{"kind": "TXT", "name": DOMAIN, "value": "v=spf1 include:sendgrid.net ~all"}]
    names.records[DOMAIN, "TXT"] = ['"v=spf1 mx -all"']
    assert looked()["spf"].records[0]["value"] == "v=spf1 include:sendgrid.net mx -all"
    del names.records[DOMAIN, "TXT"]
    assert looked("smtp", host="mx.capsud.example")["spf"].records[0]["value"] == "v=spf1 a:mx.capsud.example ~all"


def test_records_that_sendgrid_wants_are_compared_and_can_be_copied(names: NameServer) -> None:
    missing = looked(wanted=[PATH, DKIM])
    assert judged(missing["dkim"]) == ("red", "dkim_missing")
    assert missing["dkim"].records == [{"kind": "CNAME", "name": DKIM.name, "value": DKIM.value}]
    assert judged(missing["return_path"]) == ("red", "return_path_missing")
    for record in (PATH, DKIM):
        names.records[record.name, "CNAME"] = [f"{record.value}."]
    there = looked(wanted=[PATH, DKIM])
    assert judged(there["dkim"]) == ("green", "dkim_good")
    assert judged(there["return_path"]) == ("green", "return_path_good")
    assert there["spf"].light is Light.AMBER  # the return path's own SPF counts
    names.records[PATH.name, "CNAME"] = ["elsewhere.example."]
    assert looked(wanted=[PATH, DKIM])["return_path"].light is Light.RED


def test_a_domain_that_sendgrid_does_not_know(names: NameServer) -> None:
    found = looked(wanted=[])
    assert judged(found["dkim"]) == ("red", "not_authenticated")
    assert judged(found["return_path"]) == ("red", "not_authenticated")


def test_without_sendgrids_word_the_usual_names_are_tried(names: NameServer) -> None:
    assert judged(looked()["dkim"]) == ("red", "dkim_missing")
    for number in (1, 2):
        names.records[f"s{number}._domainkey.{DOMAIN}", "CNAME"] = [f"s{number}.domainkey.u7.wl.sendgrid.net."]
    assert judged(looked()["dkim"]) == ("green", "dkim_good")
    assert judged(looked()["return_path"]) == ("unknown", "return_path_unknown")


@pytest.mark.parametrize("provider", ["smtp", "file"])
def test_what_cannot_be_known_is_said(names: NameServer, provider: str) -> None:
    assert judged(looked(provider)["dkim"]) == ("unknown", f"dkim_{provider}")


@pytest.mark.parametrize(
    ("record", "light", "code"),
    [
        ('"v=DMARC1; p=reject; rua=mailto:a@b.example"', "green", "dmarc_good"),
        ('"v=DMARC1;p=quarantine;rua=mailto:a@b.example"', "green", "dmarc_good"),
        ('"v=DMARC1; p=none; rua=mailto:a@b.example"', "amber", "dmarc_watches"),
        ('"v=DMARC1; p=reject"', "amber", "dmarc_no_reports"),
        ('"v=DMARC1; p=perhaps; rua=mailto:a@b.example"', "red", "dmarc_broken"),
        ('"v=DMARC1"', "red", "dmarc_broken"),
    ],
)
def test_dmarc(names: NameServer, record: str, light: str, code: str) -> None:
    names.records[f"_dmarc.{DOMAIN}", "TXT"] = [record]
    assert judged(looked()["dmarc"]) == (light, code)


def test_dmarc_of_the_domain_above_counts_with_its_policy_for_domains_below(names: NameServer) -> None:
    names.records["_dmarc.capsud.example", "TXT"] = ['"v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example"']
    assert looked()["dmarc"].values["policy"] == "none"


def test_no_dmarc(names: NameServer) -> None:
    finding = looked()["dmarc"]
    assert judged(finding) == ("red", "dmarc_missing")
    assert finding.records[0]["name"] == f"_dmarc.{DOMAIN}"
    assert finding.records[0]["value"].startswith("v=DMARC1; p=none; rua=mailto:bonjour@")


def test_answers_need_a_place_to_go(names: NameServer) -> None:
    assert judged(looked()["mx"]) == ("green", "mx_good")
    names.records[DOMAIN, "MX"] = ["0 ."]
    assert judged(looked()["mx"]) == ("red", "mx_missing")


def test_a_dns_that_does_not_answer_is_no_fault_of_the_domain(names: NameServer) -> None:
    names.broken.update({DOMAIN, f"_dmarc.{DOMAIN}", PATH.name, DKIM.name})
    lights = {finding.light for finding in looked(wanted=[PATH, DKIM]).values()}
    assert lights <= {Light.UNKNOWN, Light.RED}
    assert judged(looked()["spf"]) == ("unknown", "dns_unknown")
    assert judged(looked()["mx"]) == ("unknown", "dns_unknown")
