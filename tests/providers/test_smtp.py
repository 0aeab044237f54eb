"""SMTP against a real server: one connection for many mails, encryption enforced, every refusal sorted."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

from leadgen.mail.providers import smtp
from leadgen.mail.providers.interface import Batch, Checked, Result
from leadgen.mail.providers.smtp import SmtpProvider
from tests.providers.conftest import batch


class Handler:
    """Takes mails; refuses addresses as their names say."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.peers: set[Any] = set()
        self.data_answer = ""
        self.hangs_up_after_data = False
        self.mail_answer = ""
        self.rcpt_answer = ""
        self.raw: list[bytes] = []

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.mail_answer:
            return self.mail_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.rcpt_answer:
            return self.rcpt_answer
        if address.startswith("unknown"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.data_answer:
            return self.data_answer
        self.peers.add(session.peer)
        self.raw.append(bytes(envelope.original_content or b""))
        self.mails.append(message_from_bytes(envelope.content or b"", policy=policy.default))
        if self.hangs_up_after_data:
            server.transport.abort()
        return "250 OK queued"


Start = Callable[..., str]


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def start(handler: Handler) -> Iterator[Start]:
    """Start a server and answer its host and port."""
    running: list[Controller] = []

    def begin(**options: Any) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return f"127.0.0.1:{port}"

    yield begin
    for controller in running:
        controller.stop()


@pytest.fixture
def provider_at() -> Iterator[Callable[[str], SmtpProvider]]:
    made: list[SmtpProvider] = []

    def make(url: str) -> SmtpProvider:
        made.append(SmtpProvider(url))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


Make = Callable[[str], SmtpProvider]


def test_many_mails_use_one_connection(start: Start, provider_at: Make, handler: Handler) -> None:
    provider = provider_at(f"smtp://{start()}")
    for number in (1, 6):
        answer = provider.send(batch(5, start=number))
        assert {outcome.result for outcome in answer.outcomes} == {Result.ACCEPTED}
    assert len(handler.mails) == 10
    assert len(handler.peers) == 1


def test_the_mail_arrives_whole(start: Start, provider_at: Make, handler: Handler) -> None:
    provider_at(f"smtp://{start()}").send(batch(1, letter="sequence"))
    (mail,) = handler.mails
    assert mail["Message-ID"] == "<00000000-0000-4000-8000-000000000001@mail.capsud.example>"
    assert mail["List-Unsubscribe"].startswith("<http://localhost/unsubscribe/xxx")
    assert mail["From"] == '"Cap Sud, voyages" <jeu@mail.capsud.example>'
    assert "Bonjour L’Été" in mail.get_body(("html",)).get_content()


def test_an_unknown_mailbox_fails_for_good_and_alone(start: Start, provider_at: Make, handler: Handler) -> None:
    provider = provider_at(f"smtp://{start()}")
    refused = provider.send(batch(1, to="unknown@mail.example")).outcomes[0]
    assert (refused.result, refused.reason, refused.is_address_fault) == (Result.FAILED, "smtp_550 5.1.1", True)
    assert provider.send(batch(1)).outcomes[0].result is Result.ACCEPTED
    assert len(handler.mails) == 1


def test_a_busy_mailbox_is_tried_again(start: Start, provider_at: Make) -> None:
    outcome = provider_at(f"smtp://{start()}").send(batch(1, to="busy@mail.example")).outcomes[0]
    assert (outcome.result, outcome.reason) == (Result.TEMPORARY, "smtp_451 4.7.1")


@pytest.mark.parametrize(
    ("said", "result"), [("554 5.7.1 spam", Result.FAILED), ("452 4.3.1 disk full", Result.TEMPORARY)]
)
def test_a_refused_letter_does_not_blame_the_address(
    start: Start, provider_at: Make, handler: Handler, said: str, result: Result
) -> None:
    handler.data_answer = said
    outcome = provider_at(f"smtp://{start()}").send(batch(1)).outcomes[0]
    assert (outcome.result, outcome.is_address_fault) == (result, False)


def test_silence_after_the_data_is_uncertain(start: Start, provider_at: Make, handler: Handler) -> None:
    handler.hangs_up_after_data = True
    outcome = provider_at(f"smtp://{start()}").send(batch(1)).outcomes[0]
    assert outcome.result is Result.UNCERTAIN
    assert len(handler.mails) == 1


def test_a_server_that_is_away_pauses_the_sender(provider_at: Make) -> None:
    answer = provider_at("smtp://127.0.0.1:1").send(batch(3))
    assert {outcome.result for outcome in answer.outcomes} == {Result.TEMPORARY}
    assert len(answer.outcomes) == 3
    assert answer.pause_reason == "provider_away"


def test_a_connection_that_the_server_closed_is_opened_anew(start: Start, provider_at: Make) -> None:
    provider = provider_at(f"smtp://{start()}")
    provider.send(batch(1))
    assert provider._connection is not None
    assert provider._connection.sock is not None
    provider._connection.sock.shutdown(socket.SHUT_RDWR)
    assert provider.send(batch(1)).outcomes[0].result is Result.ACCEPTED


def test_a_password_never_travels_in_the_clear(start: Start, provider_at: Make, handler: Handler) -> None:
    """STARTTLS is enforced: a server that does not offer it gets neither password nor mail."""
    seen: list[Any] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append(data)
        return AuthResult(success=True)

    provider = provider_at(f"smtp://user:secret@{start(auth_require_tls=False, authenticator=authenticate)}")
    answer = provider.send(batch(2))
    assert {(one.result, one.is_free) for one in answer.outcomes} == {(Result.TEMPORARY, True)}
    assert answer.pause_reason == "not_encrypted"
    assert provider.check("").code == "not_encrypted"
    assert (handler.mails, seen) == ([], [])


def test_no_mail_travels_in_the_clear_but_to_this_machine(
    start: Start, provider_at: Make, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay elsewhere must offer encryption too, even when it asks for no password."""
    address = start()
    assert provider_at(f"smtp://{address}").send(batch(1)).outcomes[0].result is Result.ACCEPTED

    monkeypatch.setattr(smtp, "_BESIDE_US", frozenset())  # now the same server stands elsewhere
    answer = provider_at(f"smtp://{address}").send(batch(1))
    assert (answer.pause_reason, len(handler.mails)) == ("not_encrypted", 1)


def test_signing_in_over_starttls(
    start: Start,
    provider_at: Make,
    handler: Handler,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    seen: list[Any] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append(data)
        return AuthResult(success=True)

    server = start(tls_context=context, require_starttls=True, authenticator=authenticate)
    url = f"smtp://user:s%40cret@{server}"
    distrusting = provider_at(url).send(batch(1))
    assert (distrusting.outcomes[0].result, distrusting.pause_reason) == (Result.TEMPORARY, "not_trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert provider_at(url).send(batch(1)).outcomes[0].result is Result.ACCEPTED
    assert (seen[0].login, seen[0].password) == (b"user", b"s@cret")
    assert provider_at(url).check("").code == "smtp_works"


@pytest.mark.parametrize(
    ("said", "is_address_fault"),
    [
        ("550 5.1.1 no such mailbox", True),
        ("550 5.1.2 no such domain", True),
        ("556 5.1.10 takes no mail", True),
        ("550 5.2.1 mailbox disabled", True),
        ("550 no such user", True),
        ("550 5.7.1 blocked by policy", False),
        ("550 5.7.515 not authenticated", False),
        ("554 5.7.1 relay access denied", False),
        ("552 5.2.2 mailbox full", False),
        ("554 rejected", False),
    ],
)
def test_enhanced_codes_tell_whose_fault_it_is(
    start: Start, provider_at: Make, handler: Handler, said: str, is_address_fault: bool
) -> None:
    """RFC 3463: 5.1.x is about the address, 5.7.x about a rule of the server, and no reason to suppress anybody."""
    handler.rcpt_answer = said
    outcome = provider_at(f"smtp://{start()}").send(batch(1)).outcomes[0]
    assert (outcome.result, outcome.is_address_fault) == (Result.FAILED, is_address_fault)


@pytest.mark.parametrize("said", ["450 4.2.1 busy", "451 4.7.1 greylisted", "452 4.2.2 full", "421 4.7.0 slow down"])
def test_what_is_temporary_is_tried_again(start: Start, provider_at: Make, handler: Handler, said: str) -> None:
    handler.rcpt_answer = said
    outcome = provider_at(f"smtp://{start()}").send(batch(1)).outcomes[0]
    assert (outcome.result, outcome.is_address_fault) == (Result.TEMPORARY, False)


def test_a_refused_sender_fails_nobody(start: Start, provider_at: Make, handler: Handler) -> None:
    """An answer to MAIL is about us: a million people must not fail for it."""
    handler.mail_answer = "553 5.7.1 not your address"
    answer = provider_at(f"smtp://{start()}").send(batch(2))
    assert {(one.result, one.reason) for one in answer.outcomes} == {(Result.TEMPORARY, "sender_address")}


@pytest.mark.parametrize(
    ("said", "reason"), [("530 5.7.0 sign in first", "sender_refused"), ("421 4.3.2 closing", "provider_away")]
)
def test_an_answer_about_the_server_stops_the_batch(
    start: Start, provider_at: Make, handler: Handler, said: str, reason: str
) -> None:
    handler.mail_answer = said
    answer = provider_at(f"smtp://{start()}").send(batch(3))
    assert {(one.result, one.is_free) for one in answer.outcomes} == {(Result.TEMPORARY, True)}
    assert (answer.pause_reason, len(answer.outcomes)) == (reason, 3)


def test_a_wrong_password_stops_the_sender(
    start: Start, provider_at: Make, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_server: Any, _session: Any, _envelope: Any, _mechanism: str, _data: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    provider = provider_at(f"smtp://user:wrong@{start(tls_context=context, authenticator=refuse)}")
    answer = provider.send(batch(2))
    assert {(one.result, one.is_free) for one in answer.outcomes} == {(Result.TEMPORARY, True)}
    assert answer.pause_reason == "sender_refused"
    assert provider.check("").code == "sender_refused"


def test_what_there_is_no_time_for_goes_back_free(start: Start, provider_at: Make, handler: Handler) -> None:
    prepared = batch(3)
    answer = provider_at(f"smtp://{start()}").send(Batch(prepared.letter, prepared.parcels, until=time.monotonic()))
    assert {(one.result, one.reason, one.is_free) for one in answer.outcomes} == {
        (Result.TEMPORARY, "out_of_time", True)
    }
    assert handler.mails == []


def test_what_is_no_address_fails_alone(start: Start, provider_at: Make, handler: Handler) -> None:
    """A poison row of an import stops only itself."""
    prepared, odd = batch(2), batch(1, start=9, to="été\n@mail.example").parcels
    answer = provider_at(f"smtp://{start()}").send(Batch(prepared.letter, [*odd, *prepared.parcels]))
    assert [one.result for one in answer.outcomes] == [Result.FAILED, Result.ACCEPTED, Result.ACCEPTED]
    assert answer.outcomes[0].reason.startswith("cannot_render")


def test_one_click_headers_on_the_wire_are_one_line_each(start: Start, provider_at: Make, handler: Handler) -> None:
    """RFC 8058: a folded or encoded List-Unsubscribe is none."""
    provider_at(f"smtp://{start()}").send(batch(1, letter="sequence"))
    lines = handler.raw[0].split(b"\r\n\r\n")[0].split(b"\r\n")
    (link,) = [line for line in lines if line.startswith(b"List-Unsubscribe:")]
    assert link == b"List-Unsubscribe: <http://localhost/unsubscribe/" + b"x" * 90 + b"1>"
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert not any(line.startswith((b" ", b"\t")) for line in lines)


def test_a_fork_makes_a_connection_of_its_own(
    start: Start, provider_at: Make, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_at(f"smtp://{start()}")
    provider.send(batch(1))
    parents = provider._connection
    provider._process = -1
    provider.send(batch(1, start=2))
    assert provider._connection is not parents
    assert len(handler.peers) == 2
    assert parents is not None
    assert parents.noop()[0] == 250  # the parent's is still alive
    parents.close()


def test_the_settings_are_tried(start: Start, provider_at: Make, handler: Handler) -> None:
    assert provider_at(f"smtp://{start()}").check("") == Checked(is_ok=True, code="smtp_works", detail="OK")
    assert provider_at("smtp://127.0.0.1:1").check("").code == "no_connection"
    assert handler.mails == []
