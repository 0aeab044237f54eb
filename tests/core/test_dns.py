"""Names are asked for with real packets: what takes mail, what does not, and what nobody can tell."""

import time

import pytest
from flask import Flask

from leadgen.core import dns, notes
from tests.names import NameServer


@pytest.fixture(autouse=True)
def _no_notes(app: Flask) -> None:
    notes.forget()


def test_a_domain_with_a_mail_server_takes_mail(names: NameServer) -> None:
    names.records["mail.example", "MX"] = ["10 mx1.mail.example.", "20 mx2.mail.example."]
    assert dns.takes_mail("mail.example") is True
    assert dns.takes_mail(" Mail.Example. ") is True


@pytest.mark.parametrize(("kind", "address"), [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")])
def test_an_address_is_enough(names: NameServer, kind: str, address: str) -> None:
    """RFC 5321 5.1: without an MX record the domain itself is the mail server."""
    names.records["mail.example", kind] = [address]
    assert dns.takes_mail("mail.example") is True


def test_a_null_mx_takes_none(names: NameServer) -> None:
    """RFC 7505, even when the domain has an address for its pages."""
    names.records["mail.example", "MX"] = ["0 ."]
    names.records["mail.example", "A"] = ["192.0.2.1"]
    assert dns.takes_mail("mail.example") is False


def test_what_does_not_exist_takes_none(names: NameServer) -> None:
    names.records["words.example", "TXT"] = ['"only words"']
    assert dns.takes_mail("gmial.example") is False
    assert dns.takes_mail("words.example") is False


@pytest.mark.parametrize("domain", ["broken.example", "a..example", "x" * 70 + ".example", "é" * 80 + ".example"])
def test_a_broken_answer_and_a_broken_name_are_unknown(names: NameServer, domain: str) -> None:
    names.broken.add("broken.example")
    assert dns.takes_mail(domain) is None


def test_silence_is_unknown_after_three_seconds_at_most(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    names.records["half.example", "TXT"] = ['"here"']
    names.silent.update({"silent.example"})
    assert dns.SECONDS == 3.0
    monkeypatch.setattr(dns, "SECONDS", 0.4)
    begun = time.monotonic()
    assert dns.takes_mail("silent.example") is None
    assert time.monotonic() - begun < 3


def test_an_answer_is_asked_for_once_and_shared(names: NameServer) -> None:
    names.records["mail.example", "MX"] = ["10 mx.mail.example."]
    for _time in range(3):
        assert dns.takes_mail("mail.example") is True
    notes._memory.clear()  # another process
    assert dns.takes_mail("mail.example") is True
    assert names.asked["mail.example", "MX"] == 1


def test_unknown_is_not_believed_for_long(names: NameServer) -> None:
    names.broken.add("mail.example")
    assert dns.takes_mail("mail.example") is None
    note = notes.read("takes-mail:mail.example")
    assert note is not None
    assert note.seconds <= 60


def test_texts_are_put_together_and_asked_for_anew(names: NameServer) -> None:
    names.records["mail.example", "TXT"] = ['"v=spf1 include:one.example" " -all"', '"other=1"']
    assert sorted(dns.texts("mail.example") or ()) == ["other=1", "v=spf1 include:one.example -all"]
    names.records["mail.example", "TXT"] = ['"changed"']
    assert dns.texts("mail.example") == ["changed"]


def test_texts_say_none_from_unknown_apart(names: NameServer) -> None:
    names.broken.add("broken.example")
    assert dns.texts("absent.example") == []
    assert dns.texts("broken.example") is None


def test_an_alias(names: NameServer) -> None:
    names.records["s1._domainkey.mail.example", "CNAME"] = ["s1.domainkey.U1.wl2.SendGrid.net."]
    names.records["plain.example", "A"] = ["192.0.2.1"]
    names.broken.add("broken.example")
    assert dns.cname("s1._domainkey.mail.example") == "s1.domainkey.u1.wl2.sendgrid.net"
    assert dns.cname("plain.example") == ""
    assert dns.cname("broken.example") is None


def test_the_machines_resolver_is_used_by_itself() -> None:
    """What production asks; a machine without a resolver says unknown instead of failing."""
    dns._resolver.cache_clear()
    assert dns._resolver().timeout == 1.0
