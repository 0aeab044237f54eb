"""Pages for development, absent in production: the mailbox of what MAIL_PROVIDER=file wrote."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from leadgen.mail import mailbox
from leadgen.mail.mailbox import Opened
from leadgen.mail.providers.file import PLAYS
from leadgen.web import language
from leadgen.web.guards import Guard, guarded_by

blueprint = Blueprint("dev", __name__, url_prefix="/dev")
_PAGE = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'"
# A letter is shown as a mail client would: its own styles, no script, nothing loaded, links open elsewhere.
_LETTER = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_VIEWS = ("letter", "text", "headers", "links", "source")


@blueprint.get("/mailbox")
@guarded_by(Guard.DEVELOPMENT)
def mails() -> Response:
    """The newest letters, or those that match a search by address or subject."""
    search, before = request.args.get("to", ""), request.args.get("before", "")
    found = mailbox.newest(search, before)
    older = found[-1].name if len(found) == mailbox.LISTED else ""
    return _page(
        "dev/mails.html", search=search, before=before, mails=found, older=older, number=mailbox.number(), plays=PLAYS
    )


@blueprint.get("/mailbox/<name>")
@guarded_by(Guard.DEVELOPMENT)
def mail(name: str) -> Response:
    """One letter: as it looks on a desk or a phone, its text, headers, links and source."""
    view = request.args.get("view", "letter")
    return _page(
        "dev/mail.html",
        mail=mailbox.read(name),
        views=_VIEWS,
        view=view if view in _VIEWS else "letter",
        is_phone=request.args.get("width") == "phone",
    )


@blueprint.get("/mailbox/<name>/html")
@guarded_by(Guard.DEVELOPMENT)
def html(name: str) -> Response:
    """The letter's HTML alone, for the frame."""
    letter = mailbox.read(name).html.replace("<head>", '<head><base target="_blank">', 1)
    response = make_response(letter)
    response.headers["Content-Security-Policy"] = f"{_LETTER}; frame-ancestors 'self'"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/mailbox.json")
@guarded_by(Guard.DEVELOPMENT)
def mails_json() -> Response:
    """The letters to one address, newest first, with links by purpose and the code: for the simulator and for tests."""
    return jsonify(mails=[_as_json(opened) for opened in mailbox.of_address(request.args.get("to", ""))])


def _as_json(opened: Opened) -> dict[str, Any]:
    summary = opened.summary
    return {
        "id": summary.name,
        "at": summary.at.isoformat(),
        "to": summary.to,
        "from": summary.sender,
        "subject": summary.subject,
        "links": opened.links,
        "code": opened.code,
        "text": opened.text,
        "headers": dict(opened.headers),
    }


def _page(template: str, **values: Any) -> Response:
    language.speak()
    response = make_response(render_template(template, **values))
    response.headers["Content-Security-Policy"] = f"{_PAGE}; frame-ancestors 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response
