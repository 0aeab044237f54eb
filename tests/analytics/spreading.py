"""Random little worlds in which people bring each other, made by the factories."""

from __future__ import annotations

import random
from datetime import timedelta

from leadgen.actions.models import DeedState
from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core import clock
from leadgen.entries.models import Entry, EntryStatus, ReferralReason, ReferralState, Review
from leadgen.visits.models import VisitKind
from tests import factories, factories_contest

_NAMES = ("Anna", "Ben", "Chloé", "David", "Élise", "Farid", "=1+1", "")
_STATUSES = (*[EntryStatus.CONFIRMED] * 6, *[EntryStatus.PENDING] * 2, EntryStatus.BOUNCED, EntryStatus.EXPIRED)
_REVIEWS = (*[Review.CLEAR] * 6, Review.HELD, Review.EXCLUDED)
_STATES = {
    ReferralState.AWAITING: ReferralReason.NONE,
    ReferralState.ON_HOLD: ReferralReason.RISK,
    ReferralState.COUNTED: ReferralReason.NONE,
    ReferralState.NOT_COUNTED: ReferralReason.BOUNCE,
    ReferralState.REVERSED: ReferralReason.MANUAL,
}


def make_random_spread(campaign: Campaign, *, seed: int, people: int) -> list[Entry]:
    """People over five weeks, brought by anybody before them or nobody, in every state that the tables allow."""
    with factories.in_one_go():
        return _spread(campaign, seed=seed, people=people)


def _spread(campaign: Campaign, *, seed: int, people: int) -> list[Entry]:
    dice = random.Random(seed)
    share = factories_contest.make_action(campaign, kind=ActionKind.SHARE)
    other = factories_contest.make_action(campaign)
    begun = clock.now() - timedelta(days=35)
    made: list[Entry] = []
    for _number in range(people):
        referrer = dice.choice(made) if made and dice.random() < 0.7 else None
        status = dice.choice(_STATUSES)
        entered = begun + timedelta(hours=dice.randrange(35 * 24))
        confirmed = entered + timedelta(minutes=dice.randrange(5000)) if status is EntryStatus.CONFIRMED else None
        state = ReferralState.NONE if referrer is None else dice.choice(list(_STATES))
        entry = factories.make_entry(
            campaign,
            referrer=referrer,
            first_name=dice.choice(_NAMES),
            status=status,
            created_at=entered,
            confirmed_at=confirmed,
            review=dice.choice(_REVIEWS),
            referral_state=state,
            referral_reason=_STATES.get(state, ReferralReason.NONE),
        )
        _deeds(dice, entry, campaign)
        if dice.random() < 0.3:
            factories_contest.make_deed(
                entry, dice.choice([share, other]), state=dice.choice([DeedState.DONE, DeedState.BEGUN])
            )
        made.append(entry)
    return made


def _deeds(dice: random.Random, entry: Entry, campaign: Campaign) -> None:
    for _opening in range(dice.choice([0, 0, 0, 1, 2, 5])):
        factories_contest.make_visit(entry, kind=dice.choice([VisitKind.HUMAN, *VisitKind]))
    if campaign.questions and dice.random() < 0.6:
        factories.make_answer(entry, campaign.questions[0])
