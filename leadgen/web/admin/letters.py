"""The letters of a campaign: the marketer's own words, how each looks, and a test to oneself."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FormField

from leadgen.core import i18n
from leadgen.core.errors import Invalid, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.letters import kinds
from leadgen.letters.kinds import Letter
from leadgen.letters.models import LetterText
from leadgen.letters.rendering import Rendered
from leadgen.mail import service as mail
from leadgen.mail.providers.interface import Outcome, Result
from leadgen.mail.reasons import reason_in_words
from leadgen.nurture import sequences as nurture
from leadgen.web import staff
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, lines, sent
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.sequences import find_step
from leadgen.web.guards import Guard, guarded_by

# A letter carries its styles within itself and runs nothing; the frame that shows it is sandboxed too.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"


class LetterTextsForm(StudioForm):
    """A letter's words in one language; what is empty keeps the standard ones."""

    subject = line(longest=120)
    heading = line(longest=120)
    body = lines(longest=10_000)
    button = line(longest=40)


class LetterForm(StudioForm):
    """A letter in every language."""

    en: Any = FormField(LetterTextsForm)
    fr: Any = FormField(LetterTextsForm)


@blueprint.get("/campaigns/<int:campaign_id>/letters")
@guarded_by(Guard.STAFF)
def letters(campaign_id: int) -> str:
    """Every letter that may be reworded, with its present subject."""
    campaign = campaign_of_mine(campaign_id)
    offered = [letter for letter in kinds.ALL.values() if letter.editable]
    return render_template(
        "admin/letters.html",
        campaign=campaign,
        catalogue=offered,
        titles={letter.name: kinds.title(letter.name) for letter in offered},
        subjects={letter.name: mail.preview(campaign.id, letter.name, i18n.locale()).subject for letter in offered},
        changed={name for name, _locale in mail.letter_texts(campaign.id)},
    )


@blueprint.route("/campaigns/<int:campaign_id>/letters/<letter>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def letter(campaign_id: int, letter: str) -> ResponseReturnValue:
    """Reword a letter."""
    campaign = campaign_of_mine(campaign_id)
    found = _editable(letter)
    own = mail.letter_texts(campaign.id)
    form = LetterForm(sent(), data={code: _as_data(own.get((letter, code))) for code in i18n.LOCALES})
    if request.method == "POST" and form.validate() and _saved(campaign.id, letter, form):
        tell(_("Saved."))
        return redirect(url_for("admin.letter", campaign_id=campaign_id, letter=letter), 303)
    page = render_template(
        "admin/letter.html",
        campaign=campaign,
        letter=letter,
        form=form,
        name=kinds.title(letter),
        placeholders=found.placeholders,
    )
    return make_response(page, 422 if form.is_wrong else 200)


@blueprint.get("/campaigns/<int:campaign_id>/letters/<letter>/preview")
@guarded_by(Guard.STAFF)
def letter_preview(campaign_id: int, letter: str) -> Response:
    """The letter alone, as HTML or plain text, for a frame."""
    rendered = _rendered(campaign_id, letter)
    is_text = request.args.get("form") == "text"
    body = f"{rendered.subject}\n\n{rendered.text}" if is_text else rendered.html
    answer = Response(body, content_type=f"text/{'plain' if is_text else 'html'}; charset=utf-8")
    answer.headers["Content-Security-Policy"] = LETTER_POLICY
    return answer


@blueprint.post("/campaigns/<int:campaign_id>/letters/<letter>/test")
@guarded_by(Guard.STAFF)
def letter_test(campaign_id: int, letter: str) -> ResponseReturnValue:
    """Send the letter, as last saved, to the person who is signed in."""
    step = _step(letter)
    _rendered(campaign_id, letter)  # refuses a letter that is not this campaign's
    to = staff.current().email
    try:
        outcome = mail.send_test(campaign_id, letter, _locale(), to, step=step)
    except (Invalid, TooMany) as error:
        refuse(str(error))
    else:
        _tell_outcome(outcome, to)
    if step:
        return redirect(url_for("admin.step", campaign_id=campaign_id, step_id=step), 303)
    return redirect(url_for("admin.letter", campaign_id=campaign_id, letter=letter), 303)


def _tell_outcome(outcome: Outcome, to: str) -> None:
    if outcome.result in {Result.ACCEPTED, Result.DELIVERED}:
        tell(_("The test is sent to %(address)s.") % {"address": to})
    elif outcome.result is Result.UNCERTAIN:
        refuse(
            _("The provider did not answer in time. The test to %(address)s may or may not arrive.") % {"address": to}
        )
    else:
        words = {"address": to, "reason": reason_in_words(outcome.reason)}
        refuse(_("The test to %(address)s was not sent: %(reason)s.") % words)


def _as_data(own: LetterText | None) -> dict[str, str]:
    return {name: getattr(own, name) for name in ("subject", "heading", "body", "button")} if own else {}


def _rendered(campaign_id: int, letter: str) -> Rendered:
    """The letter in the asked language. Raises NotFound, for the step of another campaign too."""
    campaign = campaign_of_mine(campaign_id)
    if letter not in kinds.ALL:
        raise NotFound
    step = _step(letter)
    if letter == "sequence":
        sequence = nurture.sequence_of(campaign.id)
        if sequence is None or step is None:
            raise NotFound
        find_step(sequence, step)
    return mail.preview(campaign.id, letter, _locale(), step)


def _step(letter: str) -> int | None:
    """The asked step; only a sequence has any, and `_rendered` makes sure that it is this campaign's."""
    return request.args.get("step", type=int) if letter == "sequence" else None


def _locale() -> str:
    asked = request.values.get("locale", "")
    return asked if asked in i18n.LOCALES else i18n.locale()


def _editable(name: str) -> Letter:
    found = kinds.ALL.get(name)
    if found is None or not found.editable:
        raise NotFound
    return found


def _saved(campaign_id: int, letter: str, form: LetterForm) -> bool:
    part: Any = form
    try:
        for code in i18n.LOCALES:
            part = form.part(code)
            mail.edit_letter_text(campaign_id, letter, code, form.part(code).data)
    except Invalid as error:
        part.blame(error)
    return not form.is_wrong
