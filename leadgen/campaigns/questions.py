"""The qualification questions of a campaign: add, edit, remove, move."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from leadgen.campaigns.editing import check_locale, check_points, edited, in_each_language, line, not_final
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.campaigns.prizes import move
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _

OPTIONS_LIMIT = 30
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTION_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_WITH_OPTIONS = {QuestionKind.CHOICE, QuestionKind.MANY}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionInput:
    """A question as the marketer defines it; `texts` and `options` as in campaigns.models.Question.

    `key` names the answer in the contact's profile and in conditions; options keep their ids while labels change.
    """

    key: str
    kind: QuestionKind
    texts: Mapping[str, Mapping[str, str]]
    options: Sequence[Mapping[str, Any]] = ()
    points: int = 2


def add_question(campaign: Campaign, question: QuestionInput) -> Question:
    """Put a question at the end of the list. Raises Invalid."""
    not_final(campaign)
    if not _KEY.fullmatch(question.key):
        raise Invalid(_("Use small letters, digits and _, beginning with a letter, such as travel_month."), "key")
    if any(other.key == question.key for other in campaign.questions):
        raise Invalid(_("Another question of this campaign has this key."), "key")
    position = max((q.position for q in campaign.questions), default=0) + 1
    added = Question(position=position, key=question.key, kind=question.kind, is_active=True, **_checked(question))
    with edited(campaign, material=_points_told()):
        campaign.questions.append(added)
    return added


def edit_question(campaign: Campaign, question_id: int, question: QuestionInput) -> Question:
    """Replace texts, options and points. Key and kind stay as they are once anybody may have answered.

    Raises NotFound, Invalid, Conflict.
    """
    not_final(campaign)
    found = _find(campaign, question_id)
    if (question.key, question.kind) != (found.key, found.kind):
        raise Conflict(_("The key and the type of a question stay as they are. Remove it and add another."))
    checked = _checked(question)
    with edited(campaign, material=_points_told() if checked["points"] != found.points else None):
        for key, value in checked.items():
            setattr(found, key, value)
    return found


def remove_question(campaign: Campaign, question_id: int) -> None:
    """Stop asking a question: it is deleted, or only switched off when somebody has answered it. Raises NotFound."""
    not_final(campaign)
    found = _find(campaign, question_id)
    with edited(campaign, material=_points_told()):
        try:
            with db.session.begin_nested():  # the answers' foreign key knows, even while somebody is answering
                db.session.delete(found)
        except IntegrityError:
            db.session.refresh(found)
            found.is_active = False


def move_question(campaign: Campaign, question_id: int, *, by: int) -> None:
    """Move a question up (`by` = −1) or down (1) in the list."""
    found = _find(campaign, question_id)
    with edited(campaign):
        move([q for q in campaign.questions if q.is_active], found, by)


def _find(campaign: Campaign, question_id: int) -> Question:
    found = next((q for q in campaign.questions if q.id == question_id and q.is_active), None)
    if found is None:
        raise NotFound
    return found


def _checked(question: QuestionInput) -> dict[str, Any]:
    texts = {}
    for locale, words in question.texts.items():
        check_locale(locale)
        texts[locale] = {
            "label": line(words.get("label", ""), "label", limit=200, is_needed=False),
            "help": line(words.get("help", ""), "help", limit=300, is_needed=False),
        }
    if not any(words["label"] for words in texts.values()):
        raise Invalid(_("Write the question."), "label")
    check_points(question.points, "points", least=0)
    options = _options(question.options) if question.kind in _WITH_OPTIONS else []
    if question.kind in _WITH_OPTIONS and not 2 <= len(options) <= OPTIONS_LIMIT:
        raise Invalid(_("Give from 2 to %(limit)d choices.") % {"limit": OPTIONS_LIMIT}, "options")
    return {"texts": texts, "options": options, "points": question.points}


def _options(options: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for option in options:
        labels = {locale: str(label).strip() for locale, label in option["texts"].items()}
        if not any(labels.values()):
            continue
        identity = str(option.get("id", "")) or _free_id(labels, kept)
        if not _OPTION_ID.fullmatch(identity) or any(identity == other["id"] for other in kept):
            raise Invalid(_("Each choice needs an id of its own."), "options")
        if any(len(label) > 120 for label in labels.values()):
            raise Invalid(_("Keep each choice to 120 characters."), "options")
        kept.append({"id": identity, "texts": labels})
    return kept


def _free_id(labels: Mapping[str, str], taken: list[dict[str, Any]]) -> str:
    """An id from the first label that is not empty, with a number behind it when it is taken."""
    label = next(label for label in labels.values() if label)
    base = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:30] or "choice"
    ids = {option["id"] for option in taken}
    return next(i for i in (base, *(f"{base}-{n}" for n in range(2, OPTIONS_LIMIT + 2))) if i not in ids)


def _points_told() -> dict[str, str]:
    return in_each_language("The questions and the points that they bring have changed. Points already earned stay.")
