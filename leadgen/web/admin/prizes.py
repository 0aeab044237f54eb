"""What can be won: the list in the order in which winners receive it, and one prize."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FormField, StringField

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, Mechanic, Prize
from leadgen.campaigns.prizes import free_mechanics, holder_of
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.web.admin import choosing, reward_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import MoneyField, StudioForm, line, lines, needed, one_of, sent, whole
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

CURRENCIES = ("EUR", "GBP", "CHF", "CAD", "USD", "DKK", "SEK", "NOK")


class PrizeTextsForm(StudioForm):
    """A prize's words in one language."""

    title = line(longest=90)
    description = lines(longest=500)


class PrizeForm(StudioForm):
    """One prize."""

    en: Any = FormField(PrizeTextsForm)
    fr: Any = FormField(PrizeTextsForm)
    quantity = whole(1, 100_000)
    value: Any = MoneyField(validators=[needed])
    currency = one_of(*CURRENCIES)
    picture: Any = StringField()
    mechanic: Any = StringField()


@blueprint.get("/campaigns/<int:campaign_id>/prizes")
@guarded_by(Guard.STAFF)
def prizes(campaign_id: int) -> str:
    """The list."""
    return render_template("admin/prizes.html", campaign=campaign_of_mine(campaign_id), reward_words=reward_words)


@blueprint.route("/campaigns/<int:campaign_id>/prizes/new", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def prize_new(campaign_id: int) -> ResponseReturnValue:
    """Add a prize."""
    campaign = campaign_of_mine(campaign_id)
    return _edit(campaign, None, PrizeForm(sent(), quantity=1, currency="EUR"))


@blueprint.route("/campaigns/<int:campaign_id>/prizes/<int:prize_id>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def prize(campaign_id: int, prize_id: int) -> ResponseReturnValue:
    """Change a prize."""
    campaign = campaign_of_mine(campaign_id)
    found = _find(campaign, prize_id)
    data = {name: getattr(found, name) for name in ("quantity", "value", "currency", "picture", "mechanic")}
    return _edit(campaign, found, PrizeForm(sent(), data=data | found.texts))


prize_new.most_bytes = prize.most_bytes = choosing.MOST_BYTES  # type: ignore[attr-defined]  # read at the door


@blueprint.post("/campaigns/<int:campaign_id>/prizes/<int:prize_id>/move")
@guarded_by(Guard.STAFF)
def prize_move(campaign_id: int, prize_id: int) -> ResponseReturnValue:
    """One place up or down."""
    campaign = campaign_of_mine(campaign_id)
    try:
        campaigns.move_prize(campaign, prize_id, by=-1 if request.form.get("by") == "up" else 1)
    except Conflict as error:
        refuse(str(error))
    return redirect(url_for("admin.prizes", campaign_id=campaign_id, _anchor=f"prize-{prize_id}"), 303)


@blueprint.post("/campaigns/<int:campaign_id>/prizes/<int:prize_id>/remove")
@guarded_by(Guard.STAFF)
def prize_remove(campaign_id: int, prize_id: int) -> ResponseReturnValue:
    """Take a prize away; undoing adds it again at the end."""
    campaign = campaign_of_mine(campaign_id)
    again = _as_fields(_find(campaign, prize_id))
    try:
        campaigns.remove_prize(campaign, prize_id)
    except (Conflict, Invalid) as error:
        refuse(str(error))
    else:
        undo = url_for("admin.prize_new", campaign_id=campaign_id)
        tell(_("The prize is taken away."), undo=undo, fields=again)
    return redirect(url_for("admin.prizes", campaign_id=campaign_id), 303)


def _edit(campaign: Campaign, found: Prize | None, form: PrizeForm) -> ResponseReturnValue:
    if request.method == "POST" and _is_good(campaign, form) and _saved(campaign, found, form):
        tell(_("Saved."))
        return redirect(url_for("admin.prizes", campaign_id=campaign.id), 303)
    page = render_template(
        "admin/prize.html",
        campaign=campaign,
        prize=found,
        form=form,
        pictures=choosing.choices(campaign, choosing.of_prizes()),
        currencies=[(code, code) for code in CURRENCIES],
        mechanics=_mechanics(campaign, found),
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _is_good(campaign: Campaign, form: PrizeForm) -> bool:
    is_valid = form.validate()
    choosing.take(campaign, form)
    return is_valid and not form.is_wrong


def _mechanics(campaign: Campaign, found: Prize | None) -> list[tuple[str, str]]:
    """What may give this prize away; one that a reward holds stays there."""
    if found is not None and holder_of(campaign, found):
        return [(found.mechanic.value, reward_words.mechanic(found.mechanic))]
    return [(one.value, reward_words.mechanic(one)) for one in free_mechanics(campaign)]


def _saved(campaign: Campaign, found: Prize | None, form: PrizeForm) -> bool:
    chosen = campaigns.PrizeInput(
        texts={code: form.part(code).data for code in i18n.LOCALES},
        quantity=form.quantity.data,
        value=form.value.data,
        currency=form.currency.data,
        picture=form.picture.data or "",
        mechanic=Mechanic(form.mechanic.data) if form.mechanic.data in set(Mechanic) else None,
    )
    try:
        if found is None:
            campaigns.add_prize(campaign, chosen)
        else:
            campaigns.edit_prize(campaign, found.id, chosen)
    except Invalid as error:
        (form.part(campaign.default_locale) if error.field == "title" else form).blame(error)
    except Conflict as error:
        form.form_errors.append(str(error))
    return not form.is_wrong


def _find(campaign: Campaign, prize_id: int) -> Prize:
    found = next((prize for prize in campaign.prizes if prize.id == prize_id), None)
    if found is None:
        raise NotFound
    return found


def _as_fields(prize: Prize) -> dict[str, Any]:
    fields = {"quantity": prize.quantity, "currency": prize.currency, "picture": prize.picture}
    fields |= {f"{code}-{key}": word for code, words in prize.texts.items() for key, word in words.items()}
    return fields | {"value": f"{prize.value / 100:.2f}"}
