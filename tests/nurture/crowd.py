"""Sequences with a published version, and any number of people who wait in them, made by a few statements."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from leadgen.authoring import drafts, publishing
from leadgen.authoring.publishing import Choices
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.nurture.definition import DAY, Definition, Letter, Step, Variant, Wait, to_data
from leadgen.nurture.models import Sequence, SequenceVersion
from tests import texts
from tests.factories import keep, make_stream

_batch = itertools.count(1)
# They live in Lagos: the clock never changes there, so that a day has 24 hours whenever these tests run.
_CONTACTS = text("""
INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, marketing_at,
                     email_verified_at, created_at)
SELECT c.brand_id, :name || n || '@mail.example', :name || n || '@mail.example', decode(md5(:name || n), 'hex'),
       'Camille', 'fr', 'Africa/Lagos', :now, :now, :now
FROM generate_series(1, :people) AS n, campaign c WHERE c.id = :campaign
""")
_ENTRIES = text("""
INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version,
                   is_marketing_wanted, code_expires_at, last_mail_at, expires_at, confirmed_at, created_at)
SELECT :name || 'P' || p.id, :name || 'C' || p.id, c.brand_id, c.id, p.id, 'confirmed', 'fr', 1, true, :now, :now, :now,
       :now, :now
FROM contact p JOIN campaign c ON c.id = :campaign WHERE p.brand_id = c.brand_id AND p.mailbox_key LIKE :name || '%'
""")
_ENROLMENTS = text("""
INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id, status, version, step_key, anchor_at,
                       next_run_at, enrolled_at, ended_at)
SELECT s.id, e.campaign_id, e.brand_id, e.id, e.contact_id, CAST(:status AS text), s.version, :step_key, e.anchor,
       e.anchor + :wait, e.anchor, CASE WHEN CAST(:status AS text) <> 'active' THEN e.anchor END
FROM (SELECT *, CAST(:since AS timestamptz) + CAST(:over AS interval) * (row_number() OVER (ORDER BY id) - 1) / :people
                AS anchor
      FROM entry WHERE public_id LIKE :name || 'P%') e, sequence s
WHERE s.id = :sequence
""")


def letter(key: str, days: float = 1, number: int = 1, **values: Any) -> Letter:
    """A letter with words in both languages, so many days after the step before it."""
    wait = values.pop("wait", Wait(seconds=int(days * DAY)))
    return Letter(key=key, wait=wait, **{"variants": (Variant(key="a", texts=texts.step(number)),)} | values)


def definition(*steps: Step, **values: Any) -> Definition:
    return Definition(steps=steps, **values)


def unpublished(campaign: Campaign) -> Sequence:
    """A sequence of which nobody wrote anything yet."""
    named = {"key": f"sequence-{next(_batch)}", "name": "After the entry", "stream_id": make_stream(campaign).id}
    return keep(Sequence, named, campaign_id=campaign.id)


def published(campaign: Campaign, *steps: Step, **values: Any) -> Sequence:
    """A sequence whose first version has these steps."""
    sequence = unpublished(campaign)
    republish(sequence, *steps, **values)
    return sequence


def draft(sequence: Sequence, *steps: Step, **values: Any) -> None:
    """Save a draft with these steps."""
    drafts.save(sequence, to_data(definition(*steps, **values)), sequence.revision, "Ada")
    db.session.commit()


def republish(sequence: Sequence, *steps: Step, choices: Choices | None = None, **values: Any) -> SequenceVersion:
    draft(sequence, *steps, **values)
    made = publishing.publish(sequence, choices or Choices(), "Ada")
    db.session.commit()
    return made


def waiting(sequence: Sequence, people: int, step_key: str, *, days: float, hours: float = 0, **values: Any) -> None:
    """So many people wait for a step since `days` ago, the last of them `hours` later, due `wait` days after that."""
    now = clock.now()
    shared = {"name": f"crowd{next(_batch)}x", "people": people, "campaign": sequence.campaign_id, "now": now}
    db.session.execute(_CONTACTS, shared)
    db.session.execute(_ENTRIES, shared)
    asked = {**shared, "sequence": sequence.id, "step_key": step_key, "status": values.get("status", "active")}
    asked |= {"since": now - timedelta(days=days), "over": timedelta(hours=hours)}
    db.session.execute(_ENROLMENTS, asked | {"wait": timedelta(days=values.get("wait", 3))})
    db.session.commit()


def dates(sequence: Sequence) -> list[tuple[str, datetime]]:
    """Where everybody in the sequence stands, and when they are due, in the order they came."""
    asked = text("SELECT step_key, next_run_at FROM enrolment WHERE sequence_id = :sequence ORDER BY id")
    return [(row.step_key, row.next_run_at) for row in db.session.execute(asked, {"sequence": sequence.id})]


def without_experiments(of: Definition) -> Definition:
    """The same, whatever seeds its tests have."""
    return replace(of, steps=tuple(replace(one, experiment="") if isinstance(one, Letter) else one for one in of.steps))
