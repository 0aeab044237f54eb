"""One table: when a fact has happened, who is told. Every reaction may run twice for the same fact."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from leadgen.actions import forgetting as actions
from leadgen.core.db import db
from leadgen.entries import domains, points, referrals, telling, waiting
from leadgen.forms import forgetting as form_answers
from leadgen.forms import service as forms
from leadgen.fraud import appeals, looks, rulings, sightings
from leadgen.gallery import forgetting as gallery
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters import texts
from leadgen.nurture import forgetting as enrolments
from leadgen.nurture import happenings, inside, looking, retiming, sequences, triggers
from leadgen.rewards import addresses
from leadgen.rewards import watch as rewards
from leadgen.scores import rounds as scores
from leadgen.worth import service as worth

log = logging.getLogger(__name__)

Reaction = Callable[[Sequence[Fact]], None]

REACTIONS: dict[FactName, tuple[Reaction, ...]] = {
    FactName.CAMPAIGN_CREATED: (sequences.set_up_created, texts.copy_letters, forms.copied),
    FactName.CAMPAIGN_PUBLISHED: (forms.launched,),
    FactName.ENTRY_CREATED: (domains.check, sightings.note),
    FactName.ENTRY_CORRECTED: (domains.check,),
    FactName.ENTRY_REPEATED: (waiting.answer_repeated,),
    FactName.ENTRY_ASKED: (waiting.answer_asked,),
    FactName.ENTRY_CONFIRMED: (looks.hear, scores.hear),
    FactName.QUESTION_ANSWERED: (referrals.profile_completed, scores.hear),
    FactName.QUESTION_WITHDRAWN: (scores.hear,),
    FactName.FORM_FINISHED: (scores.hear,),
    FactName.ACTION_CREDITED: (scores.hear,),
    FactName.ACTION_REFUSED: (scores.hear,),
    FactName.WORK_PUBLISHED: (scores.hear,),
    FactName.WORK_REFUSED: (scores.hear,),
    FactName.WORK_WITHDRAWN: (scores.hear,),
    FactName.CONTACT_SUPPRESSED: (waiting.mark_bounced, referrals.leave, looks.hear, inside.leave, scores.hear),
    FactName.CONSENT_WITHDRAWN: (inside.leave,),
    FactName.CONTACT_ERASED: (
        sightings.forget,
        appeals.forget,
        rulings.forget,
        inside.leave,
        enrolments.forget,
        actions.forget,
        gallery.forget,
        addresses.forget,
        worth.forget,
        form_answers.forget,
        scores.forget,
        rewards.look_again,
    ),
    FactName.CAMPAIGN_MOVED: (looks.hear_moved, looking.hear),
    FactName.CAMPAIGN_CHANGED: (rewards.look_at_campaigns, retiming.hear),
    FactName.ENTRY_REVIEWED: (rewards.look_again, inside.exclude, scores.hear),
    FactName.REFERRAL_COUNTED: (telling.friends_counted, scores.hear),
    FactName.REFERRAL_HELD: (rewards.look_again, scores.hear),
    FactName.REFERRAL_REFUSED: (rewards.look_again,),
    FactName.REFERRAL_REVERSED: (rewards.look_again, scores.hear),
}

# Sequences hear of what they know as an event after everybody else: who is inside first, so that nobody leaves by the
# event that lets them in.
REACTIONS |= {name: (*REACTIONS.get(name, ()), inside.hear, triggers.hear) for name in happenings.EVENTS}


# These facts change entries under the lock of the points (entries.points.alone), which others take before they touch an
# entry. So they are told in transactions of their own that take it first, never behind reactions that locked entries.
_ALONE = (FactName.QUESTION_ANSWERED, FactName.CONTACT_SUPPRESSED)


def drain() -> int:
    """Tell everybody about the facts that nobody has heard of yet; answers how many there were (job).

    A batch is told in one transaction. When a reaction fails its facts are told one by one, so that a poisonous one
    stands alone: it is tried again later, five times in all, and then stays unannounced for a human to see.
    """
    total = 0
    while told := _drain_others() + _drain_alone():
        total += told
    return total


def _drain_others() -> int:
    return _tell_batch(journal.claim_unannounced(besides=_ALONE))


def _drain_alone() -> int:
    if not journal.is_any_unannounced(_ALONE):
        return 0
    points.alone()
    return _tell_batch(journal.claim_unannounced(names=_ALONE))


def _tell_batch(facts: Sequence[Fact]) -> int:
    fact_ids = [fact.id for fact in facts]
    try:
        _tell(facts)
    except Exception:
        db.session.rollback()
        log.exception("a reaction failed for one of %d facts; telling them one by one", len(fact_ids))
        _tell_one_by_one(fact_ids)
    return len(fact_ids)


def _tell(facts: Sequence[Fact]) -> None:
    for name, told in REACTIONS.items():
        of_this_name = [fact for fact in facts if fact.name == name]
        for react in told if of_this_name else ():
            react(of_this_name)
    db.session.commit()


def _tell_one_by_one(fact_ids: Sequence[int]) -> None:
    for fact_id in fact_ids:
        try:
            points.alone()
            _tell([journal.announce(fact_id)])
        except Exception:
            db.session.rollback()
            log.exception("a reaction to fact %d failed", fact_id)
            journal.note_failure(fact_id)
            db.session.commit()
