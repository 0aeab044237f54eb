"""Where the mailbox of a well-known domain is on the web: plain links, only for domains that we know."""

from __future__ import annotations

from typing import NamedTuple


class Mailbox(NamedTuple):
    """A webmail service: its name, and where its inbox is."""

    name: str
    url: str


_GMAIL = Mailbox("Gmail", "https://mail.google.com/mail/u/0/#inbox")
_OUTLOOK = Mailbox("Outlook", "https://outlook.live.com/mail/0/")
_YAHOO = Mailbox("Yahoo Mail", "https://mail.yahoo.com/")
_ICLOUD = Mailbox("iCloud Mail", "https://www.icloud.com/mail/")
_ORANGE = Mailbox("Orange Mail", "https://messagerie.orange.fr/")
_KNOWN = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GMAIL),
    **dict.fromkeys(
        ("outlook.com", "outlook.fr", "hotmail.com", "hotmail.fr", "hotmail.co.uk", "live.com", "live.fr", "msn.com"),
        _OUTLOOK,
    ),
    **dict.fromkeys(("yahoo.com", "yahoo.fr", "yahoo.co.uk", "ymail.com"), _YAHOO),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _ICLOUD),
    **dict.fromkeys(("orange.fr", "wanadoo.fr"), _ORANGE),
    "free.fr": Mailbox("Zimbra Free", "https://zimbra.free.fr/"),
    "sfr.fr": Mailbox("SFR Mail", "https://messagerie.sfr.fr/"),
    "laposte.net": Mailbox("laposte.net", "https://www.laposte.net/accueil"),
    "proton.me": Mailbox("Proton Mail", "https://mail.proton.me/"),
    "protonmail.com": Mailbox("Proton Mail", "https://mail.proton.me/"),
    "gmx.fr": Mailbox("GMX", "https://www.gmx.fr/"),
    "gmx.com": Mailbox("GMX", "https://www.gmx.com/"),
    "aol.com": Mailbox("AOL Mail", "https://mail.aol.com/"),
}


def mailbox_of(domain: str) -> Mailbox | None:
    """The webmail of an address's domain, or None when we do not know it."""
    return _KNOWN.get(domain.lower())
