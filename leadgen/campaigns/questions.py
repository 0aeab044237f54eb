"""The qualification questions of a campaign, as everything that speaks of answers knows them: one list, set at once.

Forms are edited and published in the room above; what they publish becomes these rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadgen.campaigns.editing import check_locale, check_points, edited, in_each_language, line, not_final
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
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
    is_always: bool = True


def ask(campaign: Campaign, questions: Sequence[QuestionInput]) -> None:
    """Make these the questions of the campaign, in this order; those that are not among them are not asked any more.

    Once a campaign is published its questions are only switched off, for people who are answering; and what a key
    means stays. Raises Invalid, Conflict.
    """
    not_final(campaign)
    checked = [checked_question(question) for question in questions]
    keys = [question.key for question in questions]
    if len(set(keys)) < len(keys):
        raise Invalid(_("Another question of this campaign has this key."), "key")
    found = {question.key: question for question in campaign.questions}
    for question in questions:
        _check_kind(campaign, found.get(question.key), question)
    points = {question.key: question.points for question in questions}
    is_material = points != {q.key: q.points for q in campaign.questions if q.is_active}
    with edited(campaign, material=_points_told() if is_material else None):
        for place, (question, values) in enumerate(zip(questions, checked, strict=True), 1):
            row = found.get(question.key) or _added(campaign, question.key)
            row.kind, row.position, row.is_active, row.is_always = question.kind, place, True, question.is_always
            for name, value in values.items():
                setattr(row, name, value)
        for row in [row for row in campaign.questions if row.key not in points]:
            _stop_asking(campaign, row)


def _check_kind(campaign: Campaign, row: Question | None, question: QuestionInput) -> None:
    """An answer's kind is what conditions and exports rely on. Raises Conflict when it would change."""
    if campaign.rules_version and row is not None and row.kind is not question.kind:
        words = {"key": question.key}
        raise Conflict(_("“%(key)s” was answered in another way before. Give the question another key.") % words)


def _added(campaign: Campaign, key: str) -> Question:
    row = Question(key=key)
    campaign.questions.append(row)
    return row


def _stop_asking(campaign: Campaign, row: Question) -> None:
    if campaign.rules_version:
        row.is_active = False
    else:
        campaign.questions.remove(row)
        db.session.flush()


def checked_question(question: QuestionInput) -> dict[str, Any]:
    """Texts, options and points as they are kept. Raises Invalid (key, label, points, options)."""
    if not _KEY.fullmatch(question.key):
        raise Invalid(_("Use small letters, digits and _, beginning with a letter, such as travel_month."), "key")
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
    options = checked_options(question.options) if question.kind in _WITH_OPTIONS else []
    if question.kind in _WITH_OPTIONS and not 2 <= len(options) <= OPTIONS_LIMIT:
        raise Invalid(_("Give from 2 to %(limit)d choices.") % {"limit": OPTIONS_LIMIT}, "options")
    return {"texts": texts, "options": options, "points": question.points}


def checked_options(options: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Options with labels, each with an id; empty ones left out. Raises Invalid (options)."""
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
