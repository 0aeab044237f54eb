"""What the person sees of their rewards: where each tier stands for them, the code or file, and claiming in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from leadgen.campaigns.cards import CampaignCard, MilestoneCard
from leadgen.campaigns.models import Delivery, Metric, Milestone
from leadgen.campaigns.titles import public_title
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries.models import Review
from leadgen.rewards import addresses, grounds, milestones, stock, vault
from leadgen.rewards.addresses import Address
from leadgen.rewards.milestones import Case
from leadgen.rewards.models import Award, AwardState

_MINE = """
SELECT a.id, a.milestone_id, a.state, a.reason, a.claim_until, k.code, k.status AS code_status,
       d.name, d.street, d.postcode, d.city, d.country, d.phone
FROM award a LEFT JOIN award_address d ON d.award_id = a.id
             LEFT JOIN coupon k ON k.entry_id = a.entry_id AND k.milestone_id = a.milestone_id
                                AND k.status IN ('assigned', 'used')
WHERE a.entry_id = %(entry)s
"""


_HELD = f"""
SELECT {public_title("c")} AS contest, m.texts, a.state, a.earned_at, a.delivered_at, k.code, k.used_at,
       CASE WHEN d.award_id IS NOT NULL THEN jsonb_build_object('name', d.name, 'street', d.street, 'postcode',
            d.postcode, 'city', d.city, 'country', d.country, 'phone', d.phone) END AS sent_to
FROM award a LEFT JOIN award_address d ON d.award_id = a.id
JOIN entry e ON e.id = a.entry_id JOIN milestone m ON m.id = a.milestone_id
JOIN campaign c ON c.id = a.campaign_id
LEFT JOIN coupon k ON k.entry_id = a.entry_id AND k.milestone_id = a.milestone_id AND k.status IN ('assigned', 'used')
WHERE e.contact_id = %(contact)s ORDER BY a.id
"""  # noqa: S608 - the only value put in by Python is a constant


class Look(StrEnum):
    """What a tier looks like to one person."""

    LOCKED = "locked"
    SOLD_OUT = "sold_out"  # not reached, and none left
    RESERVE = "reserve"  # reached, and waiting for one
    CHECKING = "checking"
    CLAIM = "claim"
    READY = "ready"  # approved; staff hand it over
    DELIVERED = "delivered"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Mine:
    """One tier as one person sees it. `award_id` is 0 before it is earned; `code` only once it is delivered."""

    tier: MilestoneCard
    look: Look
    have: int
    award_id: int = 0
    code: str = ""
    is_used: bool = False
    has_file: bool = False
    claim_until: datetime | None = None
    address: Address | None = None
    is_over: bool = False  # the last good day of its code is past

    @property
    def asks_address(self) -> bool:
        """Whether it waits for its owner to say where it is sent, or lets them change that."""
        return self.tier.is_address_asked and self.look in {Look.CLAIM, Look.READY}

    @property
    def missing(self) -> int:
        """How much is missing to reach it."""
        return max(0, self.tier.threshold - self.have)


def of(entry_id: int, card: CampaignCard, *, friends: int, points: int, is_confirmed: bool) -> list[Mine]:
    """Every tier of the campaign, lowest first, as this person sees it: one statement, none without tiers.

    `points` are those that rank: others bring no reward nearer.
    """
    if not card.milestones:
        return []
    rows = {row["milestone_id"]: row for row in hot.many(_MINE, {"entry": entry_id})}
    out = stock.sold_out(card.id, [tier.id for tier in card.milestones])
    have = {Metric.FRIENDS: friends, Metric.POINTS: points, Metric.ENTRY: int(is_confirmed)}
    found = [_mine(tier, rows.get(tier.id), have[tier.metric], is_out=tier.id in out) for tier in card.milestones]
    return [
        replace(one, is_over=vault.is_over(one.tier.codes_until, card.timezone)) if one.code else one for one in found
    ]


def _mine(tier: MilestoneCard, row: hot.Row | None, have: int, *, is_out: bool) -> Mine:
    locked = Mine(tier, Look.SOLD_OUT if is_out else Look.LOCKED, have)
    if row is None:
        return locked
    state = AwardState(row["state"])
    if state is AwardState.RECLAIMED:
        return locked if row["reason"] == milestones.BELOW else Mine(tier, Look.REFUSED, have)
    is_theirs = state in {AwardState.DELIVERED, AwardState.REVIEW}  # under review it stays where it is
    look = {
        AwardState.EARNED: Look.CHECKING,
        AwardState.RESERVE: Look.RESERVE,
        AwardState.APPROVED: Look.CLAIM if row["claim_until"] else Look.READY,
        AwardState.EXPIRED: Look.EXPIRED,
        AwardState.REFUSED: Look.REFUSED,
    }.get(state, Look.DELIVERED)
    if look is Look.CLAIM and row["claim_until"] <= clock.now():
        look = Look.EXPIRED  # the job that says so in the table may be late
    return Mine(
        tier=tier,
        look=look,
        have=have,
        award_id=row["id"],
        code=(row["code"] or "") if is_theirs else "",
        is_used=row["code_status"] == "used",
        has_file=is_theirs and tier.delivery is Delivery.FILE,
        claim_until=row["claim_until"],
        address=Address(**{name: row[name] for name in addresses.FIELDS}) if row["name"] else None,
    )


def claim(entry_id: int, award_id: int, address: Address | None = None) -> None:
    """The person wants their reward: its deadline is gone, and a code or file is theirs at once.

    What is sent by post needs its address, and takes another one until it is delivered. Doing it twice is once.
    Raises NotFound for somebody else's, Conflict when it is too late or not ready, and while the person is being
    checked or is excluded, as for what staff hand over, and for another address of what is delivered; Invalid where an
    address is asked and none is given.
    """
    addresses.require_there(entry_id)
    award = db.session.get(Award, award_id, with_for_update=True, populate_existing=True)
    if award is None or award.entry_id != entry_id:
        raise NotFound
    if award.state is AwardState.DELIVERED:
        if address is not None:
            raise Conflict(_("This reward cannot be claimed now. Your page says how it stands."))
        return
    tier = db.session.get_one(Milestone, award.milestone_id)
    if award.state is AwardState.APPROVED and award.claim_until is None:
        _send_to(tier, award, address)
        return
    if award.state is not AwardState.APPROVED or award.claim_until is None:
        raise Conflict(_("This reward cannot be claimed now. Your page says how it stands."))
    if award.claim_until <= clock.now():
        raise Conflict(_("The time to claim this reward is over."))
    ground = grounds.of([entry_id])[entry_id]
    if not (ground.is_in and ground.review is Review.CLEAR):
        raise Conflict(_("This reward cannot be claimed now. Your page says how it stands."))
    _send_to(tier, award, address)
    award.claim_until = None
    if tier.delivery in {Delivery.CODE, Delivery.FILE}:
        milestones.deliver(Case(ground, tier, award))


def tier_of(entry_id: int, award_id: int) -> Milestone:
    """The tier that gave somebody this award. Raises NotFound for somebody else's."""
    statement = select(Milestone).join(Award, Award.milestone_id == Milestone.id)
    found = db.session.scalar(statement.where(Award.id == award_id, Award.entry_id == entry_id))
    if found is None:
        raise NotFound
    return found


def _send_to(tier: Milestone, award: Award, address: Address | None) -> None:
    if not tier.is_address_asked:
        return
    if address is None:
        raise Invalid(_("Say where we shall send it."), "street")
    addresses.keep(award.id, address)


def file_of(award_id: int, entry_id: int) -> str:
    """The address of the file that this award gives. Raises NotFound for what is not delivered, or not theirs."""
    statement = select(Milestone.file_url).join(Award, Award.milestone_id == Milestone.id)
    statement = statement.where(Award.id == award_id, Award.entry_id == entry_id)
    url = db.session.scalar(statement.where(Award.state.in_((AwardState.DELIVERED, AwardState.REVIEW))))
    if not url:
        raise NotFound
    return url


def held(contact_id: int) -> dict[str, Any]:
    """The rewards of a person, for the file that they may download; a code only once it is theirs."""
    return {"rewards": [_held(row) for row in hot.many(_HELD, {"contact": contact_id})]}


def _held(row: hot.Row) -> dict[str, Any]:
    texts = row.pop("texts")
    titles = {locale: words.get("title", "") for locale, words in texts.items()}
    plain = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    return {"reward": titles} | plain
