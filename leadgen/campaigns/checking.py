"""What is still missing before a campaign can be launched, each with the place where it is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Action, ActionKind, Campaign, Mechanic
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _

NEEDED_TEXTS = ("title", "lead", "share_text", "rules", "consent_rules", "consent_marketing")
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
# Templates tell the marketer in brackets what to write there.
_NOTE = re.compile(r"\[[^\]]+\]")
_SHORTEST = timedelta(hours=1)
# Milestones and codes have rewards of their own, a waiting list has places.
_NEEDING_PRIZES = {Mechanic.DRAW, Mechanic.RANK, Mechanic.QUIZ, Mechanic.VOTES}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to do before launch.

    `where` is brand, dates, texts, prizes, rewards, codes, questions, actions, works, rules or consents; `part` is the
    id of the one prize, reward, question or action that it is about.
    """

    where: str
    sentence: str
    part: int = 0


def missing_before_launch(campaign: Campaign) -> list[Problem]:
    """Everything that keeps the campaign from being launched, in the current language; empty when it is ready."""
    brand = db.session.get_one(Brand, campaign.brand_id)
    finders = (
        _brand(brand),
        _dates(campaign),
        _texts(campaign),
        _prizes(campaign),
        _rewards(campaign),
        _questions(campaign),
        _actions(campaign),
        _votes(campaign),
    )
    return [problem for finder in finders for problem in finder]


def _brand(brand: Brand) -> Iterator[Problem]:
    if not (brand.legal_name.strip() and brand.legal_address.strip()):
        yield Problem("brand", _("Give the organiser’s legal name and address: the rules must name them."))
    if "@" not in brand.contact_email:
        yield Problem("brand", _("Give an address at which people can write to the organiser."))
    if not brand.sender_name.strip() or "@" not in brand.sender_email:
        yield Problem("brand", _("Give the name and the address that letters are sent from."))


def _dates(campaign: Campaign) -> Iterator[Problem]:
    if campaign.ends_at - campaign.starts_at < _SHORTEST:
        yield Problem("dates", _("The end must come at least an hour after the start."))
    elif campaign.ends_at <= clock.now():
        yield Problem("dates", _("The end lies in the past. Choose a later one."))


def _texts(campaign: Campaign) -> Iterator[Problem]:
    where = {"rules": "rules", "consent_rules": "consents", "consent_marketing": "consents"}
    for locale in i18n.LOCALES:
        texts = campaign.texts.get(locale, {})
        words = {"language": language(locale)}
        for key in NEEDED_TEXTS:
            if not str(texts.get(key, "")).strip():
                sentence = _("“%(text)s” is empty in %(language)s.") % (words | {"text": text_name(key)})
                yield Problem(where.get(key, "texts"), sentence)
        if texts.get("share_text") and "{link}" not in texts["share_text"]:
            yield Problem("texts", _("The sharing text in %(language)s needs {link}, the person’s own link.") % words)
        yield from _left_overs(str(texts.get("rules", "")), words)


def _left_overs(filled_rules: str, words: dict[str, str]) -> Iterator[Problem]:
    if found := _PLACEHOLDER.search(filled_rules):
        sentence = _("The rules in %(language)s hold %(word)s, which is no placeholder that we know.")
        yield Problem("rules", sentence % (words | {"word": found.group()}))


def _prizes(campaign: Campaign) -> Iterator[Problem]:
    if not campaign.prizes and not campaign.milestones and _NEEDING_PRIZES & set(campaign.mechanics):
        yield Problem("prizes", _("Add at least one prize."))
    for number, prize in enumerate(campaign.prizes, 1):
        for locale in i18n.LOCALES:
            words = {"number": number, "language": language(locale)}
            texts = prize.texts.get(locale, {})
            if not texts.get("title"):
                yield Problem("prizes", _("Prize %(number)d has no name in %(language)s.") % words, prize.id)
            if _NOTE.search(str(texts.get("description", ""))):
                sentence = _("The description of prize %(number)d in %(language)s still holds the template’s note.")
                yield Problem("prizes", sentence % words, prize.id)
        if prize.value <= 0:
            sentence = _("Prize %(number)d has no value; the rules must state it.")
            yield Problem("prizes", sentence % {"number": number}, prize.id)


def _rewards(campaign: Campaign) -> Iterator[Problem]:
    for number, milestone in enumerate(campaign.milestones, 1):
        for locale in i18n.LOCALES:
            words = {"number": number, "language": language(locale)}
            texts = milestone.texts.get(locale, {})
            if not texts.get("title"):
                yield Problem("rewards", _("Reward %(number)d has no name in %(language)s.") % words, milestone.id)
            if _NOTE.search(str(texts.get("description", ""))):
                sentence = _("The description of reward %(number)d in %(language)s still holds the template’s note.")
                yield Problem("rewards", sentence % words, milestone.id)


def _questions(campaign: Campaign) -> Iterator[Problem]:
    for question in (q for q in campaign.questions if q.is_active):
        for locale in i18n.LOCALES:
            labels = [question.texts.get(locale, {}).get("label"), *(o["texts"].get(locale) for o in question.options)]
            if not all(labels):
                words = {"key": question.key, "language": language(locale)}
                sentence = _("The question “%(key)s” is not complete in %(language)s.")
                yield Problem("questions", sentence % words, question.id)


def _actions(campaign: Campaign) -> Iterator[Problem]:
    for action in (a for a in campaign.actions if a.is_active):
        for locale in i18n.LOCALES:
            if not _is_told(action, locale):
                words = {"key": action.key, "language": language(locale)}
                sentence = _("The action “%(key)s” is not complete in %(language)s.")
                yield Problem("actions", sentence % words, action.id)


def _is_told(action: Action, locale: str) -> bool:
    """Whether everything that people read of an action is there in this language: title, questions, their answers."""
    asked = action.settings.get("questions", ())
    told = [action.texts.get(locale, {}).get("title"), *(q["texts"].get(locale, {}).get("label") for q in asked)]
    return all(told) and all(o["texts"].get(locale) for q in asked for o in q["options"])


def _votes(campaign: Campaign) -> Iterator[Problem]:
    if Mechanic.VOTES not in campaign.mechanics:
        return
    if not any(action.kind is ActionKind.UPLOAD and action.is_active for action in campaign.actions):
        yield Problem("actions", _("Add an action by which people hand in their works."))
    starts_at, ends_at = campaign.votes_start_at, campaign.votes_end_at
    if starts_at is None or ends_at is None:
        yield Problem("works", _("Say when people vote."))
    elif starts_at <= campaign.starts_at:
        yield Problem("works", _("The vote must begin later than the contest, so that there is something to vote for."))
    elif ends_at <= starts_at:
        yield Problem("works", _("The vote must end after it begins."))


def language(locale: str) -> str:
    """The name of a language, in the current language."""
    return {"en": _("English"), "fr": _("French")}[locale]


def text_name(key: str) -> str:
    """What a text of a campaign is called in the studio, in the current language."""
    return {
        "title": _("Title"),
        "lead": _("Introduction"),
        "share_text": _("Sharing text"),
        "rules": _("Rules"),
        "consent_rules": _("Wording of the rules box"),
        "consent_marketing": _("Wording of the news box"),
    }[key]
