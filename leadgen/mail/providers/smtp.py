"""Any SMTP server: one connection kept for the process, one recipient for each mail, encryption not optional."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from leadgen.mail.providers.compose import compose
from leadgen.mail.providers.interface import Answer, Batch, Outcome, Parcel, Result, all_of

TIMEOUT_SECONDS = 10
_MAILS_PER_CONNECTION = 200  # many servers hang up after a number of mails; hanging up first costs nothing
_AWAY_SECONDS = 15.0
_REFUSED_SENDER_SECONDS = 60.0


class SmtpProvider:
    """smtp://user:password@host:587 (STARTTLS enforced), smtps://…:465, or smtp://host:25 for a relay beside us."""

    largest = 50

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self._connection: smtplib.SMTP | None = None
        self._sent = 0

    def send(self, batch: Batch) -> Answer:
        """One transaction for each parcel. Trouble with the server stops the batch, with an address it does not."""
        answer = Answer()
        for number, parcel in enumerate(batch.parcels):
            try:
                connection = self._connected()
            except smtplib.SMTPAuthenticationError:
                return self._give_up(answer, batch.parcels[number:], "sender_refused", _REFUSED_SENDER_SECONDS)
            except (OSError, smtplib.SMTPException):
                return self._give_up(answer, batch.parcels[number:], "provider_away", _AWAY_SECONDS)
            answer.outcomes.append(self._one(connection, batch, parcel))
        return answer

    def close(self) -> None:
        """Hang up; the next mail opens a new connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _give_up(self, answer: Answer, parcels: Sequence[Parcel], reason: str, seconds: float) -> Answer:
        self.close()
        answer.outcomes += all_of(parcels, Result.TEMPORARY, reason, is_free=True)
        answer.pause_seconds, answer.pause_reason = seconds, reason
        return answer

    def _one(self, connection: smtplib.SMTP, batch: Batch, parcel: Parcel) -> Outcome:
        """MAIL and RCPT can be answered for; once DATA has begun, silence means that we do not know."""
        mail = compose(batch, parcel)
        try:
            code, words = connection.mail(batch.letter.brand.sender_email)
            is_address_fault = code < 400
            if is_address_fault:
                code, words = connection.rcpt(parcel.to)
            if code >= 400:
                connection.rset()
                return _refused(parcel, code, words, is_address_fault=is_address_fault)
        except (OSError, smtplib.SMTPException):
            self.close()
            return Outcome(parcel.message_id, Result.TEMPORARY, "connection_lost", is_free=True)
        return self._data(connection, mail, parcel)

    def _data(self, connection: smtplib.SMTP, mail: EmailMessage, parcel: Parcel) -> Outcome:
        try:
            code, words = connection.data(mail.as_bytes())
        except smtplib.SMTPDataError as error:
            code, words = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException):
            self.close()
            return Outcome(parcel.message_id, Result.UNCERTAIN, "no_answer")
        if code >= 400:
            return _refused(parcel, code, words, is_address_fault=False)
        self._sent += 1
        return Outcome(parcel.message_id, Result.ACCEPTED, reference=words.decode("ascii", "replace")[:200])

    def _connected(self) -> smtplib.SMTP:
        if self._sent >= _MAILS_PER_CONNECTION:
            self.close()
        if self._connection is None:
            self._connection, self._sent = self._connect(), 0
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        host, port = self.url.hostname or "localhost", self.url.port
        context = ssl.create_default_context()
        if self.url.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(host, port or (587 if self.url.username else 25), timeout=TIMEOUT_SECONDS)
        try:
            connection.ehlo_or_helo_if_needed()
            if self.url.username:
                if self.url.scheme == "smtp":
                    connection.starttls(context=context)  # raises where the server does not offer it: no plain password
                    connection.ehlo()
                connection.login(unquote(self.url.username), unquote(self.url.password or ""))
        except (OSError, smtplib.SMTPException):
            connection.close()
            raise
        return connection


def _refused(parcel: Parcel, code: int, words: bytes | str, *, is_address_fault: bool) -> Outcome:
    """4xx may come right; 5xx will not, and an enhanced code 5.1.x says that the address does not exist."""
    said = f"smtp_{code}"
    if code < 500:
        return Outcome(parcel.message_id, Result.TEMPORARY, said)
    is_unknown = b"5.1." in _bytes(words) or code in {550, 551, 553}
    return Outcome(parcel.message_id, Result.FAILED, said, is_address_fault=is_address_fault and is_unknown)


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()
