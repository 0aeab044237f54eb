"""The words of the review desk: decisions, lists, and the states that a check can give."""

from __future__ import annotations

from leadgen.campaigns.models import FraudPreset
from leadgen.contacts.address import mask
from leadgen.core.i18n import gettext as _
from leadgen.entries.models import Review
from leadgen.fraud import signals
from leadgen.fraud.desk import Shown
from leadgen.fraud.models import Decision, Signal
from leadgen.web.admin import spread_words

sentence = signals.sentence
referral_state = spread_words.referral_state


def shown(which: Shown) -> str:
    """The name of a list."""
    return {
        Shown.OPEN: _("To decide"),
        Shown.HELD: _("Being checked"),
        Shown.EXCLUDED: _("Excluded"),
        Shown.ACCEPTED: _("Accepted"),
        Shown.ALL: _("Everybody looked at"),
    }[which]


def decided(deed: Decision) -> str:
    """What was decided, as one reads it in a log."""
    return {
        Decision.ACCEPTED: _("Accepted"),
        Decision.HELD: _("Held back"),
        Decision.REJECTED: _("Excluded"),
        Decision.NONE: _("Left to the score"),
    }[deed]


def told(which: Decision, who: str) -> str:
    """What somebody of staff did, as the beginning of a sentence that goes on with the people."""
    return {
        Decision.ACCEPTED: _("%(who)s accepted"),
        Decision.HELD: _("%(who)s held back"),
        Decision.REJECTED: _("%(who)s excluded"),
        Decision.NONE: _("%(who)s left to the score:"),
    }[which] % {"who": staff(who)}


def staff(who: str) -> str:
    """Who decided: the name; of somebody without one the masked address."""
    return mask(who) if "@" in who else who


def deed(which: Decision) -> str:
    """A decision as the button that makes it."""
    return {
        Decision.ACCEPTED: _("Accept"),
        Decision.HELD: _("Hold back"),
        Decision.REJECTED: _("Exclude"),
        Decision.NONE: _("Leave to the score"),
    }[which]


def standing_then(state: Review) -> str:
    """How somebody stands after a decision."""
    return {
        Review.CLEAR: _("Takes part in full again, on the board and in the draw."),
        Review.HELD: _("Leaves board and draw until somebody decides."),
        Review.EXCLUDED: _("Leaves board and draw."),
    }[state]


def referral_then(verb: str) -> str:
    """What becomes of the referral that somebody is."""
    return {
        "refuse": _("The friend who invited them gets nothing for them."),
        "hold": _("The points of the friend who invited them wait."),
        "release": _("They count for the friend who invited them."),
        "restore": _("They count again for the friend who invited them."),
    }[verb]


def safe_kind(kind: str) -> str:
    """What is safe: a network, a domain, a household."""
    return {"network": _("Network"), "domain": _("Domain"), "household": _("Household")}.get(kind, kind)


def source_kind(kind: str) -> str:
    """By what sources are parted."""
    return {
        "source": _("Campaign tag (utm_source)"),
        "host": _("Site that linked"),
        "channel": _("Channel"),
        "network": _("Kind of network"),
    }[kind]


def preset(which: FraudPreset) -> str:
    """The name of a preset."""
    return {
        FraudPreset.RELAXED: _("Relaxed"),
        FraudPreset.BALANCED: _("Balanced"),
        FraudPreset.STRICT: _("Strict"),
    }[which]


def review(state: Review) -> str:
    """What a check says of an entrant."""
    return {Review.CLEAR: _("clear"), Review.HELD: _("being checked"), Review.EXCLUDED: _("excluded")}[state]


def tone(state: Review) -> str:
    """The tone of that, as badges have it."""
    return {Review.CLEAR: "success", Review.HELD: "warning", Review.EXCLUDED: "danger"}[state]


def layer(signal: Signal) -> str:
    """What a signal looks at."""
    words = {"entry": _("this entry"), "pair": _("with who invited"), "group": _("with all whom one person brought")}
    return words.get(signal.layer, "")
