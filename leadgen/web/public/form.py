"""The form that a confirmed person fills in page by page, by their signed link; every page works without a script."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import service as contacts
from leadgen.core import i18n, logic
from leadgen.core.errors import Conflict
from leadgen.entries.person import Standing as Person
from leadgen.forms import definition as documents
from leadgen.forms import drafts, filling, places, values
from leadgen.forms import queue as asking
from leadgen.forms.definition import Field, FieldType
from leadgen.forms.filling import Sent
from leadgen.forms.flow import Path, Stop
from leadgen.forms.places import Standing
from leadgen.web import field_words, headers, language, preview
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me, traces

PAGE = "_page"  # names that no field's key can have
SHOWN = "_shown"
_CHANNEL = "form"


@guarded_by(Guard.SIGNED_LINK)
def me_form(token: str) -> ResponseReturnValue:
    """A page of the form, the way in, or what is finished. Each page has its own address, for the back button."""
    person, card = me.opened(token)
    standing = places.read(person.entry_id, card)
    if not standing.is_open:
        return _page_of(token, person, card, standing, stop=None)
    path = standing.path
    stop = path.stop(request.args.get("page", ""))
    if stop is None and path.stops:
        # Where every page is sent, the finish was not heard of: the last page has the button.
        return _to(token, page=(filling.resume(standing) or path.stops[-1]).page.id)
    return _page_of(token, person, card, standing, stop=stop)


@guarded_by(Guard.SIGNED_LINK)
def me_form_begin(token: str) -> ResponseReturnValue:
    """Open the form, or open it again to correct what was said."""
    person, card = me.opened(token)
    filling.begin(places.read(person.entry_id, card), card)
    return _to(token)


@guarded_by(Guard.SIGNED_LINK)
def me_form_send(token: str) -> ResponseReturnValue:
    """Keep one page and go on; the last one finishes the form."""
    person, card = me.opened(token)
    standing = places.read(person.entry_id, card)
    page_id = request.form.get(PAGE, "")
    try:
        sent = filling.send(standing, page_id, request.form.to_dict(flat=False), request.form.getlist(SHOWN))
        if sent.stop is not None:
            return _page_of(token, person, card, standing, stop=sent.stop, sent=sent)
        if sent.is_end:
            return _finished(token, places.read(person.entry_id, card), card)
    except Conflict:  # finished in another window, or nothing to finish yet: show what is
        return _to(token)
    return _to(token, page=sent.next_page, more=int(sent.is_more))


def _finished(token: str, standing: Standing, card: CampaignCard) -> ResponseReturnValue:
    if open_stop := filling.resume(standing):
        return _to(token, page=open_stop.page.id)
    done = filling.finish(standing)
    for one in done.consents:
        wording = one.label(i18n.locale())
        proof: dict[str, Any] = {"wording": wording, "control": "box", "form_version": standing.number}
        proof |= {"rules_version": card.rules_version, "page_version": card.version}
        contacts.resubscribe(standing.contact_id, _CHANNEL, proof | traces.of_request("/me/form"))
    return _to(token, earned=done.points)


def _to(token: str, **said: Any) -> AnyResponse:
    values_said = {name: value for name, value in said.items() if value not in {"", 0}}
    if "lang" in request.args:
        values_said["lang"] = request.args["lang"]
    return headers.private(redirect(url_for("public.me_form", token=token, **values_said), 303))


def _page_of(
    token: str, person: Person, card: CampaignCard, standing: Standing, *, stop: Stop | None, sent: Sent | None = None
) -> ResponseReturnValue:
    problems = sent.problems if sent and sent.problems else {}
    path = standing.path
    answers = values.fitting(standing.definition, standing.answers)
    return me.page(
        "public/form.html",
        422 if problems else 200,
        token=token,
        card=card,
        person=person,
        standing=standing,
        stop=stop,
        drawn=drawn(stop, sent, answers),
        problems=problems,
        is_more="more" in request.args,
        earned=request.args.get("earned", ""),
        before=_before(path, stop),
        place=_place(path, stop),
        choices_of=field_words.choices_of,
        countries=field_words.countries() if _asks_country(stop) else (),
        queue=asking.queue(standing, card.timezone, most=99),
        data=for_script(standing.definition, stop, answers, standing.known),
    )


def drawn(stop: Stop | None, sent: Sent | None, answers: dict[str, Any]) -> list[tuple[Field, list[str], bool]]:
    """(field, what stands in it, whether it is shown) of each field of the page, the hidden ones for the script."""
    if stop is None:
        return []
    shown = {one.key for one in stop.fields}
    fields = [one for one in stop.page.fields if one.type is not FieldType.HIDDEN]
    typed = sent.typed if sent and sent.typed else None
    return [
        (one, typed.get(one.key, []) if typed else field_words.typed(one, answers.get(one.key)), one.key in shown)
        for one in fields
        if one.ask_at is documents.AskAt.AFTER_CONFIRM
    ]


def for_script(
    definition: documents.Definition, stop: Stop | None, answers: dict[str, Any], known: dict[str, Any]
) -> dict[str, Any]:
    """What the script needs to show and hide fields of this page while it is filled in."""
    if stop is None:
        return {}
    conditions = [*(jump.when for page in definition.pages for jump in page.jumps)]
    conditions += [condition for one in definition.fields for condition in one.conditions]
    asked = {name for condition in conditions for name in logic.fields_of(condition)}
    needed = {name: value for name, value in known.items() if documents.KNOWN + name in asked}
    return {"definition": documents.to_data(definition), "answers": answers, "known": needed, "page": stop.page.id}


def _before(path: Path, stop: Stop | None) -> str:
    """The page before this one on the way."""
    ids = [one.page.id for one in path.stops]
    place = ids.index(stop.page.id) if stop and stop.page.id in ids else 0
    return ids[place - 1] if place else ""


def _place(path: Path, stop: Stop | None) -> tuple[int, int]:
    """The number of this page, and of how many as far as one can say now."""
    ids = [one.page.id for one in path.stops]
    return (ids.index(stop.page.id) + 1 if stop and stop.page.id in ids else 1, max(len(ids), 1))


def _asks_country(stop: Stop | None) -> bool:
    return stop is not None and any(one.type is FieldType.COUNTRY for one in stop.page.fields)


@guarded_by(Guard.SIGNED_LINK)
def preview_form(token: str) -> ResponseReturnValue:
    """One page of the form as it is being edited, for the studio's frame. Nothing can be sent."""
    card = cards.by_id(preview.campaign_id_of(token))
    language.speak(card.locales, card.default_locale)
    definition = drafts.draft(card)
    pages = [page for page in definition.pages if page.fields]
    page = definition.page(request.args.get("page", "")) or (pages[0] if pages else None)
    fields = tuple(one for one in page.fields if one.type is not FieldType.HIDDEN) if page else ()
    ids = [one.id for one in pages]
    place = ids.index(page.id) if page and page.id in ids else 0
    html = render_template(
        "public/form_preview.html",
        card=card,
        page=page,
        shown=fields,
        place=(place + 1, max(len(ids), 1)),
        before=ids[place - 1] if place else "",
        after=ids[place + 1] if place + 1 < len(ids) else "",
        choices_of=field_words.choices_of,
        countries=field_words.countries(),
    )
    return headers.frameable_by_us(headers.private(Response(html, mimetype="text/html")))
