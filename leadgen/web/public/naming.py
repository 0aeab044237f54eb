"""How a person wants to be seen by others: one form on their page."""

from __future__ import annotations

from flask import g, request
from flask.typing import ResponseReturnValue

from leadgen.core.errors import Invalid
from leadgen.entries import person
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me


@guarded_by(Guard.SIGNED_LINK)
def me_name(token: str) -> ResponseReturnValue:
    """Take the name for the board, whether to be named on it at all, and whether on the shared picture."""
    standing, card = me.opened(token)
    typed = request.form.get("display_name", "")
    try:
        person.show_as(
            standing.entry_id,
            display_name=typed,
            is_on_board=request.form.get("is_on_board") == "1",
            is_name_on_card=request.form.get("is_name_on_card") == "1",
        )
    except Invalid as error:
        g.name_problem, g.name_typed = str(error), typed[:200]
        return me.shown(token, standing, card, status=400)
    return me.back(token, "board", done="named")
