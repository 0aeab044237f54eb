"""A campaign as the public pages see it: one frozen card, read at most every two seconds by each process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import psycopg

from leadgen.campaigns.models import (
    ActionKind,
    Approval,
    CampaignStatus,
    Delivery,
    FraudPreset,
    Mechanic,
    Metric,
    Proof,
    QuestionKind,
    Repeat,
    TouchModel,
    WaitlistOrder,
)
from leadgen.core import clock, hot
from leadgen.core.errors import NotFound

log = logging.getLogger(__name__)
FRESH_SECONDS = 2.0
MOST_LIVE = 50
# Where several are on, what people came for stands first: it names the contest on pages and in letters.
_LEADING = (
    Mechanic.WAITLIST,
    Mechanic.VOTES,
    Mechanic.QUIZ,
    Mechanic.CODES,
    Mechanic.RANK,
    Mechanic.DRAW,
    Mechanic.MILESTONES,
)
_READ = """
SELECT c.*, to_jsonb(b) AS brand,
       coalesce((SELECT jsonb_agg(p ORDER BY p.position) FROM prize p WHERE p.campaign_id = c.id), '[]') AS prizes,
       coalesce((SELECT jsonb_agg(q ORDER BY q.position) FROM question q
                 WHERE q.campaign_id = c.id AND q.is_active), '[]') AS questions,
       coalesce((SELECT jsonb_agg(a ORDER BY a.position) FROM action a
                 WHERE a.campaign_id = c.id AND a.is_active), '[]') AS actions,
       coalesce((SELECT jsonb_agg(m ORDER BY m.threshold, m.position) FROM milestone m
                 WHERE m.campaign_id = c.id), '[]') AS milestones
FROM campaign c JOIN brand b ON b.id = c.brand_id
WHERE CASE WHEN %(slug)s::text IS NULL THEN c.id = %(id)s ELSE c.slug = %(slug)s END
"""
_LIVE = """
SELECT id FROM campaign WHERE status IN ('live', 'scheduled') AND starts_at <= %(now)s AND %(now)s < ends_at
ORDER BY ends_at, id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class BrandCard:
    """The brand as pages and letters show it."""

    id: int
    name: str
    legal_name: str
    legal_address: str
    contact_email: str
    sender_name: str
    sender_email: str
    website: str
    logo: str
    accent: str
    is_tracking_clicks: bool = True


@dataclass(frozen=True, slots=True)
class PrizeCard:
    """A prize; `value` is in minor units of `currency`, `texts` is {locale: {"title", "description"}}."""

    id: int
    mechanic: Mechanic
    texts: dict[str, Any]
    quantity: int
    value: int
    currency: str
    picture: str


@dataclass(frozen=True, slots=True)
class QuestionCard:
    """An active question; see campaigns.models.Question for the shape of `texts` and `options`."""

    id: int
    key: str
    kind: QuestionKind
    texts: dict[str, Any]
    options: list[dict[str, Any]]
    points: int


@dataclass(frozen=True, slots=True)
class ActionCard:
    """An active action; see campaigns.models.Action for `texts` and `settings`."""

    id: int
    key: str
    kind: ActionKind
    texts: dict[str, Any]
    settings: dict[str, Any]
    points: int
    chances: int
    proof: Proof
    repeat: Repeat
    most_times: int | None
    needs_others: int
    is_mandatory: bool
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class MilestoneCard:
    """A tier, lowest first; see campaigns.models.Milestone."""

    id: int
    metric: Metric
    threshold: int
    texts: dict[str, Any]
    picture: str
    value: int
    currency: str
    stock: int | None
    delivery: Delivery
    approval: Approval
    claim_days: int | None
    is_only_highest: bool
    file_url: str
    is_address_asked: bool
    codes_until: date | None
    prize_id: int | None = None  # the prize of the list that it gives away


