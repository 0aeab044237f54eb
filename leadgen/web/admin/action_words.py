"""What the studio says about actions: kinds, trust, rhythm, and where the people behind a count are."""

from __future__ import annotations

from leadgen.actions.models import DeedState
from leadgen.campaigns.models import ActionKind, Proof, Repeat
from leadgen.core.i18n import gettext as _

ICONS = {
    ActionKind.SHARE: "share",
    ActionKind.VISIT: "globe",
    ActionKind.VIDEO: "play",
    ActionKind.QUIZ: "question",
    ActionKind.CODE: "key",
    ActionKind.DAILY: "sun",
    ActionKind.FOLLOW: "heart",
    ActionKind.UPLOAD: "camera",
    ActionKind.CUSTOM: "star",
    ActionKind.EXTERNAL: "plug",
}
NETWORKS = {
    "wa": "WhatsApp",
    "fb": "Facebook",
    "x": "X",
    "li": "LinkedIn",
    "tg": "Telegram",
    "sms": "SMS",
    "ig": "Instagram",
    "tt": "TikTok",
    "yt": "YouTube",
    "pi": "Pinterest",
}


def network(key: str) -> str:
    """A network's name."""
    return NETWORKS.get(key) or _("E-mail")


def icon(kind: ActionKind) -> str:
    """The icon of a kind."""
    return ICONS[kind]


def kind(found: ActionKind) -> str:
    """What a kind of action is called."""
    return {
        ActionKind.SHARE: _("Share"),
        ActionKind.VISIT: _("Visit a site"),
        ActionKind.VIDEO: _("Watch a video"),
        ActionKind.QUIZ: _("Quiz"),
        ActionKind.CODE: _("Secret code"),
        ActionKind.DAILY: _("Daily bonus"),
        ActionKind.FOLLOW: _("Follow a profile"),
        ActionKind.UPLOAD: _("Hand in a work"),
        ActionKind.CUSTOM: _("Your own"),
        ActionKind.EXTERNAL: _("From another system"),
    }[found]


def explained(found: ActionKind) -> str:
    """One line on what a kind is good for."""
    return {
        ActionKind.SHARE: _("Points for opening each network from the share kit, once."),
        ActionKind.VISIT: _("Leads to a page of yours; counts when the person comes back."),
        ActionKind.VIDEO: _("Your film on their page; counts after so many seconds of playing."),
        ActionKind.QUIZ: _("Questions with right answers; nobody can look them up in the page."),
        ActionKind.CODE: _("A word from a parcel, a podcast or a shop window."),
        ActionKind.DAILY: _("A little thank-you for coming back every day, with a streak."),
        ActionKind.FOLLOW: _("Leads to your profile on a network, one action for each."),
        ActionKind.UPLOAD: _("A photo, a text or an idea for the gallery; counts once it is published."),
        ActionKind.CUSTOM: _("Anything else: on the person’s word, or after you have looked."),
        ActionKind.EXTERNAL: _("Your shop or site tells us by a signed call that it was done."),
    }[found]


def proof(found: Proof) -> str:
    """The label of trust."""
    return {
        Proof.VERIFIED: _("verified"),
        Proof.DECLARED: _("declared"),
        Proof.EXTERNAL: _("external"),
    }[found]


def proof_explained(found: Proof) -> str:
    """What the label means."""
    return {
        Proof.VERIFIED: _("We saw it ourselves."),
        Proof.DECLARED: _("The person says so: it does not change the rank, and is capped in the draw."),
        Proof.EXTERNAL: _("Another system said so in a signed call."),
    }[found]


def proof_tone(found: Proof) -> str:
    """The colour of the label."""
    return {Proof.VERIFIED: "success", Proof.DECLARED: "warning", Proof.EXTERNAL: "accent"}[found]


def repeat(found: Repeat) -> str:
    """How often."""
    return {
        Repeat.ONCE: _("Once"),
        Repeat.DAILY: _("Every day"),
        Repeat.WEEKLY: _("Every week"),
        Repeat.UNLIMITED: _("Up to a number"),
    }[found]


def work(found: str) -> str:
    """What is handed in."""
    return {"photo": _("A photo"), "text": _("A text"), "idea": _("An idea")}[found]


def state(found: DeedState) -> str:
    """What became of a deed."""
    return {
        DeedState.BEGUN: _("begun"),
        DeedState.WAITING: _("waiting for you"),
        DeedState.DONE: _("done"),
        DeedState.REFUSED: _("refused"),
    }[found]
