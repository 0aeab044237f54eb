"""The vault of codes: handing one out, each to one person, and what became of it. Loading is in rewards.loading."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, select, text
from sqlalchemy.exc import IntegrityError

from leadgen.campaigns.models import Milestone
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import format_date, format_datetime
from leadgen.core.i18n import gettext as _
from leadgen.rewards.models import Coupon, CouponStatus

# One statement takes a code and makes it the person's: between a SELECT and an UPDATE three hundred askers would get
# the same few (M7). Codes that others are just taking are skipped, never waited for. Who has one gets the same again.
_HAND_OUT = text("""
WITH mine AS (
    SELECT code FROM coupon WHERE milestone_id = :milestone AND entry_id = :entry AND status IN ('assigned', 'used')
), next AS (
    SELECT id FROM coupon WHERE milestone_id = :milestone AND status = 'free' AND NOT EXISTS (SELECT 1 FROM mine)
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE coupon SET status = 'assigned', entry_id = :entry, assigned_at = :now
    FROM next WHERE coupon.id = next.id RETURNING coupon.code
)
SELECT code FROM mine UNION ALL SELECT code FROM taken
""")

_COUNTS = text("""
SELECT milestone_id, count(*) AS loaded, count(*) FILTER (WHERE status = 'free') AS free,
       count(*) FILTER (WHERE status = 'assigned') AS handed, count(*) FILTER (WHERE status = 'used') AS used,
       count(*) FILTER (WHERE status = 'void') AS void
FROM coupon WHERE milestone_id = ANY(:milestones) GROUP BY milestone_id
""")

PAGE = 50
_LISTED = text("""
SELECT k.id, k.code, k.status, k.assigned_at, k.used_at, k.used_by, k.entry_id, e.public_id, c.first_name
FROM coupon k LEFT JOIN entry e ON e.id = k.entry_id LEFT JOIN contact c ON c.id = e.contact_id
WHERE k.milestone_id = :milestone AND (:status = '' OR k.status = :status) AND k.id > :after ORDER BY k.id LIMIT :most
""")

_FIND = text("""
SELECT k.id, k.code, k.status, k.assigned_at, k.used_at, k.used_by, m.texts, m.campaign_id, g.name AS campaign,
       g.timezone, m.codes_until, p.first_name, a.state AS award_state
FROM coupon k JOIN milestone m ON m.id = k.milestone_id JOIN campaign g ON g.id = m.campaign_id
LEFT JOIN entry e ON e.id = k.entry_id LEFT JOIN contact p ON p.id = e.contact_id
LEFT JOIN award a ON a.entry_id = k.entry_id AND a.milestone_id = k.milestone_id
WHERE g.brand_id = ANY(:brands)
  AND (k.id = :coupon OR k.milestone_id = m.id AND k.code = ANY(ARRAY[CAST(:code AS text), upper(:code), lower(:code)]))
ORDER BY k.code <> :code, k.id LIMIT 10
""")


@dataclass(frozen=True, slots=True)
class Line:
    """One code in the list; the person is empty while nobody has it, and nameless once erased."""

    id: int
    code: str
    status: CouponStatus
    assigned_at: datetime | None
    used_at: datetime | None
    used_by: str
    entry_id: int | None
    public_id: str | None
    first_name: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the codes of a tier are: handed + free + used + void = loaded (I09)."""

    loaded: int = 0
    free: int = 0
    handed: int = 0
    used: int = 0
    void: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A code as staff see it at the counter; `first_name` is empty when nobody has it or its owner is forgotten."""

    coupon_id: int
    code: str
    status: CouponStatus
    title: str
    campaign: str
    timezone: str
    first_name: str
    award_state: str
    assigned_at: datetime | None
    used_at: datetime | None
    used_by: str
    codes_until: date | None

    @property
    def is_over(self) -> bool:
        """Whether its last good day is past."""
        return is_over(self.codes_until, self.timezone)


def is_over(until: date | None, zone: str) -> bool:
    """Whether codes that are good until this day, in this time zone, are good no more; without a day they stay good."""
    return until is not None and until < clock.today(zone)


def hand_out(milestone_id: int, entry_id: int) -> str | None:
    """The person's code of this tier: the one they have, else the next free one; None when none is left.

    In the running transaction. A person never has two of a tier, not even when they ask twice at one instant.
    """
    values = {"milestone": milestone_id, "entry": entry_id, "now": clock.now()}
    try:
        with db.session.begin_nested():
            return db.session.execute(_HAND_OUT, values).scalar_one_or_none()
    except IntegrityError:  # the same person asked twice at once: the other one has it by now
        return db.session.execute(_HAND_OUT, values).scalar_one_or_none()


def code_of(milestone_id: int, entry_id: int) -> str:
    """The code that the person has of this tier, or nothing."""
    own = select(Coupon.code).filter_by(milestone_id=milestone_id, entry_id=entry_id)
    return db.session.scalar(own.where(Coupon.status.in_((CouponStatus.ASSIGNED, CouponStatus.USED)))) or ""


def counts(milestone_ids: Collection[int]) -> dict[int, Counts]:
    """How many codes of each tier are where."""
    rows = db.session.execute(_COUNTS, {"milestones": list(milestone_ids)})
    found = {row.milestone_id: Counts(row.loaded, row.free, row.handed, row.used, row.void) for row in rows}
    return {milestone_id: found.get(milestone_id, Counts()) for milestone_id in milestone_ids}


def is_empty(milestone_id: int) -> bool:
    """Whether no code was ever loaded, void ones included."""
    return not db.session.scalar(select(exists().where(Coupon.milestone_id == milestone_id)))


def listed(milestone_id: int, status: CouponStatus | None = None, *, after: int = 0) -> list[Line]:
    """A page of a vault's codes in the order in which they were loaded, of one status if asked."""
    values = {"milestone": milestone_id, "status": status.value if status else "", "after": after, "most": PAGE}
    rows = db.session.execute(_LISTED, values).mappings()
    return [Line(**(row | {"status": CouponStatus(row["status"])})) for row in map(dict, rows)]


