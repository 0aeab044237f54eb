"""A crew of cheats: whose points it makes, how careful it is, and what all made-up entries have in common."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.fraud.contest import DAY, ENDS_AT, HOUR, Label
from bench.fraud.people import NOBODY, Draft, awake, behave, confirm, gains, live, person, spread
from bench.fraud.world import World

_SLIPS = 0.125  # how often somebody careful forgets to be
_CARE, _CARE_OF_THE_CAREFUL = 0.03, 0.05


@dataclass
class Crew:
    """One head and those who work for it, or who are it."""

    world: World
    r: random.Random
    kind: str
    number: int
    head: Draft
    evades: bool

    @property
    def careless(self) -> bool:
        """Whether the next deed is done without hiding; asked anew for each."""
        return not self.evades or self.r.random() < _SLIPS

    def mark(self, draft: Draft, role: str) -> Draft:
        """Write the truth on a draft."""
        draft.label = Label(self.kind, f"{self.kind}_crew", role, self.number, self.evades)
        return draft

    def pace(self, size: int, gap: float, sigma: float) -> Iterator[float]:
        """When the entries come: one after the other, or spaced out over days by the careful."""
        assert self.head.confirmed_at is not None
        at = self.head.confirmed_at + spread(self.r, 3 * HOUR, 1)
        if self.evades:
            span = min(self.r.uniform(4, 12) * DAY, ENDS_AT - at - HOUR)
            yield from sorted(at + self.r.random() * span for _ in range(size))
            return
        for _ in range(size):
            at = awake(self.r, at + spread(self.r, gap, sigma), always=1)
            yield at

    def fake(self, at: float, *, domain: str = "", country: str = "", median: float = 60) -> Draft:
        """An entry that somebody made up: an honest draft without much life, quick to confirm where nobody hides."""
        assert self.head.confirmed_at is not None
        at = min(max(at, self.head.confirmed_at + 20 + self.r.randrange(60)), ENDS_AT - 1 - self.r.randrange(120))
        draft = person(self.world, self.r, at, country or self.head.country, domain)
        draft.referrer = self.head
        behave(self.world, draft, self.r)
        if not self.evades:
            confirm(draft, self.r, median=median, sigma=0.7, rate=0.93)
        elif draft.confirmed_at is None and self.r.random() < 0.6:
            confirm(draft, self.r, median=10 * median, sigma=1, rate=1)
        live(draft, self.r, _CARE_OF_THE_CAREFUL if self.evades else _CARE, NOBODY)
        if self.r.random() < 0.6:
            draft.channel, draft.landing_host = self.r.choice(("copy", "copy", "")), ""
        return self.mark(draft, "referral")

    def same_browser(self, draft: Draft, *, device: float) -> None:
        """Let a draft come from the head's own browser; its cookie survives that often."""
        draft.agent, draft.language = self.head.agent, self.head.language
        draft.timezone = draft.timezone and self.head.timezone
        chance = self.r.random()
        if chance < device:
            draft.device = self.head.device
        elif chance < device + 0.25:
            draft.device = ""


Work = Callable[[Crew, int], Iterator[Draft]]


def gather(world: World, kind: str, r: random.Random, latest: float = 15 * DAY) -> Crew:
    """A head who enters like anybody eager, and decides whether to hide."""
    head = gains(world, person(world, r, r.uniform(0, latest)), r)
    crew = Crew(world, r, kind, next(world.crews), head, r.random() < world.evade)
    crew.mark(head, "head")
    return crew
