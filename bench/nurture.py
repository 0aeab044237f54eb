"""What sequences cost in a large base: the tick with 10,000 due of 1,000,000, and judging a claim of letters."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from sqlalchemy import select, text

from bench import cpu, segments
from bench.figures import Rounds, say, show
from bench.stack import Stack
from leadgen.app import create_app
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import outbox
from leadgen.nurture import judging, planning, sequences
from leadgen.nurture.definition import from_data
from leadgen.nurture.models import Sequence

GOAL_TICK_S = 2.0
DUE = 10_000
CLAIM = 1_000
_WORDS = {"subject": "News", "preheader": "", "heading": "Hello", "body": "A word.", "button": "Go", "url": ""}


def _letter(key: str, **values: Any) -> dict[str, Any]:
    variants = [{"key": one, "texts": {"en": _WORDS, "fr": _WORDS}} for one in values.pop("variants", "a")]
    return {"kind": "letter", "key": key, "variants": variants, **values}


MONTH = {"field": "answer.month", "op": "in", "value": ["may", "june"]}
DEFINITION = {
    "trigger": {"on": "confirmed"},
    "goal": {"on": {"on": "reward_given"}},
    "exits": [{"on": {"on": "friend_counted"}}, {"when": {"field": "answer.role", "op": "eq", "value": "d"}}],
    "steps": [
        _letter("first", wait={"seconds": 600}, variants="ab"),
        {"kind": "branch", "key": "fork", "when": MONTH, "wait": {"seconds": 86_400},
         "yes": [_letter("summer")], "no": [_letter("other", wait={"seconds": 86_400})]},
        _letter("last", wait={"seconds": 172_800, "at": "10:00", "weekdays": [2, 3, 4]}),
    ],
}  # fmt: skip
_ENROLMENTS = """
INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id, step_key, anchor_at, next_run_at,
                       enrolled_at)
SELECT %(sequence)s, e.campaign_id, e.brand_id, e.id, e.contact_id, 'last', %(now)s,
       %(now)s + interval '1 day' + e.id %% 864000 * interval '1 second', %(now)s
FROM entry e JOIN campaign c ON c.id = e.campaign_id WHERE c.slug = %(slug)s
"""
_ZONES = """
UPDATE contact SET timezone = (ARRAY['Europe/Paris', 'America/Guadeloupe', 'Pacific/Noumea', '', 'Indian/Reunion'])
    [1 + id %% 5] WHERE id > %(base)s
"""
_MAKE_DUE = text("""
UPDATE enrolment SET step_key = :key, next_run_at = :now - interval '1 minute'
WHERE id IN (SELECT id FROM enrolment WHERE status = 'active' AND sequence_id = :sequence AND next_run_at > :now
             ORDER BY id * 7919 % 1000003 LIMIT :due)
""")
_NOTHING_DUE = text("DELETE FROM message WHERE lane = 'nurture' AND stream_id = :stream")


def measure(stack: Stack, slug: str, *, people: int, rounds: int) -> None:
    """Fill, plan, claim, and print a figure for each."""
    say(f"making {people} people in a sequence")
    base = segments.fill(stack, slug, people)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        sequence = _sequence(slug)
        _enrol(stack, slug, sequence, base)
        for key in ("first", "fork", "last"):
            _show_tick(stack, sequence, key, rounds)
        _show_claims(sequence, rounds)


def _sequence(slug: str) -> Sequence:
    campaign = db.session.scalars(select(Campaign).filter_by(slug=slug)).one()
    data = {"key": "bench", "names": {"en": "Bench", "fr": "Banc"}, **DEFINITION}
    made = sequences.from_data(campaign, data)
    assert from_data(DEFINITION).steps
    db.session.commit()
    return made


def _enrol(stack: Stack, slug: str, sequence: Sequence, base: int) -> None:
    with stack.connect() as connection:
        connection.execute(_ZONES, {"base": base})
        connection.execute(_ENROLMENTS, {"sequence": sequence.id, "slug": slug, "now": stack.clock.now()})
        for table in ("contact", "enrolment"):
            connection.execute(f"VACUUM ANALYZE {table}")


def _make_due(sequence: Sequence, key: str, due: int) -> None:
    values = {"key": key, "now": clock.now(), "sequence": sequence.id, "due": due}
    db.session.execute(_MAKE_DUE, values)
    db.session.commit()


def _tick() -> int:
    total = 0
    while claimed := planning.plan_batch():
        db.session.commit()
        total += claimed
    db.session.commit()
    return total


def _show_tick(stack: Stack, sequence: Sequence, key: str, rounds: int) -> None:
    found = Rounds()
    for _round in range(max(rounds, 3)):
        _make_due(sequence, key, DUE)
        _timed(stack, found, _tick, at_least=DUE)
    value = found.median("s")
    show(figure=f"tick: {DUE} due at “{key}”", unit="s", value=value, least=min(found.values["s"]),
         cpu_s=found.median("cpu"), goal=GOAL_TICK_S, met=value <= GOAL_TICK_S)  # fmt: skip


def _timed(stack: Stack, found: Rounds, act: Callable[[], int], *, at_least: int) -> None:
    roots = [*stack.pids("postgres"), os.getpid()]
    before, begun = cpu.used(roots), time.monotonic()
    assert act() >= at_least
    found.add("s", time.monotonic() - begun)
    found.add("cpu", cpu.used(roots) - before)


def _show_claims(sequence: Sequence, rounds: int) -> None:
    """The same claim judged and not: what sequences add to it."""
    found = Rounds()
    for _round in range(max(rounds, 3)):
        for judge, name in ((judging.judge, "judged"), (lambda _ids: {}, "not judged")):
            db.session.execute(_NOTHING_DUE, {"stream": sequence.stream_id})
            _make_due(sequence, "first", 4 * CLAIM)
            _tick()
            outbox.judge_with(judge)
            begun = time.monotonic()
            outbox.claim(Lane.NURTURE, CLAIM)
            db.session.commit()
            found.add(name, (time.monotonic() - begun) * 1000)
    outbox.judge_with(judging.judge)
    show(figure=f"claim of {CLAIM} letters, judged", unit="ms", value=found.median("judged"),
         floor=found.median("not judged"), ratio=found.ratio("judged", "not judged"))  # fmt: skip
