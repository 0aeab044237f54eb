"""Saying that we are wrong: one message from the person's page."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from leadgen.core.errors import Conflict, Invalid
from leadgen.fraud import appeals
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me


@guarded_by(Guard.SIGNED_LINK)
def me_appeal(token: str) -> ResponseReturnValue:
    """Keep the message; a refused one comes back with what was typed and the sentence that says what to mend."""
    standing, card = me.opened(token)
    typed = request.form.get("appeal", "")
    try:
        appeals.send(standing.entry_id, typed)
    except (Invalid, Conflict) as error:
        status = 400 if isinstance(error, Invalid) else 409
        refused = {"message": str(error), "typed": typed[: 2 * appeals.LONGEST]}
        return me.shown(token, standing, card, status=status, appeal_problem=refused)
    return me.back(token, "appeal", done="appealed")
