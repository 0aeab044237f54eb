"""Broadcasts of a campaign: the list, and one being written, with its people counted while one chooses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, FormField

from leadgen.broadcasts import audiences, progress
from leadgen.broadcasts import service as nurture
from leadgen.broadcasts.audiences import Audience
from leadgen.broadcasts.models import Broadcast
from leadgen.broadcasts.service import BroadcastInput
from leadgen.campaigns.models import Campaign, QuestionKind
from leadgen.core import clock, i18n
from leadgen.core.errors import Conflict, Invalid, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.letters import kinds
from leadgen.mail import service as mail
from leadgen.segments import service as segments
from leadgen.segments.models import Segment
from leadgen.web import staff
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, needed, sent, whole
from leadgen.web.admin.letters import LETTER_POLICY, tell_outcome
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.sequence_forms import LetterTextsForm
from leadgen.web.guards import Guard, guarded_by

SPARE_CONDITIONS = 2


class BroadcastForm(StudioForm):
    """What it says, in every language, and to whom; conditions are a list of selects, read apart."""

    name = line(needed, longest=nurture.LONGEST_NAME)
    speaks_en: Any = BooleanField()
    speaks_fr: Any = BooleanField()
    friends = whole(0, audiences.MOST_FRIENDS)
    en: Any = FormField(LetterTextsForm)
    fr: Any = FormField(LetterTextsForm)


@blueprint.get("/campaigns/<int:campaign_id>/broadcasts")
@guarded_by(Guard.STAFF)
def broadcasts(campaign_id: int) -> str:
    """Every broadcast with its state and how far it is."""
    campaign = campaign_of_mine(campaign_id)
    found = nurture.of_campaign(campaign.id)
    standings = progress.of_all([one for one in found if one.status not in nurture.EDITABLE])
    return render_template("admin/broadcasts.html", campaign=campaign, broadcasts=found, standings=standings)


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/new")
@guarded_by(Guard.STAFF)
def broadcast_new(campaign_id: int) -> ResponseReturnValue:
    """Begin an empty draft, which then saves itself while one writes."""
    campaign = campaign_of_mine(campaign_id)
    name = _("Broadcast of %(day)s") % {"day": i18n.format_date(clock.now(), campaign.timezone)}
    empty = BroadcastInput(name=name, texts={code: {} for code in i18n.LOCALES}, audience=Audience())
    made = nurture.create(campaign, empty, staff.name())
    return redirect(url_for("admin.broadcast_edit", campaign_id=campaign_id, broadcast_id=made.id), 303)


@blueprint.route("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/edit", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def broadcast_edit(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Write it; what cannot be saved is shown again as it was typed."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    if found.status not in nurture.EDITABLE:
        return redirect(url_for("admin.broadcast", campaign_id=campaign_id, broadcast_id=broadcast_id), 303)
    form = BroadcastForm(sent(), data=_as_data(found))
    if request.method == "POST" and form.validate() and _saved(found, form):
        if request.headers.get("X-Background") == "1":
            return Response(status=204, headers={"X-Version": str(found.version)})
        return _onwards(campaign_id, broadcast_id)
    audience = _asked() if request.method == "POST" else Audience.of(found.audience)
    page = render_template(
        "admin/broadcast_edit.html",
        campaign=campaign,
        broadcast=found,
        form=form,
        chosen=[_packed(one) for one in audience.conditions] + [""] * SPARE_CONDITIONS,
        answers=list(_answers(campaign)),
        placeholders=kinds.ALL["broadcast"].placeholders,
        size=nurture.audience_size(found),
        segment=audience.segment,
        segments=_segments(campaign, audience.segment),
    )
    return make_response(page, 422 if form.is_wrong else 200)


@blueprint.get("/campaigns/<int:campaign_id>/broadcasts/audience")
@guarded_by(Guard.STAFF)
def broadcast_audience(campaign_id: int) -> str:
    """How many people the form's audience holds, fetched while one chooses."""
    campaign = campaign_of_mine(campaign_id)
    try:
        size = audiences.size(campaign.id, audiences.checked(campaign.id, _asked()))
    except Invalid:
        size = None
    return render_template("admin/_audience.html", size=size)


