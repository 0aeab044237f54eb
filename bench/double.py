"""A double of SendGrid's two faces: it takes `/v3/mail/send`, counts everything, and sends signed event webhooks.

It lives in the generator's loop, so one process is the people, their mailboxes and the provider.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadgen.simulator.client import Ask, Letter, Life, Pause
from leadgen.simulator.loop import Loop

_CHUNK = 1 << 20
_LENGTH = re.compile(rb"content-length: *(\d+)\r\n", re.IGNORECASE)
_TAKEN = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: %b\r\nContent-Length: 0\r\n\r\n"
_REFUSED = b"HTTP/1.1 %d Refused\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
_NOTHING = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
EVENTS_PER_CALL = 500


class Double:
    """Takes mails on a free loopback port; a postbox for simulated people."""

    def __init__(self, loop: Loop, *, latency: float = 0.0) -> None:
        """`latency` in seconds passes between the last byte of a call and its answer."""
        self.loop = loop
        self.latency = latency
        self.calls = 0
        self.mails = 0
        self.first_at = self.last_at = 0.0
        self.by_id: Counter[str] = Counter()  # how often a mail with this opaque id was taken
        self.by_address: Counter[str] = Counter()
        self.is_keeping_addresses = True
        self.plan: Callable[[int], int] = lambda _call: 202
        self.now: Callable[[], float] = time.time  # by which events are signed; the product's own, when it was moved
        self.events: deque[dict[str, Any]] | None = None
        self.taken_at: dict[str, float] | None = None  # when a mail was taken, by our reference
        self._waiting: dict[tuple[str, str], Callable[[str | None], None]] = {}
        self._arrived: dict[tuple[str, str], str] = {}
        self.parts = ("/confirm/",)  # which links are kept for people who look later
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        loop.watch(self._listener, self._accept)

    @property
    def url(self) -> str:
        """SENDGRID_API_BASE."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_key(self) -> str:
        """SENDGRID_WEBHOOK_PUBLIC_KEY."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self._key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def expect(self, letter: Letter, arrived: Callable[[str | None], None]) -> None:
        """Hand over the link of the next (or an earlier unread) mail to this address."""
        key = (letter.address, letter.part)
        if key in self._arrived:
            arrived(self._arrived.pop(key))
            return
        self._waiting[key] = arrived
        self.loop.later(letter.seconds, lambda: self._too_late(key, arrived))

    def link_of(self, address: str, part: str) -> str:
        """The link of an unread mail that has arrived. Raises KeyError."""
        return self._arrived.pop((address, part))

    def take(self, body: bytes) -> None:
        """Count the mails of one call and bring their links to who waits for them."""
        message = json.loads(body)
        content = "".join(part["value"] for part in message.get("content", ()))
        shared = message.get("custom_args", {})
        for person in message["personalizations"]:
            address = person["to"][0]["email"]
            # Our reference is the only custom argument, whatever its name.
            for reference in (person.get("custom_args") or shared).values():
                self.by_id[reference] += 1
                if self.taken_at is not None:
                    self.taken_at[reference] = time.time()
                if self.events is not None:
                    self._tell(address, reference)
                break
            if self.is_keeping_addresses:
                self.by_address[address] += 1
            self._deliver(address, person.get("substitutions") or {"": content})
        self.mails += len(message["personalizations"])
        self.calls += 1
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at

    def webhooks(self, authority: str, is_over: Callable[[], bool]) -> Life:
        """A life that posts the events of taken mails in signed batches, for a Crowd."""
        self.events = deque()
        while self.events or not is_over():
            if len(self.events) < EVENTS_PER_CALL:
                yield Pause(0.5)
            batch = [self.events.popleft() for _ in range(min(EVENTS_PER_CALL, len(self.events)))]
            if batch:
                answer = yield Ask("events", self.signed(batch, authority))
                if 200 <= answer.status < 300:
                    continue
                if 400 <= answer.status < 500:
                    raise RuntimeError(f"the webhook answers {answer.status}: {answer.body[:200]!r}")
                self.events.extendleft(reversed(batch))
                yield Pause(1.0)

    def close(self) -> None:
        """Stop listening."""
        self.loop.forget(self._listener)
        self._listener.close()

    def _deliver(self, address: str, texts: dict[str, str]) -> None:
        for part in self.parts:
            for text in texts.values():
                found = text.find(part)
                if found >= 0:
                    end = found
                    while end < len(text) and text[end] not in "\"'<> \r\n":
                        end += 1
                    self._hand_over((address, part), text[found:end])
                    break

    def _hand_over(self, key: tuple[str, str], path: str) -> None:
        if arrived := self._waiting.pop(key, None):
            arrived(path)
        else:
            self._arrived[key] = path

    def _too_late(self, key: tuple[str, str], arrived: Callable[[str | None], None]) -> None:
        if self._waiting.get(key) is arrived:
            del self._waiting[key]
            arrived(None)

    def _tell(self, address: str, reference: str) -> None:
        assert self.events is not None
        now = int(self.now())
        for kind in ("processed", "delivered"):
            event = {"email": address, "event": kind, "timestamp": now, "sg_event_id": f"{reference}.{kind}"}
            self.events.append({**event, "sg_message_id": reference, self.reference_name: reference})

    reference_name = "m"

    def signed(self, batch: list[dict[str, Any]], authority: str) -> bytes:
        """A post of these events as SendGrid signs it."""
        body = json.dumps(batch).encode()
        moment = str(int(self.now()))
        signature = base64.b64encode(self._key.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        head = (
            f"POST /webhooks/sendgrid HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n"
            f"X-Twilio-Email-Event-Webhook-Signature: {signature}\r\n"
            f"X-Twilio-Email-Event-Webhook-Timestamp: {moment}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _accept(self) -> None:
        try:
            wire, _ = self._listener.accept()
        except BlockingIOError:
            return
        wire.settimeout(0)
        _Call(self, wire)


class _Call:
    """One connection of a mail worker."""

    def __init__(self, double: Double, wire: socket.socket) -> None:
        self.double = double
        self.wire = wire
        self.chunks: list[bytes] = []
        self.size = 0
        self.expected = 0
        double.loop.watch(wire, self._readable)

    def _readable(self) -> None:
        try:
            chunk = self.wire.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.double.loop.forget(self.wire)
            self.wire.close()
            return
        self.chunks.append(chunk)
        self.size += len(chunk)
        if self.size >= self.expected:
            self._read()

    def _read(self) -> None:
        received = b"".join(self.chunks)
        self.chunks = [received]
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(received, 0, end + 2)
        self.expected = end + 4 + (int(length.group(1)) if length else 0)
        if self.size < self.expected:
            return
        body = received[end + 4 : self.expected]
        rest = received[self.expected :]
        self.chunks, self.size, self.expected = ([rest] if rest else []), len(rest), 0
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        if not body:  # somebody asks for a list of suppressed addresses: it is empty
            self._send(_NOTHING)
            return
        status = self.double.plan(self.double.calls)
        if status == 202:
            self.double.take(body)
            answer = _TAKEN % str(self.double.calls).encode()
        else:
            answer = _REFUSED % status
        if self.double.latency:
            self.double.loop.later(self.double.latency, lambda: self._send(answer))
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        try:
            self.wire.sendall(answer)
        except OSError:  # the worker was killed while it waited
            return
