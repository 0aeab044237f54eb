"""What a marketer writes for a sequence or a broadcast: checked words, and answers that people can have given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from leadgen.campaigns.models import Question, QuestionKind
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.letters import kinds, words

NEEDED = ("subject", "heading", "body", "button")
LIMITS = {"subject": 120, "preheader": 150, "heading": 120, "body": 10_000, "button": 40, "url": 500}


def checked(locale: str, given: Mapping[str, str], letter: str) -> dict[str, str]:
    """The words of a letter in one language as they are kept. Raises Invalid with `<locale>-<text>` as its field."""
    texts = {key: str(given.get(key, "")).replace("\r\n", "\n").strip() for key in LIMITS}
    for key, limit in LIMITS.items():
        if len(texts[key]) > limit:
            raise Invalid(_("Use %(limit)d characters at most.") % {"limit": limit}, f"{locale}-{key}")
        if strange := words.unknown(texts[key], kinds.ALL[letter].placeholders):
            sentence = _("“%(word)s” is no placeholder that this letter knows.")
            raise Invalid(sentence % {"word": "{" + strange[0] + "}"}, f"{locale}-{key}")
    if texts["url"] and not words.is_web_address(texts["url"]):
        raise Invalid(_("Give an address that starts with https://, or none for the person’s page."), f"{locale}-url")
    return texts


def gaps(texts: Mapping[str, Any], locale: str) -> list[str]:
    """The texts without which a letter cannot go out in a language, and that are empty."""
    return [key for key in NEEDED if not texts.get(locale, {}).get(key)]


def question(campaign_id: int, key: Any) -> Question:
    """A question that the campaign asks. Raises Invalid."""
    found = db.session.scalar(
        select(Question).where(
            Question.campaign_id == campaign_id, Question.key == str(key or ""), Question.is_active.is_(True)
        )
    )
    if found is None:
        raise Invalid(_("Choose a question of this campaign."), "condition")
    return found


def is_answer(of: Question, value: Any) -> bool:
    """Whether somebody can have given this answer."""
    if of.kind in {QuestionKind.CHOICE, QuestionKind.MANY}:
        return isinstance(value, str) and value in {option["id"] for option in of.options}
    if of.kind is QuestionKind.YES_NO:
        return isinstance(value, bool)
    if of.kind is QuestionKind.NUMBER:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, str) and bool(value)