@blueprint.get("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/letter")
@guarded_by(Guard.STAFF)
def broadcast_letter(campaign_id: int, broadcast_id: int) -> Response:
    """The letter alone, as HTML or plain text, for a frame."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    rendered = mail.preview(campaign.id, "broadcast", _locale(), stream_id=found.stream_id)
    is_text = request.args.get("form") == "text"
    body = f"{rendered.subject}\n\n{rendered.text}" if is_text else rendered.html
    answer = Response(body, content_type=f"text/{'plain' if is_text else 'html'}; charset=utf-8")
    answer.headers["Content-Security-Policy"] = LETTER_POLICY
    return answer


@blueprint.post("/campaigns/<int:campaign_id>/broadcasts/<int:broadcast_id>/test")
@guarded_by(Guard.STAFF)
def broadcast_test(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    """Send the letter, as last saved, to the person who is signed in."""
    campaign, found = broadcast_of_mine(campaign_id, broadcast_id)
    to = staff.current().email
    try:
        outcome = mail.send_test(campaign.id, "broadcast", _locale(), to, stream_id=found.stream_id)
    except (Invalid, TooMany) as error:
        refuse(str(error))
    else:
        tell_outcome(outcome, to)
    return redirect(url_for("admin.broadcast", campaign_id=campaign_id, broadcast_id=broadcast_id), 303)


def broadcast_of_mine(campaign_id: int, broadcast_id: int) -> tuple[Campaign, Broadcast]:
    """The campaign and its broadcast, when the signed-in user works for the brand. Raises NotFound."""
    campaign = campaign_of_mine(campaign_id)
    return campaign, nurture.get(campaign.id, broadcast_id)


def _onwards(campaign_id: int, broadcast_id: int) -> ResponseReturnValue:
    if request.form.get("then") == "review":
        return redirect(url_for("admin.broadcast", campaign_id=campaign_id, broadcast_id=broadcast_id), 303)
    tell(_("Saved."))
    return redirect(url_for("admin.broadcast_edit", campaign_id=campaign_id, broadcast_id=broadcast_id), 303)


def _as_data(found: Broadcast) -> dict[str, Any]:
    audience = Audience.of(found.audience)
    data: dict[str, Any] = {"name": found.name, "friends": audience.friends}
    for code in i18n.LOCALES:
        data[f"speaks_{code}"] = not audience.locales or code in audience.locales
    return data | {code: found.texts.get(code, {}) for code in i18n.LOCALES}


def _saved(found: Broadcast, form: BroadcastForm) -> bool:
    texts = {code: form.part(code).data for code in i18n.LOCALES}
    version = request.form.get("version", type=int) or 0
    try:
        nurture.edit(found, BroadcastInput(name=form.name.data, texts=texts, audience=_asked()), version)
    except Invalid as error:
        code, _dash, key = error.field.partition("-")
        part = form.part(code) if key and code in i18n.LOCALES else form
        part.blame(Invalid(str(error), {"locales": "speaks_en"}.get(error.field, key or error.field)))
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong


def _asked() -> Audience:
    """The audience in the form that was sent. No language ticked means the same as all of them."""
    ticked = tuple(code for code in i18n.LOCALES if request.values.get(f"speaks_{code}"))
    packed = [one for one in request.values.getlist("answer") if one]
    typed = "".join(request.values.get("friends", "").split())
    return Audience(
        locales=ticked if len(ticked) < len(i18n.LOCALES) else (),
        conditions=tuple(dict(pair) for pair in dict.fromkeys(_unpacked(one) for one in packed)),
        friends=int(typed) if typed.isdecimal() and len(typed) < 9 else 0,
        segment=request.values.get("segment", type=int) or None,
    )


def _segments(campaign: Campaign, chosen: int | None) -> list[Segment]:
    """Those in use, and the chosen one if it was put away since."""
    found = list(segments.of_brand(campaign.brand_id))
    away = segments.of_brand(campaign.brand_id, is_archived=True) if chosen else ()
    return found + [one for one in away if one.id == chosen]


def _unpacked(packed: str) -> tuple[tuple[str, Any], ...]:
    try:
        question, value = json.loads(packed)
    except (ValueError, TypeError, RecursionError):  # `5` cannot be unpacked, and brackets may nest for ever
        question, value = "", ""
    is_plain = isinstance(question, str) and isinstance(value, (str, int, float, bool))
    return (("question", question), ("is", value)) if is_plain else (("question", ""), ("is", ""))


def _packed(condition: Any) -> str:
    return json.dumps([condition.get("question"), condition.get("is")], ensure_ascii=False)


def _locale() -> str:
    asked = request.values.get("locale", "")
    return asked if asked in i18n.LOCALES else i18n.locale()


def _answers(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Every answer that a condition can ask for: (packed value, words)."""
    for question in campaign.questions:
        if not question.is_active:
            continue
        label = _word({code: words.get("label", "") for code, words in question.texts.items()})
        if question.kind in {QuestionKind.CHOICE, QuestionKind.MANY}:
            for option in question.options:
                yield _packed({"question": question.key, "is": option["id"]}), f"{label} › {_word(option['texts'])}"
        elif question.kind is QuestionKind.YES_NO:
            yield _packed({"question": question.key, "is": True}), f"{label} › {_('Yes')}"
            yield _packed({"question": question.key, "is": False}), f"{label} › {_('No')}"


def _word(words: dict[str, str]) -> str:
    """In the reader's language, else in any."""
    return words.get(i18n.locale()) or next((word for word in words.values() if word), "")
