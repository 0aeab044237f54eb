"""What a place costs in a contest of a million: rank beside SELECT 1, the board, the lines around, the waiting list.

Rank and `SELECT 1` are told twice: as waiting, the middle of all looks, and as CPU of the database and of this process,
which a busy machine does not blur and which contains each reading of the histogram.
"""

from __future__ import annotations

import dataclasses
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from unittest import mock

from bench import cpu
from bench.figures import Rounds, say, show
from bench.stack import Stack
from leadgen.app import create_app
from leadgen.campaigns import cards
from leadgen.campaigns.models import Mechanic, WaitlistOrder
from leadgen.core import hot
from leadgen.entries import lately, leaderboard, points, waitlist

GOAL_RANK = 5.0
LOOKS = 2_000  # at one's place in a round
CROWD = 50_000  # people who confirm within one hour, all with the same points

_PEOPLE = """
INSERT INTO contact (id, brand_id, mailbox_key, email, address_hash, first_name, locale, created_at)
OVERRIDING SYSTEM VALUE
SELECT %(base)s + n, c.brand_id, 'place' || n || '@mail.example', 'place' || n || '@mail.example',
       decode(md5('place' || n), 'hex'), 'Camille', 'fr', %(now)s
FROM generate_series(1, %(people)s) AS n, campaign c WHERE c.slug = %(slug)s
"""
# Seven of ten never bring anybody; who does brings few, and a handful very many. Sixty days, and one hour's rush.
_ENTRIES = """
INSERT INTO entry (id, public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                   is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, created_at,
                   friends_counted, points, rank_points, chances, reached_at)
OVERRIDING SYSTEM VALUE
SELECT %(base)s + n, 'P' || n, 'PLACE' || n, c.brand_id, c.id, %(base)s + n, 'confirmed', 'fr', 1, true, at, at, at,
       at, at, friends, points, points, points, at
FROM generate_series(1, %(people)s) AS n
CROSS JOIN LATERAL (
    SELECT CASE WHEN n <= %(crowd)s OR n %% 10 < 7 THEN 0 WHEN n %% 1000 = 999 THEN 20 + n / 1000 %% 500
                ELSE 1 + (-2 * ln(1 - random()))::int END AS friends,
           CASE WHEN n <= %(crowd)s THEN date_trunc('hour', %(now)s) - interval '1 hour' * (0.999 - 0.998 * random())
                ELSE %(now)s - interval '60 days' * (0.01 + 0.99 * random()) END AS at
) AS made
CROSS JOIN LATERAL (SELECT 1 + 5 * friends + CASE WHEN n > %(crowd)s THEN 2 * (n %% 3) ELSE 0 END AS points) AS earned,
     campaign c
WHERE c.slug = %(slug)s
"""
_BUCKETS = """
INSERT INTO points_bucket (campaign_id, points, hour, entrants)
SELECT e.campaign_id, rank_points, floor(extract(epoch FROM reached_at) / 3600)::int, count(*)
FROM entry e JOIN campaign c ON c.id = e.campaign_id
WHERE c.slug = %(slug)s AND e.id > %(base)s GROUP BY 1, 2, 3
ON CONFLICT (campaign_id, points, hour) DO UPDATE SET entrants = points_bucket.entrants + excluded.entrants
"""


def fill(stack: Stack, slug: str, people: int) -> int:
    """Make the people; the number behind which theirs begin. Constraints are not checked row by row."""
    values = {"slug": slug, "people": people, "crowd": CROWD, "now": stack.clock.now()}
    with stack.connect() as connection:
        row = connection.execute(
            "SELECT greatest((SELECT max(id) FROM contact), (SELECT max(id) FROM entry), 0)"
        ).fetchone()
        assert row is not None
        values["base"] = int(str(row[0]))
        connection.execute("SET session_replication_role = replica")
        for statement in (_PEOPLE, _ENTRIES, _BUCKETS):
            connection.execute(statement, values)
        for table in ("contact", "entry", "points_bucket"):
            connection.execute(f"VACUUM ANALYZE {table}")
    return int(str(values["base"]))


