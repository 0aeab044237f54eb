"""`make bench-replay`: plays the model campaign to its last letter and audits the tables against what was taken."""

from __future__ import annotations

import argparse
import sys
import time

from bench import campaign
from bench.audit import audit
from bench.double import Double
from bench.figures import say, show
from bench.stack import Stack
from leadgen.simulator.loop import Loop

_SAY_EVERY = 5.0  # seconds


class Progress:
    """How far the play is, some times a minute."""

    def __init__(self, people: int, double: Double) -> None:
        self.people = people
        self.double = double
        self.began = self.due = time.monotonic()
        self.tenths: list[float] = []  # when each tenth of the people was through

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        while len(self.tenths) < 10 * done // self.people:
            self.tenths.append(now - self.began)
        if now >= self.due:
            self.due = now + _SAY_EVERY
            rate = done / max(now - self.began, 0.001)
            say(f"{done:>9,} of {self.people:,} people, {rate:.0f} a second, {self.double.mails:,} mails")

    @property
    def last_to_first(self) -> float:
        """Speed in the last tenth over speed in the first: 1 is linear, less is slower at the end."""
        if len(self.tenths) < 10:
            return 0.0
        return self.tenths[0] / (self.tenths[9] - self.tenths[8])


def main() -> int:
    """Play, audit, print one line; the exit code says whether everything held."""
    parser = argparse.ArgumentParser(prog="bench.replay", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    loop = Loop()
    double = Double(loop)
    double.is_keeping_addresses = False
    with Stack(campaign.settings(double)) as stack:
        slug = campaign.prepare(stack)
        progress = Progress(wanted.people, double)
        played = campaign.play(
            stack, double, slug=slug, number=wanted.people, seed=wanted.seed, progress=progress, nurture=campaign.LEAPS
        )
        say("everything is settled; auditing")
        with stack.connect() as connection:
            findings = audit(
                connection,
                entered=played.outcome.entered_emails,
                confirmed=played.outcome.confirmed_emails,
                taken=double.by_id,
            )
    show(
        figure="replay",
        people=wanted.people,
        seed=wanted.seed,
        minutes=played.seconds / 60,
        leads_per_second=played.leads_per_second,
        minutes_for_500000=500_000 / played.leads_per_second / 60,
        speed_of_last_to_first_tenth=progress.last_to_first,
        servers_cpu_ms=played.servers_ms,
        parts={part: round(spent, 3) for part, spent in played.cpu_ms.items()},
        generator_cpu_ms=played.generator_ms,
        milliseconds={name: [round(half, 1), round(most, 1)] for name, (half, most) in played.milliseconds.items()},
        lost=findings.lost,
        duplicates=findings.doubled,
        wrong=findings.wrong,
        refused=played.outcome.refused,
        letters_missing=played.outcome.letters_missing,
        counts=findings.counts,
    )
    return 0 if not findings.wrong and not played.outcome.refused else 1


if __name__ == "__main__":
    sys.exit(main())
