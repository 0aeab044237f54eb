"""The person's data, whole: every value with why, since when and how long; corrected, taken back, downloaded, erased.

Whoever holds the signed link of a confirmed entry sees it, and nobody else: not who typed the address into a form, nor
who comes with a link that is too old. What is done here holds at once, and the page says so in one sentence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import service as contacts
from leadgen.core import i18n
from leadgen.core.errors import Invalid
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing
from leadgen.forms.definition import FieldType
from leadgen.profile import answers, parts
from leadgen.profile import service as profile
from leadgen.profile.answers import Given
from leadgen.web import field_words, headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import data_words, me, sections, traces

_CHANNEL = "my data page"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """A refused form: at which field, in which words, and what was typed."""

    at: str
    message: str
    typed: dict[str, list[str]] = field(default_factory=dict)


@guarded_by(Guard.SIGNED_LINK)
def me_data_page(token: str) -> ResponseReturnValue:
    """Everything that is held about the person, with a way to change each of it."""
    standing, card = me.opened(token)
    return _shown(token, standing, card)


@guarded_by(Guard.SIGNED_LINK)
def me_data(token: str) -> ResponseReturnValue:
    """The file: all of it, for machines."""
    standing, card = me.opened(token)
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    told = json.dumps(sections.held_by_all(standing.contact_id), ensure_ascii=False, indent=2)
    response = Response(told, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="my-data-{standing.public_id}.json"'
    return headers.private(response)


@guarded_by(Guard.SIGNED_LINK)
def me_data_file(token: str) -> ResponseReturnValue:
    """The same as a document to keep and to print, with every line of the file in it."""
    standing, card = me.opened(token)
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    answer = me.page("public/my_data_file.html", **_values(token, standing, card))
    answer.headers["Content-Disposition"] = f'attachment; filename="my-data-{standing.public_id}.html"'
    return answer


@guarded_by(Guard.SIGNED_LINK)
def me_person(token: str) -> ResponseReturnValue:
    """Take what the person says their name, language and time zone are."""
    standing, card = me.opened(token)
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    typed = {name: request.form.get(name, "")[:_LONGEST] for name in ("first_name", "language", "timezone")}
    try:
        names = {"first_name": typed["first_name"], "locale": typed["language"], "timezone": typed["timezone"]}
        is_new = profile.correct(standing.contact_id, **names)
    except Invalid as error:
        problem = Problem(error.field or "first_name", str(error), {name: [said] for name, said in typed.items()})
        return _shown(token, standing, card, problem)
    return _back(token, "person", "corrected" if is_new else "same", lang=typed["language"] if is_new else "")


@guarded_by(Guard.SIGNED_LINK)
def me_correct(token: str, entry_id: int, key: str) -> ResponseReturnValue:
    """Put another answer in the place of one, checked as the form that asked for it checks it."""
    standing, card = me.opened(token)
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    typed = request.form.getlist(key)
    try:
        answers.correct(standing.contact_id, entry_id, key, typed)
    except Invalid as error:
        return _shown(token, standing, card, Problem(f"{entry_id}-{key}", str(error), {key: typed}))
    return _back(token, "answers", "answer")


@guarded_by(Guard.SIGNED_LINK)
def me_take_back(token: str, entry_id: int, key: str) -> ResponseReturnValue:
    """Forget one answer."""
    standing, card = me.opened(token)
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    answers.take_back(standing.contact_id, entry_id, key)
    return _back(token, "answers", "taken")


@guarded_by(Guard.SIGNED_LINK)
def me_choice(token: str) -> ResponseReturnValue:
    """Withdraw a purpose, or give consent to news again: one press each way."""
    standing, card = me.opened(token)
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    said = request.form.get("choice", "")
    if said == "answers":
        answers.take_all_back(standing.contact_id)
    elif said == "news":
        wording = card.text("consent_marketing", language.current())
        shown: dict[str, Any] = {"wording": wording, "control": "button"}
        shown |= {"rules_version": card.rules_version, "page_version": card.version}
        contacts.resubscribe(standing.contact_id, _CHANNEL, shown | traces.of_request("/me/data"))
    elif said == "no-news":
        contacts.unsubscribe(standing.contact_id, _CHANNEL, traces.of_request("/me/data"))
    return _back(token, "choices", said if said in {"answers", "news", "no-news"} else "")


def _shown(token: str, standing: Standing, card: CampaignCard, problem: Problem | None = None) -> ResponseReturnValue:
    if standing.status is not EntryStatus.CONFIRMED:
        return _closed(card)
    values = _values(token, standing, card)
    return me.page("public/my_data.html", 422 if problem else 200, problem=problem, **values)


def _values(token: str, standing: Standing, card: CampaignCard) -> dict[str, Any]:
    held = sections.held_by_all(standing.contact_id)
    given = answers.of(standing.contact_id)
    locale = language.current()
    return {
        "token": token,
        "card": card,
        "standing": standing,
        "texts": lambda key: card.text(key, locale),
        "held": held,
        "given": given,
        "typed_of": field_words.typed,
        "told": lambda one: field_words.told(one.field, one.value, one.default_locale),
        "choices_of": field_words.choices_of,
        "countries": field_words.countries() if _asks_country(given) else (),
        "parts_held": parts.of(held),
        "zone": parts.zone_of(held),
        "moment": datetime.fromisoformat,
        "acts": [data_words.act(one) for one in held["consents"]],
        "purposes": data_words.purposes(held, len(given)),
        "sections": data_words.sections(held),
        "done": data_words.done(request.args.get("done", "")),
        "languages": {code: Locale.parse(code).get_language_name(code) or code for code in i18n.LOCALES},
        "zones": sorted(available_timezones()),
    }


def _asks_country(given: list[Given]) -> bool:
    return any(one.field.type is FieldType.COUNTRY for one in given)


def _closed(card: CampaignCard) -> Response:
    """Who has not confirmed has not shown that the mailbox is theirs: no value is told."""
    return me.page("public/my_data_closed.html", 403, card=card)


def _back(token: str, anchor: str, done: str, lang: str = "") -> AnyResponse:
    values = {"done": done, "lang": lang or request.args.get("lang", "")}
    said: dict[str, Any] = {name: value for name, value in values.items() if value}
    return headers.private(redirect(url_for("public.me_data_page", token=token, _anchor=anchor, **said), 303))
