"""Signed calls of other systems: a shop, a site or a partner says that somebody did an action (docs/actions.md)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from leadgen.actions import external
from leadgen.actions.deeds import Outcome, Result
from leadgen.actions.external import Call
from leadgen.campaigns import cards
from leadgen.core import limits
from leadgen.core.errors import Invalid, LeadgenError, NotAllowed, NotFound, TooMany
from leadgen.web.guards import Guard, guarded_by

blueprint = Blueprint("hooks", __name__)
LIMIT = "1200 per minute"  # genuine calls of one campaign
_ACCEPTED = frozenset({Outcome.DONE, Outcome.ALREADY})
_STATUS: dict[type[LeadgenError], tuple[int, str]] = {
    NotAllowed: (401, "signature"),
    NotFound: (404, "nobody and nothing of that name"),
    TooMany: (429, "too many calls"),
}


@blueprint.post("/hooks/actions/<slug>/<key>")
@guarded_by(Guard.SIGNATURE)
def action_done(slug: str, key: str) -> tuple[Response, int]:
    """Take one call. 200 done or already done, 400 unreadable, 401 not signed, 404 unknown, 409 not now, 429 wait."""
    try:
        result = _taken(slug, key)
    except Invalid as error:
        return jsonify({"error": f"{error.field}: {error}"}), 400
    except (NotAllowed, NotFound, TooMany) as error:
        status, said = _STATUS[type(error)]
        return jsonify({"error": said}), status
    status = 200 if result.outcome in _ACCEPTED else 409
    return jsonify({"status": result.outcome.value, "points": result.points}), status


def _taken(slug: str, key: str) -> Result:
    call = Call(
        message_id=request.headers.get("webhook-id", ""),
        timestamp=request.headers.get("webhook-timestamp", ""),
        signatures=request.headers.get("webhook-signature", ""),
        body=request.get_data(cache=False),
    )
    try:
        card = cards.by_slug(slug)
    except NotFound:
        raise NotAllowed from None  # whoever signs for a campaign knows its name
    external.verify(card.id, call)
    if not limits.allow(LIMIT, "hooks", slug):
        raise TooMany
    return external.take(card, key, call)
