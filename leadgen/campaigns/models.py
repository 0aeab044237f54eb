"""A campaign's tables: the contest itself, its prizes, its questions, and the versions of its rules."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from leadgen.core.db import Model, word


class CampaignStatus(StrEnum):
    """The life of a campaign, in order."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    CLOSING = "closing"
    CLOSED = "closed"
    DRAWING = "drawing"
    AWARDED = "awarded"
    ARCHIVED = "archived"


# While a campaign is in one of these states a confirmation counts; the deadline of the entry says until when.
CONFIRMABLE = (CampaignStatus.SCHEDULED, CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.CLOSING)
CONFIRMABLE_SQL = "(" + ", ".join(f"'{status}'" for status in CONFIRMABLE) + ")"


class Mechanic(StrEnum):
    """What a campaign plays with; several may be on at once (F1)."""

    DRAW = "draw"
    RANK = "rank"
    MILESTONES = "milestones"
    WAITLIST = "waitlist"
    CODES = "codes"
    QUIZ = "quiz"
    VOTES = "votes"


class TouchModel(StrEnum):
    """Which of several links that a person followed brings its owner the credit (F4)."""

    LAST = "last_touch"
    FIRST = "first_touch"


class WaitlistOrder(StrEnum):
    """How places in a waiting list are reckoned (F7)."""

    BY_REFERRALS = "by_referrals"
    SKIP_N = "skip_n"
    BY_POINTS = "by_points"
    BY_SIGNUP = "by_signup"


class FraudPreset(StrEnum):
    """How strict the bands of the fraud score are (F11)."""

    RELAXED = "relaxed"
    BALANCED = "balanced"
    STRICT = "strict"


class ActionKind(StrEnum):
    """What a person can do for points besides entering and bringing friends (F6)."""

    SHARE = "share"
    VISIT = "visit"
    VIDEO = "video"
    QUIZ = "quiz"
    CODE = "code"
    DAILY = "daily"
    FOLLOW = "follow"
    UPLOAD = "upload"
    CUSTOM = "custom"
    EXTERNAL = "external"


class Proof(StrEnum):
    """How far a deed can be believed: we saw it, the person said so, or another system signed it."""

    VERIFIED = "verified"
    DECLARED = "declared"
    EXTERNAL = "external"


