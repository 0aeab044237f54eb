"""Rewards of a campaign: tiers with their stock, and the form of one."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, FormField, StringField

from leadgen.campaigns import milestones as tiers
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Approval, Campaign, Delivery, Metric, Milestone
from leadgen.campaigns.prizes import title_of
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.rewards import desk, stock, vault
from leadgen.rewards import milestones as awarding
from leadgen.web.admin import choosing, reward_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import DayField, MoneyField, StudioForm, WholeField, line, lines, one_of, sent, whole
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.prizes import CURRENCIES
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/campaigns/<int:campaign_id>/rewards"
_OFFERED = (Delivery.CODE, Delivery.FILE, Delivery.MANUAL)


class RewardTextsForm(StudioForm):
    """A tier's words in one language."""

    title = line(longest=90)
    description = lines(longest=500)


class RewardForm(StudioForm):
    """One tier."""

    en: Any = FormField(RewardTextsForm)
    fr: Any = FormField(RewardTextsForm)
    metric = one_of(*(metric.value for metric in Metric))
    threshold = whole(1, tiers.THRESHOLD_LIMIT)
    stock: Any = WholeField()
    delivery = one_of(*(delivery.value for delivery in _OFFERED))
    file_url = line(longest=2000)
    is_address_asked: Any = BooleanField()
    codes_until: Any = DayField()
    approval = one_of(*(approval.value for approval in Approval))
    claim_days: Any = WholeField()
    is_only_highest: Any = BooleanField()
    prize_id: Any = WholeField()
    value: Any = MoneyField()
    currency = one_of(*CURRENCIES)
    picture: Any = StringField()


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def rewards(campaign_id: int) -> str:
    """The tiers, with what is left of each and how many people are where."""
    campaign = campaign_of_mine(campaign_id)
    ids = [milestone.id for milestone in campaign.milestones]
    return render_template(
        "admin/rewards.html",
        campaign=campaign,
        stocks=stock.of(ids),
        free_codes=stock.free_codes(ids),
        counts=desk.counts(campaign.id),
        reward_words=reward_words,
    )


@blueprint.route(f"{_PAGE}/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def reward_new(campaign_id: int) -> ResponseReturnValue:
    """Add a tier."""
    campaign = campaign_of_mine(campaign_id)
    given = {"metric": Metric.FRIENDS.value, "threshold": 3, "delivery": Delivery.MANUAL.value}
    given |= {"approval": Approval.SEMI.value, "currency": "EUR"}
    return _edit(campaign, None, RewardForm(sent(), data=given))


@blueprint.route(f"{_PAGE}/<int:milestone_id>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def reward(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """Change a tier."""
    campaign = campaign_of_mine(campaign_id)
    found = tiers.find(campaign, milestone_id)
    kept = ("prize_id", "value", "currency", "picture", "is_address_asked", "codes_until")
    same = ("metric", "threshold", "stock", "delivery", "file_url", "approval", "claim_days", "is_only_highest")
    data = {name: getattr(found, name) for name in (*same, *kept)}
    return _edit(campaign, found, RewardForm(sent(), data=data | found.texts))


reward_new.most_bytes = reward.most_bytes = choosing.MOST_BYTES  # type: ignore[attr-defined]  # read at the door


@blueprint.post(f"{_PAGE}/<int:milestone_id>/move")
@guarded_by(Guard.STAFF)
def reward_move(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """One place up or down."""
    campaign = campaign_of_mine(campaign_id)
    campaigns.move_milestone(campaign, milestone_id, by=-1 if request.form.get("by") == "up" else 1)
    return redirect(url_for("admin.rewards", campaign_id=campaign_id, _anchor=f"reward-{milestone_id}"), 303)


@blueprint.post(f"{_PAGE}/<int:milestone_id>/remove")
@guarded_by(Guard.STAFF)
def reward_remove(campaign_id: int, milestone_id: int) -> ResponseReturnValue:
    """Take a tier away, as long as nobody has earned it and its vault is empty."""
    campaign = campaign_of_mine(campaign_id)
    if not vault.is_empty(milestone_id) and request.form.get("sure") != "yes":
        refuse(_("Codes are loaded for this reward. Make sure on its page, then take it away there."))
        return redirect(url_for("admin.reward", campaign_id=campaign_id, milestone_id=milestone_id), 303)
    try:
        campaigns.remove_milestone(campaign, milestone_id)
    except Conflict as error:
        db.session.rollback()
        refuse(str(error))
    else:
        tell(_("The reward is taken away."))
    return redirect(url_for("admin.rewards", campaign_id=campaign_id), 303)


def _edit(campaign: Campaign, found: Milestone | None, form: RewardForm) -> ResponseReturnValue:
    if request.method == "POST" and _is_good(campaign, form) and (saved := _saved(campaign, found, form)):
        awarding.fill_reserve([saved.id])  # a larger stock serves who waits
        tell(_("Saved."))
        if saved.delivery is Delivery.CODE and vault.is_empty(saved.id):
            return redirect(url_for("admin.codes", campaign_id=campaign.id, milestone_id=saved.id), 303)
        return redirect(url_for("admin.rewards", campaign_id=campaign.id), 303)
    page = render_template(
        "admin/reward.html",
        campaign=campaign,
        reward=found,
        form=form,
        pictures=choosing.choices(campaign, choosing.of_prizes()),
        currencies=[(code, code) for code in CURRENCIES],
        prize_options=_prizes(campaign, found),
        options_of=reward_words.options_of,
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _is_good(campaign: Campaign, form: RewardForm) -> bool:
    is_valid = form.validate()
    choosing.take(campaign, form)
    return is_valid and not form.is_wrong


def _prizes(campaign: Campaign, found: Milestone | None) -> list[tuple[int | str, str]]:
    """The prizes that this tier may give away, by name."""
    free = tiers.free_prizes(campaign, found.id if found else None)
    return [("", _("None: only this reward")), *((prize.id, title_of(prize)()) for prize in free)]


def _saved(campaign: Campaign, found: Milestone | None, form: RewardForm) -> Milestone | None:
    chosen = campaigns.MilestoneInput(
        texts={code: form.part(code).data for code in i18n.LOCALES},
        metric=Metric(form.metric.data),
        threshold=form.threshold.data,
        stock=form.stock.data,
        delivery=Delivery(form.delivery.data),
        approval=Approval(form.approval.data),
        claim_days=form.claim_days.data,
        is_only_highest=form.is_only_highest.data,
        file_url=form.file_url.data or "",
        is_address_asked=form.is_address_asked.data,
        codes_until=form.codes_until.data,
        value=form.value.data or 0,
        currency=form.currency.data,
        picture=form.picture.data or "",
        prize_id=form.prize_id.data,
    )
    try:
        if found is None:
            return campaigns.add_milestone(campaign, chosen)
        return campaigns.edit_milestone(campaign, found.id, chosen)
    except Invalid as error:
        (form.part(campaign.default_locale) if error.field == "title" else form).blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return None