@dataclass(frozen=True, slots=True)
class CampaignCard:
    """All that a public page or a letter needs to know about a campaign."""

    id: int
    brand: BrandCard
    slug: str
    name: str
    status: CampaignStatus
    timezone: str
    default_locale: str
    texts: dict[str, Any]
    picture: str
    starts_at: datetime
    ends_at: datetime
    grace_seconds: int
    countries: tuple[str, ...]
    minimum_age: int
    entry_points: int
    referral_points: int
    is_reminding: bool
    mechanics: frozenset[Mechanic]
    touch_model: TouchModel
    is_remembering_touch: bool
    hold_hours: int
    cap_per_day: int | None
    cap_total: int | None
    indirect_points: int
    profile_points: int
    stay_points: int
    stay_days: int
    visit_points: int
    declared_cap: int
    is_board_shown: bool
    board_size: int
    freeze_hours: int
    waitlist_order: WaitlistOrder
    skip_places: int
    waitlist_hide_above: int | None
    fraud_preset: FraudPreset
    shares: dict[str, Any]
    embed_origins: tuple[str, ...]
    votes_start_at: datetime | None
    votes_end_at: datetime | None
    votes_a_day: int
    votes_need_entry: bool
    version: int
    rules_version: int
    prizes: tuple[PrizeCard, ...]
    questions: tuple[QuestionCard, ...]
    actions: tuple[ActionCard, ...]
    milestones: tuple[MilestoneCard, ...]

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages that the campaign speaks, its default first."""
        return (self.default_locale, *sorted(set(self.texts) - {self.default_locale}))

    def text(self, key: str, locale: str) -> str:
        """The text in `locale`, else in the default language, else empty."""
        for code in (locale, self.default_locale):
            if found := self.texts.get(code, {}).get(key):
                return str(found)
        return ""

    def is_open(self, at: datetime | None = None) -> bool:
        """Whether entries are accepted: live, or scheduled and due, and start <= now < end (I27)."""
        moment = at or clock.now()
        is_on = self.status in {CampaignStatus.LIVE, CampaignStatus.SCHEDULED}
        return is_on and self.starts_at <= moment < self.ends_at

    @property
    def leading(self) -> Mechanic:
        """The mechanic that pages and letters speak of first: what kind of contest this is to people."""
        return next((mechanic for mechanic in _LEADING if mechanic in self.mechanics), Mechanic.DRAW)

    @property
    def total_value(self) -> int:
        """Value of all prizes in minor units."""
        return sum(prize.value * prize.quantity for prize in self.prizes)


_WORDS: dict[str, Callable[[Any], Any]] = {
    "status": CampaignStatus,
    "touch_model": TouchModel,
    "waitlist_order": WaitlistOrder,
    "fraud_preset": FraudPreset,
    "mechanic": Mechanic,
    "proof": Proof,
    "repeat": Repeat,
    "metric": Metric,
    "delivery": Delivery,
    "approval": Approval,
}
_cache: dict[str | int, tuple[float, CampaignCard | None]] = {}
_lock = threading.Lock()


def by_slug(slug: str) -> CampaignCard:
    """The card of the campaign with this slug, at most two seconds old. Raises NotFound (drafts are found too)."""
    return _cached(slug)


def by_id(campaign_id: int) -> CampaignCard:
    """The card of the campaign with this id, at most two seconds old. Raises NotFound."""
    return _cached(campaign_id)


def live() -> list[CampaignCard]:
    """The cards of campaigns that take entries now, the one that closes first in front; at most fifty."""
    rows = hot.many(_LIVE, {"now": clock.now(), "most": MOST_LIVE})
    return [by_id(row["id"]) for row in rows]


def forget() -> None:
    """Read every card anew at the next call (after an edit, and in tests)."""
    with _lock:
        _cache.clear()


def _cached(key: str | int) -> CampaignCard:
    moment = time.monotonic()
    found = _cache.get(key)
    if found is None or moment - found[0] >= FRESH_SECONDS:
        found = (moment, _read_or_keep(key, found))
        with _lock:
            if len(_cache) > 1000:  # unknown slugs must not fill the memory
                _cache.clear()
            _cache[key] = found
    if found[1] is None:
        raise NotFound
    return found[1]


def _read_or_keep(key: str | int, found: tuple[float, CampaignCard | None] | None) -> CampaignCard | None:
    """The card anew; while the database is away the last one known, so that pages stay and what is typed is kept."""
    try:
        return _read(key)
    except psycopg.OperationalError as error:
        if found is None:
            raise
        log.warning("the card of %s is kept while the database is away: %s", key, error)
        return found[1]


def _read(key: str | int) -> CampaignCard | None:
    row = hot.one(_READ, {"slug": key if isinstance(key, str) else None, "id": key if isinstance(key, int) else None})
    if row is None:
        return None
    same = {name: row[name] for name in CampaignCard.__slots__ if name in row}
    same |= {
        "brand": BrandCard(**{name: row["brand"][name] for name in BrandCard.__slots__}),
        "countries": tuple(row["countries"]),
        "embed_origins": tuple(row["embed_origins"]),
        "mechanics": frozenset(map(Mechanic, row["mechanics"])),
        "prizes": tuple(_card(PrizeCard, part) for part in row["prizes"]),
        "questions": tuple(_card(QuestionCard, part) for part in row["questions"]),
        "actions": tuple(_card(ActionCard, part) for part in row["actions"]),
        "milestones": tuple(_card(MilestoneCard, part) for part in row["milestones"]),
    }
    same |= {name: kind(same[name]) for name, kind in _WORDS.items() if name in same}
    return CampaignCard(**same)


_Card = TypeVar("_Card", PrizeCard, QuestionCard, ActionCard, MilestoneCard)
_MOMENTS = ("starts_at", "ends_at")
_DAYS = ("codes_until",)
_KINDS: dict[type, Callable[[Any], Any]] = {QuestionCard: QuestionKind, ActionCard: ActionKind}


def _card(kind: type[_Card], row: Mapping[str, Any]) -> _Card:
    """One part of a campaign from its row as JSON: words become members of their enums, times aware, days dates."""
    values = {name: row[name] for name in kind.__slots__}
    values |= {name: word(values[name]) for name, word in _WORDS.items() if name in values}
    values |= {name: datetime.fromisoformat(values[name]) for name in _MOMENTS if values.get(name)}
    values |= {name: date.fromisoformat(values[name]) for name in _DAYS if values.get(name)}
    if "kind" in values:
        values["kind"] = _KINDS[kind](values["kind"])
    return kind(**values)
