"""The catalogue of letters: which kinds of mail exist, how urgent each is, and what a marketer may change in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from leadgen.core.i18n import gettext as _
from leadgen.letters.models import Lane, MailPurpose

# Filled in once for a campaign, for every letter.
CAMPAIGN_PLACEHOLDERS = ("brand", "campaign", "prize", "prizes_value", "end_date")
# Filled in for each person, when the mail is sent.
PERSON_PLACEHOLDERS = ("first_name", "link", "share_link", "days_left")


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of mail; `name` is its folder in templates/mail/.

    `lifetime` says how long after it is due it still makes sense, `editable` names the texts that a
    marketer may replace, `placeholders` what may stand in them as `{name}`.
    """

    name: str
    lane: Lane
    purpose: MailPurpose
    lifetime: timedelta
    placeholders: tuple[str, ...]
    editable: tuple[str, ...] = ("subject", "heading", "body", "button")

    @property
    def is_marketing(self) -> bool:
        """Whether it needs consent, respects quiet hours and the cap, and carries the unsubscribe headers."""
        return self.purpose is MailPurpose.MARKETING


_ALL_PLACEHOLDERS = (*CAMPAIGN_PLACEHOLDERS, *PERSON_PLACEHOLDERS)
# Who has not confirmed has no page, nothing to share, and gets no advertising.
_UNCONFIRMED = ("brand", "campaign", "first_name", "link")
_REWARD = ("reward", "reward_code")
_TIMED = ("reward", "reward_until")
_LETTERS = (
    Letter("confirm", Lane.CONFIRMATION, MailPurpose.CONFIRMATION, timedelta(hours=24), (*_UNCONFIRMED, "code")),
    Letter("reminder", Lane.CONFIRMATION, MailPurpose.CONFIRMATION, timedelta(hours=24), _UNCONFIRMED),
    Letter("welcome", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=48), _ALL_PLACEHOLDERS),
    Letter("page_link", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=24), _ALL_PLACEHOLDERS),
    Letter("reward_ready", Lane.SERVICE, MailPurpose.SERVICE, timedelta(days=7), (*_ALL_PLACEHOLDERS, "reward")),
    Letter("reward_code", Lane.SERVICE, MailPurpose.SERVICE, timedelta(days=7), (*_ALL_PLACEHOLDERS, *_REWARD)),
    Letter("reward_expiring", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=47), (*_ALL_PLACEHOLDERS, *_TIMED)),
    Letter("friend_counted", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=24), _ALL_PLACEHOLDERS),
    Letter("work_decided", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=48), _ALL_PLACEHOLDERS),
    Letter("appeal_answer", Lane.SERVICE, MailPurpose.SERVICE, timedelta(days=7), _ALL_PLACEHOLDERS),
    Letter("sequence", Lane.NURTURE, MailPurpose.MARKETING, timedelta(hours=48), _ALL_PLACEHOLDERS, editable=()),
    # As long as a warm-up plan may need to get through a large base.
    Letter("broadcast", Lane.BULK, MailPurpose.MARKETING, timedelta(days=30), _ALL_PLACEHOLDERS, editable=()),
)
ALL: Mapping[str, Letter] = {letter.name: letter for letter in _LETTERS}


def title(name: str) -> str:
    """What a letter is called on the marketer's pages, in the current language."""
    return {
        "confirm": _("Confirmation of the entry"),
        "reminder": _("Reminder to confirm"),
        "welcome": _("Welcome"),
        "page_link": _("Link to the personal page"),
        "reward_ready": _("A reward is ready"),
        "reward_code": _("A code as a reward"),
        "reward_expiring": _("A reward is not claimed yet"),
        "friend_counted": _("Friends count"),
        "work_decided": _("A work was looked at"),
        "appeal_answer": _("Answer to a message"),
        "sequence": _("Letter of a sequence"),
        "broadcast": _("Broadcast"),
    }[name]


def use(name: str) -> str:
    """What a letter is for, in a sentence."""
    return {
        "confirm": _("Asks whether the address is theirs, with a link and a code. Nothing counts before."),
        "reminder": _("Asks once more, with the same facts and no advertising."),
        "welcome": _("Says that they are in, with their page and the link to share."),
        "page_link": _("Gives the link to their page to whoever enters a second time or comes with an old link."),
        "reward_ready": _("Says that a reward is theirs and leads to their page."),
        "reward_code": _("Gives the code that they have earned."),
        "reward_expiring": _("Says that a reward waits, and until when."),
        "friend_counted": _("Says that friends whom they invited have confirmed, with the link to go on."),
        "work_decided": _("Says that their work was looked at; their page says what became of it."),
        "appeal_answer": _("Says that our answer to a person’s message about a check stands on their page."),
        "sequence": _("Goes on with the conversation, step by step."),
        "broadcast": _("Tells something to many people at once."),
    }[name]


def occasion(name: str) -> str:
    """When a letter goes out, in a few words."""
    return {
        "confirm": _("at once after the form"),
        "reminder": _("once, a day later, to who has not confirmed"),
        "welcome": _("at once after confirming"),
        "page_link": _("at once when it is asked for"),
        "reward_ready": _("when a reward is approved"),
        "reward_code": _("when a code is given"),
        "reward_expiring": _("once, two days before a reward expires"),
        "friend_counted": _("at once for the first friend, then the next morning, one a day at most"),
        "work_decided": _("once a day at most, after you accepted or refused a work"),
        "appeal_answer": _("when somebody of the staff has answered"),
        "sequence": _("after confirming, at each step’s delay"),
        "broadcast": _("when you send it"),
    }[name]


def meaning(placeholder: str) -> str:
    """What a placeholder stands for."""
    return {
        "brand": _("name of the brand"),
        "campaign": _("title of the contest"),
        "prize": _("name of the first prize"),
        "prizes_value": _("value of all prizes"),
        "end_date": _("last day of the contest"),
        "first_name": _("first name, or nothing when it is not known"),
        "link": _("the person’s own link: to confirm, later to their page"),
        "share_link": _("the link to pass on to friends"),
        "days_left": _("days until the contest ends"),
        "code": _("the six digits that confirm too"),
        "reward": _("name of the reward"),
        "reward_code": _("the person’s own code"),
        "reward_until": _("until when the reward can be claimed"),
    }[placeholder]


def lane(lane: Lane) -> str:
    """What a lane means for the letters in it."""
    return {
        Lane.CONFIRMATION: _("goes before everything else"),
        Lane.SERVICE: _("goes right after confirmations"),
        Lane.NURTURE: _("lets confirmations and service go first"),
        Lane.BULK: _("goes when nothing else waits"),
    }[lane]
