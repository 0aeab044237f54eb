"""The names of all facts and counters: what can have happened, in one list."""

from __future__ import annotations

from enum import StrEnum


class FactName(StrEnum):
    """What happened, as `subject.verb_ed`."""

    ACTION_CREDITED = "action.credited"
    ACTION_REFUSED = "action.refused"
    ENTRY_CREATED = "entry.created"
    ENTRY_REPEATED = "entry.repeated"
    ENTRY_ASKED = "entry.asked"
    ENTRY_CONFIRMED = "entry.confirmed"
    ENTRY_CORRECTED = "entry.corrected"
    ENTRY_REFUSED = "entry.refused"
    ENTRY_EXPIRED = "entry.expired"
    ENTRY_REVIEWED = "entry.reviewed"
    POINTS_RETURNED = "points.returned"
    POINTS_TAKEN = "points.taken"
    REFERRAL_COUNTED = "referral.counted"
    REFERRAL_HELD = "referral.held"
    REFERRAL_REFUSED = "referral.refused"
    REFERRAL_REVERSED = "referral.reversed"
    REFERRAL_SURGED = "referral.surged"
    REFERRAL_UNKNOWN = "referral.unknown"
    REWARD_EARNED = "reward.earned"
    REWARD_GIVEN = "reward.given"
    REWARD_TAKEN = "reward.taken"
    STOCK_LOWERED = "stock.lowered"
    QUESTION_ANSWERED = "question.answered"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    CONTACT_SUPPRESSED = "contact.suppressed"
    CONTACT_RELEASED = "contact.released"
    CONTACT_ERASED = "contact.erased"
    CAMPAIGN_CREATED = "campaign.created"
    CAMPAIGN_PUBLISHED = "campaign.published"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGN_MOVED = "campaign.moved"
    SEQUENCE_ENTERED = "sequence.entered"
    SEQUENCE_EXITED = "sequence.exited"
    SEQUENCE_FINISHED = "sequence.finished"
    STREAM_STOPPED = "stream.stopped"
    WORK_SUBMITTED = "work.submitted"
    WORK_PUBLISHED = "work.published"
    WORK_REFUSED = "work.refused"
    WORK_WITHDRAWN = "work.withdrawn"


class CounterName(StrEnum):
    """What is too frequent for a row each and is counted per hour and channel."""

    VIEW = "view"
    REFERRAL_VISIT = "ref_visit"
    HUMAN_VISIT = "human_visit"
    MACHINE_VISIT = "machine_visit"
    SHARE_CLICK = "share_click"
    CONFIRM_VIEW = "confirm_view"
