"""What rounds measured, and how it is printed: one JSON line per figure on standard output, nothing else there."""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field


def say(words: str) -> None:
    """Progress, for people; figures go to standard output."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


@dataclass
class Rounds:
    """What every round measured, by figure."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: float) -> None:
        """Keep one round's value."""
        self.values[name].append(value)

    def median(self, name: str) -> float:
        """The middle of all rounds."""
        return statistics.median(self.values[name])

    def ratio(self, name: str, floor: str) -> float:
        """The middle of the rounds' own ratios: noise that hits both sides of a round cancels."""
        return statistics.median(a / b for a, b in zip(self.values[name], self.values[floor], strict=True))

    def spread(self, name: str) -> list[float]:
        """Lowest and highest round."""
        return [round(min(self.values[name]), 4), round(max(self.values[name]), 4)]


def show(**figure: object) -> None:
    """Print one figure."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in figure.items()}
    sys.stdout.write(json.dumps(rounded) + "\n")
    sys.stdout.flush()


def report(rounds: Rounds, name: str, floor: str, goal: float | None) -> None:
    """One figure."""
    show(
        figure=name,
        unit="CPU-ms of the servers",
        value=rounds.median(name),
        rounds=len(rounds.values[name]),
        spread=rounds.spread(name),
        floor=rounds.median(floor),
        floor_is=floor,
        ratio=rounds.ratio(name, floor),
        goal=goal,
        met=None if goal is None else rounds.ratio(name, floor) <= goal,
    )
