"""The group of one head as a small graph: the head in the middle, friends around, lines to who came in alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from leadgen.entries.models import ReferralState, Review
from leadgen.fraud.desk import Member

SIZE = 560
_MIDDLE = SIZE / 2
_RINGS = (24, 60, 120, 200)  # so many friends fit on the rings up to there
_INNER, _STEP = 120.0, 48.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One friend; `tone` is the badge's tone of their state, `radius` grows with the score."""

    x: float
    y: float
    radius: float
    tone: str
    member: Member


@dataclass(frozen=True, slots=True)
class Tie:
    """Two friends who came in alike; `kind` is device or network."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


@dataclass(frozen=True, slots=True)
class Graph:
    """All of it, in a square of SIZE. `left_out` friends are in the table only."""

    size: int
    middle: float
    dots: tuple[Dot, ...]
    ties: tuple[Tie, ...]
    left_out: int


def draw(members: Sequence[Member]) -> Graph:
    """The graph of a head's friends, oldest at the top and clockwise."""
    shown = members[: _RINGS[-1]]
    dots = tuple(_dot(member, *_place(number, len(shown))) for number, member in enumerate(shown))
    ties = (
        *_ties(dots, "device", lambda member: member.device),
        *_ties(dots, "network", lambda member: member.network),
    )
    return Graph(SIZE, _MIDDLE, dots, ties, len(members) - len(shown))


def tone(member: Member) -> str:
    """The tone of a friend's state, as badges have it."""
    if member.review is Review.EXCLUDED or member.referral_state in {ReferralState.REVERSED, ReferralState.NOT_COUNTED}:
        return "danger"
    if member.review is Review.HELD or member.referral_state is ReferralState.ON_HOLD:
        return "warning"
    return "success" if member.referral_state is ReferralState.COUNTED else "plain"


def _place(number: int, of: int) -> tuple[float, float]:
    ring = next(index for index, limit in enumerate(_RINGS) if number < limit)
    first = _RINGS[ring - 1] if ring else 0
    on_ring = min(of, _RINGS[ring]) - first
    angle = 2 * math.pi * (number - first) / max(1, on_ring) - math.pi / 2
    radius = _INNER + _STEP * ring
    return round(_MIDDLE + radius * math.cos(angle), 1), round(_MIDDLE + radius * math.sin(angle), 1)


def _dot(member: Member, x: float, y: float) -> Dot:
    return Dot(x, y, 6 + round(member.score / 20, 1), tone(member), member)


def _ties(dots: Sequence[Dot], kind: str, trait: Callable[[Member], str]) -> list[Tie]:
    """A line from each to the next who shares the trait: enough to see a cluster, and not a ball of wool."""
    groups: dict[str, list[Dot]] = {}
    for dot in dots:
        if value := trait(dot.member):
            groups.setdefault(value, []).append(dot)
    return [Tie(a.x, a.y, b.x, b.y, kind) for group in groups.values() for a, b in pairwise(group)]
