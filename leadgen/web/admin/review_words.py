"""The words of the review desk: decisions, lists, and the states that a check can give."""

from __future__ import annotations

from leadgen.campaigns.models import FraudPreset
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
