"""What segments cost in a large base: counting three conditions, a page of people, and judging one person."""

from __future__ import annotations

import json
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
# What else they did: two letters to six in ten, clicks, deeds, rewards for bringing friends, blocked addresses.
_DEEDS = (
    """
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, status,
                         domain_group, due_at, expires_at, created_at, sent_at)
    SELECT 'seg:' || e.id || ':' || n, e.brand_id, e.campaign_id, e.contact_id, e.id, 'nurture', 'marketing',
           'sequence', e.locale, 'delivered', 'other', at, at, at, at
    FROM entry e CROSS JOIN generate_series(1, 2) AS n
    CROSS JOIN LATERAL (SELECT %(now)s - interval '1 hour' * ((e.id * 31 + n * 977) %% 4000) AS at) AS made
    WHERE e.contact_id > %(base)s AND e.contact_id %% 10 < 6
    """,
    """
    INSERT INTO click (message_id, at, kind)
    SELECT id, sent_at + interval '1 hour', CASE WHEN id %% 3 = 0 THEN 'machine' ELSE 'human' END
    FROM message WHERE contact_id > %(base)s AND id %% 7 = 0
    """,
    """
    INSERT INTO deed (campaign_id, entry_id, action_id, occurrence, begun_at, done_at)
    SELECT e.campaign_id, e.id, a.id, n::text, e.created_at, e.created_at
    FROM entry e CROSS JOIN (SELECT min(id) AS id FROM action) AS a CROSS JOIN generate_series(1, 3) AS n
    WHERE e.contact_id > %(base)s AND e.contact_id %% 5 < n - 1
    """,
    """
    INSERT INTO award (campaign_id, milestone_id, entry_id, earned_at, threshold)
    SELECT e.campaign_id, m.id, e.id, e.created_at, 2
    FROM entry e CROSS JOIN (SELECT min(id) AS id FROM milestone) AS m
    WHERE e.contact_id > %(base)s AND e.friends_counted > 1
    """,
    """
    INSERT INTO suppression (brand_id, address_hash, reason, at)
    SELECT brand_id, address_hash, (ARRAY['unsubscribe', 'hard_bounce', 'complaint'])[1 + id %% 3], created_at
    FROM contact WHERE id > %(base)s AND id %% 31 = 0
    """,
)
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


_CONTEST = "the contest"  # stands for its id, which is known when it runs
SEGMENTS: dict[str, list[dict[str, Any]]] = {
    "consent, answer and friends": [
        _is("marketing"),
        _is("answer.month", ["may", "june"], "in"),
        _is("friends", 2, "gte"),
    ],
    "three answers": [_is("answer.month", "may"), _is("answer.role", "b"), _is("answer.budget", 800, "gt")],
    "language, consent and sign of life": [_is("language", "fr"), _is("marketing"), _is("alive.days", 30, "lte")],
    "consent, points and friends": [_is("marketing"), _is("points", 50, "gte"), _is("friends", 2, "gte")],
    "language, consent and points": [_is("language", "fr"), _is("marketing"), _is("points", 20, "gte")],
    "country, consent and first seen": [
        _is("country", ["FR", "BE"], "in"),
        _is("marketing"),
        _is("created.days", 90, "lte"),
    ],
    "contest, consent and last click": [
        _is("confirmed", [_CONTEST], "in"),
        _is("marketing"),
        _is("clicked.days", 30, "lte"),
    ],
    "clicks, actions and no bounce": [
        _is("clicks", 1, "gte"),
        _is("deeds", 2, "gte"),
        {"not": _is("bounced")},
    ],
    "mailbox, first name and rewards": [_is("mailbox", "other"), _is("name_known"), _is("rewards", 1, "gte")],
    "language, consent and few letters": [_is("language", "fr"), _is("marketing"), _is("letters.30", 2, "lt")],
    "not blocked, answer and consent": [
        {"field": "blocked", "op": "empty"},
        _is("answer.budget", 500, "gt"),
        _is("marketing"),
    ],
}
# Few, and only among the oldest: the page that is the hardest to find.
OLDEST = [_is("created.days", 346, "gt"), _is("points", 40, "gte"), _is("friends", 2, "gte")]


def fill(stack: Stack, slug: str, people: int) -> int:
    """Make the people; answers the id before the first of them."""
    with stack.connect() as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM contact").fetchone()
        assert row is not None
        base = int(str(row[0]))
        values = {"slug": slug, "people": people, "now": stack.clock.now(), "base": base}
        connection.execute("SET session_replication_role = replica")
        for statement in (_QUESTIONS, _PEOPLE, _ENTRIES, *_DEEDS):
            connection.execute(statement, values)
        connection.execute("SELECT reckon_everybody()")  # the triggers were passed by
        connection.execute("VACUUM FULL contact")  # a base that grew over months has no second copy of everybody
        connection.execute("VACUUM ANALYZE")
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
            condition = json.loads(json.dumps({"all": parts}).replace(_CONTEST, str(campaign.id)))
            _show(stack, f"segment counted: {name}", lambda c=condition: _counted(catalogue, c), GOAL_COUNT_MS, rounds)
            _show(stack, f"segment’s page: {name}", lambda c=condition: _page(catalogue, c), GOAL_PAGE_MS, rounds)
        goal = GOAL_COUNT_MS + GOAL_PAGE_MS
        oldest = {"all": OLDEST}
        _show(stack, "number and page of few, oldest", lambda: reading.survey(catalogue, oldest), goal, rounds)
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
