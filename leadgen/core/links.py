"""Absolute addresses of our own pages, built from BASE_URL only: a foreign Host header can never get into a mail."""

from __future__ import annotations

from leadgen.core import settings, tokens
from leadgen.core.tokens import Purpose


def absolute(path: str) -> str:
    """The absolute address of a path of ours."""
    return settings.get().base_url + path


def landing(slug: str) -> str:
    """A campaign's landing page."""
    return absolute(f"/c/{slug}")


def referral(code: str, channel: str = "") -> str:
    """A person's referral link; `channel` names the share button that it was made for."""
    return absolute(f"/r/{code}" + (f"?ch={channel}" if channel else ""))


def confirm(entry_id: int, generation: int) -> str:
    """The double opt-in link of an entry; a new generation (corrected address) makes older ones inert."""
    return absolute(f"/confirm/{tokens.sign(Purpose.CONFIRM, {'v': 1, 's': entry_id, 'g': generation})}")


def refuse(entry_id: int, generation: int) -> str:
    """The “it wasn't me” link of a confirmation mail."""
    return absolute(f"/refuse/{tokens.sign(Purpose.REFUSE, {'v': 1, 's': entry_id, 'g': generation})}")


def status(entry_id: int, access_version: int) -> str:
    """The person's page; raising the entry's access version makes older links inert."""
    return absolute(f"/me/{status_token(entry_id, access_version)}")


def status_token(entry_id: int, access_version: int) -> str:
    """The token of the person's page alone."""
    return tokens.sign(Purpose.STATUS, {"e": entry_id, "a": access_version})


def unsubscribe(contact_id: int, message_id: int | None = None) -> str:
    """The unsubscribe link of one mail to one contact (also the RFC 8058 one-click address)."""
    return absolute(f"/unsubscribe/{tokens.sign(Purpose.UNSUBSCRIBE, [contact_id, message_id or 0])}")


def sample(page: str, campaign_id: int, locale: str) -> str:
    """What stands in previews and test letters instead of a link: a page that looks real and does nothing.

    `page` is confirm, refuse, me, unsubscribe or r, the first part of the real address.
    """
    return absolute(f"/sample/{page}/{tokens.sign(Purpose.SAMPLE, {'c': campaign_id, 'l': locale})}")


def click(message_id: int, number: int, of: int, access_version: int) -> str:
    """The address that a link of a marketing mail, one of so many, leads through; 0 is the person's page."""
    return absolute(f"/go/{tokens.sign(Purpose.CLICK, [message_id, number, of, access_version])}")
