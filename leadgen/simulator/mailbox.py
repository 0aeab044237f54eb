"""Reads the development mailbox over HTTP, once for everybody who waits, and hands out the links of new mails."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

from leadgen.simulator.client import Answer, Ask, Crowd, Letter, Life, Pause

POLL_SECONDS = 0.5
_LINK = re.compile(r"https?://[^/\s\"'<>]+(/(?:confirm|unsubscribe|me)/[^\s\"'<>]+)")
Arrived = Callable[[str | None], None]


class Mailbox:
    """A postbox for simulated people; `poll` is the life that fills it."""

    def __init__(self, authority: str) -> None:
        self.authority = authority
        self.read = 0
        self.is_open = True
        self._links: dict[tuple[str, str], str] = {}
        self._waiting: dict[tuple[str, str], tuple[float, Arrived]] = {}

    def expect(self, letter: Letter, arrived: Arrived) -> None:
        """Call back with the link of a mail to this address, now or when it comes; with None when it is too late."""
        key = (letter.address, letter.part)
        if link := self._links.pop(key, None):
            arrived(link)
        else:
            self._waiting[key] = (time.monotonic() + letter.seconds, arrived)

    def poll(self) -> Life:
        """Ask for new mails again and again, until `is_open` is false."""
        last = ""
        while self.is_open:
            answer: Answer = yield Ask("mailbox", self._request(last))
            if answer.status == 200:
                last = self._sort(json.loads(answer.body), last)
            self._dismiss_late()
            yield Pause(POLL_SECONDS)

    def _request(self, last: str) -> bytes:
        return f"GET /dev/mailbox.json?after={last} HTTP/1.1\r\nHost: {self.authority}\r\n\r\n".encode()

    def _sort(self, mails: list[dict[str, str]], last: str) -> str:
        for mail in mails:
            self.read += 1
            last = mail["id"]
            for path in _LINK.findall(mail["text"]):
                self._arrived(mail["to"], path)
        return last

    def _arrived(self, address: str, path: str) -> None:
        key = (address, path[: path.index("/", 1) + 1])
        if key in self._waiting:
            self._waiting.pop(key)[1](path)
        else:
            self._links[key] = path

    def _dismiss_late(self) -> None:
        now = time.monotonic()
        for key in [key for key, (until, _) in self._waiting.items() if until < now]:
            self._waiting.pop(key)[1](None)


def watch(crowd: Crowd, mailbox: Mailbox) -> None:
    """Begin to read the mailbox."""
    crowd.start(mailbox.poll(), "127.0.0.1")
