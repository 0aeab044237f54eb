"""Any SMTP server: one connection kept for the process, one recipient for each mail, encryption not optional."""

from __future__ import annotations

import os
import re
import smtplib
import ssl
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from leadgen.mail.providers.compose import compose, headers
from leadgen.mail.providers.interface import (
    Answer,
    Batch,
    Checked,
    Outcome,
    Parcel,
    Result,
    all_of,
    out_of_time,
    poisoned,
)

TIMEOUT_SECONDS = 10
_MAILS_PER_CONNECTION = 200  # many servers hang up after a number of mails; hanging up first costs nothing
_AWAY_SECONDS = 15.0
_REFUSED_SENDER_SECONDS = 60.0
_ENHANCED = re.compile(rb"^\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
# RFC 3463 and 7505: no such mailbox, no such domain, bad syntax, mailbox moved, domain takes no mail, mailbox disabled.
_ADDRESS_FAULTS = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
_TOO_LARGE = frozenset({"2.3", "3.4"})
# What a server without enhanced codes says of a mailbox that does not exist; of a letter it says the same, so these
# count in answer to RCPT only.
_PLAIN_ADDRESS_FAULTS = frozenset({550, 551, 553})
_BESIDE_US = frozenset({"localhost", "127.0.0.1", "::1"})
_GOING_AWAY = 421
_NOT_SIGNED_IN = 530


class _Trouble(Exception):
    """The server or our access to it is at fault: the rest of the batch goes back free of charge."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


class SmtpProvider:
    """smtp://user:password@host:587 (STARTTLS enforced), smtps://…:465, smtp://localhost:25 for a relay beside us."""

    # Each mail is a transaction of its own: a pause, or somebody who leaves, waits for no more than the rest of these.
    largest = 10

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self._connection: smtplib.SMTP | None = None
        self._sent = 0
        self._process = os.getpid()

    def send(self, batch: Batch) -> Answer:
        """One transaction for each parcel. Trouble with the server stops the batch, with an address it does not."""
        answer = Answer()
        for number, parcel in enumerate(batch.parcels):
            if batch.is_late:
                answer.outcomes += out_of_time(batch.parcels[number:])
                break
            try:
                answer.outcomes.append(self._one(batch, parcel))
            except _Trouble as trouble:
                self.close()
                rest = batch.parcels[number:]
                answer.outcomes += all_of(rest, Result.TEMPORARY, trouble.reason, is_free=True)
                answer.pause_seconds, answer.pause_reason = trouble.seconds, trouble.reason
                answer.is_trouble = trouble.reason == "provider_away"
                break
        return answer

    def check(self, _sender: str) -> Checked:
        """Connect, encrypt, sign in, and say NOOP on a connection of its own."""
        try:
            connection = self._connect()
        except _Trouble as trouble:
            code = "no_connection" if trouble.reason == "provider_away" else trouble.reason
            return Checked(is_ok=False, code=code, detail=str(trouble.__cause__ or "")[:200])
        try:
            answer, words = connection.docmd("noop")
        except (OSError, smtplib.SMTPException) as error:
            return Checked(is_ok=False, code="no_connection", detail=str(error)[:200])
        finally:
            connection.close()
        return Checked(is_ok=answer < 400, code="smtp_works" if answer < 400 else "refused", detail=_text(words))

    def headers_of(self, batch: Batch) -> Mapping[str, str]:
        """The headers of the composed mail."""
        return headers(compose(batch, batch.parcels[0]))

    def close(self) -> None:
        """Hang up; the next mail opens a new connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _one(self, batch: Batch, parcel: Parcel) -> Outcome:
        """MAIL and RCPT can be answered for; once DATA has begun, silence means that we do not know."""
        try:
            content = compose(batch, parcel).as_bytes()
            parcel.to.encode("ascii")
        except Exception as error:  # noqa: BLE001 - what cannot be written as a mail stops only itself
            return poisoned(parcel, error)
        connection, refused = self._announced(batch, parcel)
        if refused is not None:
            return refused
        return self._data(connection, content, parcel)

    def _announced(self, batch: Batch, parcel: Parcel) -> tuple[smtplib.SMTP, Outcome | None]:
        """Say from whom and to whom, on a new connection if the kept one has died meanwhile: nothing was sent yet."""
        for is_last in (False, True):
            connection = self._connected()
            try:
                return connection, self._envelope(connection, batch, parcel)
            except (OSError, smtplib.SMTPException) as error:
                self.close()
                if is_last:
                    raise _Trouble("provider_away", _AWAY_SECONDS) from error
        raise AssertionError

    def _envelope(self, connection: smtplib.SMTP, batch: Batch, parcel: Parcel) -> Outcome | None:
        """None when the server takes mail from this sender to this recipient. Raises _Trouble."""
        code, words = connection.mail(batch.letter.brand.sender_email)
        _look_at_server(code)
        if code >= 400:
            connection.rset()
            # The sender is refused, not this person: tried again with growing pauses, and other brands' mails go on.
            return Outcome(parcel.message_id, Result.TEMPORARY, "sender_address")
        code, words = connection.rcpt(parcel.to)
        _look_at_server(code)
        if code >= 400:
            connection.rset()
            return _refused(parcel, code, words, is_recipient=True)
        return None

    def _data(self, connection: smtplib.SMTP, content: bytes, parcel: Parcel) -> Outcome:
        try:
            code, words = connection.data(content)
        except smtplib.SMTPDataError as error:  # the server did not want to hear it: nothing was sent
            code, words = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException):
            self.close()
            return Outcome(parcel.message_id, Result.UNCERTAIN, "no_answer")
        _look_at_server(code)
        if code >= 400:
            return _refused(parcel, code, words, is_recipient=False)
        self._sent += 1
        return Outcome(parcel.message_id, Result.ACCEPTED, reference=_text(words))

    def _connected(self) -> smtplib.SMTP:
        if self._process != os.getpid():  # a fork must not speak on its parent's connection, nor hang it up
            self._connection, self._process = None, os.getpid()
        if self._sent >= _MAILS_PER_CONNECTION:
            self.close()
        if self._connection is None:
            self._connection, self._sent = self._connect(), 0
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        """A new connection, encrypted and signed in. Raises _Trouble."""
        connection: smtplib.SMTP | None = None
        try:
            connection = self._dial()
            connection.ehlo_or_helo_if_needed()
            self._encrypt(connection)
            if self.url.username:
                connection.login(unquote(self.url.username), unquote(self.url.password or ""))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            if connection is not None:
                connection.close()
            raise _why(error) from error
        return connection

    def _dial(self) -> smtplib.SMTP:
        host, port = self.url.hostname or "localhost", self.url.port
        if self.url.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(host, port or (587 if self.url.username else 25), timeout=TIMEOUT_SECONDS)

    def _encrypt(self, connection: smtplib.SMTP) -> None:
        """Neither a password nor a mail travels in the clear, but to a relay on this machine that asks for no name."""
        is_beside_us = (self.url.hostname or "localhost") in _BESIDE_US and not self.url.username
        if self.url.scheme == "smtps" or is_beside_us:
            return
        code, words = connection.starttls(context=ssl.create_default_context())  # raises where it is not offered
        if code != 220:
            raise smtplib.SMTPNotSupportedError(_text(words))
        connection.ehlo()


def _why(error: Exception) -> _Trouble:
    """What kept us from a connection; what only the operator can change has a reason of its own."""
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return _Trouble("sender_refused", _REFUSED_SENDER_SECONDS)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _Trouble("not_encrypted", _REFUSED_SENDER_SECONDS)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _Trouble("not_trusted", _REFUSED_SENDER_SECONDS)
    return _Trouble("provider_away", _AWAY_SECONDS)


def _look_at_server(code: int) -> None:
    """Answers that are about the server or our access, whatever they answer. Raises _Trouble."""
    if code == _GOING_AWAY:
        raise _Trouble("provider_away", _AWAY_SECONDS)
    if code == _NOT_SIGNED_IN:
        raise _Trouble("sender_refused", _REFUSED_SENDER_SECONDS)


def _refused(parcel: Parcel, code: int, words: bytes | str, *, is_recipient: bool) -> Outcome:
    """4xx may come right until the mail's time is over (three days at most); 5xx will not.

    An enhanced code says whether the address is at fault (5.1.1), or a rule of the server (5.7.1), which says nothing
    against the address.
    """
    found = _ENHANCED.match(_bytes(words))
    subject = f"{int(found[2])}.{int(found[3])}" if found else ""
    said = f"smtp_{code}" + (f" {found[1].decode()}.{subject}" if found else "")
    if code < 500:
        return Outcome(parcel.message_id, Result.TEMPORARY, said)
    if subject in _TOO_LARGE:
        return Outcome(parcel.message_id, Result.FAILED, "too_large")
    is_fault = subject in _ADDRESS_FAULTS if found else is_recipient and code in _PLAIN_ADDRESS_FAULTS
    return Outcome(parcel.message_id, Result.FAILED, said, is_address_fault=is_fault)


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _text(words: bytes | str) -> str:
    return _bytes(words).decode("ascii", "replace")[:200]
