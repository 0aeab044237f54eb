"""One step of a sequence: how long it waits, for whom it is, and the words of a letter in its variants."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.accounts import service as accounts
from leadgen.authoring import arranging, drafts
from leadgen.authoring.arranging import Data
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.letters import checking, kinds, writing
from leadgen.letters.checking import Finding
from leadgen.letters.rendering import OwnWords
from leadgen.nurture import wording
from leadgen.nurture.definition import CATCH_UP_HOURS, MOST_VARIANTS, Otherwise, Until
from leadgen.nurture.models import Sequence
from leadgen.segments.catalogue import Catalogue
from leadgen.web import staff
from leadgen.web.admin import sequence_asking, sequence_forms, sequence_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import StudioForm, sent
from leadgen.web.admin.notes import tell
from leadgen.web.admin.sequence_asking import Asked
from leadgen.web.admin.sequence_edit import standing
from leadgen.web.admin.sequence_forms import StepForm
from leadgen.web.admin.sequences import catalogue_of, draft_of, sequence_of_mine
from leadgen.web.guards import Guard, guarded_by


@dataclass(frozen=True, slots=True)
class Open:
    """A step on its page: where it belongs, what is kept of it, and what its form says."""

    campaign: Campaign
    sequence: Sequence
    step: Data
    variant: str
    form: StepForm
    asked: Asked
    catalogue: Catalogue

    @property
    def is_letter(self) -> bool:
        """Whether it sends something."""
        return bool(self.step["kind"] == "letter")


@blueprint.route("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/steps/<step_key>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def sequence_step(campaign_id: int, sequence_id: int, step_key: str) -> ResponseReturnValue:
    """Change a step; what cannot be saved is shown again as it was typed."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    step = arranging.find(draft_of(found), step_key)
    variant, catalogue = variant_of(step), catalogue_of(campaign)
    asked = sequence_asking.of_page(step.get("when"), catalogue)
    page = Open(campaign, found, step, variant, _form(step, variant), asked, catalogue)
    if request.method == "GET" or sequence_asking.deed() != "save":
        return _drawn(page)
    error = _saved(page) if page.form.validate() else None
    return _drawn(page, error) if error or page.form.is_wrong else _onwards(page)


def variant_of(step: Data) -> str:
    """The variant that the page shows: the one that is asked for, else the first."""
    known = [one["key"] for one in step.get("variants") or []]
    wanted = request.values.get("variant", "")
    return wanted if wanted in known or not known else str(known[0])


def words_of(step: Data, variant: str) -> dict[str, dict[str, str]]:
    """The words of a variant as they are kept, by language."""
    texts: dict[str, dict[str, str]] = next(
        (one.get("texts", {}) for one in step.get("variants") or [] if one["key"] == variant), {}
    )
    return {code: texts.get(code, {}) for code in i18n.LOCALES}


def _form(step: Data, variant: str) -> StepForm:
    shown: dict[str, Any] = {"wait": sequence_forms.wait_shown(step.get("wait"))}
    if step["kind"] != "letter":
        return StepForm(sent(), data=shown)
    shown["otherwise"] = step.get("otherwise", Otherwise.SKIP.value)
    shown["catch_up_hours"] = step.get("catch_up_hours", CATCH_UP_HOURS)
    weights = {one["key"]: one.get("weight", 1) for one in step.get("variants") or []}
    shown |= {f"weight_{key}": weight for key, weight in weights.items()}
    return sequence_forms.letter_form(list(weights))(sent(), data=shown | words_of(step, variant))


def _saved(page: Open) -> Invalid | None:
    """Keep what was chosen; answers what is wrong with the condition, all else is told beside its field."""
    values: dict[str, Any] = {}
    try:
        values["wait"] = sequence_forms.wait_read(page.form.part("wait"), wording.names(page.campaign))
    except Invalid as error:
        page.form.part("wait").blame(error)
    if page.is_letter:
        values |= _letter(page)
    if page.step["kind"] != "end":
        try:
            chosen = page.asked.condition(page.catalogue)
        except Invalid as error:
            return error
        values["when"] = chosen or ({"all": []} if page.step["kind"] == "branch" else None)
    if not page.form.is_wrong:
        made = arranging.replaced(draft_of(page.sequence), page.step["key"], values)
        save_draft(page.sequence, made, page.form)
    return None


def save_draft(found: Sequence, data: Data, form: StudioForm) -> None:
    """Save the draft that the page showed; that somebody else saved meanwhile is told by the form."""
    try:
        drafts.save(found, data, request.form.get("revision", 0, type=int), staff.name())
    except Conflict as error:
        form.form_errors.append(str(error))
    except Invalid as error:
        form.blame(error)


