"""What people share the contest with: a text for each language and network as it will look, and the drawn cards."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import FormField

from leadgen.campaigns import cards, sharing
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import Campaign
from leadgen.campaigns.sharing import Values
from leadgen.core import i18n, links, text
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.web import drawing
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, is_stale, line, lines, sent, whole
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by

_SAMPLE_NAME, _SAMPLE_CODE, _SAMPLE_DAYS = "Anna", "ANNA2K7", 3
_LONGEST = 5000  # what is too long for its network is told by the room, in the words of that network


class SharesForm(StudioForm):
    """The texts of one language; an empty one falls back to the sharing text of the page."""

    em_subject = line(longest=_LONGEST)
    em = lines(longest=_LONGEST)
    wa = lines(longest=_LONGEST)
    sms = lines(longest=_LONGEST)
    tg = lines(longest=_LONGEST)
    x = lines(longest=_LONGEST)
    native = lines(longest=_LONGEST)
    copy = lines(longest=_LONGEST)


class ShareKitForm(StudioForm):
    """All of it."""

    en: Any = FormField(SharesForm)
    fr: Any = FormField(SharesForm)
    visit_points = whole(0, 1000)


@blueprint.route("/campaigns/<int:campaign_id>/share-kit", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def share_kit(campaign_id: int) -> ResponseReturnValue:
    """Edit the texts; each is shown beside as its network will show it."""
    campaign = campaign_of_mine(campaign_id)
    form = ShareKitForm(sent(), data={"visit_points": campaign.visit_points, **campaign.shares})
    if sent() and form.validate() and not is_stale(form, campaign.version) and _saved(campaign, form):
        tell(_("Saved."))
        return redirect(url_for("admin.share_kit", campaign_id=campaign_id), 303)
    page = render_template(
        "admin/share_kit.html",
        campaign=campaign,
        form=form,
        channels=_channels(),
        kit={code: _language(cards.by_id(campaign.id), code, form.part(code).data) for code in i18n.LOCALES},
    )
    return make_response(page, 422 if form.is_wrong else 200)


@blueprint.get("/campaigns/<int:campaign_id>/share-kit/<shape>-<locale>.png")
@guarded_by(Guard.STAFF)
def share_card(campaign_id: int, shape: str, locale: str) -> Response:
    """A drawn card as it will look, of a draft too, with the name of somebody who agreed to it."""
    card = cards.by_id(campaign_of_mine(campaign_id).id)
    if shape not in drawing.SHAPES or locale not in i18n.LOCALES:
        raise NotFound
    with i18n.speaking(locale):
        says = _("%(name)s invites you") % {"name": _SAMPLE_NAME}
    return Response(drawing.draw(shape, drawing.words_of(card, locale, says)), mimetype="image/png")


def _saved(campaign: Campaign, form: ShareKitForm) -> bool:
    part: StudioForm = form
    try:
        if form.visit_points.data != campaign.visit_points:
            campaigns.edit_visit_points(campaign, form.visit_points.data)
        for code in i18n.LOCALES:
            part = form.part(code)
            campaigns.edit_shares(campaign, code, {key: said or "" for key, said in part.data.items()})
    except Invalid as error:
        part.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong


def _channels() -> list[dict[str, Any]]:
    """The texts in their order, with what is to be known about each network."""
    told = {
        "em_subject": (_("E-mail: subject"), _("Phones show about 40 characters of it.")),
        "em": (_("E-mail: text"), _("Opens in the person’s own mail program.")),
        "wa": ("WhatsApp", _("WhatsApp draws the card above the text.")),
        "sms": ("SMS", _("One message has room for 160 plain letters, or for 70 when one of them is not.")),
        "tg": ("Telegram", _("Telegram adds the link and its card; {link} is left out here.")),
        "x": ("X", _("280 characters, of which the link takes 24; it is added behind the text with its card.")),
        "native": (_("Shared from the phone"), _("Goes to the app that the person chooses; the phone adds the link.")),
        "copy": (_("Copied message"), _("For pasting anywhere.")),
    }
    found = []
    for one in sharing.CHANNELS:
        name, advice = told[one.key]
        room = one.limit - one.reserved
        found.append({"key": one.key, "name": name, "help": advice, "limit": room, "has_link": one.has_link_inside})
    return found


def _language(card: CampaignCard, locale: str, typed: dict[str, str | None]) -> dict[str, Any]:
    """What placeholders stand for in this language, what empty fields fall back to, and all texts filled in."""
    with i18n.speaking(locale):
        days = ngettext("%(n)s day", "%(n)s days", _SAMPLE_DAYS) % {"n": _SAMPLE_DAYS}
    values = Values(_SAMPLE_NAME, links.referral(_SAMPLE_CODE), days)
    prize = sharing.prize_title(card, locale)
    defaults = {one.key: sharing.default(card, one.key, locale) for one in sharing.CHANNELS}
    shown = {
        key: sharing.fill(typed.get(key) or said, prize, values, has_link_inside=sharing.BY_KEY[key].has_link_inside)
        for key, said in defaults.items()
    }
    sample = {"first_name": values.first_name, "prize": prize, "link": values.link, "days_left": days}
    sample["prize_inside"] = text.within_sentence(prize, "…,")  # as it stands within a sentence
    return {"sample": sample, "defaults": defaults, "shown": shown}