class Repeat(StrEnum):
    """How often an action may be done; days and weeks are those of the campaign's time zone."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    UNLIMITED = "unlimited"


class Metric(StrEnum):
    """What a milestone counts; `entry` is reached by confirming."""

    FRIENDS = "friends"
    POINTS = "points"
    ENTRY = "entry"


class Delivery(StrEnum):
    """How a reward reaches its owner."""

    CODE = "code"
    FILE = "file"
    MANUAL = "manual"
    API = "api"


class Approval(StrEnum):
    """Who says that a reward may go out: nobody, nobody unless a supporting friend is being checked, or staff."""

    AUTO = "auto"
    SEMI = "semi"
    MANUAL = "manual"


class QuestionKind(StrEnum):
    """The types of answer a question can have."""

    TEXT = "text"
    CHOICE = "choice"
    MANY = "many"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"


class Campaign(Model):
    """A contest. `texts` is {locale: {key: text}}; `version` grows with each edit and names the cached page."""

    __tablename__ = "campaign"
    __table_args__ = (Index("ix_campaign_brand_id", "brand_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    template: Mapped[str]
    status: Mapped[CampaignStatus] = mapped_column(word(CampaignStatus), server_default="draft")
    timezone: Mapped[str]
    default_locale: Mapped[str]
    texts: Mapped[dict[str, Any]]
    picture: Mapped[str] = mapped_column(server_default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    grace_seconds: Mapped[int] = mapped_column(server_default=text("259200"))
    countries: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    minimum_age: Mapped[int] = mapped_column(server_default=text("18"))
    entry_points: Mapped[int] = mapped_column(server_default=text("1"))
    referral_points: Mapped[int] = mapped_column(server_default=text("5"))
    is_reminding: Mapped[bool] = mapped_column(server_default=text("true"))  # one reminder to unconfirmed people
    mechanics: Mapped[list[str]] = mapped_column(server_default=text("'{draw}'"))
    # referrals (F4, F5): who is credited, when, how often, and for what besides the friend's confirmation
    touch_model: Mapped[TouchModel] = mapped_column(word(TouchModel), server_default="last_touch")
    is_remembering_touch: Mapped[bool] = mapped_column(server_default=text("false"))  # by a cookie
    hold_hours: Mapped[int] = mapped_column(server_default=text("0"))
    cap_per_day: Mapped[int | None]
    cap_total: Mapped[int | None]
    indirect_points: Mapped[int] = mapped_column(server_default=text("0"))  # for a friend's friend
    profile_points: Mapped[int] = mapped_column(server_default=text("0"))  # the friend answered every question
    stay_points: Mapped[int] = mapped_column(server_default=text("0"))  # the friend is still there after `stay_days`
    stay_days: Mapped[int] = mapped_column(server_default=text("14"))
    visit_points: Mapped[int] = mapped_column(server_default=text("0"))  # for a human visit of one's link
    declared_cap: Mapped[int] = mapped_column(server_default=text("30"))  # per cent of one's chances in the draw
    # leaderboard and waiting list (F7)
    is_board_shown: Mapped[bool] = mapped_column(server_default=text("true"))
    board_size: Mapped[int] = mapped_column(server_default=text("10"))
    freeze_hours: Mapped[int] = mapped_column(server_default=text("0"))
    waitlist_order: Mapped[WaitlistOrder] = mapped_column(word(WaitlistOrder), server_default="by_referrals")
    skip_places: Mapped[int] = mapped_column(server_default=text("10"))  # for each friend, with skip_n
    waitlist_hide_above: Mapped[int | None]  # the total is not shown above this
    fraud_preset: Mapped[FraudPreset] = mapped_column(word(FraudPreset), server_default="balanced")
    shares: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # {locale: {channel: text}}
    embed_origins: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    # photo and idea contests: None where there is no such phase
    votes_start_at: Mapped[datetime | None]
    votes_end_at: Mapped[datetime | None]
    votes_a_day: Mapped[int] = mapped_column(server_default=text("3"))
    votes_need_entry: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    rules_version: Mapped[int] = mapped_column(server_default=text("0"))  # 0: never published
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]  # when it last went on after a pause: mails that waited count their time anew

    prizes: Mapped[list[Prize]] = relationship(order_by="Prize.position", cascade="all, delete-orphan")
    questions: Mapped[list[Question]] = relationship(order_by="Question.position", cascade="all, delete-orphan")
    actions: Mapped[list[Action]] = relationship(order_by="Action.position", cascade="all, delete-orphan")
    milestones: Mapped[list[Milestone]] = relationship(order_by="Milestone.position", cascade="all, delete-orphan")


class Prize(Model):
    """Something to win. `texts` is {locale: {"title", "description"}}; `value` is in minor units of `currency`."""

    __tablename__ = "prize"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    texts: Mapped[dict[str, Any]]
    quantity: Mapped[int]
    value: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(server_default="EUR")
    picture: Mapped[str] = mapped_column(server_default="")
    # The one mechanic that gives it away: draw, rank, milestones, codes, quiz or votes.
    mechanic: Mapped[Mechanic] = mapped_column(word(Mechanic), server_default="draw")


class Action(Model):
    """A way to earn points. `texts` is {locale: {"title", "help", "button"}}; `settings` is what its kind needs."""

    __tablename__ = "action"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str]
    kind: Mapped[ActionKind] = mapped_column(word(ActionKind))
    texts: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    points: Mapped[int]
    chances: Mapped[int]
    proof: Mapped[Proof] = mapped_column(word(Proof))
    repeat: Mapped[Repeat] = mapped_column(word(Repeat), server_default="once")
    most_times: Mapped[int | None]  # in all; None: as the repeat rule says
    needs_others: Mapped[int] = mapped_column(server_default=text("0"))  # so many other actions done before
    is_mandatory: Mapped[bool] = mapped_column(server_default=text("false"))  # the others open after this one
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))


class Milestone(Model):
    """A tier: whoever reaches `threshold` of `metric` earns it. `texts` is {locale: {"title", "description"}}."""

    __tablename__ = "milestone"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    metric: Mapped[Metric] = mapped_column(word(Metric), server_default="friends")
    threshold: Mapped[int]
    texts: Mapped[dict[str, Any]]
    picture: Mapped[str] = mapped_column(server_default="")
    value: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    currency: Mapped[str] = mapped_column(server_default="EUR")
    prize_id: Mapped[int | None] = mapped_column(ForeignKey("prize.id", ondelete="SET NULL"), unique=True)
    stock: Mapped[int | None]  # None: without limit
    delivery: Mapped[Delivery] = mapped_column(word(Delivery), server_default="manual")
    approval: Mapped[Approval] = mapped_column(word(Approval), server_default="semi")
    claim_days: Mapped[int | None]  # None: the reward waits for ever
    is_only_highest: Mapped[bool] = mapped_column(server_default=text("false"))  # passed over by a higher one
    file_url: Mapped[str] = mapped_column(server_default="")
    is_address_asked: Mapped[bool] = mapped_column(server_default=text("false"))  # it is sent by post, by hand
    codes_until: Mapped[date | None]  # the last day, in the campaign's time zone, on which its codes are good


class Question(Model):
    """A qualification question: `texts` {locale: {"label", "help"}}, `options` [{"id", "texts": {locale: label}}]."""

    __tablename__ = "question"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str]
    kind: Mapped[QuestionKind] = mapped_column(word(QuestionKind))
    texts: Mapped[dict[str, Any]]
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    points: Mapped[int] = mapped_column(server_default=text("2"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_always: Mapped[bool] = mapped_column(server_default=text("true"))  # asked of everybody, whatever they answer


class RulesVersion(Model):
    """The rules as they stood: every published version, its hash, and what changed since the one before."""

    __tablename__ = "rules_version"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"))
    number: Mapped[int]
    sha256: Mapped[str]
    snapshot: Mapped[dict[str, Any]]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    created_at: Mapped[datetime]
