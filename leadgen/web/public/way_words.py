"""What the cards of actions say: names, worth, states and results, in the reader's language."""

from __future__ import annotations

from datetime import datetime

from leadgen.actions.rules import Stand, Way
from leadgen.actions.service import Outcome, Result
from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.campaigns.models import ActionKind, Repeat
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext

GOOD = frozenset({Outcome.DONE, Outcome.BEGUN, Outcome.WAITING, Outcome.ALREADY})
NETWORKS = {
    "wa": "WhatsApp",
    "fb": "Facebook",
    "x": "X",
    "li": "LinkedIn",
    "tg": "Telegram",
    "sms": "SMS",
    "em": "",
    "ig": "Instagram",
    "tt": "TikTok",
    "yt": "YouTube",
    "pi": "Pinterest",
}
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


def network(key: str) -> str:
    """A network's name."""
    return NETWORKS.get(key) or _("E-mail")


def icon(action: ActionCard) -> str:
    """The icon of an action's kind."""
    return ICONS[action.kind]


def text(action: ActionCard, card: CampaignCard, key: str) -> str:
    """The marketer's own words in the reader's language, else in the campaign's."""
    for locale in (i18n.locale(), card.default_locale):
        if found := action.texts.get(locale, {}).get(key):
            return str(found)
    return ""


def title(action: ActionCard, card: CampaignCard) -> str:
    """What the card is called."""
    return text(action, card, "title") or action.key


def button(action: ActionCard, card: CampaignCard) -> str:
    """What the button says: the marketer's word, else ours."""
    return text(action, card, "button") or {
        ActionKind.VISIT: _("Visit the site"),
        ActionKind.QUIZ: _("Play the quiz"),
        ActionKind.CODE: _("Redeem"),
        ActionKind.DAILY: _("Collect today’s bonus"),
        ActionKind.FOLLOW: _("I follow"),
        ActionKind.SHARE: _("I have shared it"),
    }.get(action.kind, _("I have done it"))


def worth(action: ActionCard) -> str:
    """What it brings: “+2 points”, for each right answer of a quiz that counts them, or chances alone."""
    number = action.points or action.chances
    if action.points:
        words = ngettext("+%(n)s point", "+%(n)s points", number) % {"n": i18n.format_number(number)}
    else:
        words = ngettext("+%(n)s chance", "+%(n)s chances", number) % {"n": i18n.format_number(number)}
    if action.kind is ActionKind.QUIZ and action.settings.get("each"):
        return _("%(points)s for each right answer") % {"points": words}
    if action.kind is ActionKind.SHARE and len(action.settings.get("networks", ())) > 1:
        return _("%(points)s for each network") % {"points": words}
    return words


def rhythm(action: ActionCard) -> str:
    """How often it can be done; empty for what is done once."""
    if action.repeat is Repeat.UNLIMITED and action.most_times:
        return ngettext("up to %(n)s time", "up to %(n)s times", action.most_times) % {"n": action.most_times}
    return {Repeat.DAILY: _("every day"), Repeat.WEEKLY: _("every week")}.get(action.repeat, "")


def state(way: Way, card: CampaignCard) -> str:
    """Why the card has no button now, in a sentence; empty when it has one."""
    if way.stand is Stand.LOCKED:
        return _locked(way, card)
    if way.at is not None:
        return _later(way, way.at, card)
    sentences = {
        Stand.DONE: _("Done"),
        Stand.FAILED: _("Not this time. There is no further try."),
        Stand.WAITING: _("Handed in. We look at it, then your points follow."),
        Stand.OVER: _("This one is over."),
    }
    return sentences.get(way.stand, "")


def _later(way: Way, at: datetime, card: CampaignCard) -> str:
    if way.stand is Stand.NOT_YET:
        return _("Opens on %(moment)s.") % {"moment": i18n.format_datetime(at, card.timezone)}
    if way.action.repeat is Repeat.DAILY:
        return _("Done for today. It comes back tomorrow.")
    return _("Done. It comes back on %(day)s.") % {"day": i18n.format_date(at, card.timezone)}


def _locked(way: Way, card: CampaignCard) -> str:
    if way.must:
        first = [title(other, card) for other in card.actions if other.id in way.must]
        return _("Opens after: %(first)s.") % {"first": ", ".join(first)}
    return ngettext(
        "Opens when you have done %(n)s other of this list.",
        "Opens when you have done %(n)s others of this list.",
        way.missing,
    ) % {"n": way.missing}


def result(action: ActionCard, found: Result) -> str:
    """What came of a deed, in a sentence."""
    if found.outcome is Outcome.DONE and found.points:
        return ngettext(
            "Thank you. %(n)s point more for you.", "Thank you. %(n)s points more for you.", found.points
        ) % {"n": i18n.format_number(found.points)}
    if found.outcome is Outcome.BEGUN and action.kind is ActionKind.VISIT:
        return _going(action)
    if found.outcome is Outcome.WRONG and action.kind is ActionKind.QUIZ:
        return _("Not enough right answers yet. You may try again.")
    if found.outcome is Outcome.TOO_SOON and action.kind is ActionKind.QUIZ:
        return _("That was very fast. Read the questions, then answer; no try was spent.")
    return _sentences(found.seconds)[found.outcome]


def _going(action: ActionCard) -> str:
    if action.settings.get("callback"):
        return _("Open the site now. It tells us that you were there, and your points follow.")
    return _("Open the site now, look around, then come back here.")


def _sentences(seconds: int) -> dict[Outcome, str]:
    minutes = -(-seconds // 60)
    return {
        Outcome.DONE: _("Thank you. It is noted."),
        Outcome.BEGUN: ngettext("%(n)s second to go.", "%(n)s seconds to go.", seconds) % {"n": seconds},
        Outcome.WAITING: _("Thank you. We look at it, then your points follow."),
        Outcome.ALREADY: _("You have done this already; it counts once."),
        Outcome.LOCKED: _("Something else of this list comes first."),
        Outcome.NOT_YET: _("This has not begun yet."),
        Outcome.OVER: _("This one is over."),
        Outcome.CLOSED: _("The contest takes no deeds at the moment."),
        Outcome.UNCONFIRMED: _("Confirm your address first; then everything counts."),
        Outcome.TOO_SOON: ngettext(
            "Stay %(n)s second longer, then come back.", "Stay %(n)s seconds longer, then come back.", seconds
        )
        % {"n": seconds},
        Outcome.FAILED: _("Not enough right answers, and no try is left."),
        Outcome.WRONG: _("This code is not right. Check each letter."),
        Outcome.USED_UP: _("This code has been used as often as it can be."),
        Outcome.RESTING: ngettext(
            "Too many wrong codes. Try again in %(n)s minute.",
            "Too many wrong codes. Try again in %(n)s minutes.",
            minutes,
        )
        % {"n": minutes},
    }
