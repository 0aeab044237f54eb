"""The letters of a campaign: the catalogue, a marketer's own words, how each looks, and a test to the staff."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FormField

from leadgen.accounts import service as accounts
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.letters import checking, editing, kinds, samples, values
from leadgen.letters.kinds import Letter
from leadgen.letters.rendering import OwnWords
from leadgen.mail import service as mail
from leadgen.mail.providers.interface import Outcome, Result
from leadgen.mail.reasons import reason_in_words
from leadgen.web import staff
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, lines, sent
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

# A letter carries its styles within itself and runs nothing; the frame that shows it is sandboxed too. Its links open
# in a tab of their own.
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_DARK = re.compile(r"\(prefers-color-scheme:\s*dark\)")


class LetterTextsForm(StudioForm):
    """A letter's words in one language; what is empty keeps the standard ones."""

    subject = line(longest=editing.LONGEST["subject"])
    heading = line(longest=editing.LONGEST["heading"])
    body = lines(longest=editing.LONGEST["body"])
    button = line(longest=editing.LONGEST["button"])


class LetterForm(StudioForm):
    """A letter in every language."""

    en: Any = FormField(LetterTextsForm)
    fr: Any = FormField(LetterTextsForm)


@blueprint.get("/campaigns/<int:campaign_id>/letters")
@guarded_by(Guard.STAFF)
def letters(campaign_id: int) -> str:
    """Every letter: what it is for, when it leaves, and whether there is something to mend."""
    campaign = campaign_of_mine(campaign_id)
    card = cards.by_id(campaign.id)
    own = editing.all_words(campaign.id)
    offered = [letter for letter in kinds.ALL.values() if letter.editable]
    return render_template(
        "admin/letters.html",
        campaign=campaign,
        catalogue=kinds.ALL.values(),
        kinds=kinds,
        own=own,
        subjects={letter.name: mail.preview(campaign.id, letter.name, i18n.locale()).subject for letter in offered},
        findings={letter.name: checking.warnings(card, letter.name, own[letter.name]) for letter in offered},
    )