def revision_shown(found: Sequence, form: StudioForm) -> int:
    """What the form says it was made from; after a conflict the newest, so that saving once more is knowingly."""
    return found.revision if form.is_wrong else request.form.get("revision", found.revision, type=int)


def _letter(page: Open) -> dict[str, Any]:
    """What only a letter has; words and weights that cannot be are told beside their fields."""
    form, texts = page.form, dict[str, dict[str, str]]()
    for code in i18n.LOCALES:
        try:
            texts[code] = writing.checked(code, form.part(code).data, "sequence")
        except Invalid as error:
            form.part(code).blame(Invalid(str(error), error.field.partition("-")[2]))
    variants = _weighed(page)
    for one in variants:
        if one["key"] == page.variant:
            one["texts"] = texts
    return {
        "otherwise": form["otherwise"].data,
        "catch_up_hours": form["catch_up_hours"].data,
        "variants": _with_deed(variants, request.form.get("then", "")),
    }


def _weighed(page: Open) -> list[Data]:
    kept = page.step.get("variants") or [{"key": page.variant, "weight": 1, "texts": {}}]
    if len(kept) == 1:
        return [{**kept[0], "weight": 1}]
    return [{**one, "weight": page.form[f"weight_{one['key']}"].data} for one in kept]


def _with_deed(variants: list[Data], deed: str) -> list[Data]:
    """One more wording, a copy of the first; or one less."""
    name, _colon, key = deed.partition(":")
    if name == "add" and len(variants) < MOST_VARIANTS:
        taken = {one["key"] for one in variants}
        fresh = next(letter for letter in "abcdefgh" if letter not in taken)
        return [*variants, {"key": fresh, "weight": 1, "texts": copy.deepcopy(variants[0].get("texts", {}))}]
    if name == "drop" and len(variants) > 1:
        return [one for one in variants if one["key"] != key]
    return variants


def _onwards(page: Open) -> ResponseReturnValue:
    name, _colon, key = request.form.get("then", "").partition(":")
    if name in {"to", "add", "drop", "stay"}:
        kept = arranging.find(draft_of(page.sequence), page.step["key"]).get("variants") or [{"key": "a"}]
        shown = {"to": key, "add": kept[-1]["key"], "drop": kept[0]["key"]}.get(name, page.variant)
        tell(_("Saved."))
        return redirect(sequence_words.page(page.sequence, "step", step_key=page.step["key"], variant=shown), 303)
    tell(_("Saved in the draft."))
    return redirect(sequence_words.page(page.sequence, _anchor=f"step-{page.step['key']}"), 303)


def _drawn(page: Open, error: Invalid | None = None) -> ResponseReturnValue:
    """The page, or with `X-Background` only what changes while one chooses."""
    empty = {
        "letter": _("Without a condition the letter is for everybody who gets here."),
        "branch": _("Choose what decides which way people go."),
    }.get(page.step["kind"], "")
    is_part = request.headers.get("X-Background") == "1"
    shown = standing(page.campaign, page.sequence)
    html = render_template(
        "admin/_sequence_builder.html" if is_part else "admin/sequence_step.html",
        **shown | sequence_asking.shown(page.asked, page.catalogue, empty, error),
        step=page.step,
        parsed=shown["definition"].step(page.step["key"]),
        form=page.form,
        variant=page.variant,
        error=error,
        revision=revision_shown(page.sequence, page.form),
        wait_sentence=_wait_sentence(page),
        happenings=sequence_forms.happenings(shown["names"]),
        most_variants=MOST_VARIANTS,
        findings=_findings(page),
        placeholders=kinds.ALL["sequence"].placeholders,
        members=accounts.member_emails(page.campaign.brand_id),
    )
    return make_response(html, 422 if error or page.form.is_wrong else 200)


def _findings(page: Open) -> list[Finding]:
    """What is to be mended in the words as they are kept; of a letter that nobody has begun, nothing yet."""
    texts = words_of(page.step, page.variant)
    if not page.is_letter or not any(any(own.values()) for own in texts.values()):
        return []
    own = {code: OwnWords.of(words) for code, words in texts.items()}
    card = cards.by_id(page.campaign.id)
    return checking.warnings(card, "sequence", own, card.locales)


def _wait_sentence(page: Open) -> str:
    """The wait as it stands in the form, in words; empty while it cannot be told."""
    names, part = wording.names(page.campaign), page.form.part("wait")
    if part.amount.data is None or part.unit.data not in sequence_forms.UNITS or part.until.data not in set(Until):
        return ""
    try:
        return wording.wait_of(sequence_forms.wait_read(part, names), names)
    except Invalid:
        return ""
