"""`python -m bench.enumeration`: does the time of an answer tell whether an address is known?

Pairs of forms, one with a new address and one with a known one, in random order; the answer is the difference of the
medians with its 95 % bootstrap interval, which must include 0 or lie within three milliseconds of it.
"""

from __future__ import annotations

import argparse
import http.client
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import campaign
from bench.figures import say, show
from bench.stack import Stack
from leadgen.simulator import pages

MOST_MS = 3.0
_RESAMPLES = 1000
_SEED = 4711
_KNOWN = {
    "waiting": (),
    "confirmed": ("UPDATE entry SET status = 'confirmed', confirmed_at = now() WHERE contact_id = ANY(%(people)s)",),
    "complained": (
        """INSERT INTO suppression (brand_id, address_hash, reason, at)
           SELECT brand_id, address_hash, 'complaint', now() FROM contact WHERE id = ANY(%(people)s)""",
    ),
    "forgotten": (
        "UPDATE entry SET status = 'erased' WHERE contact_id = ANY(%(people)s)",
        """UPDATE contact SET mailbox_key = NULL, email = NULL, address_hash = NULL, erased_at = now()
           WHERE id = ANY(%(people)s)""",
    ),
}


@dataclass
class Browser:
    """Sends the one form again and again over one connection."""

    connection: http.client.HTTPConnection
    path: str
    hidden: dict[str, str]

    @classmethod
    def opened(cls, stack: Stack, slug: str) -> Browser:
        """With the landing page read, and the second that a person needs at least."""
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
        connection.request("GET", f"/c/{slug}")
        form = pages.form_with(connection.getresponse().read(), "email")
        assert form is not None
        time.sleep(1.5)
        return cls(connection, f"/c/{slug}", form.hidden())

    def send(self, email: str) -> tuple[float, int]:
        """Milliseconds until the answer was there, and its length."""
        fields = {**self.hidden, "email": email, "first_name": "Anna", "consent_rules": "1"}
        body = pages.encode(list(fields.items()))
        begun = time.perf_counter()
        self.connection.request("POST", self.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = self.connection.getresponse()
        content = answer.read()
        spent = (time.perf_counter() - begun) * 1000
        assert answer.status == 303, answer.status
        return spent, len(content)


def main() -> None:
    """Start, measure each kind, print, end."""
    parser = argparse.ArgumentParser(prog="bench.enumeration", description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    wanted = parser.parse_args()
    chance = random.Random(_SEED)
    settings = {"LEADGEN_ENV": "development", "MAIL_PROVIDER": "file"}
    with Stack(settings, workers=0, scheduler=False) as stack:
        browser = Browser.opened(stack, campaign.prepare(stack))
        for number in range(100):  # the first of everything is slower
            browser.send(f"warm.up.{number:04}@mail.example")
        for kind in _KNOWN:
            say(f"{wanted.pairs} pairs: a new address and one that is {kind}")
            _measure(stack, browser, kind, wanted.pairs, chance)


def _measure(stack: Stack, browser: Browser, kind: str, pairs: int, chance: random.Random) -> None:
    known = [f"known.{kind:.6}.{number:04}@mail.example" for number in range(pairs)]
    _make(stack, browser, kind, known)
    order = [(email, True) for email in known]
    order += [(f"fresh.{kind:.6}.{number:04}@mail.example", False) for number in range(pairs)]
    chance.shuffle(order)
    times: dict[bool, list[float]] = {True: [], False: []}
    lengths: dict[bool, set[int]] = {True: set(), False: set()}
    for email, is_known in order:
        spent, length = browser.send(email)
        times[is_known].append(spent)
        lengths[is_known].add(length)
    low, high = _interval(times[True], times[False], chance)
    length_difference = max(abs(one - other) for one in lengths[True] for other in lengths[False])
    show(
        figure=f"entering with an address that is {kind}",
        unit="ms more than with a new one",
        value=statistics.median(times[True]) - statistics.median(times[False]),
        interval=[round(low, 4), round(high, 4)],
        median_new=statistics.median(times[False]),
        median_known=statistics.median(times[True]),
        pairs=pairs,
        bytes_apart=length_difference,
        goal=f"0 in the interval, or all of it within {MOST_MS} ms",
        met=(low <= 0 <= high or (low >= -MOST_MS and high <= MOST_MS)) and length_difference <= 16,
    )


def _make(stack: Stack, browser: Browser, kind: str, emails: Sequence[str]) -> None:
    for email in emails:
        browser.send(email)
    with stack.connect() as connection:
        rows = connection.execute("SELECT id FROM contact WHERE email = ANY(%s)", [list(emails)]).fetchall()
        for statement in _KNOWN[kind]:
            connection.execute(statement, {"people": [row[0] for row in rows]})


def _interval(known: Sequence[float], new: Sequence[float], chance: random.Random) -> tuple[float, float]:
    """The middle 95 % of the differences between medians of resamples."""
    differences = sorted(
        statistics.median(chance.choices(known, k=len(known))) - statistics.median(chance.choices(new, k=len(new)))
        for _ in range(_RESAMPLES)
    )
    return differences[int(_RESAMPLES * 0.025)], differences[int(_RESAMPLES * 0.975)]


if __name__ == "__main__":
    main()