def find(brand_ids: Collection[int], code: str, locale: str) -> list[Found]:
    """The codes of these brands that read so, as typed or all in capitals or small; several tiers may share one."""
    return _found({"brands": list(brand_ids), "code": code.strip(), "coupon": 0}, locale)


def of_brands(brand_ids: Collection[int], coupon_id: int) -> Found:
    """The code with this number. Raises NotFound when no brand of these has it."""
    found = _found({"brands": list(brand_ids), "code": "", "coupon": coupon_id}, "en")
    if not found:
        raise NotFound
    return found[0]


def _found(values: dict[str, Any], locale: str) -> list[Found]:
    rows = db.session.execute(_FIND, values)
    return [
        Found(
            coupon_id=row.id,
            code=row.code,
            status=CouponStatus(row.status),
            title=_title(row.texts, locale),
            campaign=row.campaign,
            timezone=row.timezone,
            first_name=row.first_name or "",
            award_state=row.award_state or "",
            assigned_at=row.assigned_at,
            used_at=row.used_at,
            used_by=row.used_by,
            codes_until=row.codes_until,
        )
        for row in rows
    ]


def _title(texts: dict[str, dict[str, str]], locale: str) -> str:
    said = [texts.get(locale, {}), *texts.values()]
    return next((str(words["title"]) for words in said if words.get("title")), "")


def mark_used(coupon_id: int, by: str, timezone: str = "UTC", *, even_over: bool = False) -> None:
    """The code was honoured at the counter, once. Raises Conflict that says when and by whom it was before, or why not.

    Two counters at one instant: the row decides, the second is told about the first. One whose last good day is past
    is honoured only when `even_over` says that somebody wants that.
    """
    coupon = _locked(coupon_id)
    if coupon.status is CouponStatus.USED:
        words = {"moment": format_datetime(coupon.used_at or clock.now(), timezone), "by": coupon.used_by}
        raise Conflict(_("This code was used on %(moment)s, noted by %(by)s.") % words)
    if coupon.status is CouponStatus.VOID:
        raise Conflict(_("This code is void. It must not be honoured."))
    if coupon.status is CouponStatus.FREE:
        raise Conflict(_("This code was not given to anybody yet. It must not be honoured."))
    until = db.session.scalar(select(Milestone.codes_until).filter_by(id=coupon.milestone_id))
    if until and is_over(until, timezone) and not even_over:
        raise Conflict(_("This code expired on %(day)s. It was not marked as used.") % {"day": format_date(until)})
    coupon.status, coupon.used_at, coupon.used_by = CouponStatus.USED, clock.now(), by


def void(coupon_id: int) -> None:
    """Make a code worthless, whoever has it. Doing it twice is once. Raises NotFound, Conflict for a used one."""
    coupon = _locked(coupon_id)
    if coupon.status is CouponStatus.USED:
        raise Conflict(_("This code was used already; it cannot be made void."))
    coupon.status = CouponStatus.VOID


def void_code(milestone_id: int, code: str) -> None:
    """Make the code of this tier that reads so worthless. Raises Invalid (no such code), Conflict (used)."""
    coupon_id = db.session.scalar(select(Coupon.id).filter_by(milestone_id=milestone_id, code=code))
    if coupon_id is None:
        raise Invalid(_("There is no such code in this vault."), "code")
    void(coupon_id)


def _locked(coupon_id: int) -> Coupon:
    coupon = db.session.get(Coupon, coupon_id, with_for_update=True, populate_existing=True)
    if coupon is None:
        raise NotFound
    return coupon
