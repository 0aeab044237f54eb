"""The campaigns room's face: find, create, copy and delete campaigns; the verbs that edit and publish them."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import actions, cards, catalogue, milestones, rules
from leadgen.campaigns.actions import (
    ActionInput,
    add_action,
    edit_action,
    find_action,
    move_action,
    order_actions,
    remove_action,
    restore_action,
)
from leadgen.campaigns.board import BoardInput, edit_board
from leadgen.campaigns.catalogue import TemplateCard
from leadgen.campaigns.checking import Problem, missing_before_launch
from leadgen.campaigns.editing import (
    CampaignDates,
    brand_changed,
    check_name,
    check_slug,
    check_window,
    edit_dates,
    edit_eligibility,
    edit_name,
    edit_picture,
    edit_points,
    edit_reminder,
    edit_slug,
    edit_texts,
    lock,
    slug_is_taken,
)
from leadgen.campaigns.embedding import edit_embed
from leadgen.campaigns.milestones import (
    MilestoneInput,
    add_milestone,
    edit_milestone,
    move_milestone,
    remove_milestone,
)
from leadgen.campaigns.models import (
    Approval,
    Campaign,
    CampaignStatus,
    Delivery,
    Metric,
    Milestone,
    Prize,
    Question,
    QuestionKind,
)
from leadgen.campaigns.prizes import PrizeInput, add_prize, edit_prize, move_prize, remove_prize
from leadgen.campaigns.publishing import archive, pause, publish, resume
from leadgen.campaigns.questions import QuestionInput, ask, checked_options, checked_question
from leadgen.campaigns.sharing import edit_shares, edit_visit_points
from leadgen.campaigns.spreading import SpreadingInput, edit_spreading
from leadgen.campaigns.strictness import edit_strictness
from leadgen.campaigns.voting import VotingInput, edit_voting
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName

__all__ = [
    "ActionInput",
    "BoardInput",
    "CampaignDates",
    "MilestoneInput",
    "PrizeInput",
    "Problem",
    "QuestionInput",
    "SpreadingInput",
    "TemplateCard",
    "VotingInput",
    "add_action",
    "add_milestone",
    "add_prize",
    "archive",
    "ask",
    "brand_changed",
    "checked_options",
    "checked_question",
    "create_from_template",
    "delete_draft",
    "duplicate",
    "edit_action",
    "edit_board",
    "edit_dates",
    "edit_eligibility",
    "edit_embed",
    "edit_milestone",
    "edit_name",
    "edit_picture",
    "edit_points",
    "edit_prize",
    "edit_reminder",
    "edit_shares",
    "edit_slug",
    "edit_spreading",
    "edit_strictness",
    "edit_texts",
    "edit_visit_points",
    "edit_voting",
    "find_action",
    "get",
    "last_minute",
    "list_for",
    "missing_before_launch",
    "move_action",
    "move_milestone",
    "move_prize",
    "order_actions",
    "pause",
    "publish",
    "remove_action",
    "remove_milestone",
    "remove_prize",
    "restore_action",
    "resume",
    "templates",
]


def templates() -> list[TemplateCard]:
    """The templates to choose from, in the current language."""
    return catalogue.all_cards()


def list_for(brand_ids: Collection[int]) -> list[Campaign]:
    """All campaigns of these brands, newest first."""
    statement = select(Campaign).where(Campaign.brand_id.in_(brand_ids)).order_by(Campaign.id.desc())
    return list(db.session.scalars(statement))


def get(brand_ids: Collection[int], campaign_id: int) -> Campaign:
    """The campaign, if it belongs to one of these brands. Raises NotFound for an absent one and for another brand's."""
    campaign = db.session.get(Campaign, campaign_id)
    if campaign is None or campaign.brand_id not in brand_ids:
        raise NotFound
    return campaign


