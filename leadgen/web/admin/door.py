"""The studio's door: who may come in, in which language, and what every page of it is given."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask_security import current_user
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.wrappers import Response as BaseResponse

from leadgen.accounts import service as accounts
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock, i18n, links
from leadgen.core.errors import NotFound
from leadgen.mail import pauses
from leadgen.web import preview, staff
from leadgen.web.admin import launching, sender_words, words
from leadgen.web.admin.forms import errors_of
from leadgen.web.admin.tabs import GROUPS
from leadgen.web.guards import Guard

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The studio shows previews of its own pages and letters in frames; nothing else differs from a public page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def campaign_of_mine(campaign_id: int) -> Campaign:
    """The campaign, when the signed-in user works for its brand. Raises NotFound for another brand's too."""
    return campaigns.get(brand_ids(), campaign_id)


def brand_ids() -> frozenset[int]:
    """The brands that exist for the signed-in user; read once in a request."""
    if "brand_ids" not in g:
        g.brand_ids = accounts.member_brand_ids(staff.current())
    found: frozenset[int] = g.brand_ids
    return found


def redeemed_brand_ids() -> frozenset[int]:
    """The brands whose codes the signed-in user may honour."""
    return accounts.redeemed_brand_ids(staff.current())


def is_at_counter() -> bool:
    """Whether the signed-in user may do nothing but honour codes: for them the studio does not exist."""
    if "is_at_counter" not in g:
        g.is_at_counter = not brand_ids() and bool(redeemed_brand_ids())
    return bool(g.is_at_counter)


def steers_all() -> bool:
    """Whether the signed-in user may steer what all brands of the installation share: lanes and paces."""
    if "steers_all" not in g:
        g.steers_all = accounts.works_for_all_brands(staff.current())
    return bool(g.steers_all)


@blueprint.before_request
def _come_in() -> BaseResponse | None:
    view: Any = current_app.view_functions[str(request.endpoint)]
    is_for_staff = view.guard is Guard.STAFF
    is_background = request.headers.get("X-Background") == "1"
    is_known = staff.is_signed_in(is_background=is_background)
    i18n.set_locale(staff.current().locale if is_known else _browser_locale())
    if is_for_staff and not is_known:
        return _ask_to_sign_in(is_background=is_background)
    if request.method not in SAFE:
        request.max_content_length = getattr(view, "most_bytes", request.max_content_length)  # a page of large files
        staff.csrf.protect()
    if is_for_staff and not view.is_for_counter and is_at_counter():
        return _ask_to_the_counter()
    return None


def _ask_to_the_counter() -> BaseResponse:
    """Their first page is the counter; every other is absent. Raises NotFound."""
    if request.endpoint != "admin.campaign_list":
        raise NotFound
    return redirect(url_for("admin.redeem"), 303)


def _browser_locale() -> str:
    if (asked := request.args.get("lang", "")) in i18n.LOCALES:
        return asked
    return i18n.choose([tag for tag, _quality in request.accept_languages])


def _ask_to_sign_in(*, is_background: bool) -> BaseResponse:
    if is_background:
        return Response(status=401)
    asked = request.full_path.rstrip("?") if request.method in SAFE else "/admin/"
    return redirect("/admin/sign-in?" + urlencode({"next": asked}), 303)


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


@blueprint.context_processor
def _given() -> dict[str, Any]:
    """What every page may say without being handed it by its view."""
    is_known = current_user.is_authenticated
    return {
        "csrf_token": generate_csrf,
        "me": staff.current() if is_known else None,
        "is_at_counter": is_known and is_at_counter(),
        "my_brands": accounts.brands_of(staff.current()) if is_known else (),
        "locales": i18n.LOCALES,
        "now": clock.now(),
        "words": words,
        "errors_of": errors_of,
        "tab_groups": GROUPS,
        "public_address": public_address,
        "sender_notice": _sender_notice,
        "launching": launching,
    }


def _sender_notice() -> str:
    """Why no mail leaves until somebody changes a setting; empty when all is well."""
    found = pauses.operator_notice()
    return sender_words.notice(found) if found else ""


def public_address(campaign: Campaign) -> str:
    """Where the campaign's page is seen: the public one, of a draft its preview."""
    if campaign.status is CampaignStatus.DRAFT:
        return preview.address(campaign.id)
    return links.landing(campaign.slug)


@blueprint.errorhandler(CSRFError)
def _stale_form(_error: CSRFError) -> tuple[str, int]:
    return render_template("admin/stale.html"), 400


@blueprint.errorhandler(NotFound)
def _absent(_error: NotFound) -> tuple[str, int]:
    return render_template("admin/absent.html"), 404