@blueprint.route("/campaigns/<int:campaign_id>/letters/<letter>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def letter(campaign_id: int, letter: str) -> ResponseReturnValue:
    """Reword a letter."""
    campaign = campaign_of_mine(campaign_id)
    own = editing.own_words(campaign.id, letter)
    form = LetterForm(sent(), data={code: _as_data(texts) for code, texts in own.items()})
    if request.method == "POST" and form.validate() and _saved(campaign, letter, form):
        tell(_("Saved."))
        return redirect(url_for("admin.letter", campaign_id=campaign_id, letter=letter), 303)
    own = editing.own_words(campaign.id, letter)  # as they stand now, when somebody else saved meanwhile
    page = render_template(
        "admin/letter.html",
        campaign=campaign,
        letter=letter,
        form=form,
        kinds=kinds,
        own=own,
        seen=editing.fingerprint(own),
        findings=checking.warnings(cards.by_id(campaign.id), letter, own),
        placeholders=_placeholders(campaign, kinds.ALL[letter]),
        members=accounts.member_emails(campaign.brand_id),
        field_name=checking.field_name,
    )
    return make_response(page, 422 if form.is_wrong else 200)


@blueprint.post("/campaigns/<int:campaign_id>/letters/<letter>/reset")
@guarded_by(Guard.STAFF)
def letter_reset(campaign_id: int, letter: str) -> ResponseReturnValue:
    """Bring the standard words back, or one's own again."""
    campaign = campaign_of_mine(campaign_id)
    try:
        if "undo" in request.form:
            editing.restore(campaign, letter, request.form.get("key", ""))
            tell(_("Your words are back."))
        else:
            key = editing.reset(campaign, letter)
            tell(_("The standard words are back."), undo=request.path, fields={"key": key})
    except Conflict as error:
        refuse(str(error))
    return redirect(url_for("admin.letter", campaign_id=campaign_id, letter=letter), 303)


@blueprint.route("/campaigns/<int:campaign_id>/letters/<letter>/preview", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def letter_preview(campaign_id: int, letter: str) -> Response:
    """The letter alone for a frame: HTML, plain text or headers; by POST with the words that are being typed."""
    campaign = _of_campaign(campaign_id, letter)
    if request.values.get("form") == "headers":
        told = mail.preview_headers(campaign.id, letter, asked_locale())
        return framed("\n".join(f"{name}: {value}" for name, value in told), "plain")
    rendered = mail.preview(campaign.id, letter, asked_locale(), own=_typed(letter))
    if request.values.get("form") == "text":
        return framed(f"{rendered.subject}\n\n{rendered.text}", "plain")
    return framed(rendered.html, "html", request.values.get("scheme", ""))


@blueprint.post("/campaigns/<int:campaign_id>/letters/<letter>/test")
@guarded_by(Guard.STAFF)
def letter_test(campaign_id: int, letter: str) -> ResponseReturnValue:
    """Send the letter, as last saved, to somebody who works for the brand, and say what became of it."""
    campaign = _of_campaign(campaign_id, letter)
    to = request.form.get("to") or staff.current().email
    wanted = i18n.LOCALES if request.form.get("locale") == "both" else (asked_locale(),)
    for code in wanted:
        try:
            with i18n.speaking(code):
                outcome = mail.send_test(campaign.id, letter, code, to)
        except (Invalid, TooMany) as error:
            refuse(str(error))
            break
        tell_outcome(outcome, to)
    return redirect(url_for("admin.letter", campaign_id=campaign_id, letter=letter), 303)


def tell_outcome(outcome: Outcome, to: str) -> None:
    """Say what became of a test."""
    if outcome.result in {Result.ACCEPTED, Result.DELIVERED}:
        tell(_("The test is sent to %(address)s.") % {"address": to})
    elif outcome.result is Result.UNCERTAIN:
        refuse(
            _("The provider did not answer in time. The test to %(address)s may or may not arrive.") % {"address": to}
        )
    else:
        words = {"address": to, "reason": reason_in_words(outcome.reason)}
        refuse(_("The test to %(address)s was not sent: %(reason)s.") % words)


def _as_data(own: OwnWords) -> dict[str, str]:
    return {name: getattr(own, name) for name in editing.LONGEST}


def _of_campaign(campaign_id: int, letter: str) -> Campaign:
    """The campaign. Raises NotFound for another's, and for letters that are not looked at here."""
    campaign = campaign_of_mine(campaign_id)
    if letter not in kinds.ALL or not kinds.ALL[letter].editable:
        raise NotFound
    return campaign


def asked_locale() -> str:
    """The language in which a letter is to be shown."""
    asked = request.values.get("locale", "")
    return asked if asked in i18n.LOCALES else i18n.locale()


def _typed(letter: str) -> OwnWords | None:
    """The words that stand in the editor's form now, cut to what may be saved; None when there is no form."""
    if request.method != "POST" or not kinds.ALL[letter].editable:
        return None
    code = asked_locale()
    typed = {name: request.form.get(f"{code}-{name}", "")[:longest] for name, longest in editing.LONGEST.items()}
    return OwnWords(**{name: text.replace("\r\n", "\n").strip() for name, text in typed.items()})


def _in_scheme(html: str, scheme: str) -> str:
    """The letter as a mail program shows it that is set to light or dark, whatever this browser is set to."""
    if scheme not in {"light", "dark"}:
        return html
    return _DARK.sub("all" if scheme == "dark" else "not all", html)


def framed(body: str, kind: str, scheme: str = "") -> Response:
    """A letter for a frame, where its styles count, its links open in a tab of their own and nothing runs."""
    if kind == "html":
        body = _in_scheme(body, scheme).replace("<head>", '<head><base target="_blank">', 1)
    answer = Response(body, content_type=f"text/{kind}; charset=utf-8")
    answer.headers["Content-Security-Policy"] = LETTER_POLICY
    return answer


def _placeholders(campaign: Campaign, letter: Letter) -> list[tuple[str, str, str]]:
    """(name, meaning, example) of what may stand in this letter."""
    card = cards.by_id(campaign.id)
    person = samples.person(card, letter.name, i18n.locale())
    fixed = values.campaign_words(card, i18n.locale())
    personal = [name for name in letter.placeholders if name not in fixed]
    examples = fixed | values.fill(personal, person, card, i18n.locale())
    return [(name, kinds.meaning(name), examples[name]) for name in letter.placeholders]


def _saved(campaign: Campaign, letter: str, form: LetterForm) -> bool:
    texts = {code: form.part(code).data for code in i18n.LOCALES}
    try:
        editing.save(campaign, letter, texts, seen=request.form.get("seen", ""))
    except Invalid as error:
        code, _dash, field = error.field.partition("-")
        form.part(code).blame(Invalid(str(error), field))
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong
