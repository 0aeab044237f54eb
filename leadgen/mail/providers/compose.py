"""One whole mail as bytes, for the providers that we hand the finished thing: SMTP and files."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from leadgen.core import clock
from leadgen.letters import rendering
from leadgen.mail.providers.interface import Batch, Parcel, unsubscribe_headers

# With the standard 78 characters Python writes a long List-Unsubscribe as an encoded word, which no mail client that
# offers one-click unsubscribing understands (RFC 8058); 998 is the longest line that SMTP carries.
_POLICY = SMTP.clone(max_line_length=998)


def compose(batch: Batch, parcel: Parcel) -> EmailMessage:
    """The mail to one person. Its Message-ID carries our opaque id, so that a bounce can be told."""
    letter, brand = batch.letter, batch.letter.brand
    mail = EmailMessage(policy=_POLICY)
    mail["Date"] = format_datetime(clock.now())
    mail["From"] = Address(brand.sender_name, addr_spec=brand.sender_email)
    mail["To"] = Address(addr_spec=parcel.to)
    if brand.contact_email != brand.sender_email:
        mail["Reply-To"] = Address(brand.sender_name, addr_spec=brand.contact_email)
    mail["Subject"] = rendering.insert(letter.subject, parcel.filled)
    mail["Message-ID"] = f"<{parcel.opaque_id}@{brand.sender_email.rpartition('@')[2]}>"
    for name, value in unsubscribe_headers(parcel, letter).items():
        mail[name] = value
    mail.set_content(rendering.insert(letter.text, parcel.filled), cte="quoted-printable")
    mail.add_alternative(rendering.insert(letter.html, parcel.filled), subtype="html", cte="quoted-printable")
    return mail


def headers(mail: EmailMessage) -> dict[str, str]:
    """The headers as the bytes on the wire say them."""
    head = mail.as_bytes().partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    return dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line and line[0] not in " \t")
