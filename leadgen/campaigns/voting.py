"""When people vote for works, and how often: edited together, told in the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadgen.campaigns.editing import edited, in_each_language, not_final
from leadgen.campaigns.models import Campaign, Mechanic
from leadgen.core import clock, i18n
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext

VOTES_LIMIT = 100
_SHORTEST = timedelta(hours=1)
_LONGEST_AFTER = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class VotingInput:
    """The vote as the marketer describes it: aware times, both None where nobody votes; votes of one voter a day."""

    starts_at: datetime | None
    ends_at: datetime | None
    a_day: int = 3
    needs_entry: bool = False


def edit_voting(campaign: Campaign, voting: VotingInput) -> None:
    """Say when people vote and how often; the campaign plays with votes from then on.

    The vote begins after the contest does, lasts an hour or more, and ends 60 days after the contest at the latest.
    One that has begun keeps its beginning. Raises Invalid (field), Conflict (contest over).
    """
    not_final(campaign)
    _check(campaign, voting)
    others = [mechanic for mechanic in campaign.mechanics if mechanic != Mechanic.VOTES.value]
    is_voted = voting.starts_at is not None or any(prize.mechanic is Mechanic.VOTES for prize in campaign.prizes)
    with edited(campaign, material=_told(campaign, voting)):
        campaign.votes_start_at, campaign.votes_end_at = voting.starts_at, voting.ends_at
        campaign.votes_a_day, campaign.votes_need_entry = voting.a_day, voting.needs_entry
        if is_voted != (Mechanic.VOTES.value in campaign.mechanics):
            campaign.mechanics = [*others, Mechanic.VOTES.value] if is_voted else others


def _check(campaign: Campaign, voting: VotingInput) -> None:
    if not 1 <= voting.a_day <= VOTES_LIMIT:
        raise Invalid(_("Give a whole number from %(least)d to %(most)d.") % {"least": 1, "most": VOTES_LIMIT}, "a_day")
    has_begun = bool(campaign.rules_version and campaign.votes_start_at and campaign.votes_start_at <= clock.now())
    if has_begun and voting.starts_at != campaign.votes_start_at:
        raise Invalid(_("The vote has begun; its beginning stays as it is."), "starts_at")
    if (voting.starts_at is None) != (voting.ends_at is None):
        field = "starts_at" if voting.starts_at is None else "ends_at"
        raise Invalid(_("Say when the vote begins and when it ends, or neither."), field)
    if voting.starts_at is not None and voting.ends_at is not None:
        _check_dates(campaign, voting.starts_at, voting.ends_at)


def _check_dates(campaign: Campaign, starts_at: datetime, ends_at: datetime) -> None:
    if starts_at <= campaign.starts_at:
        raise Invalid(
            _("The vote must begin later than the contest, so that there is something to vote for."), "starts_at"
        )
    if starts_at > campaign.ends_at:
        raise Invalid(_("The vote must begin before the contest ends."), "starts_at")
    if ends_at - starts_at < _SHORTEST:
        raise Invalid(_("The vote must last an hour or more."), "ends_at")
    if ends_at > campaign.ends_at + _LONGEST_AFTER:
        raise Invalid(_("The vote must end 60 days after the contest at the latest."), "ends_at")
    if campaign.rules_version and ends_at != campaign.votes_end_at and ends_at <= clock.now():
        raise Invalid(_("The end must lie in the future."), "ends_at")


def _told(campaign: Campaign, voting: VotingInput) -> Mapping[str, str] | None:
    """The public line of the change."""
    starts_at, ends_at = voting.starts_at, voting.ends_at
    if starts_at is None or ends_at is None:
        return in_each_language("There is no vote any more.") if campaign.votes_start_at else None
    return in_each_language(
        "People now vote from %(starts)s to %(ends)s, each with %(votes)s a day.",
        starts=lambda: i18n.format_datetime(starts_at, campaign.timezone),
        ends=lambda: i18n.format_datetime(ends_at, campaign.timezone),
        votes=lambda: ngettext("%(number)d vote", "%(number)d votes", voting.a_day) % {"number": voting.a_day},
    )
