"""The brand: who organises, under which name letters leave, and the look of its pages."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.campaigns import service as campaigns
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.web import staff
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import StudioForm, line, lines, needed, sent
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by


class BrandForm(StudioForm):
    """What the rules and the foot of every letter say about the organiser."""

    name = line(needed, longest=80)
    legal_name = line(needed)
    legal_address = lines(needed, longest=500)
    contact_email = line(needed, longest=254)
    sender_name = line(needed, longest=80)
    sender_email = line(needed, longest=254)
    website = line(longest=300)
    accent = line(needed, longest=7)
    is_tracking_clicks: Any = BooleanField()


@blueprint.route("/brands/<int:brand_id>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def brand(brand_id: int) -> ResponseReturnValue:
    """Edit a brand that the user works for."""
    found = mine(brand_id)
    form = BrandForm(sent(), obj=found)
    if request.method == "POST" and form.validate():
        try:
            accounts.edit_brand(found, **form.data)
        except Invalid as error:
            form.blame(error)
        else:
            campaigns.brand_changed(found.id)
            tell(_("Saved."))
            return redirect(url_for("admin.brand", brand_id=brand_id), 303)
    page = render_template("admin/brand.html", brand=found, form=form)
    return make_response(page, 422 if form.is_wrong else 200)


@blueprint.get("/campaigns/<int:campaign_id>/brand")
@guarded_by(Guard.STAFF)
def brand_of(campaign_id: int) -> ResponseReturnValue:
    """Go to the brand of a campaign (the list of what is missing before launch links here)."""
    return redirect(url_for("admin.brand", brand_id=campaign_of_mine(campaign_id).brand_id), 303)


def mine(brand_id: int) -> Brand:
    """The brand, when the signed-in user works for it. Raises NotFound for another one too."""
    found = next((one for one in accounts.brands_of(staff.current()) if one.id == brand_id), None)
    if found is None:
        raise NotFound
    return found
