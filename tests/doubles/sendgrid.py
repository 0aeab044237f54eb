"""A SendGrid that misbehaves as planned and writes down, line by line, each mail that it took."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

TAKEN = "202"
_LINK = re.compile(r"https?://[^/\s\"'<>]+(/(?:confirm|me|unsubscribe)/[^\s\"'<>]+)")
_DRIPS = 60  # seconds


@dataclass
class Desk:
    """Decides what each call is answered.

    A plan is a word: a status (`500`); `429:SECONDS`; `slow:SECONDS` (takes the mails, answers after so long); `drop`
    (hangs up before it took them); `drop_after` (takes them, then hangs up); `hole` (never answers, takes nothing);
    `drip` (takes them, then answers a byte a second). `next` is used up call by call, then `marketing` holds for calls
    that carry an unsubscribe header, and `always` for all others.
    """

    log: Path
    clock: Path
    next: deque[str] = field(default_factory=deque)
    always: str = TAKEN
    marketing: str = ""
    largest: int = 1000  # more mails in a call are answered 413
    bad: set[str] = field(default_factory=set)  # addresses that make it refuse the whole call with 400
    calls: list[tuple[float, int, str, bool]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def decide(self, people: list[dict[str, Any]]) -> str:
        """The word for this call."""
        is_marketing = any("headers" in person for person in people)
        with self.lock:
            word = self.next.popleft() if self.next else (is_marketing and self.marketing) or self.always
            if word in {TAKEN, "slow"} and len(people) > self.largest:
                word = "413"
            elif word == TAKEN and any(person["to"][0]["email"] in self.bad for person in people):
                word = "400"
            self.calls.append((time.time(), len(people), word, is_marketing))
        return word

    def take(self, people: list[dict[str, Any]]) -> None:
        """Write down each mail: our reference, the address, the links of ours in it."""
        shift = float(self.clock.read_text()) if self.clock.exists() else 0.0
        moment = (datetime.now(UTC) + timedelta(seconds=shift)).isoformat()
        lines = [json.dumps(_line(person, moment)) + "\n" for person in people]
        with self.lock, self.log.open("a") as log:
            log.writelines(lines)

    def instruct(self, plan: dict[str, Any]) -> None:
        """Replace the whole plan; `forget` empties the log and the list of calls too."""
        with self.lock:
            self.next = deque(plan.get("next", ()))
            self.always, self.marketing = plan.get("always", TAKEN), plan.get("marketing", "")
            self.largest, self.bad = plan.get("largest", 1000), set(plan.get("bad", ()))
            if plan.get("forget"):
                self.calls.clear()
                self.log.write_text("")


def _line(person: dict[str, Any], moment: str) -> dict[str, Any]:
    said = " ".join([*person.get("substitutions", {}).values(), *person.get("headers", {}).values()])
    return {
        "at": moment,
        "m": person["custom_args"]["m"],
        "to": person["to"][0]["email"],
        "links": sorted(set(_LINK.findall(said))),
    }


def handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    """The class that answers the calls of one desk."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Lists of suppressed addresses are empty here."""
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            people = json.loads(body)["personalizations"]
            word, _colon, more = desk.decide(people).partition(":")
            if word in {TAKEN, "slow", "drop_after", "drip"}:
                desk.take(people)
            time.sleep({"slow": float(more or 0), "hole": _DRIPS}.get(word, 0.0))
            if word in {"drop", "drop_after", "hole"}:
                self.close_connection = True
                return
            status = 202 if word in {TAKEN, "slow", "drip"} else int(word)
            self.answer(status, more, is_dripping=word == "drip")

        def answer(self, status: int, more: str, *, is_dripping: bool) -> None:
            body = b"" if status == 202 else b'{"errors": [{"message": "planned"}]}'
            retry = f"Retry-After: {more}\r\n" if more and status == 429 else ""
            head = f"HTTP/1.1 {status} Planned\r\nX-Message-Id: taken\r\n{retry}Content-Length: {len(body)}\r\n\r\n"
            wire = head.encode() + body
            try:
                for byte in wire[:_DRIPS] if is_dripping else ():
                    self.wfile.write(bytes([byte]))
                    time.sleep(1)
                self.wfile.write(wire)
            except OSError:  # the worker gave up or was killed
                self.close_connection = True

        def log_message(self, *_args: object) -> None:
            """Say nothing: the log is the file."""

    return Handler
