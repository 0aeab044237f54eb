"""“How your link was opened”: what the visits of a link add up to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from leadgen.campaigns.titles import public_title
from leadgen.core import hot
from leadgen.visits.models import VisitKind

_OPENINGS = "SELECT kind, channel, number FROM visit_tally WHERE entry_id = %(entry)s AND number > 0"
_HELD = f"""
SELECT {public_title("m")} AS contest, t.kind AS opened_by, t.channel, t.number
FROM visit_tally t JOIN entry e ON e.id = t.entry_id JOIN campaign m ON m.id = e.campaign_id
WHERE e.contact_id = %(contact)s AND t.number > 0 ORDER BY e.id, t.kind, t.channel
"""  # noqa: S608 - the only value put in by Python is a constant
_HUMANS = """
SELECT entry_id, sum(number)::bigint AS number FROM visit_tally
WHERE entry_id = ANY(%(entries)s::bigint[]) AND kind = 'human' GROUP BY entry_id
"""


@dataclass(frozen=True, slots=True)
class ChannelOpenings:
    """One channel of a link: visits by people, and all openings."""

    channel: str
    people: int
    openings: int


@dataclass(frozen=True, slots=True)
class Openings:
    """How a link was opened. `unsure` are openings that nobody was seen behind (yet); only `people` ever earn."""

    people: int
    unsure: int
    previews: int
    scanners: int
    prefetches: int
    own: int
    repeats: int
    channels: tuple[ChannelOpenings, ...]  # most people first

    @property
    def all(self) -> int:
        """Everything that opened the link."""
        return self.people + self.unsure + self.previews + self.scanners + self.prefetches + self.own + self.repeats


def openings(entry_id: int) -> Openings:
    """How the link of this entry was opened so far; one statement, whatever the number of visits."""
    rows = hot.many(_OPENINGS, {"entry": entry_id})
    kinds = dict.fromkeys(VisitKind, 0)
    channels: dict[str, list[int]] = {}
    for row in rows:
        kinds[VisitKind(row["kind"])] += row["number"]
        of_channel = channels.setdefault(row["channel"], [0, 0])
        of_channel[0] += row["number"] if row["kind"] == VisitKind.HUMAN else 0
        of_channel[1] += row["number"]
    ordered = sorted(channels.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    return Openings(
        people=kinds[VisitKind.HUMAN],
        unsure=kinds[VisitKind.CANDIDATE],
        previews=kinds[VisitKind.PREVIEW],
        scanners=kinds[VisitKind.SCANNER],
        prefetches=kinds[VisitKind.PREFETCH],
        own=kinds[VisitKind.SELF],
        repeats=kinds[VisitKind.DUPLICATE],
        channels=tuple(ChannelOpenings(channel, *numbers) for channel, numbers in ordered),
    )


def human_visits(entry_ids: Collection[int]) -> dict[int, int]:
    """How many human visits the links of these entries had; entries without any are left out."""
    rows = hot.many(_HUMANS, {"entries": list(entry_ids)})
    return {row["entry_id"]: row["number"] for row in rows}


def held(contact_id: int) -> dict[str, Any]:
    """The sums of how a person's links were opened, for the file that they may download.

    The single openings are other people's, and gone after 90 days.
    """
    return {"openings_of_your_links": hot.many(_HELD, {"contact": contact_id})}
