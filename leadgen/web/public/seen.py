"""The landing page was really looked at: its script says so, with the signed ref of the address, and no cookie."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import landing, traces


@guarded_by(Guard.SIGNED_LINK)
def seen(slug: str) -> ResponseReturnValue:
    """Take the word of a page that was in view; of a machine that runs scripts it is not taken."""
    invited = landing.invitation(cards.by_slug(slug))
    if invited is None or not invited.nonce:
        return "", 400
    if visits.kind_of(traces.agent(), is_prefetch=traces.is_prefetch()) is VisitKind.CANDIDATE:
        visits.prove_human(invited.nonce, traces.visitor())
    return "", 204