def create_from_template(
    brand: Brand,
    template_key: str,
    *,
    name: str,
    slug: str = "",
    timezone: str = "",
    default_locale: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Campaign:
    """A draft made from a template; what is left out comes from the brand and the template.

    A slug that is not given is made from the name. Starts tomorrow at nine in the campaign's time zone unless said.
    Raises NotFound (template), Invalid (name, slug, dates).
    """
    template = catalogue.filled(catalogue.read(template_key), brand.name)
    zone = timezone or brand.timezone
    starts_at = starts_at or _tomorrow_at_nine(zone)
    if ends_at:
        check_window(starts_at, ends_at)
    ends_at = ends_at or last_minute(starts_at + timedelta(days=template["days"]), zone)
    campaign = Campaign(
        brand_id=brand.id,
        slug=check_slug(slug) if slug else _free_slug(name),
        name=check_name(name),
        template=template_key,
        timezone=zone,
        default_locale=default_locale or brand.locale,
        texts=template["texts"],
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=clock.now(),
        **_played_by(template, starts_at, ends_at, zone),
        **{key: template[key] for key in ("picture", "countries", "minimum_age", "entry_points", "referral_points")},
        prizes=[Prize(position=n, **prize) for n, prize in enumerate(template["prizes"], 1)],
        questions=[_question(n, question) for n, question in enumerate(template["questions"], 1)],
        actions=[actions.from_template(n, action) for n, action in enumerate(template.get("actions", ()), 1)],
        milestones=[_milestone(n, milestone) for n, milestone in enumerate(template.get("milestones", ()), 1)],
    )
    return _created(campaign, {n: data.get("prize") for n, data in enumerate(template.get("milestones", ()), 1)})


def _milestone(position: int, data: dict[str, Any]) -> Milestone:
    """A tier of a template; `prize` names the prize of the list that it gives away, counted from 1."""
    words = {"metric": Metric, "delivery": Delivery, "approval": Approval}
    values = {name: words.get(name, lambda value: value)(value) for name, value in data.items() if name != "prize"}
    return Milestone(position=position, **values)


def _played_by(template: Mapping[str, Any], starts_at: datetime, ends_at: datetime, zone: str) -> dict[str, Any]:
    """The mechanics of a template, their settings, and when people vote: after so much of the contest, to its end."""
    played = {"mechanics": list(template["mechanics"]), **template.get("settings", {})}
    if "votes_after" in template:
        begin = last_minute(starts_at + (ends_at - starts_at) * template["votes_after"], zone)
        played |= {"votes_start_at": min(begin, ends_at), "votes_end_at": ends_at}
    return played


def _question(position: int, data: dict[str, Any]) -> Question:
    return Question(position=position, **(data | {"kind": QuestionKind(data["kind"])}))


def _created(campaign: Campaign, held: Mapping[int, int | None], *, copied_from: int | None = None) -> Campaign:
    """`held` says which prize each tier gives away, both by position."""
    db.session.add(campaign)
    db.session.flush()
    prize_ids = {prize.position: prize.id for prize in campaign.prizes}
    for milestone in campaign.milestones:
        milestone.prize_id = prize_ids.get(held.get(milestone.position) or 0)
    milestones.settle(campaign)
    rules.refresh(campaign)
    journal.record(
        FactName.CAMPAIGN_CREATED, brand_id=campaign.brand_id, campaign_id=campaign.id, copied_from=copied_from
    )
    return campaign


def _tomorrow_at_nine(zone: str) -> datetime:
    local = clock.now().astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return local.replace(hour=9, minute=0, second=0, microsecond=0)


def last_minute(moment: datetime, zone: str) -> datetime:
    """One minute to midnight of that day in the time zone: the end that people expect of a contest."""
    return moment.astimezone(ZoneInfo(zone)).replace(hour=23, minute=59, second=0, microsecond=0)


def _free_slug(name: str) -> str:
    """A slug made from a name, with a number behind it when it is taken."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "contest"
    base = base if len(base) >= 3 else f"{base}-contest"
    candidates = (base, *(f"{base}-{number}" for number in range(2, 1000)))
    return next(slug for slug in candidates if not slug_is_taken(slug))


def duplicate(campaign: Campaign, *, name: str) -> Campaign:
    """A draft with everything of `campaign` but people, points and statistics; it starts tomorrow and lasts as long."""
    starts_at = _tomorrow_at_nine(campaign.timezone)
    same = (
        "brand_id", "template", "timezone", "default_locale", "picture", "grace_seconds", "countries", "minimum_age",
        "entry_points", "referral_points", "is_reminding", "mechanics", "touch_model", "is_remembering_touch",
        "hold_hours", "cap_per_day", "cap_total", "indirect_points", "profile_points", "stay_points", "stay_days",
        "visit_points", "declared_cap",
        "is_board_shown", "board_size", "freeze_hours", "waitlist_order", "skip_places", "waitlist_hide_above",
        "fraud_preset", "shares", "embed_origins", "votes_a_day", "votes_need_entry",
    )  # fmt: skip
    twin = Campaign(
        **{key: copy.copy(getattr(campaign, key)) for key in same},
        slug=_free_slug(name),
        name=check_name(name),
        texts=copy.deepcopy(campaign.texts),
        starts_at=starts_at,
        ends_at=starts_at + (campaign.ends_at - campaign.starts_at),
        created_at=clock.now(),
        prizes=[_copy_of(prize) for prize in campaign.prizes],
        questions=[_copy_of(question) for question in campaign.questions if question.is_active],
        actions=[actions.later(_copy_of(a), starts_at - campaign.starts_at) for a in campaign.actions if a.is_active],
        milestones=[_copy_of(milestone) for milestone in campaign.milestones],
    )
    places = {prize.id: prize.position for prize in campaign.prizes}
    held = {m.position: places.get(m.prize_id or 0) for m in campaign.milestones}
    return _created(twin, held, copied_from=campaign.id)


def _copy_of(part: Any) -> Any:
    columns = [column.key for column in part.__table__.columns if column.key not in {"id", "campaign_id", "prize_id"}]
    return type(part)(**{key: copy.deepcopy(getattr(part, key)) for key in columns})


def delete_draft(campaign: Campaign) -> None:
    """Delete a campaign that was never published. Raises Conflict for any other: those are archived (F1)."""
    lock(campaign)
    if campaign.status is not CampaignStatus.DRAFT:
        raise Conflict(_("Only a draft can be deleted. Archive the campaign instead."))
    db.session.delete(campaign)
    db.session.flush()
    cards.forget()
