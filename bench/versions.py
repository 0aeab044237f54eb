"""What it takes to preview and to publish a changed wait while many people wait, and to go back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest import mock

from sqlalchemy import func, select

from bench.figures import say, show
from bench.segments import fill
from bench.stack import Stack
from leadgen.app import create_app
from leadgen.authoring import drafts, publishing
from leadgen.authoring.publishing import Choices, Timing
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import streams
from leadgen.nurture.definition import DAY, Definition, Letter, Variant, Wait, to_data
from leadgen.nurture.models import Enrolment, Sequence

GOAL_PREVIEW_S = 10.0
GOAL_PUBLISH_S = 60.0
_WORDS = {
    "subject": "News of your journey",
    "heading": "News of your journey",
    "body": "Hello {first_name}, a word about your journey, and what others did with theirs since you were here.",
    "button": "See my page",
}
_ENROLMENTS = """
INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id, version, step_key, anchor_at,
                       next_run_at, enrolled_at)
SELECT %(sequence)s, e.campaign_id, e.brand_id, e.id, e.contact_id, 1, 'news', at, at + interval '3 days', at
FROM (SELECT *, %(now)s - interval '2 days' * (id %% 10000) / 10000 AS at FROM entry WHERE contact_id > %(base)s) e
"""


def measure(stack: Stack, slug: str, *, people: int) -> None:
    """Fill, change a wait from three days to one, and print a figure for each verb."""
    say(f"making {people} people who wait in a sequence")
    base = fill(stack, slug, people)
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        sequence = _published(slug)
        values = {"sequence": sequence.id, "now": stack.clock.now(), "base": base}
        with stack.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(_ENROLMENTS, values)
            connection.execute("VACUUM ANALYZE enrolment")
        sooner = Choices(timing=Timing.RECOMPUTE, spread_days=5)
        drafts.save(sequence, to_data(_definition(DAY)), sequence.revision, "bench")
        found = _timed("publishing previewed", GOAL_PREVIEW_S, people, lambda: publishing.preview(sequence, sooner))
        assert 0.4 * people < found.people_now < 0.6 * people
        _timed("published, half of them spread", GOAL_PUBLISH_S, people, lambda: _publish(sequence, sooner))
        publishing.put_back(sequence, 1, "bench")
        _timed(
            "put back and published", GOAL_PUBLISH_S, people, lambda: _publish(sequence, replace(sooner, spread_days=0))
        )
        drafts.save(sequence, to_data(_definition(5 * DAY)), sequence.revision, "bench")
        _timed("published, dates kept", GOAL_PUBLISH_S, people, lambda: _publish(sequence, Choices()))
        wrong = Enrolment.next_run_at != Enrolment.anchor_at + timedelta(days=3)
        assert db.session.scalar(select(func.count()).select_from(Enrolment).where(wrong)) == 0


def _published(slug: str) -> Sequence:
    campaign = db.session.scalars(select(Campaign).filter_by(slug=slug)).one()
    stream = streams.start(campaign.brand_id, campaign.id, Lane.NURTURE, "bench")
    made = Sequence(campaign_id=campaign.id, stream_id=stream.id, key="bench", name="bench")
    db.session.add(made)
    db.session.flush()
    drafts.save(made, to_data(_definition(3 * DAY)), made.revision, "bench")
    _publish(made, Choices())
    return made


def _definition(seconds: int) -> Definition:
    variants = (Variant(key="a", texts={"en": _WORDS, "fr": _WORDS}),)
    return Definition(steps=(Letter(key="news", wait=Wait(seconds=seconds), variants=variants),))


def _publish(sequence: Sequence, choices: Choices) -> None:
    publishing.publish(sequence, choices, "bench")
    db.session.commit()


def _timed(figure: str, goal: float, people: int, act: Callable[[], publishing.Preview | None]) -> publishing.Preview:
    begun = time.monotonic()
    found = act()
    spent = time.monotonic() - begun
    show(figure=figure, unit="s", value=spent, goal=goal, met=spent <= goal, people=people)
    return found or publishing.Preview()
