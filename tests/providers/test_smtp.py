"""SMTP against a real server: one connection for many mails, encryption enforced, every refusal sorted."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

from leadgen.mail.providers.interface import Result
from leadgen.mail.providers.smtp import SmtpProvider
from tests.providers.conftest import batch


class Handler:
    """Takes mails; refuses addresses as their names say."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.peers: set[Any] = set()
        self.data_answer = ""
        self.hangs_up_after_data = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
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
    assert (refused.result, refused.reason, refused.is_address_fault) == (Result.FAILED, "smtp_550", True)
    assert provider.send(batch(1)).outcomes[0].result is Result.ACCEPTED
    assert len(handler.mails) == 1


def test_a_busy_mailbox_is_tried_again(start: Start, provider_at: Make) -> None:
    outcome = provider_at(f"smtp://{start()}").send(batch(1, to="busy@mail.example")).outcomes[0]
    assert (outcome.result, outcome.reason) == (Result.TEMPORARY, "smtp_451")


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
    lost = provider.send(batch(1)).outcomes[0]
    assert (lost.result, lost.reason, lost.is_free) == (Result.TEMPORARY, "connection_lost", True)
    assert provider.send(batch(1)).outcomes[0].result is Result.ACCEPTED


def test_a_password_never_travels_in_the_clear(start: Start, provider_at: Make, handler: Handler) -> None:
    """STARTTLS is enforced: a server that does not offer it gets neither password nor mail."""
    provider = provider_at(f"smtp://user:secret@{start(auth_require_tls=False)}")
    answer = provider.send(batch(1))
    assert answer.outcomes[0].result is Result.TEMPORARY
    assert handler.mails == []


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody signed but itself."""
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *options, *names, "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


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
    assert provider_at(url).send(batch(1)).outcomes[0].result is Result.TEMPORARY  # the certificate is not trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert provider_at(url).send(batch(1)).outcomes[0].result is Result.ACCEPTED
    assert (seen[0].login, seen[0].password) == (b"user", b"s@cret")
    assert threading.active_count() >= 1
