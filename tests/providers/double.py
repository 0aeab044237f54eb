"""A SendGrid that stands on this machine: takes what it is sent, and misbehaves as planned."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TAKEN = "202"


@dataclass
class SendGridDouble:
    """What was asked of it, what it took, and what it will answer next.

    A plan is a word for each coming call, 202 when there is none: a status; `400:FIELD`; `429:SECONDS`; `hang:SECONDS`
    (answers 202 after that long); `drop` (hangs up before reading); `drop_after` (takes the mail, then hangs up).
    """

    plan: deque[str] = field(default_factory=deque)
    calls: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)  # addresses that it refuses with 400, as SendGrid does: the whole call
    is_naming_culprits: bool = False
    address: str = ""

    def recipients(self) -> list[str]:
        """Everybody whose mail it took, in order."""
        return [said["to"][0]["email"] for call in self.taken for said in call["personalizations"]]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers for a call."""
        self.calls.append(body)
        word, _colon, more = (self.plan.popleft() if self.plan else TAKEN).partition(":")
        if word == "hang":
            time.sleep(float(more))
        if word in {TAKEN, "hang", "drop_after"}:
            return self._take(body)
        headers = {"Retry-After": more} if word == "429" and more else {}
        errors = [{"message": "planned", "field": more or None}] if word == "400" else [{"message": "planned"}]
        return int(word), {"errors": errors}, headers

    def _take(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        addresses = [said["to"][0]["email"] for said in body["personalizations"]]
        culprits = [index for index, address in enumerate(addresses) if address in self.bad]
        if len(set(addresses)) < len(addresses) or culprits:
            named = (
                [f"personalizations.{index}.to.0.email" for index in culprits] if self.is_naming_culprits else [None]
            )
            return (
                400,
                {"errors": [{"message": "Does not contain a valid address.", "field": name} for name in named]},
                {},
            )
        self.taken.append(body)
        return 202, {}, {"X-Message-Id": f"reference-{len(self.taken)}"}


@contextmanager
def sendgrid_double() -> Iterator[SendGridDouble]:
    """Run the double on a free port of this machine."""
    double = SendGridDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(double))
    server.daemon_threads = True
    double.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield double
    server.shutdown()
    server.server_close()


def _handler(double: SendGridDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if double.plan and double.plan[0] == "drop":
                double.plan.popleft()
                self._hang_up()
                return
            is_dropping = bool(double.plan) and double.plan[0] == "drop_after"
            double.keys.append(self.headers["Authorization"])
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said, headers = double.answer(body)
            if is_dropping:
                self._hang_up()
                return
            content = json.dumps(said).encode() if said else b""
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.close()

        def log_message(self, *_args: object) -> None:
            """Say nothing: the tests look at what was recorded."""

    return Handler
