"""The way to launch: what a draft still misses, each thing with the very place where it is mended."""

from __future__ import annotations

from typing import Any

from flask import url_for

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.checking import Problem
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.forms import service as forms
from leadgen.forms.lint import Fault
from leadgen.rewards import readiness as rewards
from leadgen.web.admin.tabs import endpoint_for

# The page of one thing, and how its address names it.
_PARTS = {
    "prizes": ("admin.prize", "prize_id"),
    "rewards": ("admin.reward", "milestone_id"),
    "codes": ("admin.codes", "milestone_id"),
    "questions": ("admin.question", "question_id"),
    "actions": ("admin.action", "action_id"),
}


def missing(campaign: Campaign) -> list[Problem]:
    """Everything that keeps a draft from being published; nothing of a campaign that is published."""
    if campaign.status is not CampaignStatus.DRAFT:
        return []
    found = [*campaigns.missing_before_launch(campaign), *rewards.missing_before_launch(campaign)]
    faults = forms.findings(campaign, forms.draft_of(campaign).definition)
    # An incomplete question is named by both.
    return found + [Problem("questions", fault.sentence) for fault in faults if fault.fault is not Fault.MISSING]


def address_of(problem: Problem, campaign: Campaign) -> str:
    """Where this is mended: the page of the thing itself where there is one."""
    if problem.part and problem.where in _PARTS:
        endpoint, name = _PARTS[problem.where]
        part: dict[str, Any] = {name: problem.part}
        return url_for(endpoint, campaign_id=campaign.id, **part)
    return url_for(endpoint_for(problem.where), campaign_id=campaign.id)
