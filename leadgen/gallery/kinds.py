"""What can be handed in, how long its words may be, the rights that are asked for, and why works are refused."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.core import text
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

LONGEST_TITLE = 90
MOST_FOR_A_PERSON = 20


class WorkKind(StrEnum):
    """What an action of kind `upload` asks for, as its settings say (`what`)."""

    PHOTO = "photo"
    TEXT = "text"
    IDEA = "idea"


LONGEST_BODY = {WorkKind.PHOTO: 500, WorkKind.TEXT: 5000, WorkKind.IDEA: 1500}

# Why staff refuse a work; the maker reads the sentence in their own language. Any other reason is in staff's own words.
REASONS: dict[str, Callable[[], str]] = {
    "off_topic": lambda: _("It does not fit what the contest asks for."),
    "quality": lambda: _("Too little can be seen or read of it."),
    "people": lambda: _("It shows people who can be recognised and may not have agreed."),
    "not_own": lambda: _("It seems to be somebody else’s work."),
    "advertising": lambda: _("It advertises something."),
    "offensive": lambda: _("It may hurt or insult people."),
}


def kind_of(action: ActionCard) -> WorkKind:
    """What this action asks for; a photo when its settings do not say."""
    asked = action.settings.get("what")
    return WorkKind(asked) if asked in set(WorkKind) else WorkKind.PHOTO


def most_of(action: ActionCard) -> int:
    """How many works one person may have in the contest for this action."""
    try:
        asked = int(action.settings.get("most_per_person") or 1)
    except (TypeError, ValueError):
        asked = 1
    return min(max(asked, 1), MOST_FOR_A_PERSON)


def rights_of(action: ActionCard, card: CampaignCard, locale: str) -> str:
    """The words of the box: the marketer's own, else ours."""
    own = action.settings.get("rights")
    found = own.get(locale) or own.get(card.default_locale) if isinstance(own, dict) else own
    if isinstance(found, str) and found.strip():
        return found.strip()
    return _(
        "This is my own work, people who can be recognised in it agree, and %(brand)s may show it with my first name "
        "on the pages of this contest. I can withdraw it at any time."
    ) % {"brand": card.brand.name}


def reason_in_words(reason: str) -> str:
    """Why a work was refused, as its maker reads it."""
    return REASONS[reason]() if reason in REASONS else reason


def tidy_line(words: str) -> str:
    """One line without control characters or signs that turn the direction of what follows."""
    return text.one_line(words, 1000)


def tidy_text(words: str) -> str:
    """Paragraphs, each tidy; no more than one empty line between them."""
    lines = [text.one_line(line, 10_000) for line in words.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept).strip()


def faults_of_words(action: ActionCard, title: str, body: str) -> list[Invalid]:
    """What is wrong with the words of a work."""
    kind = kind_of(action)
    faults = []
    if not tidy_line(title):
        faults.append(Invalid(_("Give your work a title."), "title"))
    elif len(tidy_line(title)) > LONGEST_TITLE:
        faults.append(Invalid(_too_long(LONGEST_TITLE, len(tidy_line(title))), "title"))
    written = tidy_text(body)
    if kind is not WorkKind.PHOTO and not written:
        faults.append(Invalid(_("Write your text.") if kind is WorkKind.TEXT else _("Write your idea."), "body"))
    elif len(written) > LONGEST_BODY[kind]:
        faults.append(Invalid(_too_long(LONGEST_BODY[kind], len(written)), "body"))
    return faults


def _too_long(most: int, found: int) -> str:
    return _("Please use at most %(most)s characters; these are %(are)s.") % {"most": most, "are": found}
