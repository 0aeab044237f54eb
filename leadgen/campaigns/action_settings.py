"""What each kind of action needs to be told, what it may be, and how far its deeds can be believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from leadgen.campaigns.editing import check_locale, check_picture, line
from leadgen.campaigns.models import ActionKind, Proof, Repeat
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.text import address_parts

SHARE_NETWORKS = ("wa", "fb", "x", "li", "tg", "sms", "em")
FOLLOW_NETWORKS = ("ig", "fb", "tt", "yt", "li", "x", "pi", "tg")
WORKS = ("photo", "text", "idea")
LONGEST_URL = 500
QUESTIONS_LIMIT = 30
OPTIONS_LIMIT = 8
TRIES_LIMIT = 10
_ID = re.compile(r"[a-z0-9]{1,12}")

# How often an action of a kind may be done; the first is what a new one gets.
REPEATS: dict[ActionKind, tuple[Repeat, ...]] = {
    ActionKind.SHARE: (Repeat.ONCE, Repeat.DAILY, Repeat.WEEKLY),
    ActionKind.VISIT: (Repeat.ONCE, Repeat.DAILY, Repeat.WEEKLY),
    ActionKind.VIDEO: (Repeat.ONCE,),
    ActionKind.QUIZ: (Repeat.ONCE,),
    ActionKind.CODE: (Repeat.ONCE, Repeat.DAILY, Repeat.UNLIMITED),
    ActionKind.DAILY: (Repeat.DAILY,),
    ActionKind.FOLLOW: (Repeat.ONCE,),
    ActionKind.UPLOAD: (Repeat.ONCE, Repeat.UNLIMITED),
    ActionKind.CUSTOM: (Repeat.ONCE, Repeat.DAILY, Repeat.WEEKLY, Repeat.UNLIMITED),
    ActionKind.EXTERNAL: (Repeat.ONCE, Repeat.DAILY, Repeat.WEEKLY, Repeat.UNLIMITED),
}
# What a new action is worth (F6): a share 1 for each network, a follow 1, the daily visit 1.
POINTS: dict[ActionKind, int] = {
    ActionKind.SHARE: 1,
    ActionKind.VISIT: 1,
    ActionKind.VIDEO: 2,
    ActionKind.QUIZ: 5,
    ActionKind.CODE: 5,
    ActionKind.DAILY: 1,
    ActionKind.FOLLOW: 1,
    ActionKind.UPLOAD: 10,
    ActionKind.CUSTOM: 2,
    ActionKind.EXTERNAL: 5,
}
_VERIFIED = frozenset({ActionKind.QUIZ, ActionKind.CODE, ActionKind.DAILY, ActionKind.UPLOAD})


def proof_of(kind: ActionKind, settings: Mapping[str, Any]) -> Proof:
    """How far a deed can be believed: nobody chooses it, it follows from what the server sees (F6)."""
    if kind is ActionKind.EXTERNAL:
        return Proof.EXTERNAL
    is_seen = (
        kind in _VERIFIED
        or (kind is ActionKind.VISIT and bool(settings.get("callback")))
        or (kind is ActionKind.CUSTOM and bool(settings.get("approval")))
    )
    return Proof.VERIFIED if is_seen else Proof.DECLARED


def checked(kind: ActionKind, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an action of this kind, tidied; what it does not know is dropped. Raises Invalid (field)."""
    check = _CHECKS.get(kind)
    return check(settings) if check else {}


def web_address(raw: Any, field: str, *, is_needed: bool = True) -> str:
    """An https address that a browser can open, as it was typed. Raises Invalid."""
    address = line(str(raw or ""), field, limit=LONGEST_URL, is_needed=is_needed)
    parts = address_parts(address)
    is_good = parts.scheme == "https" and parts.hostname and not (parts.username or parts.password)
    if address and not (is_good and address.isprintable() and " " not in address and "\\" not in address):
        raise Invalid(_("Give an address that begins with https://."), field)
    if any(mark in address for mark in "'\";,<>"):  # it becomes part of a policy and of links
        raise Invalid(_("This address holds a character that must be written with %."), field)
    return address


