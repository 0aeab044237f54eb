"""What a brand's contacts are worth: its prices for deeds, the share that goes to who brought people, and the sums."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts.models import Brand
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.web.admin import worth_words
from leadgen.web.admin.brands import mine
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import MoneyField, StudioForm, needed, one_of, sent, whole
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by
from leadgen.worth import service as values
from leadgen.worth.models import Prices


class PricesForm(StudioForm):
    """What one of each is worth, and how much of it goes up a generation."""

    currency = one_of(*values.CURRENCIES)
    consent: Any = MoneyField(validators=[needed])
    entry: Any = MoneyField(validators=[needed])
    form: Any = MoneyField(validators=[needed])
    answer: Any = MoneyField(validators=[needed])
    goal: Any = MoneyField(validators=[needed])
    discount = whole(0, 100)


@blueprint.route("/brands/<int:brand_id>/value", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def worth(brand_id: int) -> ResponseReturnValue:
    """The prices, and below what they make of the base."""
    brand = mine(brand_id)
    before = values.prices_of(brand.id)
    form = PricesForm(sent(), data=_data(before))
    if request.method == "POST" and form.validate():
        again = _as_fields(before)
        try:
            prices = {kind: form[kind].data for kind in values.PRICED}
            values.set_prices(brand.id, form.currency.data, prices, form.discount.data)
        except Invalid as error:
            form.blame(error)
        else:
            page = url_for("admin.worth", brand_id=brand.id)
            tell(_("Saved. Everybody’s value is being worked out anew."), undo=page, fields=again)
            return redirect(page, 303)
    return _shown(brand, form)


def _shown(brand: Brand, form: PricesForm) -> ResponseReturnValue:
    page = render_template(
        "admin/worth.html",
        brand=brand,
        form=form,
        currencies=[(code, code) for code in values.CURRENCIES],
        currency=values.currency_of(brand.id),
        summary=values.summary(brand.id),
        top=values.top(brand.id),
        worth_words=worth_words,
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _data(prices: Prices | None) -> dict[str, Any]:
    names = ("currency", *values.PRICED, "discount")
    nothing = {"currency": values.CURRENCIES[0], "discount": values.DISCOUNT} | dict.fromkeys(values.PRICED, 0)
    return {name: getattr(prices, name) for name in names} if prices else nothing


def _as_fields(prices: Prices | None) -> dict[str, str]:
    """What the form would send to have these prices again: amounts in whole units."""
    data = _data(prices)
    amounts = {kind: f"{data[kind] // 100}.{data[kind] % 100:02d}" for kind in values.PRICED}
    return {name: str(value) for name, value in (data | amounts).items()}