def measure(stack: Stack, slug: str, *, people: int, rounds: int) -> None:
    """Fill, look, and print one figure for each way of asking for a place."""
    say(f"making {people} people in one race")
    base = fill(stack, slug, people)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    found = Rounds()
    with app.app_context():
        for number in range(rounds + 1):
            say(f"round {number} of {rounds}: places")
            _look(found, slug, base, people)
            if not number:
                found.values.clear()
        hot.forget()
    ratio = found.ratio("rank", "floor")
    spent = found.ratio("rank cpu", "floor cpu")
    show(figure="rank of one entrant", entrants=people, unit="milliseconds of waiting", value=found.median("rank"),
         floor=found.median("floor"), floor_is="SELECT 1", ratio=ratio, goal=GOAL_RANK, met=ratio <= GOAL_RANK,
         rounds=rounds, spread=found.spread("rank"))  # fmt: skip
    show(figure="rank of one entrant, CPU", entrants=people, unit="CPU-ms", value=found.median("rank cpu"),
         floor=found.median("floor cpu"), floor_is="SELECT 1", ratio=spent, goal=GOAL_RANK, met=spent <= GOAL_RANK,
         rounds=rounds, spread=found.spread("rank cpu"))  # fmt: skip
    others = ("rank in a crowd", "first rank of a second", "board", "around")
    for name in (*others, *(f"waiting {order}" for order in WaitlistOrder)):
        show(figure=name, entrants=people, unit="milliseconds of waiting", value=found.median(name),
             spread=found.spread(name))  # fmt: skip


def _look(found: Rounds, slug: str, base: int, people: int) -> None:
    """One round: everything once, each the middle of many looks."""
    card = dataclasses.replace(cards.by_slug(slug), mechanics=frozenset({Mechanic.RANK, Mechanic.WAITLIST}))
    chosen = [base + random.randint(CROWD + 1, people) for _ in range(LOOKS)]
    crowd = [base + random.randint(1, CROWD) for _ in range(LOOKS // 10)]
    for name, look in (("floor", _nothing), ("rank", leaderboard.place_of)):
        roots = [os.getpid(), _backend()]
        before = cpu.used(roots)
        found.add(name, _middle(look, chosen))
        found.add(f"{name} cpu", (cpu.used(roots) - before) * 1000 / len(chosen))
    found.add("rank in a crowd", _middle(leaderboard.place_of, crowd))
    found.add("first rank of a second", _middle(_rank_anew, chosen[:20]))
    found.add("board", _middle(lambda _one: _board_anew(card), chosen[:50]))
    places = [place for place in map(leaderboard.place_of, chosen[:200]) if place]
    found.add("around", _middle(leaderboard.around, places))
    for order in WaitlistOrder:
        listed = dataclasses.replace(card, waitlist_order=order)
        waitlist.place(listed, chosen[0])
        found.add(f"waiting {order}", _middle(lambda one, listed=listed: waitlist.place(listed, one), chosen[:300]))


def _nothing(_entry_id: int) -> object:
    return hot.one("SELECT 1 AS one", {})


def _backend() -> int:
    """The process that serves our connection."""
    [row] = hot.many("SELECT pg_backend_pid() AS pid", {})
    return int(row["pid"])


def _rank_anew(entry_id: int) -> None:
    lately.forget()
    points.forget()
    leaderboard.place_of(entry_id)


def _board_anew(card: cards.CampaignCard) -> None:
    leaderboard.forget()
    leaderboard.board(card)


def _middle(look: Callable[..., object], asked: Sequence[object]) -> float:
    """Milliseconds that a look takes, the middle of all."""
    times = []
    for one in asked:
        start = time.perf_counter()
        look(one)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)
