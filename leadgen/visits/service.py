"""The visits room's face: note how links are opened, prove that a person looked, and say what it adds up to."""

from __future__ import annotations

from leadgen.visits.noting import Opening, Visitor, flush, forget, kind_of, note, prove_human, visitor_of
from leadgen.visits.reading import ChannelOpenings, Openings, human_visits, openings
from leadgen.visits.upkeep import KEPT_DAYS, pay, purge

__all__ = [
    "KEPT_DAYS", "ChannelOpenings", "Opening", "Openings", "Visitor", "flush", "forget", "human_visits", "kind_of",
    "note", "openings", "pay", "prove_human", "purge", "visitor_of",
]  # fmt: skip
