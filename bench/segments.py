"""What segments cost in a large base: counting three conditions, a page of people, and judging one person."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from sqlalchemy import select

from bench import cpu
from bench.figures import Rounds, say, show
from bench.stack import Stack
from leadgen.accounts.models import Brand
from leadgen.app import create_app
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.segments import fields, reading
from leadgen.segments.catalogue import Catalogue

GOAL_COUNT_MS = 100.0
GOAL_PAGE_MS = 50.0
GOAL_ONE_MS = 1.0
GOAL_EXPORT_S = 10.0
_PEOPLE = """
INSERT INTO contact (id, brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, answers,
                     email_verified_at, marketing_at, last_inbound_at, created_at)
OVERRIDING SYSTEM VALUE
SELECT %(base)s + n, c.brand_id, 'seg' || n || '@mail.example', 'seg' || n || '@mail.example',
       decode(md5('seg' || n), 'hex'), 'Camille', CASE WHEN n %% 3 = 0 THEN 'en' ELSE 'fr' END, 'Europe/Paris',
       CASE WHEN n %% 2 = 0 THEN jsonb_build_object(
            'month', (ARRAY['may', 'june', 'july', 'august', 'never'])[1 + n / 2 %% 5], 'budget',
            n %% 1000, 'role', (ARRAY['a', 'b', 'c', 'd'])[1 + n / 10 %% 4]) ELSE '{}'::jsonb END,
       at, CASE WHEN n %% 10 < 6 THEN at END,
       CASE WHEN n %% 4 > 0 THEN %(now)s - interval '1 day' * (n::bigint * 7919 %% 300) END, at
FROM generate_series(1, %(people)s) AS n
CROSS JOIN LATERAL (SELECT %(now)s - interval '1 minute' * (n %% 500000) AS at) AS made,
     campaign c WHERE c.slug = %(slug)s
"""
_ENTRIES = """
INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                   is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, points,
                   friends_counted, created_at)
SELECT 'S' || p.id, 'SEG' || p.id, p.brand_id, c.id, p.id, 'confirmed', p.locale, 1, true, p.created_at, p.created_at,
       p.created_at, p.created_at, p.id %% 61, CASE WHEN p.id %% 12 = 0 THEN 1 + p.id %% 5 ELSE 0 END, p.created_at
FROM contact p, campaign c WHERE c.slug = %(slug)s AND p.id > %(base)s
"""
_QUESTIONS = """
INSERT INTO question (campaign_id, position, key, kind, texts, options)
SELECT c.id, 90 + n, key, kind, '{}', options::jsonb
FROM campaign c, (VALUES (1, 'month', 'choice', '[{"id": "may", "texts": {}}, {"id": "june", "texts": {}}]'),
                         (2, 'role', 'choice', '[{"id": "a", "texts": {}}]'), (3, 'budget', 'number', '[]'))
     AS q (n, key, kind, options)
WHERE c.slug = %(slug)s ON CONFLICT DO NOTHING
"""


def _is(field: str, value: Any = "yes", op: str = "eq") -> dict[str, Any]:
    return {"field": field, "op": op, "value": True if value == "yes" else value}


SEGMENTS = {
    "consent, answer and friends": [
        _is("marketing"),
        _is("answer.month", ["may", "june"], "in"),
        _is("friends", 2, "gte"),
    ],
    "three answers": [_is("answer.month", "may"), _is("answer.role", "b"), _is("answer.budget", 800, "gt")],
    "language, consent and sign of life": [_is("language", "fr"), _is("marketing"), _is("alive.days", 30, "lte")],
    "consent, points and friends": [_is("marketing"), _is("points", 50, "gte"), _is("friends", 2, "gte")],
}


def fill(stack: Stack, slug: str, people: int) -> int:
    """Make the people; answers the id before the first of them."""
    with stack.connect() as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM contact").fetchone()
        assert row is not None
        base = int(str(row[0]))
        values = {"slug": slug, "people": people, "now": stack.clock.now(), "base": base}
        connection.execute("SET session_replication_role = replica")
        for statement in (_QUESTIONS, _PEOPLE, _ENTRIES):
            connection.execute(statement, values)
        for table in ("contact", "entry"):
            connection.execute(f"VACUUM ANALYZE {table}")
    return base


def measure(stack: Stack, slug: str, *, people: int, rounds: int) -> None:
    """Fill, ask, and print a figure for each question."""
    say(f"making {people} people for segments")
    base = fill(stack, slug, people)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        campaign = db.session.scalars(select(Campaign).filter_by(slug=slug)).one()
        catalogue = fields.of_brand(db.session.get_one(Brand, campaign.brand_id))
        # The floor of the machine as it is now: every contact of the brand, counted without any condition.
        _show(stack, "segment counted: everybody", lambda: _counted(catalogue, {"all": []}), GOAL_COUNT_MS, rounds)
        for name, parts in SEGMENTS.items():
            condition = {"all": parts}
            _show(stack, f"segment counted: {name}", lambda c=condition: _counted(catalogue, c), GOAL_COUNT_MS, rounds)
            _show(stack, f"segment’s page: {name}", lambda c=condition: _page(catalogue, c), GOAL_PAGE_MS, rounds)
        condition = {"all": SEGMENTS["consent, answer and friends"]}
        one = base + people // 2
        _show(stack, "one person in a segment", lambda: _one(catalogue, condition, one), GOAL_ONE_MS, 20)
        begun = time.monotonic()
        size = sum(len(block) for block in reading.export_csv(catalogue, {"all": []}))
        spent = time.monotonic() - begun
        show(
            figure="segment exported", unit="s", value=spent, goal=GOAL_EXPORT_S, met=spent <= GOAL_EXPORT_S, bytes=size
        )


def _counted(catalogue: Catalogue, condition: dict[str, Any]) -> None:
    assert reading.count(catalogue, condition, milliseconds=60_000)


def _page(catalogue: Catalogue, condition: dict[str, Any]) -> None:
    assert len(reading.people(catalogue, condition)) == reading.PAGE


def _one(catalogue: Catalogue, condition: dict[str, Any], contact_id: int) -> None:
    reading.holding(catalogue, {1: condition}, contact_id)


def _show(stack: Stack, figure: str, act: Callable[[], object], goal: float, rounds: int) -> None:
    """Wall time by round, and the CPU of database and reader together, which a busy machine does not blur."""
    act()
    found = Rounds()
    roots = [*stack.pids("postgres"), os.getpid()]
    before = cpu.used(roots)
    times = max(rounds, 3)
    for _round in range(times):
        begun = time.monotonic()
        act()
        found.add("ms", (time.monotonic() - begun) * 1000)
    spent = (cpu.used(roots) - before) * 1000 / times
    least = min(found.values["ms"])
    value = statistics.median(found.values["ms"])
    show(figure=figure, unit="ms", value=value, least=least, cpu_ms=spent, goal=goal, met=value <= goal)
