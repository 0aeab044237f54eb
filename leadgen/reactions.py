"""One table: when a fact has happened, who is told. Every reaction may run twice for the same fact."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadgen.core.db import db
from leadgen.entries import waiting
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import sequences
from leadgen.nurture import service as nurture

Reaction = Callable[[Sequence[Fact]], None]

REACTIONS: dict[FactName, tuple[Reaction, ...]] = {
    FactName.CAMPAIGN_CREATED: (sequences.set_up_created,),
    FactName.ENTRY_REPEATED: (waiting.answer_repeated,),
    FactName.ENTRY_CONFIRMED: (nurture.enrol_confirmed,),
    FactName.CONTACT_SUPPRESSED: (waiting.mark_bounced, nurture.leave),
    FactName.CONSENT_WITHDRAWN: (nurture.leave,),
    FactName.CONTACT_ERASED: (nurture.leave,),
}


def drain() -> int:
    """Tell everybody about the facts that nobody has heard of yet; answers how many there were (job)."""
    total = 0
    while facts := journal.claim_unannounced():
        for name, told in REACTIONS.items():
            of_this_name = [fact for fact in facts if fact.name == name]
            for react in told if of_this_name else ():
                react(of_this_name)
        db.session.commit()
        total += len(facts)
    return total
