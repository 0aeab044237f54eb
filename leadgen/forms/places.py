"""Where one person stands: their version of the form, what they said in it, what is known, what they passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import hot
from leadgen.core.errors import NotFound
from leadgen.forms import definition as documents
from leadgen.forms import projecting
from leadgen.forms.definition import Definition, FieldType
from leadgen.forms.flow import Path, walk
from leadgen.forms.values import fitting

_READ = """
SELECT e.id AS entry_id, e.contact_id, e.source, p.answers AS known, p.marketing_at IS NOT NULL AS is_subscribed,
       coalesce(v.number, 1) AS newest, coalesce(v.definition, f.draft) AS definition,
       s.number, own.definition AS own_definition, coalesce(s.answers, '{}') AS answers,
       coalesce(s.done, '{}') AS done, coalesce(s.is_open, false) AS is_open, s.finished_at,
       coalesce((
           SELECT jsonb_object_agg(a.key, a.at)
           FROM (SELECT a.key, max(a.at) AS at FROM entry o JOIN answer a ON a.entry_id = o.id
                 WHERE o.contact_id = e.contact_id GROUP BY a.key) AS a
       ), '{}') AS answered_at,
       coalesce((
           SELECT jsonb_object_agg(k.key, jsonb_build_array(k.times, k.at))
           FROM question_skip k WHERE k.contact_id = e.contact_id
       ), '{}') AS skips
FROM entry e
JOIN contact p ON p.id = e.contact_id
LEFT JOIN form f ON f.campaign_id = e.campaign_id
LEFT JOIN LATERAL (
    SELECT number, definition FROM form_version WHERE campaign_id = e.campaign_id ORDER BY number DESC LIMIT 1
) AS v ON true
LEFT JOIN submission s ON s.entry_id = e.id
LEFT JOIN form_version own ON own.campaign_id = e.campaign_id AND own.number = s.number
WHERE e.id = %(entry)s AND e.campaign_id = %(campaign)s AND e.status = 'confirmed'
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """A question passed over so many times, last at `at`."""

    times: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One confirmed person and the form. `number` is None for whoever has not begun it.

    `newest` is what is published now; `definition` is the one that the person began, else the newest.
    """

    entry_id: int
    contact_id: int
    definition: Definition
    current: Definition
    newest: int
    number: int | None
    answers: dict[str, Any]
    done: frozenset[str]
    is_open: bool  # begun, and not finished; or opened again to correct
    finished_at: datetime | None
    known: dict[str, Any]
    is_subscribed: bool
    source: dict[str, Any]
    answered_at: dict[str, datetime]
    passed: dict[str, Passed]

    @property
    def path(self) -> Path:
        """The way through the version that the person is in."""
        return walk(self.definition, fitting(self.definition, self.answers), self.known)

    def closed_by(self, key: str, value: Any, said: Mapping[str, Any]) -> frozenset[str]:
        """The answers that count no more once `key` is answered by `value`: what the answer before had opened.

        `said` are the answers that the person gave to this contest so far; they go before what the form remembers.
        """
        before = self.answers | dict(said)
        then = walk(self.definition, fitting(self.definition, before), self.known)
        now = walk(self.definition, fitting(self.definition, before | {key: value}), self.known | {key: value})
        return frozenset(then.values) - frozenset(now.values) - {key}


def read(entry_id: int, card: CampaignCard) -> Standing:
    """Where a confirmed person of this campaign stands. Raises NotFound for everybody else."""
    row = hot.one(_READ, {"entry": entry_id, "campaign": card.id})
    if row is None:
        raise NotFound
    current = documents.from_data(row["definition"]) if row["definition"] else projecting.derived(list(card.questions))
    own = documents.from_data(row["own_definition"]) if row["own_definition"] else current
    return Standing(
        entry_id=row["entry_id"],
        contact_id=row["contact_id"],
        definition=own,
        current=current,
        newest=row["newest"],
        number=row["number"],
        answers=row["answers"],
        done=frozenset(row["done"]),
        is_open=row["is_open"],
        finished_at=row["finished_at"],
        known=row["known"],
        is_subscribed=row["is_subscribed"],
        source=row["source"],
        answered_at={key: datetime.fromisoformat(at) for key, at in row["answered_at"].items()},
        passed={key: Passed(times, datetime.fromisoformat(at)) for key, (times, at) in row["skips"].items()},
    )


def hidden_values(definition: Definition, source: Mapping[str, Any]) -> dict[str, str]:
    """What hidden fields remember of how the person came: from what was kept at the entry, never from a browser."""
    hidden = (one for one in definition.fields if one.type is FieldType.HIDDEN)
    return {one.key: str(source[one.parameter])[:100] for one in hidden if source.get(one.parameter)}


def nobody(card: CampaignCard) -> Standing:
    """Somebody of whom nothing is known, for pages that show how things look."""
    form = projecting.derived(list(card.questions))
    return Standing(
        entry_id=0,
        contact_id=0,
        definition=form,
        current=form,
        newest=1,
        number=None,
        answers={},
        done=frozenset(),
        is_open=False,
        finished_at=None,
        known={},
        is_subscribed=False,
        source={},
        answered_at={},
        passed={},
    )
