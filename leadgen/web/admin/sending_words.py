"""The words of the pages about sending, in the reader's language."""

from __future__ import annotations

from leadgen.analytics.forecasts import Forecast
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.letters.models import Lane
from leadgen.mail import reasons


def lane(name: str) -> str:
    """What a lane is called."""
    return {
        Lane.CONFIRMATION: _("Confirmations"),
        Lane.SERVICE: _("Service mails"),
        Lane.NURTURE: _("Sequences"),
        Lane.BULK: _("Broadcasts"),
    }[Lane(name)]


def lane_meaning(name: str) -> str:
    """What goes through a lane."""
    return {
        Lane.CONFIRMATION: _("Somebody waits for each of these: they go before everything else."),
        Lane.SERVICE: _("Welcome mails and links to the personal page."),
        Lane.NURTURE: _("Letters of sequences, to people who agreed to marketing."),
        Lane.BULK: _("One letter to many people who agreed to marketing; goes when nothing else waits."),
    }[Lane(name)]


def stream_state(state: str) -> str:
    """What a stream's state is called."""
    return {"open": _("Flows"), "paused": _("Paused"), "stopped": _("Stopped")}[state]


def stream_tone(state: str) -> str:
    """The colour of a stream's state."""
    return {"open": "success", "paused": "warning"}.get(state, "danger")


def stream_reason(state: str, reason: str, by: str) -> str:
    """Why a stream does not flow, and what to do."""
    if state == "stopped":
        return {
            "bounces": _("Too many addresses do not exist. Look at where they came from before you go on."),
            "complaints": _("Too many people reported these mails as spam. Look at letter and audience first."),
            "errors": _("The same error came again and again. Look at it below, repair the letter, then go on."),
        }.get(reason, reason)
    return _("by %(name)s") % {"name": by} if state == "paused" and by else ""


def provider(name: str) -> str:
    """The mail provider that the settings name."""
    return {"sendgrid": "SendGrid", "smtp": "SMTP", "file": _("files on this machine")}.get(name, name)


def provider_trouble(reason: str) -> str:
    """Why nothing is handed to the provider, and what to do."""
    known = {
        "sender_refused": _(
            "The provider refuses our access. Check the key in the settings and whether the account is open. "
            "All mails wait; none is lost."
        ),
        "rate_limited": _("The provider asked for a pause. Nothing is to be done: it goes on by itself."),
        "provider_away": _("The provider cannot be reached. It is tried again by itself; all mails wait."),
    }
    return known.get(reason) or _("%(reason)s. All mails wait; none is lost.") % {"reason": _titled(reason)}


def _titled(code: str) -> str:
    said = reasons.reason_in_words(code)
    return said[:1].upper() + said[1:]


def group(name: str) -> str:
    """Whose mailboxes a group of recipients has."""
    own = {"microsoft": "Outlook, Hotmail", "apple": "iCloud", "yahoo": "Yahoo, AOL", "sfr": "SFR",
           "other": _("everybody else"), "laposte": "La Poste"}  # fmt: skip
    return own.get(name, name.title())


def bucket(name: str) -> str:
    """What a pace is about."""
    kind, _colon, rest = name.partition(":")
    if kind == "lane":
        return lane(rest)
    return group(rest) if kind == "group" else _("Everything together")


def span(seconds: float) -> str:
    """A length of time in its largest unit, rounded."""
    if seconds < 90:
        whole = max(1, round(seconds))
        return ngettext("%(number)d second", "%(number)d seconds", whole) % {"number": whole}
    if seconds < 90 * 60:
        whole = round(seconds / 60)
        return ngettext("%(number)d minute", "%(number)d minutes", whole) % {"number": whole}
    if seconds < 48 * 3600:
        whole = round(seconds / 3600)
        return ngettext("%(number)d hour", "%(number)d hours", whole) % {"number": whole}
    whole = round(seconds / 86400)
    return ngettext("%(number)d day", "%(number)d days", whole) % {"number": whole}


def forecast(found: Forecast) -> str:
    """When a blast is through, in words."""
    if not found.left:
        return ""
    if found.days is not None:
        words = ngettext(
            "finishes in %(number)d day at this ramp", "finishes in %(number)d days at this ramp", found.days
        )
        return words % {"number": found.days}
    if found.seconds is not None:
        return _("about %(time)s to go") % {"time": span(found.seconds)}
    return _("waits to begin")
