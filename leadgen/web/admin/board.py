"""The leaderboard and the waiting list: what is shown, how places are reckoned, and how it looks at the moment."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField

from leadgen.campaigns import board as limits
from leadgen.campaigns import cards
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, Mechanic, WaitlistOrder
from leadgen.core import clock
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.entries import leaderboard, ranking
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, WholeField, between, is_stale, sent, whole
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by

_ORDERS: Any = [order.value for order in WaitlistOrder]


class BoardForm(StudioForm):
    """Everything about places."""

    is_race: Any = BooleanField()
    is_board_shown: Any = BooleanField()
    board_size = whole(1, limits.MOST_LINES)
    freeze_hours = whole(0, limits.MOST_FREEZE_HOURS)
    is_waitlist: Any = BooleanField()
    waitlist_order: Any = SelectField(choices=_ORDERS)
    skip_places = whole(1, limits.MOST_PLACES)
    hide_above: Any = WholeField(validators=[between(1, limits.MOST_HIDDEN)])


@blueprint.route("/campaigns/<int:campaign_id>/leaderboard", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def board(campaign_id: int) -> ResponseReturnValue:
    """Settings beside the places as they stand; those whom a check holds are marked."""
    campaign = campaign_of_mine(campaign_id)
    form = BoardForm(sent(), data=_as_data(campaign))
    if request.method == "POST" and form.validate() and not is_stale(form, campaign.version) and _saved(campaign, form):
        tell(_("Saved."))
        return redirect(url_for("admin.board", campaign_id=campaign_id), 303)
    page = render_template(
        "admin/leaderboard.html",
        campaign=campaign,
        form=form,
        orders=orders(),
        lines=ranking.lines(campaign.id, campaign.board_size),
        frozen_at=leaderboard.froze_at(cards.by_id(campaign.id)),
    )
    return make_response(page, 422 if form.is_wrong else 200)


@blueprint.get("/campaigns/<int:campaign_id>/leaderboard.csv")
@guarded_by(Guard.STAFF)
def board_csv(campaign_id: int) -> Response:
    """Everybody who confirmed, in the order of the contest, streamed."""
    campaign = campaign_of_mine(campaign_id)
    name = f"{campaign.slug}-ranking-{clock.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(ranking.export_csv(campaign.id), content_type="text/csv; charset=utf-8", headers=headers)


def orders() -> list[tuple[str, str]]:
    """The four orders of a waiting list, in words."""
    return [
        (WaitlistOrder.BY_REFERRALS.value, _("More friends first, then who signed up first")),
        (WaitlistOrder.SKIP_N.value, _("Who signed up first; each friend skips places")),
        (WaitlistOrder.BY_POINTS.value, _("More points first, then who had them first")),
        (WaitlistOrder.BY_SIGNUP.value, _("Who signed up first")),
    ]


def _as_data(campaign: Campaign) -> dict[str, Any]:
    same = ("is_board_shown", "board_size", "freeze_hours", "skip_places")
    return {name: getattr(campaign, name) for name in same} | {
        "is_race": Mechanic.RANK in campaign.mechanics,
        "is_waitlist": Mechanic.WAITLIST in campaign.mechanics,
        "waitlist_order": campaign.waitlist_order.value,
        "hide_above": campaign.waitlist_hide_above,
    }


def _saved(campaign: Campaign, form: BoardForm) -> bool:
    chosen = campaigns.BoardInput(**(form.data | {"waitlist_order": WaitlistOrder(form.waitlist_order.data)}))
    try:
        campaigns.edit_board(campaign, chosen)
    except Invalid as error:
        form.blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong
