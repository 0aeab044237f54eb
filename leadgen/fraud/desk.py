"""What the review desk shows: the queue by points at stake, a case with its evidence, what a decision would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, text

from leadgen.campaigns.models import Campaign, FraudPreset
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.core.text import like_pattern
from leadgen.entries import judging, places
from leadgen.entries.models import EntryStatus, ReferralReason, ReferralState, Review
from leadgen.entries.places import Place
from leadgen.fraud import bands
from leadgen.fraud.models import Decision, Signal

PAGE = 30
DOUBTFUL = 34  # from this score on somebody should look; the lowest band of any preset
MOST_FRIENDS = 400
_KINDS: dict[str, Callable[[Any], Any]] = {
    "decision": Decision,
    "review": Review,
    "referral_state": ReferralState,
    "referral_reason": ReferralReason,
}
SIMILAR = 3
_ORDER = (Decision.ACCEPTED, Decision.HELD, Decision.REJECTED, Decision.NONE)


class Shown(StrEnum):
    """The lists of the desk."""

    OPEN = "open"
    HELD = "held"
    EXCLUDED = "excluded"
    ACCEPTED = "accepted"
    ALL = "all"


# What belongs to each list. A decision stays until the engine finds something of a kind that was not known then.
_NEW_CODE = "EXISTS (SELECT 1 FROM signal s WHERE s.entry_id = v.entry_id AND NOT s.code = ANY(v.decided_codes))"
_IS_OPEN = (
    f"(v.score >= {DOUBTFUL} OR stakes.held > 0 OR e.status = 'erased') AND e.status <> 'expired'"
    f" AND (v.decision = 'none' OR {_NEW_CODE})"
)
_LISTS = {
    Shown.OPEN: _IS_OPEN,
    Shown.HELD: "(e.review = 'held' OR e.referral_state = 'on_hold' AND e.referral_reason = 'risk')",
    Shown.EXCLUDED: "(e.review = 'excluded' OR v.decision = 'rejected')",
    Shown.ACCEPTED: "v.decision = 'accepted'",
    Shown.ALL: "v.score > 0",
}
_FROM = """
FROM verdict v
JOIN entry e ON e.id = v.entry_id AND (e.status <> 'erased' OR e.referral_state = 'on_hold')
JOIN campaign k ON k.id = v.campaign_id
LEFT JOIN (
    SELECT referrer_id, count(*) AS held FROM entry
    WHERE campaign_id = :campaign AND referral_state = 'on_hold' AND referral_reason = 'risk' GROUP BY 1
) AS stakes ON stakes.referrer_id = v.entry_id
WHERE v.campaign_id = :campaign
"""
# What a decision moves: points that wait with this person's friends and with this person, and the person's own rank.
_STAKE = """
coalesce(stakes.held, 0) * k.referral_points
+ CASE WHEN e.referral_state = 'on_hold' AND e.referral_reason = 'risk' THEN k.referral_points ELSE 0 END
+ CASE WHEN e.review <> 'clear' THEN e.points ELSE 0 END
"""
# The only values put in by Python are constants of this module.
_SHOWN = f"""
v.entry_id, v.score, v.decision, v.decided_by, v.decided_at, {_NEW_CODE} AS has_news, e.public_id, e.points,
e.rank_points, e.review, e.status, e.referral_state, e.referral_reason, e.referrer_id, e.created_at, e.confirmed_at,
e.friends_counted, c.first_name, c.email
"""
_ROW = f"""
SELECT {_SHOWN}, coalesce(stakes.held, 0) AS held_friends, {_STAKE} AS stake
{_FROM.replace("JOIN campaign k", "JOIN contact c ON c.id = e.contact_id JOIN campaign k")}
"""
# The order first, by as few columns as it takes, and the people of one page afterwards: of a famous person's friends
# hundreds of thousands may be on hold.
_PAGE = f"""
WITH page AS (
    SELECT v.entry_id, v.score, coalesce(stakes.held, 0) AS held_friends, {_STAKE} AS stake {_FROM} AND %s
    ORDER BY stake DESC, v.score DESC, v.entry_id LIMIT :limit OFFSET :offset
)
SELECT {_SHOWN}, page.held_friends, page.stake
FROM page JOIN verdict v ON v.entry_id = page.entry_id JOIN entry e ON e.id = v.entry_id
JOIN contact c ON c.id = e.contact_id
ORDER BY page.stake DESC, page.score DESC, page.entry_id
"""  # noqa: S608 - as above
_TYPED = """
(e.public_id = upper(:typed) OR EXISTS (SELECT FROM contact c WHERE c.id = e.contact_id
    AND (c.email ILIKE :pattern OR c.first_name ILIKE :pattern)))
"""
_COUNTED = ", ".join(f"count(*) FILTER (WHERE {rule}) AS {name}" for name, rule in _LISTS.items())
_COUNTS = f"SELECT {_COUNTED} {_FROM}"

_GROUP = text(f"""
SELECT f.id, f.public_id, f.status, f.referrer_id, f.referral_state, f.referral_reason, f.review, f.created_at,
       f.confirmed_at, c.first_name, coalesce(v.score, 0) AS score, coalesce(v.decision, 'none') AS decision,
       EXISTS (SELECT 1 FROM signal n WHERE n.entry_id = f.id
               AND NOT n.code = ANY(coalesce(v.decided_codes, '{{}}'))) AS has_news,
       coalesce(encode(s.network, 'hex'), '') AS network, coalesce(s.device, '') AS device,
       coalesce(s.network_kind, '') AS network_kind, coalesce(s.returns, 0) AS returns
FROM entry f JOIN contact c ON c.id = f.contact_id
LEFT JOIN sighting s ON s.entry_id = f.id LEFT JOIN verdict v ON v.entry_id = f.id
WHERE f.referrer_id = :head AND (f.status <> 'erased' OR f.referral_state = 'on_hold')
ORDER BY f.id LIMIT {MOST_FRIENDS}
""")  # noqa: S608 - as above
_NUMBERS = text("""
SELECT f.referrer_id AS head, count(*) AS friends, count(f.confirmed_at) AS confirmed,
       count(*) FILTER (WHERE f.confirmed_at - f.created_at < interval '2 minutes') AS confirmed_fast,
       count(*) FILTER (WHERE s.returns > 0) AS came_back, count(DISTINCT s.network) AS networks,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM f.confirmed_at - f.created_at))
           FILTER (WHERE f.confirmed_at IS NOT NULL) AS median_seconds
FROM entry f LEFT JOIN sighting s ON s.entry_id = f.id
WHERE f.referrer_id = ANY(:heads) AND f.status <> 'erased' GROUP BY 1
""")
# Honest by all that we know: clear themselves, nobody among their friends in doubt, and about as many friends.
_SIMILAR = text(f"""
SELECT r.id, c.first_name, r.public_id FROM (
    SELECT referrer_id, count(*) AS friends FROM entry
    WHERE campaign_id = :campaign AND referrer_id IS NOT NULL AND referrer_id <> :head AND status = 'confirmed'
    GROUP BY 1 HAVING count(*) >= 3 ORDER BY abs(count(*) - :friends), referrer_id LIMIT 200
) AS heads JOIN entry r ON r.id = heads.referrer_id JOIN contact c ON c.id = r.contact_id
WHERE r.review = 'clear' AND r.status = 'confirmed'
  AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.entry_id = r.id AND v.score >= {DOUBTFUL})
  AND NOT EXISTS (SELECT 1 FROM entry f JOIN verdict v ON v.entry_id = f.id
                  WHERE f.referrer_id = r.id AND v.score >= {DOUBTFUL})
ORDER BY abs(heads.friends - :friends), r.id LIMIT {SIMILAR}
""")  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue. `stake` is in points; `signals` are the two strongest."""

    entry_id: int
    public_id: str
    first_name: str
    email: str | None
    score: int
    decision: Decision
    decided_by: str
    decided_at: datetime | None
    has_news: bool
    review: Review
    status: str
    referral_state: ReferralState
    referral_reason: ReferralReason
    referrer_id: int | None
    points: int
    rank_points: int
    friends_counted: int
    held_friends: int
    stake: int
    created_at: datetime
    confirmed_at: datetime | None
    signals: tuple[Signal, ...] = ()

    @property
    def is_held(self) -> bool:
        """Whether the referral that this person is waits for a decision."""
        return self.referral_state is ReferralState.ON_HOLD and self.referral_reason is ReferralReason.RISK

    @property
    def is_doubtful(self) -> bool:
        """Whether somebody should look, as long as nobody decided."""
        return self.score >= DOUBTFUL or self.held_friends > 0 or self.status == EntryStatus.ERASED


@dataclass(frozen=True, slots=True)
class Member:
    """A friend in the group of one head; equal `network` or `device` marks people who came in alike."""

    id: int
    public_id: str
    first_name: str
    status: str
    referrer_id: int
    referral_state: ReferralState
    referral_reason: ReferralReason
    review: Review
    score: int
    decision: Decision
    has_news: bool
    network: str
    device: str
    network_kind: str
    returns: int
    created_at: datetime
    confirmed_at: datetime | None

    @property
    def is_doubtful(self) -> bool:
        """Whether somebody should look, as long as nobody decided."""
        return self.score >= DOUBTFUL or self.status == EntryStatus.ERASED


@dataclass(frozen=True, slots=True)
class Group:
    """All referrals of one head in numbers; times in seconds."""

    head: int
    name: str
    friends: int
    confirmed: int
    confirmed_fast: int
    came_back: int
    networks: int
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class Move:
    """Whose points and place a decision would move, now and then; a place is None while not ranked."""

    name: str
    points_now: int
    points_then: int
    place_now: int | None
    place_then: int | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a decision would do: how the person stands then (None: as now), and whose points and place move.

    `referral` is what becomes of the referral that the person is: refuse, hold, restore, release or nothing.
    """

    review: Review | None
    referral: str
    moves: Sequence[Move]


@dataclass(frozen=True, slots=True)
class Case:
    """One person as the desk shows them."""

    row: Row
    signals: Sequence[Signal]
    members: Sequence[Member]
    numbers: Group | None
    similar: Sequence[Group]
    referrer: Row | None


def queue(campaign_id: int, shown: Shown = Shown.OPEN, *, typed: str = "", offset: int = 0) -> list[Row]:
    """A page of one list, most points at stake first; one row more than PAGE says that there is a next page."""
    values: dict[str, Any] = {"campaign": campaign_id, "limit": PAGE + 1, "offset": offset, "typed": typed.strip()}
    values["pattern"] = like_pattern(values["typed"])
    chosen = f"{_LISTS[shown]} AND {_TYPED}" if values["typed"] else _LISTS[shown]
    rows = db.session.execute(text(_PAGE % chosen), values).mappings().all()
    strongest = _signals_of([row["entry_id"] for row in rows], most=2)
    return [_row(row, strongest.get(row["entry_id"], ())) for row in rows]


def counts(campaign_id: int) -> dict[Shown, int]:
    """How many people stand in each list."""
    row = db.session.execute(text(_COUNTS), {"campaign": campaign_id}).mappings().one()
    return {shown: int(row[shown.value]) for shown in Shown}


def case(campaign_id: int, entry_id: int) -> Case:
    """Everything about one case. Raises NotFound for whoever was never looked at, and for another campaign's."""
    row = _one(campaign_id, entry_id)
    if row is None:
        raise NotFound
    members = members_of(entry_id)
    numbers = _groups([(entry_id, row.first_name or row.public_id)])
    friends = numbers[0].friends if numbers else 0
    return Case(
        row=row,
        signals=_signals_of([entry_id]).get(entry_id, ()),
        members=members,
        numbers=numbers[0] if numbers else None,
        similar=_similar(campaign_id, entry_id, friends) if friends else (),
        referrer=_one(campaign_id, row.referrer_id) if row.referrer_id else None,
    )


def members_of(head: int) -> list[Member]:
    """The friends of a head, oldest first, at most MOST_FRIENDS."""
    rows = db.session.execute(_GROUP, {"head": head}).mappings().all()
    return [
        Member(**{name: _KINDS[name](value) if name in _KINDS else value for name, value in row.items()})
        for row in rows
    ]


def useful(campaign: Campaign, people: Sequence[Row | Member]) -> list[Decision]:
    """The decisions that would change something for at least one of these people; none once the list is frozen."""
    if campaign.status in judging.FROZEN:
        return []
    return [deed for deed in _ORDER if any(_changes(one, deed, campaign.fraud_preset) for one in people)]


def _changes(one: Row | Member, deed: Decision, preset: FraudPreset) -> bool:
    if one.decision is deed and not (one.has_news and deed is not Decision.NONE):
        return False
    if one.decision is not Decision.NONE or (one.is_doubtful and deed is not Decision.NONE):
        return True  # whether anything moves or not, the case is decided from then on, or open again
    return not bands.stands(one, bands.wanted(bands.Standing(one.score, deed, has_news=False), preset))


def effect(campaign: Campaign, found: Case, deed: Decision) -> Effect:
    """What a decision about this person would do to them and to their referrer."""
    row, head = found.row, found.referrer
    target = bands.wanted(bands.Standing(row.score, deed, has_news=False), campaign.fraud_preset)
    verb = bands.referral_verb(row, target.referral) if row.referrer_id else ""
    change = 0
    if head is not None:
        counts_now = row.referral_state is ReferralState.COUNTED
        counts_then = target.referral is Decision.ACCEPTED if verb else counts_now
        change = ((counts_then and row.status == EntryStatus.CONFIRMED) - counts_now) * campaign.referral_points
    moves = _moves(row, head, change, is_ranked_then=target.review is Review.CLEAR)
    return Effect(target.review if target.review != row.review else None, verb, moves)


def _moves(row: Row, head: Row | None, change: int, *, is_ranked_then: bool) -> list[Move]:
    """Who moves, in the order of the board; each where they stand once the other has moved too."""
    told: list[Move] = []
    own_now = places.place_of(row.entry_id)
    own_then = places.place_if(row.entry_id) if is_ranked_then and row.status == EntryStatus.CONFIRMED else None
    head_now = places.place_of(head.entry_id) if head and change else None
    head_then = places.place_if(head.entry_id, change, source=row.entry_id) if head and head_now else None
    if (own_now is None) != (own_then is None):
        then = _beside(own_then, head_now, head_then)
        told.append(
            Move(row.first_name or row.public_id, row.points, row.points, own_now.number if own_now else None, then)
        )
    if head and change:
        name, now = head.first_name or head.public_id, head_now.number if head_now else None
        told.append(Move(name, head.points, head.points + change, now, _beside(head_then, own_now, own_then)))
    return told


def _beside(place: Place | None, other_now: Place | None, other_then: Place | None) -> int | None:
    """A place that was found with the other where they stand now, once they stand where they will."""
    if place is None:
        return None
    was_ahead = other_now is not None and other_now.is_ahead_of(place)
    return place.number - was_ahead + (other_then is not None and other_then.is_ahead_of(place))


def _one(campaign_id: int, entry_id: int) -> Row | None:
    statement = text(
        _ROW.replace("FROM verdict v\nJOIN entry e ON e.id = v.entry_id", _EVEN_UNSEEN) + " AND e.id = :id"
    )
    row = db.session.execute(statement, {"campaign": campaign_id, "id": entry_id}).mappings().one_or_none()
    return _row(row, ()) if row else None


# A head may have no verdict of its own; the page shows it all the same.
_EVEN_UNSEEN = """FROM (
    SELECT e.id AS entry_id, e.campaign_id, coalesce(w.score, 0) AS score, coalesce(w.decision, 'none') AS decision,
           coalesce(w.decided_by, '') AS decided_by, w.decided_at, coalesce(w.decided_codes, '{}') AS decided_codes
    FROM entry e LEFT JOIN verdict w ON w.entry_id = e.id WHERE e.id = :id
) AS v
JOIN entry e ON e.id = v.entry_id"""


def _row(values: Any, signals: Sequence[Signal]) -> Row:
    read: dict[str, Any] = {name: _KINDS[name](value) if name in _KINDS else value for name, value in values.items()}
    return Row(**read, signals=tuple(signals))


def _signals_of(entry_ids: Sequence[int], most: int = 100) -> dict[int, list[Signal]]:
    statement = select(Signal).where(Signal.entry_id.in_(entry_ids), Signal.points != 0)
    found: dict[int, list[Signal]] = {}
    for signal in db.session.scalars(statement.order_by(Signal.points.desc(), Signal.code)):
        of_entry = found.setdefault(signal.entry_id, [])
        if len(of_entry) < most:
            of_entry.append(signal)
    return found


def _groups(heads: Sequence[tuple[int, str]]) -> list[Group]:
    names = dict(heads)
    rows = db.session.execute(_NUMBERS, {"heads": list(names)}).mappings().all()
    groups = {row["head"]: Group(**row, name=names[row["head"]]) for row in rows}
    return [groups[head] for head, _name in heads if head in groups]


def _similar(campaign_id: int, head: int, friends: int) -> list[Group]:
    values = {"campaign": campaign_id, "head": head, "friends": friends}
    rows = db.session.execute(_SIMILAR, values).all()
    return _groups([(row.id, row.first_name or row.public_id) for row in rows])
