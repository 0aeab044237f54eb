"""The window on a contest in other people's pages: where it may be shown, and what a site copies to show it."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import links, settings
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, sent
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by


class EmbedForm(StudioForm):
    """One site on each line."""

    origins: Any = TextAreaField()


@blueprint.route("/campaigns/<int:campaign_id>/embed", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def embed(campaign_id: int) -> ResponseReturnValue:
    """Everything on one page: the list of sites, the code to copy, and how it will look."""
    campaign = campaign_of_mine(campaign_id)
    form = EmbedForm(sent(), data={"origins": "\n".join(campaign.embed_origins)})
    if request.method == "POST" and form.validate() and _saved(campaign, form):
        tell(_("Saved."))
        return redirect(url_for("admin.embed", campaign_id=campaign_id), 303)
    page = render_template("admin/embed.html", campaign=campaign, form=form, **_code(campaign))
    return make_response(page, 422 if form.is_wrong else 200)


def _saved(campaign: Campaign, form: EmbedForm) -> bool:
    try:
        campaigns.edit_embed(campaign, (form.origins.data or "").splitlines())
    except Invalid as error:
        form.blame(error)
    return not form.is_wrong


def _code(campaign: Campaign) -> dict[str, Any]:
    """What a site copies. The link inside is for visitors who see no frame."""
    script = f'<script src="{links.absolute(f"/embed/{campaign.slug}.js")}" async></script>'
    link = f'<a href="{links.landing(campaign.slug)}">{_("Enter the contest")}</a>'
    return {
        "inline_code": f"{script}\n<leadgen-contest>{link}</leadgen-contest>",
        "popup_code": f'{script}\n<leadgen-contest popup="time:10 scroll:60 exit">{link}</leadgen-contest>',
        "button_code": f'{script}\n<button id="win">…</button>\n<leadgen-contest popup="click:#win"></leadgen-contest>',
        "preview": f"/c/{campaign.slug}/embed?host={settings.get().base_url}",
        "is_public": campaign.status is not CampaignStatus.DRAFT,
    }
