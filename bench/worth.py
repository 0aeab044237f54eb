"""What it takes to work out the value of everybody in a large base, and of one person exactly."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from unittest import mock

from sqlalchemy import select

from bench import cpu
from bench.figures import say, show
from bench.stack import Stack
from leadgen.app import create_app
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.worth import refreshing
from leadgen.worth import service as worth

GOAL_ALL_S = 60.0
GOAL_ONE_MS = 50.0
FAMOUS = 20_000  # friends whom the first person brought
_PEOPLE = """
INSERT INTO contact (id, brand_id, mailbox_key, email, address_hash, first_name, locale, email_verified_at,
                     marketing_at, created_at)
OVERRIDING SYSTEM VALUE
SELECT %(base)s + n, c.brand_id, 'val' || n || '@mail.example', 'val' || n || '@mail.example',
       decode(md5('val' || n), 'hex'), 'Camille', 'fr', %(now)s, CASE WHEN n %% 10 < 6 THEN %(now)s END, %(now)s
FROM generate_series(1, %(people)s) AS n, campaign c WHERE c.slug = %(slug)s
"""
# Two thirds were brought, by anybody before them, the early ones more often; twenty thousand by the first person.
_ENTRIES = """
INSERT INTO entry (id, public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version, referrer_id,
                   depth, is_marketing_wanted, referral_state, code_expires_at, last_mail_at, expires_at, confirmed_at,
                   created_at)
OVERRIDING SYSTEM VALUE
SELECT %(base)s + n, 'V' || n, 'VAL' || n, c.brand_id, c.id, %(base)s + n, 'confirmed', 'fr', 1, %(base)s + referrer,
       CASE WHEN referrer IS NULL THEN 0 ELSE 1 END, true, CASE WHEN referrer IS NULL THEN 'none' ELSE 'counted' END,
       %(now)s, %(now)s, %(now)s, %(now)s, %(now)s
FROM generate_series(1, %(people)s) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN n = 1 OR n %% 3 = 0 THEN NULL WHEN n %% (%(people)s / %(famous)s) = 1 THEN 1
                                ELSE 1 + floor((n - 1) * power(random(), 2))::bigint END AS referrer) AS made,
     campaign c WHERE c.slug = %(slug)s
"""
_ANSWERS = """
INSERT INTO answer (contact_id, entry_id, question_id, key, value, at)
SELECT e.contact_id, e.id, q.id, q.key, '"sea"', e.created_at
FROM entry e JOIN campaign c ON c.id = e.campaign_id
JOIN LATERAL (SELECT * FROM question q WHERE q.campaign_id = c.id ORDER BY id LIMIT 1) q ON true
WHERE c.slug = %(slug)s AND e.id > %(base)s AND e.id %% 4 = 0
"""


def fill(stack: Stack, slug: str, people: int) -> int:
    """Make the people; answers the id before the first of them, for contacts and entries alike."""
    with stack.connect() as connection:
        row = connection.execute(
            "SELECT greatest((SELECT coalesce(max(id), 0) FROM contact), (SELECT coalesce(max(id), 0) FROM entry))"
        ).fetchone()
        assert row is not None
        base = int(str(row[0]))
        values = {"slug": slug, "people": people, "now": stack.clock.now(), "base": base, "famous": FAMOUS}
        connection.execute("SET session_replication_role = replica")
        for statement in (_PEOPLE, _ENTRIES, _ANSWERS):
            connection.execute(statement, values)
        for table in ("contact", "entry", "answer"):
            connection.execute(f"VACUUM ANALYZE {table}")
    return base


def measure(stack: Stack, slug: str, *, people: int) -> None:
    """Fill, work out twice, explain one."""
    say(f"making {people} people for values")
    base = fill(stack, slug, people)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        brand_id = db.session.scalars(select(Campaign.brand_id).filter_by(slug=slug)).one()
        prices = {"consent": 150, "entry": 20, "form": 300, "answer": 10, "goal": 0}
        worth.set_prices(brand_id, "EUR", prices, 50)
        db.session.commit()
        roots = [*stack.pids("postgres"), os.getpid()]
        for figure in ("value of everybody, first", "value of everybody, again"):
            begun, before = time.monotonic(), cpu.used(roots)
            rows = refreshing.work_out(brand_id)
            spent, used = time.monotonic() - begun, cpu.used(roots) - before
            met = spent <= GOAL_ALL_S
            show(figure=figure, unit="s", value=spent, cpu_s=used, goal=GOAL_ALL_S, met=met, people=people, rows=rows)
        for name, contact_id in (("famous", base + 1), ("ordinary", base + people // 2)):
            found = worth.explained(contact_id, brand_id)
            brought = sum(one.people for one in found.generations)
            spent = _ms(lambda one=contact_id: worth.explained(one, brand_id))  # type: ignore[misc]
            goal = {"goal": GOAL_ONE_MS, "met": spent <= GOAL_ONE_MS} if name == "ordinary" else {}
            show(figure=f"value of one {name} person, explained", unit="ms", value=spent, brought=brought, **goal)


def _ms(act: Callable[[], object]) -> float:
    times = []
    for _round in range(5):
        begun = time.monotonic()
        act()
        times.append((time.monotonic() - begun) * 1000)
    return statistics.median(times)
