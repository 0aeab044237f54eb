"""The words and the picture of the public page, in every language side by side, with the page itself beside them."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FieldList, FormField, StringField

from leadgen.campaigns import rules
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.web import preview
from leadgen.web.admin import choosing
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, is_stale, line, lines, needed, sent
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by

SPARE_ROWS = 2


class FaqForm(StudioForm):
    """One question that visitors ask, and its answer."""

    question = line(longest=300)
    answer = lines(longest=2000)


class TextsForm(StudioForm):
    """The page's words in one language."""

    title = line(longest=90)
    lead = lines(longest=300)
    button = line(longest=40)
    story = lines(longest=5000)
    share_text = lines(longest=280)
    faq: Any = FieldList(FormField(FaqForm))
    consent_marketing = lines(longest=500)
    consent_rules = lines(longest=300)
    rules = lines(longest=50_000)


class LandingForm(StudioForm):
    """The whole page; one part for each language that the product speaks."""

    name = line(needed, longest=90)
    slug = line(longest=60)
    picture: Any = StringField()
    en: Any = FormField(TextsForm)
    fr: Any = FormField(TextsForm)


@blueprint.route("/campaigns/<int:campaign_id>/page", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def landing(campaign_id: int) -> ResponseReturnValue:
    """Edit the page; what cannot be saved is shown again as it was typed."""
    campaign = campaign_of_mine(campaign_id)
    form = LandingForm(sent(), data=_as_data(campaign))
    if request.method == "POST" and _is_good(campaign, form) and _saved(campaign, form):
        if request.headers.get("X-Background") == "1":
            return Response(status=204, headers={"X-Version": str(campaign.version)})
        tell(_("Saved."))
        return redirect(url_for("admin.landing", campaign_id=campaign_id), 303)
    for code in i18n.LOCALES:
        _add_spare_rows(form.part(code).faq)
    page = render_template(
        "admin/landing.html",
        campaign=campaign,
        form=form,
        pictures=choosing.choices(campaign, choosing.of_pages()),
        preview=preview.address(campaign.id),
    )
    return make_response(page, 422 if form.is_wrong else 200)


landing.most_bytes = choosing.MOST_BYTES  # type: ignore[attr-defined]  # read at the door, before CSRF


def _is_good(campaign: Campaign, form: LandingForm) -> bool:
    is_valid = form.validate() and not is_stale(form, campaign.version)
    choosing.take(campaign, form)
    return is_valid and not form.is_wrong


def _as_data(campaign: Campaign) -> dict[str, Any]:
    data: dict[str, Any] = {"name": campaign.name, "slug": campaign.slug, "picture": campaign.picture}
    for code in i18n.LOCALES:
        texts = campaign.texts.get(code, {})
        data[code] = texts | {"rules": texts.get("rules_source") or rules.standard(code)}
    return data


def _saved(campaign: Campaign, form: LandingForm) -> bool:
    """Write everything, or say what is wrong; a half-written page is undone with the request."""
    part: StudioForm = form
    try:
        campaigns.edit_name(campaign, form.name.data)
        campaigns.edit_slug(campaign, form.slug.data or campaign.slug)
        campaigns.edit_picture(campaign, form.picture.data or "")
        for code in i18n.LOCALES:
            part = form.part(code)
            campaigns.edit_texts(campaign, code, form.part(code).data)
    except Invalid as error:
        part.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong


def _add_spare_rows(rows: Any) -> None:
    for _row in range(SPARE_ROWS):
        rows.append_entry()
