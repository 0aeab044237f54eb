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
_LETTERS = (
    Letter("confirm", Lane.CONFIRMATION, MailPurpose.CONFIRMATION, timedelta(hours=24), (*_UNCONFIRMED, "code")),
    Letter("reminder", Lane.CONFIRMATION, MailPurpose.CONFIRMATION, timedelta(hours=24), _UNCONFIRMED),
    Letter("welcome", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=48), _ALL_PLACEHOLDERS),
    Letter("page_link", Lane.SERVICE, MailPurpose.SERVICE, timedelta(hours=24), _ALL_PLACEHOLDERS),
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
        "sequence": _("Letter of a sequence"),
        "broadcast": _("Broadcast"),
    }[name]
