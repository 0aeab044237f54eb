"""`python -m bench.fraud`: prints what one contest of the set holds, as one JSON document."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter

from bench.fraud.contest import points, prize_places
from bench.fraud.generator import generate
from bench.fraud.held_out import generate_held_out
from bench.fraud.measures import Steps, cheats_in_top, review
from bench.fraud.separation import best_fields


def main() -> None:
    """Make one contest and describe it."""
    parser = argparse.ArgumentParser(prog="bench.fraud", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hard", action="store_true", help="honest people confirm fast and rarely come back")
    parser.add_argument("--evade", type=float, default=0.0, help="share of crews that hide")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--held-out", action="store_true", help="with the kind and the group of the last table")
    wanted = parser.parse_args()
    begun = time.perf_counter()
    make = generate_held_out if wanted.held_out else generate
    contest = make(wanted.seed, hard=wanted.hard, evade=wanted.evade, entries=wanted.entries)
    seconds = time.perf_counter() - begun
    labels, scored = contest.labels, points(contest.entries)
    crews = {label.crew: label for label in labels.values() if label.crew and label.role == "head"}
    read = review(contest, Steps({}))
    summary = {
        "entries": len(labels),
        "seconds": round(seconds, 2),
        "fraud": round(sum(label.is_fraud for label in labels.values()) / len(labels), 4),
        "kinds": Counter(label.kind for label in labels.values() if label.is_fraud),
        "crews": Counter(label.kind for label in crews.values()),
        "crews that evade": sum(label.evades for label in crews.values()),
        "honest groups": Counter(label.group or "everyday" for label in labels.values() if not label.is_fraud),
        "top 10 before any step": [
            f"{scored[number]} {labels[number].kind or 'honest'}" for number in prize_places(scored)
        ],
        "cheats in the top 10": cheats_in_top(contest),
        "oracle without any scorer": {"cheats": read.cheats, "cases": read.cases, "honest struck": read.honest_struck},
        "best F1 of one field": {name: round(best, 3) for best, name in best_fields(contest)[:6]},
    }
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
