"""What stands with one person's consent: the proof file, read or downloaded, and blocking an address by hand."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.analytics import proof as proofs
from leadgen.contacts import reach
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.entries import attribution
from leadgen.web import staff
from leadgen.web.admin import proof_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/campaigns/<int:campaign_id>/entrants/<int:entry_id>"


@blueprint.get(f"{_PAGE}/proof")
@guarded_by(Guard.STAFF)
def proof(campaign_id: int, entry_id: int) -> str:
    """Every act of the person with its words and its seal, to read and to print."""
    campaign = campaign_of_mine(campaign_id)
    found = proofs.proof(campaign.id, entry_id)
    return render_template("admin/proof.html", campaign=campaign, proof=found, told=proof_words)


@blueprint.get(f"{_PAGE}/proof.json")
@guarded_by(Guard.STAFF)
def proof_json(campaign_id: int, entry_id: int) -> Response:
    """The same, to hand on."""
    found = proofs.proof(campaign_of_mine(campaign_id).id, entry_id)
    name = f"proof-{found.entry.public_id}.json"
    body = json.dumps(proofs.as_data(found), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, mimetype="application/json", headers=headers)


@blueprint.post(f"{_PAGE}/suppress")
@guarded_by(Guard.STAFF)
def entrant_suppress(campaign_id: int, entry_id: int) -> ResponseReturnValue:
    """Write to this address no more, with a reason."""
    contact = _contact(campaign_id, entry_id)
    try:
        contacts.suppress_by_hand(contact.id, by=staff.name(), note=request.form.get("note", ""))
    except Invalid as error:
        refuse(str(error))
    else:
        tell(_("The address is blocked: no mail leaves for it any more."))
    return _back(campaign_id, entry_id)


@blueprint.post(f"{_PAGE}/referrer")
@guarded_by(Guard.STAFF)
def entrant_referrer(campaign_id: int, entry_id: int) -> ResponseReturnValue:
    """Say who invited this person, with a reason."""
    _contact(campaign_id, entry_id)
    code, note = request.form.get("code", ""), request.form.get("referrer_note", "")
    try:
        attribution.reattribute(entry_id, code, by=staff.name(), note=note)
    except (Invalid, Conflict) as error:
        refuse(str(error))
    else:
        tell(_("Somebody else is credited now. The journal says who decided it and why."))
    return _back(campaign_id, entry_id)


@blueprint.post(f"{_PAGE}/lift")
@guarded_by(Guard.STAFF)
def entrant_lift(campaign_id: int, entry_id: int) -> ResponseReturnValue:
    """Take back what staff blocked, with a reason."""
    contact = _contact(campaign_id, entry_id)
    try:
        contacts.lift(contact.id, by=staff.name(), note=request.form.get("note", ""))
    except (Invalid, Conflict) as error:
        refuse(str(error))
    else:
        tell(_("The address is unblocked. What the person decided stays as it is."))
    return _back(campaign_id, entry_id)


def standing(contact: Contact) -> dict[str, Any]:
    """What the card on the entrant's page shows: for each kind of mail whether it may go, and what blocks it."""
    suppressions = contacts.suppressions_of(contact)
    reasons = [one.reason for one in suppressions]
    ways = [(purpose, *reach.stopped_by(purpose, reasons)) for purpose in reversed(reach.PURPOSES)]
    return {
        "ways": ways,
        "suppressions": suppressions,
        "may_lift": bool(reach.LIFTED_BY_STAFF & set(reasons)),
        "longest_note": contacts.LONGEST_NOTE,
        "told": proof_words,
    }


def _contact(campaign_id: int, entry_id: int) -> Contact:
    return proofs.contact_behind(campaign_of_mine(campaign_id).id, entry_id)


def _back(campaign_id: int, entry_id: int) -> ResponseReturnValue:
    return redirect(url_for("admin.entrant", campaign_id=campaign_id, entry_id=entry_id, _anchor="consent"), 303)
