"""What figures of spreading cost in a large campaign: a famous person's tree, an ordinary one's, and the whole page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from unittest import mock

from bench import cpu
from bench.figures import Rounds, say, show
from bench.stack import Stack
from leadgen.analytics import crowds, headcounts, trees, virality
from leadgen.analytics.crowds import Asked, Crowd
from leadgen.app import create_app

GOAL_TREE_MS = 20.0
GOAL_PAGE_MS = 300.0
# A famous person: friends, their friends, theirs again.
FAMOUS = (10_000, 16_000, 14_000)
# What part of the other people stands in each generation; each is brought by anybody of the one before.
_PARTS = (0.45, 0.25, 0.15, 0.1, 0.05)
_PRIME = 7919  # neighbours in the plan stand far apart in the table, as people who come over weeks do

_PLAN_ALONE = "INSERT INTO plan SELECT n, 0, NULL FROM generate_series(%s::bigint, %s::bigint) AS n"
_PLAN_BROUGHT = """
INSERT INTO plan SELECT n, %s, %s + floor(random() * %s)::bigint FROM generate_series(%s::bigint, %s::bigint) AS n
"""
_PEOPLE = """
INSERT INTO contact (id, brand_id, mailbox_key, email, address_hash, first_name, locale, created_at)
OVERRIDING SYSTEM VALUE
SELECT %(base)s + n, c.brand_id, 'tree' || n || '@mail.example', 'tree' || n || '@mail.example',
       decode(md5('tree' || n), 'hex'), 'Camille', 'fr', %(now)s
FROM generate_series(1, %(people)s) AS n, campaign c WHERE c.slug = %(slug)s
"""
# `p` is the person, `a` who brought them, `b` and `d` the two above.
_ENTRIES = """
INSERT INTO entry (id, public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                   is_marketing_wanted, referrer_id, ref2_id, ref3_id, depth, channel, referral_state,
                   code_expires_at, last_mail_at, expires_at, confirmed_at, created_at)
OVERRIDING SYSTEM VALUE
SELECT {p}, 'T' || p.n, 'TREE' || p.n, c.brand_id, c.id, %(base)s + p.n,
       CASE WHEN is_confirmed THEN 'confirmed' ELSE 'pending' END, 'fr', 1, true, {a}, {b}, {d}, p.depth,
       CASE WHEN a.n IS NULL THEN '' ELSE 'wa' END,
       CASE WHEN a.n IS NULL THEN 'none' WHEN is_confirmed THEN 'counted' ELSE 'awaiting' END,
       at, at, at, CASE WHEN is_confirmed THEN at + interval '1 hour' * random() END, at
FROM plan p LEFT JOIN plan a ON a.n = p.referrer LEFT JOIN plan b ON b.n = a.referrer
LEFT JOIN plan d ON d.n = b.referrer
CROSS JOIN LATERAL (SELECT p.n %% 5 > 0 AS is_confirmed,
                           %(now)s - interval '1 day' * (40 - 6 * p.depth - 6 * random()) AS at) AS made,
     campaign c
WHERE c.slug = %(slug)s ORDER BY 1
"""
_VISITS = """
INSERT INTO visit (campaign_id, entry_id, channel, kind, visitor, nonce, at, seen_at)
SELECT e.campaign_id, e.id, 'wa', CASE WHEN number = 1 THEN 'human' ELSE 'preview' END, decode(md5(e.code), 'hex'),
       e.code || ':' || number, e.created_at, e.created_at