def _whole(settings: Mapping[str, Any], field: str, least: int, most: int) -> int:
    value = settings.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(_("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}, field)
    return value


def _share(settings: Mapping[str, Any]) -> dict[str, Any]:
    networks = [name for name in SHARE_NETWORKS if name in settings.get("networks", ())]
    if not networks:
        raise Invalid(_("Choose at least one network."), "networks")
    return {"networks": networks}


def _visit(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "url": web_address(settings.get("url"), "url"),
        "seconds": _whole(settings, "seconds", 1, 600),
        "callback": bool(settings.get("callback")),
    }


def _video(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "url": web_address(settings.get("url"), "url"),
        "seconds": _whole(settings, "seconds", 1, 3600),
        "poster": check_picture(str(settings.get("poster") or "")),
        "captions": web_address(settings.get("captions"), "captions", is_needed=False),
    }


def _follow(settings: Mapping[str, Any]) -> dict[str, Any]:
    if settings.get("network") not in FOLLOW_NETWORKS:
        raise Invalid(_("Choose one of the networks."), "network")
    return {"network": settings["network"], "url": web_address(settings.get("url"), "url")}


def _custom(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"approval": bool(settings.get("approval")), "asks": bool(settings.get("asks"))}


def _upload(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the gallery reads: what is asked for, how many of a person, and the wording of the rights."""
    if settings.get("what") not in WORKS:
        raise Invalid(_("Say what people hand in."), "what")
    rights = {}
    for locale, words in (settings.get("rights") or {}).items():
        check_locale(locale)
        rights[locale] = line(str(words or ""), "rights", limit=500, is_needed=False)
    return {
        "what": settings["what"],
        "most_per_person": _whole(settings, "most_per_person", 1, 10),
        "rights": {locale: words for locale, words in rights.items() if words},
    }


def _quiz(settings: Mapping[str, Any]) -> dict[str, Any]:
    questions = [_question(raw, number) for number, raw in enumerate(settings.get("questions", ()), 1)]
    if not 1 <= len(questions) <= QUESTIONS_LIMIT:
        raise Invalid(_("Write from 1 to %(limit)d questions.") % {"limit": QUESTIONS_LIMIT}, "questions")
    if len({question["id"] for question in questions}) < len(questions):
        raise Invalid(_("Each question needs an id of its own."), "questions")
    each = bool(settings.get("each"))
    if each and settings.get("tries") != 1:
        raise Invalid(_("Where each right answer brings points there is one try."), "tries")
    return {
        "questions": questions,
        "each": each,
        "tries": _whole(settings, "tries", 1, TRIES_LIMIT),
        "pass": 0 if each else _whole(settings, "pass", 1, len(questions)),
    }


def _question(raw: Mapping[str, Any], number: int) -> dict[str, Any]:
    texts = {}
    for locale, words in raw["texts"].items():
        check_locale(locale)
        texts[locale] = {
            "label": line(str(words.get("label") or ""), "questions", limit=200, is_needed=False),
            "why": line(str(words.get("why") or ""), "questions", limit=500, is_needed=False),
        }
    words_of = {"number": number}
    if not any(words["label"] for words in texts.values()):
        raise Invalid(_("Write question %(number)d.") % words_of, "questions")
    options = [_option(option, place) for place, option in enumerate(raw["options"])]
    options = [option for option in options if any(option["texts"].values())]
    if not 2 <= len(options) <= OPTIONS_LIMIT:
        raise Invalid(_("Give question %(number)d from 2 to 8 answers.") % words_of, "questions")
    right = [option["id"] for option in options if option["id"] in raw["right"]]
    if not right:
        raise Invalid(_("Say which answer of question %(number)d is right.") % words_of, "questions")
    identity = str(raw.get("id") or f"q{number}")
    if not _ID.fullmatch(identity):
        raise Invalid(_("Each question needs an id of its own."), "questions")
    return {"id": identity, "texts": texts, "options": options, "right": right}


def _option(raw: Mapping[str, Any], place: int) -> dict[str, Any]:
    texts = {
        locale: line(str(word or ""), "questions", limit=120, is_needed=False) for locale, word in raw["texts"].items()
    }
    identity = str(raw.get("id") or "abcdefgh"[place % OPTIONS_LIMIT])
    if not _ID.fullmatch(identity):
        raise Invalid(_("Each answer needs an id of its own."), "questions")
    return {"id": identity, "texts": texts}


_CHECKS: dict[ActionKind, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    ActionKind.SHARE: _share,
    ActionKind.VISIT: _visit,
    ActionKind.VIDEO: _video,
    ActionKind.FOLLOW: _follow,
    ActionKind.CUSTOM: _custom,
    ActionKind.UPLOAD: _upload,
    ActionKind.QUIZ: _quiz,
}
