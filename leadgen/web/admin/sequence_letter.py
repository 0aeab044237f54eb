"""A letter of a sequence as people get it: shown in a frame while it is written, and sent to oneself as a test."""

from __future__ import annotations

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from leadgen.authoring import arranging
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.errors import Invalid, NotFound, TooMany
from leadgen.letters import writing
from leadgen.letters.rendering import OwnWords
from leadgen.mail import service as mail
from leadgen.nurture import sequences
from leadgen.nurture.models import Sequence
from leadgen.web import staff
from leadgen.web.admin import sequence_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.letters import asked_locale, framed, tell_outcome
from leadgen.web.admin.notes import refuse
from leadgen.web.admin.sequence_step import variant_of, words_of
from leadgen.web.admin.sequences import draft_of, sequence_of_mine
from leadgen.web.guards import Guard, guarded_by

_PLACE = "/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/steps/<step_key>"


@blueprint.route(f"{_PLACE}/letter", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def sequence_letter(campaign_id: int, sequence_id: int, step_key: str) -> Response:
    """The letter alone for a frame: HTML, plain text or headers; by POST with the words that are being typed."""
    campaign, _found, step = _letter_of_mine(campaign_id, sequence_id, step_key)
    own = _typed() if request.method == "POST" else _kept(step, asked_locale())
    if request.values.get("form") == "headers":
        told = mail.preview_headers(campaign.id, "sequence", asked_locale(), own=own)
        return framed("\n".join(f"{name}: {value}" for name, value in told), "plain")
    rendered = mail.preview(campaign.id, "sequence", asked_locale(), own=own)
    if request.values.get("form") == "text":
        return framed(f"{rendered.subject}\n\n{rendered.text}", "plain")
    return framed(rendered.html, "html", request.values.get("scheme", ""))


@blueprint.post(f"{_PLACE}/test")
@guarded_by(Guard.STAFF)
def sequence_letter_test(campaign_id: int, sequence_id: int, step_key: str) -> ResponseReturnValue:
    """Send the letter, as last saved in the draft, to somebody who works for the brand."""
    campaign, found, step = _letter_of_mine(campaign_id, sequence_id, step_key)
    to = request.form.get("to") or staff.current().email
    for code in i18n.LOCALES if request.form.get("locale") == "both" else (asked_locale(),):
        try:
            with i18n.speaking(code):
                outcome = mail.send_test(campaign.id, "sequence", code, to, own=_kept(step, code))
        except (Invalid, TooMany) as error:
            refuse(str(error))
            break
        tell_outcome(outcome, to)
    return redirect(sequence_words.page(found, "step", step_key=step_key, variant=request.args.get("variant")), 303)


@blueprint.get("/campaigns/<int:campaign_id>/nurture/letters/<int:step_id>")
@guarded_by(Guard.STAFF)
def step(campaign_id: int, step_id: int) -> ResponseReturnValue:
    """The page of a letter that a mail names by its row; of one that is gone, its sequence."""
    campaign = campaign_of_mine(campaign_id)
    found, row = sequences.of_step(campaign.id, step_id)
    if any(one["key"] == row.key for one in arranging.walk(draft_of(found).get("steps", []))):
        return redirect(sequence_words.page(found, "step", step_key=row.key, variant=row.variant), 303)
    return redirect(sequence_words.page(found), 303)


def _letter_of_mine(campaign_id: int, sequence_id: int, step_key: str) -> tuple[Campaign, Sequence, arranging.Data]:
    """The campaign and a letter of the draft. Raises NotFound."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    step = arranging.find(draft_of(found), step_key)
    if step["kind"] != "letter":
        raise NotFound(step_key)
    return campaign, found, step


def _kept(step: arranging.Data, code: str) -> OwnWords:
    return OwnWords.of(words_of(step, variant_of(step))[code])


def _typed() -> OwnWords:
    """The words that stand in the form now, cut to what may be saved."""
    code = asked_locale()
    typed = {name: request.form.get(f"{code}-{name}", "")[:longest] for name, longest in writing.LIMITS.items()}
    return OwnWords.of({name: text.replace("\r\n", "\n").strip() for name, text in typed.items()})