FROM entry e JOIN campaign c ON c.id = e.campaign_id, generate_series(1, 2) AS number
WHERE c.slug = %(slug)s AND e.id %% 3 = 0
"""
_ANSWERS = """
INSERT INTO answer (contact_id, entry_id, question_id, key, value, at)
SELECT e.contact_id, e.id, q.id, q.key, '"sea"', e.created_at
FROM entry e JOIN campaign c ON c.id = e.campaign_id
JOIN LATERAL (SELECT * FROM question q WHERE q.campaign_id = c.id ORDER BY id LIMIT 1) q ON true
WHERE c.slug = %(slug)s AND e.id %% 4 = 0
"""


def fill(stack: Stack, slug: str, people: int) -> int:
    """Make the people and say which entry is the famous one's. Constraints are not checked row by row."""
    values = {"slug": slug, "people": people, "now": stack.clock.now()}
    with stack.connect() as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM contact").fetchone()
        row = connection.execute("SELECT greatest(%s, coalesce(max(id), 0)) FROM entry", row).fetchone()
        assert row is not None
        base = int(str(row[0]))
        place = {name: f"%(base)s + 1 + ({name}.n * {_PRIME}) %% %(people)s" for name in "pabd"}
        connection.execute("SET session_replication_role = replica")
        connection.execute("CREATE TEMPORARY TABLE plan (n bigint PRIMARY KEY, depth int, referrer bigint)")
        for start, end, depth, first, width in _generations(people):
            if depth:
                connection.execute(_PLAN_BROUGHT, (depth, first, width, start, end))
            else:
                connection.execute(_PLAN_ALONE, (start, end))
        connection.execute("ANALYZE plan")
        for statement in (_PEOPLE, _ENTRIES.format(**place), _VISITS, _ANSWERS):
            connection.execute(statement, {**values, "base": base})
        for table in ("contact", "entry", "visit", "answer"):
            connection.execute(f"VACUUM ANALYZE {table}")
    return base + 1 + _PRIME % people


def _generations(people: int) -> list[tuple[int, int, int, int, int]]:
    """First and last number of each generation, its depth, and the numbers of those who brought it."""
    found = [(1, 1, 0, 0, 0)]
    for depth, size in enumerate(FAMOUS, 1):
        start, end, _depth, _first, _width = found[-1]
        found.append((end + 1, end + size, depth, start, end - start + 1))
    following = found[-1][1] + 1
    before = (0, 0)
    for depth, part in enumerate(_PARTS):
        size = int((people - 1 - sum(FAMOUS)) * part)
        found.append((following, following + size - 1, depth, *before))
        before, following = (following, size), following + size
    return found


def measure(stack: Stack, slug: str, *, people: int, rounds: int) -> None:
    """Fill, look, and print one figure for each page."""
    say(f"making {people} people of whom one is famous")
    famous = fill(stack, slug, people)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context(), stack.connect() as connection:
        found = connection.execute(
            "SELECT campaign_id, (SELECT max(referrer_id) FROM entry f WHERE depth = 4) FROM entry e WHERE id = %s",
            (famous,),
        ).fetchone()
        assert found is not None
        campaign, ordinary = int(str(found[0])), int(str(found[1]))
        sizes = tuple(level.people for level in trees.levels(famous))
        assert sizes == FAMOUS, sizes
        _show(
            stack,
            "tree of three generations, famous person",
            lambda: trees.tree(campaign, famous),
            GOAL_TREE_MS,
            rounds,
        )
        _show(
            stack,
            "tree of three generations, ordinary person",
            lambda: trees.tree(campaign, ordinary),
            GOAL_TREE_MS,
            rounds,
        )
        _show(stack, "figures of spreading, counted anew", lambda: _anew(campaign), GOAL_PAGE_MS, min(3, rounds))
        _show(
            stack,
            "figures of spreading, as shown again",
            lambda: virality.spread(campaign, "UTC"),
            GOAL_PAGE_MS,
            rounds,
        )
        asked = Asked(campaign, "UTC", Crowd.REFERRED_CONFIRMED)
        _show(stack, "list behind a figure, one page", lambda: crowds.people(asked), GOAL_PAGE_MS, rounds)
        _show(stack, "list behind a figure, its count", lambda: crowds.how_many(asked), GOAL_PAGE_MS, min(3, rounds))


def _anew(campaign: int) -> None:
    headcounts.forget(campaign, "UTC")
    virality.spread(campaign, "UTC")


def _show(stack: Stack, figure: str, act: Callable[[], object], goal: float, rounds: int) -> None:
    """Wall time by round, and the CPU of database and reader together, which a busy machine does not blur."""
    act()
    found = Rounds()
    roots = [*stack.pids("postgres"), os.getpid()]
    before = cpu.used(roots)
    for _round in range(max(rounds, 3)):
        begun = time.monotonic()
        act()
        found.add("ms", (time.monotonic() - begun) * 1000)
    spent = (cpu.used(roots) - before) * 1000 / max(rounds, 3)
    value = found.median("ms")
    spread = found.spread("ms")
    show(figure=figure, unit="ms", value=value, spread=spread, cpu_ms=spent, goal=goal, met=value <= goal)
