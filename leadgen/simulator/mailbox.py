"""Reads the development mailbox over HTTP for everybody who waits for a letter, one address after the other."""

from __future__ import annotations

import heapq
import itertools
import json
import time
from collections.abc import Callable
from urllib.parse import quote

from leadgen.simulator import pages
from leadgen.simulator.client import Answer, Ask, Letter, Life, Pause

AGAIN_SECONDS = 1.0  # between two looks into one person's mailbox
_IDLE_SECONDS = 0.1
Arrived = Callable[[str | None], None]


class Mailbox:
    """A postbox for simulated people; `read` is the life that fills it."""

    def __init__(self, authority: str) -> None:
        self.authority = authority
        self.found = 0
        self.is_open = True
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, float, Letter, Arrived]] = []

    def expect(self, letter: Letter, arrived: Arrived) -> None:
        """Call back with the path of the link when such a mail is there; with None when it is too late."""
        now = time.monotonic()
        self._wait(now + AGAIN_SECONDS / 2, now + letter.seconds, letter, arrived)

    def read(self) -> Life:
        """Look into the mailboxes again and again, until `is_open` is false."""
        while self.is_open:
            if not self._waiting or self._waiting[0][0] > time.monotonic():
                yield Pause(_IDLE_SECONDS)
                continue
            _, _, until, letter, arrived = heapq.heappop(self._waiting)
            answer: Answer = yield Ask("mailbox", self._request(letter.address))
            if link := _link(answer, letter.part.strip("/")):
                self.found += 1
                arrived(pages.path_of(link))
            elif time.monotonic() > until:
                arrived(None)
            else:
                self._wait(time.monotonic() + AGAIN_SECONDS, until, letter, arrived)

    def _wait(self, due: float, until: float, letter: Letter, arrived: Arrived) -> None:
        heapq.heappush(self._waiting, (due, next(self._numbers), until, letter, arrived))

    def _request(self, address: str) -> bytes:
        path = f"/dev/mailbox.json?to={quote(address)}"
        return f"GET {path} HTTP/1.1\r\nHost: {self.authority}\r\n\r\n".encode()


def _link(answer: Answer, purpose: str) -> str:
    """The newest mail's link of this purpose, such as “confirm”; empty when there is none yet."""
    if answer.status != 200:
        return ""
    found = (mail["links"].get(purpose) for mail in json.loads(answer.body)["mails"])
    return next((link for link in found if link), "")
