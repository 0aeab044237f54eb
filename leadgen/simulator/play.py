"""Plays a whole crowd at a given rate and tells how it went."""

from __future__ import annotations

import http.client
import random
import re
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from leadgen.simulator import mailbox, people
from leadgen.simulator.client import Crowd, Tally, Target, loopback, source_of
from leadgen.simulator.life import Outcome, Stage, live
from leadgen.simulator.loop import Loop
from leadgen.simulator.people import Person

MOST_PEOPLE = 1_000_000
HIGHEST_RATE = 1_000.0  # people a second
MOST_AT_ONCE = 800  # people inside the campaign at the same time: each holds a connection
FORM_SECONDS = 1.05  # a form sent back within a second is taken for a script's
_TAIL_SECONDS = 180.0  # after the last arrival, for those who still read their mail


_CAMPAIGN = re.compile(r'href="(?:https?://[^/"]+)?/c/([a-z0-9-]+)"')


class NotPossible(Exception):
    """The play cannot begin; the message is a sentence for the person who typed the command."""


@dataclass(frozen=True)
class Play:
    """What is to be played, and where; `rate` is in people a second.

    Without a `slug` the campaign is the first on the home page. `pace` stretches or shortens how long people think.
    """

    base_url: str
    people: int
    rate: float
    seed: int
    slug: str = ""
    pace: float = 1.0

    @property
    def address(self) -> str:
        """Where the contest is."""
        return f"{self.base_url.rstrip('/')}/c/{self.slug}"


@dataclass
class Report:
    """How it went."""

    seed: int
    seconds: float
    outcome: Outcome
    tally: Tally
    mails: int

    def lines(self) -> list[tuple[str, str]]:
        """The summary, as name and value."""
        out = self.outcome
        rows = [
            ("people", f"{self.tally.finished:,}"),
            ("entered", f"{out.entered:,}"),
            ("through a friend's link", f"{out.invited:,}"),
            ("confirmed", f"{out.confirmed:,}"),
            ("shared their link", f"{out.shared:,}"),
            ("questions answered", f"{out.answered:,}"),
            ("took back their consent to news", f"{out.withdrew:,}"),
            ("mails read", f"{self.mails:,}"),
            ("confirmation mails that did not come", f"{out.letters_missing:,}"),
            *((f"refused: {what}", f"{times:,}") for what, times in sorted(out.refused.items())),
            ("requests", f"{sum(self.tally.requests.values()):,}"),
            ("seconds", f"{self.seconds:.1f}"),
            ("seed", str(self.seed)),
        ]
        return [*rows, *(self._time(name) for name in ("landing", "enter", "confirm", "person") if self._knows(name))]

    def _knows(self, name: str) -> bool:
        return bool(self.tally.seconds.get(name))

    def _time(self, name: str) -> tuple[str, str]:
        times = sorted(self.tally.seconds[name])
        half, most = times[len(times) // 2], times[int(len(times) * 0.99)]
        return f"{name}, half within / 99 % within", f"{half * 1000:.0f} / {most * 1000:.0f} ms"


def chosen(wanted: Play) -> Play:
    """The same play in a contest that is named: the one asked for, else the first on the home page.

    Raises NotLoopback or NotPossible.
    """
    target = loopback(wanted.base_url)
    return wanted if wanted.slug else replace(wanted, slug=_first_campaign(target))


def play(wanted: Play, progress: Callable[[int], None] = lambda _done: None) -> Report:
    """Play it to the end; `progress` is told how many more people are through.

    Ends by itself: at the latest three minutes after the last arrival. Raises NotLoopback or NotPossible.
    """
    target = loopback(wanted.base_url)
    if not 0 < wanted.people <= MOST_PEOPLE or not 0 < wanted.rate <= HIGHEST_RATE:
        raise NotPossible(f"Between 1 and {MOST_PEOPLE:,} people can play, at most {HIGHEST_RATE:g} a second.")
    slug = chosen(wanted).slug
    _ask(target, "/dev/mailbox.json", "The development mailbox is not there: people could not read their mail.")
    _allow_files()
    loop = Loop()
    box = mailbox.Mailbox(target.authority)
    crowd = Crowd(loop, target, box)
    stage = Stage(target.authority, slug, Outcome(), wanted.pace, form_seconds=FORM_SECONDS)
    arrivals = _Arrivals(crowd, stage, wanted)
    crowd.start(box.read(), "127.0.0.1")
    began = time.monotonic()
    latest = began + wanted.people / wanted.rate + _TAIL_SECONDS + 60 * wanted.pace
    arrivals.next()
    told = 0
    while not arrivals.is_over and time.monotonic() < latest:
        loop.turn()
        progress(crowd.tally.finished - told)
        told = crowd.tally.finished
    box.is_open = False
    loop.close()
    crowd.hang_up()
    return Report(wanted.seed, time.monotonic() - began, stage.outcome, crowd.tally, box.found)


def _first_campaign(target: Target) -> str:
    found = _CAMPAIGN.search(_ask(target, "/", "The home page does not answer."))
    if found is None:
        raise NotPossible(f"No campaign is live at http://{target.authority}/: publish one, or name one.")
    return found.group(1)


def _ask(target: Target, path: str, otherwise: str) -> str:
    connection = http.client.HTTPConnection(target.host, target.port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        sentence = f"Nothing answers at http://{target.authority}/: start the product with `make run`."
        raise NotPossible(sentence) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise NotPossible(otherwise)
    return body


class _Arrivals:
    """Lets people in one after the other, at random intervals around the rate."""

    def __init__(self, crowd: Crowd, stage: Stage, wanted: Play) -> None:
        self.crowd = crowd
        self.stage = stage
        self.rate = wanted.rate
        self.cast: Iterator[Person] = people.cast(wanted.seed, wanted.people)
        self.chance = random.Random(wanted.seed)  # noqa: S311 - a play, not a secret
        self.due = time.monotonic()
        self.has_ended = False

    @property
    def is_over(self) -> bool:
        """Everybody came, and everybody but the mailbox's reader left."""
        return self.has_ended and len(self.crowd.lines) <= 1

    def next(self) -> None:
        """Let in who is due, then come back."""
        while time.monotonic() >= self.due and len(self.crowd.lines) < MOST_AT_ONCE:
            person = next(self.cast, None)
            if person is None:
                self.has_ended = True
                return
            self.due += self.chance.expovariate(self.rate)
            self.crowd.start(live(person, self.stage), source_of(person.number + 1))
        self.crowd.loop.later(max(0.01, self.due - time.monotonic()), self.next)


def _allow_files() -> None:
    """Allow ourselves as many open connections as the system lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
