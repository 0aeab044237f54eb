"""What scores cost in a large base: everybody anew by published rules, a nightly round, one person, and a preview."""

from __future__ import annotations

import copy
import os
import resource
import time
from collections.abc import Callable
from unittest import mock

from sqlalchemy import select, text

from bench import cpu, segments
from bench.figures import say, show
from bench.stack import Stack
from leadgen.accounts.models import Brand
from leadgen.app import create_app
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.scores import preview, rounds
from leadgen.scores import service as scores
from leadgen.segments import fields, reading

GOAL_ANEW_S = 300.0
GOAL_MEMORY_MB = 64.0  # more than at the first tenth
GOAL_ONE_MS = 20.0
GOAL_PREVIEW_S = 3.0
GOAL_COUNT_S = 2.0  # as long as the studio waits for a count
# Everybody confirmed and answered twice or so, one of four finished the form, one of eight clicked in two letters.
_FACTS = """
INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, data, announced_at)
SELECT name, e.created_at, e.brand_id, e.campaign_id, e.contact_id, e.id, data, e.created_at
FROM entry e CROSS JOIN LATERAL (VALUES
    (1, 'entry.confirmed', '{}'::jsonb), (1, 'question.answered', '{"question": "month"}'),
    (2, 'question.answered', '{"question": "role"}'), (4, 'form.finished', '{"version": 1}')
) AS f (every, name, data) WHERE e.contact_id > %(base)s AND e.contact_id %% every = 0
"""
_ANSWERS = """
INSERT INTO answer (contact_id, entry_id, question_id, key, value, at)
SELECT f.contact_id, f.entry_id, q.id, q.key, '"may"', f.at
FROM fact f JOIN question q ON q.campaign_id = f.campaign_id AND q.key = f.data ->> 'question'
WHERE f.name = 'question.answered' AND f.contact_id > %(base)s ON CONFLICT DO NOTHING
"""
_MESSAGES = """
INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, status, due_at,
                     expires_at, created_at, sent_at)
SELECT 'bench:score:' || e.id || ':' || n, e.brand_id, e.campaign_id, e.contact_id, e.id, 'bulk', 'marketing', 'step',
       'fr', 'delivered', at, at, at, at
FROM entry e CROSS JOIN generate_series(1, 2) AS n
CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - interval '20 days' * n AS at) AS moment
WHERE e.contact_id > %(base)s AND e.contact_id %% 2 = 0
"""
_CLICKS = """
INSERT INTO click (message_id, at, kind) SELECT id, sent_at + interval '1 hour', 'human' FROM message
WHERE intent LIKE 'bench:score:%%' AND contact_id %% 8 = 0
"""


def measure(stack: Stack, slug: str, *, people: int) -> None:
    """Fill, publish, score everybody, and print a figure for each part."""
    say(f"making {people} people for scores")
    base = segments.fill(stack, slug, people)
    _fill(stack, base)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        campaign = db.session.scalars(select(Campaign).filter_by(slug=slug)).one()
        brand = db.session.get_one(Brand, campaign.brand_id)
        scores.ensure(brand.id)
        db.session.commit()
        _anew(stack, "scores of everybody, for the first time", people, lambda: None)
        _anew(stack, "scores of everybody anew, by new rules", people, lambda: _publish(brand))
        _anew(stack, "nightly round over everybody", people, rounds.begin_all)
        _one(brand)
        for field, value in (("score.fit", 60), ("score.engagement", 30)):
            _counted(stack, brand, {"field": field, "op": "gte", "value": value})
        begun = time.monotonic()
        draft = scores.open_draft(brand, "bench")
        found = preview.preview(brand, draft)
        spent = time.monotonic() - begun
        show(figure="preview of a draft", unit="s", value=spent, goal=GOAL_PREVIEW_S, met=spent <= GOAL_PREVIEW_S,
             seen=found.seen, of=found.of)  # fmt: skip


def _fill(stack: Stack, base: int) -> None:
    values = {"base": base, "now": stack.clock.now()}
    with stack.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (_FACTS, _ANSWERS, _MESSAGES, _CLICKS):
            connection.execute(statement, values)
        for table in ("fact", "answer", "message", "click"):
            connection.execute(f"VACUUM ANALYZE {table}")


def _publish(brand: Brand) -> None:
    draft = scores.open_draft(brand, "bench")
    definition = copy.deepcopy(draft.definition)
    definition["fit"] = [
        {"key": f"role_{role}", "when": {"field": "answer.role", "op": "eq", "value": role}, "points": points}
        for role, points in (("a", 40), ("b", 30), ("c", 10))
    ]
    for number in (200, 500, 800):
        when = {"field": "answer.budget", "op": "gte", "value": number}
        definition["fit"].append({"key": f"budget_{number}", "when": when, "points": 20})
    definition["half_life"] = 30
    draft = scores.save_draft(brand, definition, draft.revision, "bench")
    scores.publish(brand, draft.revision, "bench")


def _anew(stack: Stack, figure: str, people: int, begin: Callable[[], None]) -> None:
    """Wall time, and the processor time of database and scorer together, which a busy machine does not blur."""
    roots = [*stack.pids("postgres"), os.getpid()]
    begin()
    db.session.commit()
    begun, early, before = time.monotonic(), 0.0, cpu.used(roots)
    while rounds.go_round():
        early = early or _memory()
    spent, more, cpu_s = time.monotonic() - begun, _memory() - early, cpu.used(roots) - before
    swept = time.monotonic()
    rounds.serve(600)
    lines = db.session.scalar(text("SELECT count(*) FROM score_contribution"))
    show(figure=figure, unit="s", value=spent, goal=GOAL_ANEW_S, met=spent <= GOAL_ANEW_S and more <= GOAL_MEMORY_MB,
         people=people, lines=lines, cpu_s=round(cpu_s, 1), memory_growth_mb=round(more, 1), memory_mb=round(_memory()),
         old_ones_deleted_s=round(time.monotonic() - swept, 1))  # fmt: skip
    db.session.commit()


def _one(brand: Brand) -> None:
    ids = db.session.scalars(select(Contact.id).order_by(Contact.id.desc()).limit(200)).all()
    begun = time.monotonic()
    for contact_id in ids:
        rounds.score_now(brand.id, [contact_id])
        db.session.commit()
    spent = (time.monotonic() - begun) * 1000 / len(ids)
    show(figure="one person scored", unit="ms", value=spent, goal=GOAL_ONE_MS, met=spent <= GOAL_ONE_MS)


def _counted(stack: Stack, brand: Brand, condition: dict[str, object]) -> None:
    """A segment over everybody's number, as the studio counts it."""
    catalogue, roots = fields.of_brand(brand), [*stack.pids("postgres"), os.getpid()]
    reading.count(catalogue, condition, milliseconds=60_000)
    begun, before = time.monotonic(), cpu.used(roots)
    found = reading.count(catalogue, condition, milliseconds=60_000)
    spent = time.monotonic() - begun
    show(figure=f"segment counted by {condition['field']}", unit="s", value=spent, goal=GOAL_COUNT_S,
         met=spent <= GOAL_COUNT_S, cpu_s=round(cpu.used(roots) - before, 2), found=found)  # fmt: skip


def _memory() -> float:
    """The most that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
