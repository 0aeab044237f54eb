"""A SendGrid that stands on this machine: takes what it is sent, and misbehaves as planned."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TAKEN = "202"


@dataclass
class SendGridDouble:
    """What was asked of it, what it took, and what it will answer next.

    A plan is a word for each coming call, 202 when there is none: a status; `400:FIELD`; `429:SECONDS`; `hang:SECONDS`
    (answers 202 after that long); `drop` (hangs up before reading); `drop_after` (takes the mail, then hangs up);
    `drip:SECONDS` (takes the mail, then answers one byte after the other for that long).

    What is read (`GET`) stands in `pages`, by path; a list is served in the pages that are asked for. `broken` paths
    are answered 500.
    """

    plan: deque[str] = field(default_factory=deque)
    calls: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)  # addresses that it refuses with 400, as SendGrid does: the whole call
    is_naming_culprits: bool = False
    address: str = ""
    pages: dict[str, Any] = field(default_factory=dict)
    reads: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    html: str = ""  # what a gateway says in place of JSON
    tried: list[dict[str, Any]] = field(default_factory=list)  # in sandbox mode

    def recipients(self) -> list[str]:
        """Everybody whose mail it took, in order."""
        return [said["to"][0]["email"] for call in self.taken for said in call["personalizations"]]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers for a call."""
        self.calls.append(body)
        word, _colon, more = (self.plan.popleft() if self.plan else TAKEN).partition(":")
        if word == "hang":
            time.sleep(float(more))
        if word in {TAKEN, "hang", "drop_after", "drip"}:
            return self._take(body)
        headers = _reset(more) if word == "429" and more else {}
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
        if body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            self.tried.append(body)
            return 200, {}, {}
        self.taken.append(body)
        return 202, {}, {"X-Message-Id": f"reference-{len(self.taken)}"}

    def read(self, path: str) -> tuple[int, Any]:
        """Status and body for a question."""
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.reads.append((parts.path, asked))
        word = self.plan.popleft() if self.plan else "200"
        if word != "200" or parts.path in self.broken:
            return int(word) if word != "200" else 500, {"errors": [{"message": "planned"}]}
        page = self.pages.get(parts.path, [])
        if not isinstance(page, list) or "limit" not in asked:
            return 200, page
        since, until = int(asked.get("start_time", 0)), int(asked.get("end_time", 2**40))
        found = [row for row in page if since <= row.get("created", since) <= until]
        offset = int(asked.get("offset", 0))
        return 200, found[offset : offset + int(asked["limit"])]


def _reset(more: str) -> dict[str, str]:
    """`20` is Retry-After, `@20` the moment in twenty seconds as SendGrid says it."""
    if more.startswith("@"):
        return {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time() + float(more[1:])))}
    return {"Retry-After": more}


@contextmanager
def sendgrid_double(certificate: tuple[Path, Path] | None = None) -> Iterator[SendGridDouble]:
    """Run the double on a free port of this machine; with a certificate and its key, encrypted."""
    double = SendGridDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"double": double}))
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # whoever hung up wanted to
    double.address = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield double
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection to the double that the class was made for."""

    double: SendGridDouble
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.double.plan and self.double.plan[0] == "drop":
            self.double.plan.popleft()
            self._hang_up()
            return
        next_word = self.double.plan[0] if self.double.plan else ""
        is_dropping = next_word == "drop_after"
        dripping = float(next_word[5:]) if next_word.startswith("drip:") else 0.0
        self.double.keys.append(self.headers["Authorization"])
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, said, headers = self.double.answer(body)
        if is_dropping:
            self._hang_up()
            return
        if dripping:
            self._drip(dripping)
            return
        self._answer(status, said, headers)

    def do_GET(self) -> None:
        status, said = self.double.read(self.path)
        self._answer(status, said, {})

    def _drip(self, seconds: float) -> None:
        for byte in f"HTTP/1.1 202 {'slow' * 1000}"[: int(seconds / 0.05)].encode():
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)
        self._hang_up()

    def _answer(self, status: int, said: Any, headers: dict[str, str]) -> None:
        content = json.dumps(said).encode() if said or status == 200 else b""
        if self.double.html and status >= 400:
            content = self.double.html.encode()
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
