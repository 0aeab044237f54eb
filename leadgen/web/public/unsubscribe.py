"""Leaving: a page whose POST acts, the way back, and the one-click POST of RFC 8058 on the same address."""

from __future__ import annotations

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.accounts import service as accounts
from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import tokens
from leadgen.core.errors import NotFound, TokenInvalid
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import traces

_PAGE = "unsubscribe page"


@guarded_by(Guard.SIGNED_LINK)
def unsubscribe_page(token: str) -> ResponseReturnValue:
    """Show what leaving means; nothing changes before the button is pressed (rule 2)."""
    contact = _contact(token)
    return _show("ask", token, contact)


@guarded_by(Guard.SIGNED_LINK)
def unsubscribe(token: str) -> ResponseReturnValue:
    """Leave at once. A mailbox's one-click gets 200 and nothing more, whether or not there was somebody to leave."""
    if request.form.get("List-Unsubscribe") == "One-Click":
        _leave(token, "one-click")
        return Response("", 200, mimetype="text/plain")
    if request.form.get("action") == "return":
        return _return(token)
    return _show("left", token, _leave(token, _PAGE))


def _leave(token: str, channel: str) -> Contact | None:
    contact = _contact(token)
    if contact is not None:
        contacts.unsubscribe(contact.id, channel, traces.of_request("/unsubscribe"))
    return contact


def _return(token: str) -> ResponseReturnValue:
    """Take it back: only a new tick does, because it is a new consent."""
    contact = _contact(token)
    if contact is None or not request.form.get("marketing"):
        return _show("left", token, contact, is_unticked=True)
    _speak(contact)
    shown = {"wording": _box(), "control": "box, unticked by default"}
    contacts.resubscribe(contact.id, _PAGE, shown | traces.of_request("/unsubscribe"))
    return _show("back", token, contact)


def _box() -> str:
    """What stands beside the box that brings the news back."""
    return _("I would like to receive news and offers by e-mail again. I can unsubscribe at any time.")


def _speak(contact: Contact | None) -> None:
    if contact is not None and "lang" not in request.args:
        language.use(contact.locale)
    else:
        language.speak()


def _contact(token: str) -> Contact | None:
    """Who the link was made for; None for links that are not ours and for people who were erased."""
    try:
        return contacts.get(_contact_id(token))
    except NotFound:
        return None


def _contact_id(token: str) -> int:
    """The contact that the link names, 0 for a link that is not ours."""
    try:
        contact_id, _message_id = tokens.read(Purpose.UNSUBSCRIBE, token)
        return int(contact_id)
    except (TokenInvalid, TypeError, ValueError):
        return 0


def _show(what: str, token: str, contact: Contact | None, *, is_unticked: bool = False) -> Response:
    _speak(contact)
    if contact is None:
        is_erased = contacts.is_forgotten(_contact_id(token))
        page = "public/erased_link.html" if is_erased else "public/unknown_link.html"
        return headers.private(make_response(render_template(page), 200))
    html = render_template(
        "public/unsubscribe.html",
        what=what,
        token=token,
        brand=accounts.brand(contact.brand_id),
        masked=address.mask(contact.email or ""),
        box=_box(),
        is_unticked=is_unticked,
    )
    return headers.private(make_response(html))
