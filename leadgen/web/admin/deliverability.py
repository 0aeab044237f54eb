"""Whether a brand's mail is welcome: the last report on its sending domain, and a button that asks for a new one."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Brand
from leadgen.core.errors import NotFound
from leadgen.core.i18n import gettext as _
from leadgen.mail import deliverability as senders
from leadgen.web import staff
from leadgen.web.admin import sender_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.notes import refuse
from leadgen.web.guards import Guard, guarded_by


@blueprint.get("/deliverability")
@guarded_by(Guard.STAFF)
def deliverability_list() -> ResponseReturnValue:
    """The sending domains of the user's brands; with one brand its report at once."""
    brands = accounts.brands_of(staff.current())
    if len(brands) == 1:
        return redirect(url_for("admin.deliverability", brand_id=brands[0].id), 303)
    reports = {brand.id: senders.last(brand) for brand in brands}
    domains = {brand.id: senders.domain_of(brand) for brand in brands}
    return render_template(
        "admin/deliverability_list.html", brands=brands, reports=reports, domains=domains, sender_words=sender_words
    )


@blueprint.get("/brands/<int:brand_id>/deliverability")
@guarded_by(Guard.STAFF)
def deliverability(brand_id: int) -> str:
    """The report; while a check runs the page fetches it again by itself."""
    brand = _mine(brand_id)
    return render_template("admin/deliverability.html", brand=brand, **_given(brand))


@blueprint.get("/brands/<int:brand_id>/deliverability/report")
@guarded_by(Guard.STAFF)
def deliverability_report(brand_id: int) -> str:
    """Only the report, for the page that waits for it."""
    brand = _mine(brand_id)
    return render_template("admin/_deliverability.html", brand=brand, **_given(brand))


@blueprint.post("/brands/<int:brand_id>/deliverability")
@guarded_by(Guard.STAFF)
def deliverability_check(brand_id: int) -> ResponseReturnValue:
    """Ask for a new check; a worker does it."""
    if not senders.request(_mine(brand_id)):
        refuse(_("The check cannot run at the moment: Redis is away. Try again in a minute."))
    return redirect(url_for("admin.deliverability", brand_id=brand_id), 303)


def _given(brand: Brand) -> dict[str, Any]:
    return {
        "report": senders.last(brand),
        "is_running": senders.is_running(brand),
        "domain": senders.domain_of(brand),
        "sender_words": sender_words,
    }


def _mine(brand_id: int) -> Brand:
    found = next((one for one in accounts.brands_of(staff.current()) if one.id == brand_id), None)
    if found is None:
        raise NotFound
    return found
