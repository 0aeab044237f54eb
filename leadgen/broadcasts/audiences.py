"""Whom a broadcast goes to: what a marketer may ask for, and how many people that are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.letters import writing
from leadgen.mail import groups
from leadgen.segments import service as segments
from leadgen.segments.compiling import Fragment

MOST_CONDITIONS = 10
MOST_FRIENDS = 1_000_000
# Up to so many confirmed people are counted one by one; of more, two hundred stretches of a hundred entries each tell
# the share within half a percent in a tenth of the time.
COUNTED = 100_000

# Who may be written to, of the entries `e` with their contacts `c`; needs the values of `Audience.condition`. The
# sender asks again when each mail leaves (rule 6): this only keeps mails from being planned for nothing.
PEOPLE = """
    e.status = 'confirmed' AND c.marketing_at IS NOT NULL AND c.email_verified_at IS NOT NULL
    AND c.erased_at IS NULL AND c.email IS NOT NULL AND e.friends_counted >= :friends
    AND (CAST(:locales AS text[]) = '{}' OR e.locale = ANY(:locales))
    AND (CAST(:conditions AS jsonb) = '[]' OR NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements(CAST(:conditions AS jsonb)) AS w (asked)
        WHERE NOT coalesce((c.answers -> (w.asked ->> 'question')) @> (w.asked -> 'is'), false)))
    AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.brand_id = c.brand_id AND s.address_hash = c.address_hash)
"""
# Beside them stands `{people}`, which is PEOPLE and the condition of a segment.
_ALL = f"""
SELECT e.locale, {groups.COLUMN} AS domain_group, count(*) AS people
FROM entry e JOIN contact c ON c.id = e.contact_id {groups.JOIN}
WHERE e.campaign_id = :campaign AND {{people}} GROUP BY 1, 2
"""  # noqa: S608 - constants of this module and of mail.groups
_SAMPLE = f"""
WITH bounds AS (
    SELECT min(id) AS low, max(id) AS high FROM entry WHERE campaign_id = :campaign
), stretch AS MATERIALIZED (
    SELECT DISTINCT part.* FROM bounds, generate_series(0, 199) AS n CROSS JOIN LATERAL (
        SELECT id, contact_id, status, locale, friends_counted FROM entry
        WHERE campaign_id = :campaign AND id >= low + (high - low) * n / 200 ORDER BY id LIMIT 100
    ) AS part
)
SELECT e.locale, {groups.COLUMN} AS domain_group, count(*) AS people,
       (SELECT count(*) FROM stretch WHERE status = 'confirmed') AS looked_at
FROM stretch e JOIN contact c ON c.id = e.contact_id {groups.JOIN}
WHERE {{people}} GROUP BY 1, 2
"""  # noqa: S608 - as above
_CONFIRMED = text("SELECT coalesce(sum(entrants), 0) FROM points_bucket WHERE campaign_id = :campaign")


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody who may be written to and for whom all of it holds; no language means every one."""

    locales: tuple[str, ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()  # {"question": key, "is": value}
    friends: int = 0  # confirmed friends that they brought at least
    segment: int | None = None  # people of this segment of the brand only, as it stands when they are looked for

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Audience:
        """As a broadcast keeps it."""
        return cls(tuple(data.get("locales", ())), tuple(data.get("conditions", ())), data.get("friends", 0),
                   data.get("segment"))  # fmt: skip

    def data(self) -> dict[str, Any]:
        """To be kept with a broadcast."""
        words = {"locales": list(self.locales), "conditions": list(self.conditions), "friends": self.friends}
        return words | ({"segment": self.segment} if self.segment else {})

    def condition(self, brand_id: int) -> Fragment:
        """Who that is, on an entry `e` and its contact `c`: what stands in the statement, and the values with it."""
        values: dict[str, Any] = {"locales": list(self.locales), "friends": self.friends}
        values |= {"conditions": json.dumps(list(self.conditions))}
        if self.segment is None:
            return Fragment(PEOPLE, values)
        inside = segments.condition(brand_id, self.segment)
        return Fragment(f"{PEOPLE} AND {inside.sql}", {**values, **inside.values})


@dataclass(frozen=True, slots=True)
class Size:
    """How many people; for a very large campaign reckoned from a sample, then rounded and not `is_exact`."""

    people: int = 0
    by_locale: Mapping[str, int] = field(default_factory=dict)
    by_group: Mapping[str, int] = field(default_factory=dict)
    is_exact: bool = True


def checked(campaign_id: int, audience: Audience) -> Audience:
    """The audience when it can be found. Raises Invalid (`locales`, `condition`, `friends`, `segment`)."""
    if not set(audience.locales) <= set(i18n.LOCALES):
        raise Invalid(_("Choose from the languages of the list."), "locales")
    if not 0 <= audience.friends <= MOST_FRIENDS:
        raise Invalid(_("Choose a number of friends from 0 on."), "friends")
    if len(audience.conditions) > MOST_CONDITIONS:
        raise Invalid(_("Keep to %(limit)d conditions at most.") % {"limit": MOST_CONDITIONS}, "condition")
    if audience.segment is not None:
        _check_segment(campaign_id, audience.segment)
    for condition in audience.conditions:
        question = writing.question(campaign_id, condition.get("question"))
        if not writing.is_answer(question, condition.get("is")):
            raise Invalid(_("Choose one of the answers that this question can have."), "condition")
    return audience


def size(campaign_id: int, audience: Audience) -> Size:
    """How many people the audience holds now, by language and by group of mailboxes."""
    confirmed = int(db.session.execute(_CONFIRMED, {"campaign": campaign_id}).scalar_one())
    is_exact = confirmed <= COUNTED
    people = audience.condition(_brand_of(campaign_id))
    values = {**people.values, "campaign": campaign_id, **groups.columns()}
    statement = (_ALL if is_exact else _SAMPLE).format(people=people.sql)
    rows = db.session.execute(text(statement), values).all()
    factor = 1.0 if is_exact or not rows else confirmed / rows[0].looked_at
    by_locale: Counter[str] = Counter()
    by_group: Counter[str] = Counter()
    for row in rows:
        by_locale[row.locale] += row.people
        by_group[row.domain_group] += row.people
    found = sum(by_locale.values())
    return Size(
        _rounded(found * factor, is_exact=is_exact),
        {name: _rounded(number * factor, is_exact=is_exact) for name, number in by_locale.most_common()},
        {name: _rounded(number * factor, is_exact=is_exact) for name, number in by_group.most_common()},
        is_exact,
    )


def _check_segment(campaign_id: int, segment_id: int) -> None:
    try:
        segments.get(_brand_of(campaign_id), segment_id)
    except NotFound:
        raise Invalid(_("Choose a segment of this brand."), "segment") from None


def _brand_of(campaign_id: int) -> int:
    return db.session.get_one(Campaign, campaign_id).brand_id


def _rounded(people: float, *, is_exact: bool) -> int:
    """Nobody should read more into a sample than it says: to the hundred below it."""
    return round(people) if is_exact else int(people // 100 * 100)
