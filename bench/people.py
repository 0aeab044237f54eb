"""Sends prepared requests through few connections at a time, and measures what the servers spend on them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench import cpu
from leadgen.simulator.client import Answer, Ask, Crowd, Letter, Life, Target, source_of
from leadgen.simulator.loop import Loop

CONNECTIONS = 8
# One connection and one address for so many requests, like a household: below every rate limit.
_PER_CONNECTION = 20
_addresses = itertools.count(1)


class NoPostbox:
    """For crowds that wait for no mail."""

    def expect(self, letter: Letter, arrived: Callable[[str | None], None]) -> None:
        """Nothing ever comes."""


@dataclass
class Spent:
    """CPU seconds of the servers for `count` requests, and the answers in order."""

    seconds: float
    count: int
    answers: list[Answer]

    @property
    def ms(self) -> float:
        """CPU milliseconds per request."""
        return self.seconds * 1000 / self.count


def send(port: int, wires: Sequence[bytes], *, pids: Iterable[int] = (), name: str = "bench") -> Spent:
    """Send all requests, eight at a time; `pids` are the roots of the processes whose CPU counts."""
    loop = Loop()
    crowd = Crowd(loop, Target("127.0.0.1", port), NoPostbox())
    answers: list[Answer] = [Answer(0, b"", b"")] * len(wires)
    groups = iter(
        [range(start, min(start + _PER_CONNECTION, len(wires))) for start in range(0, len(wires), _PER_CONNECTION)]
    )
    roots = list(pids)
    before = cpu.used(roots)
    running = [_chain(groups, wires, answers, name, crowd) for _ in range(CONNECTIONS)]
    for start in running:
        start()
    loop.run(lambda: not crowd.lines)
    spent = cpu.used(roots) - before
    loop.close()
    return Spent(spent, len(wires), answers)


def _chain(
    groups: Iterator[range], wires: Sequence[bytes], answers: list[Answer], name: str, crowd: Crowd
) -> Callable[[], None]:
    """Starts a life for the next group, and another when that ends."""

    def start() -> None:
        group = next(groups, None)
        if group is not None:
            crowd.start(life(group), source_of(next(_addresses)))

    def life(group: range) -> Life:
        for index in group:
            answers[index] = yield Ask(name, wires[index])
        crowd.loop.later(0.0, start)

    return start
