"""A lean HTTP/1.1 client for thousands of people at once; each comes from a loopback address of their own."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from leadgen.simulator.loop import Loop

_CHUNK = 65536
_ANSWER_SECONDS = 30.0  # a person gives up
_SWEEP_SECONDS = 1.0
_CONNECT_SECONDS = 5.0
_AGAIN_SECONDS = 0.5  # before a refused or broken connection is tried again
_TRIES = 20
# The kernel picks the port when connecting, so that 28,000 ports serve each source address and not all together.
_BIND_WITHOUT_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)


class NotLoopback(Exception):
    """The address is not on this machine; the message is a sentence for the person who typed it."""


class Target(NamedTuple):
    """Where the product listens."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as the Host header writes them."""
        return f"{self.host}:{self.port}"


class Ask(NamedTuple):
    """Send these bytes and wait for the answer; `name` is what the request counts as."""

    name: str
    wire: bytes


class Pause(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


class Letter(NamedTuple):
    """Wait for a mail to this address with a link to this part of the site, such as “/confirm/”.

    Answered with the link's path, or with None when none came in time.
    """

    address: str
    part: str
    seconds: float


class Answer(NamedTuple):
    """What the server said."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str:
        """The first header of this lower-case name, or an empty string."""
        start = self.head.lower().find(b"\r\n" + name + b":")
        if start < 0:
            return ""
        start += len(name) + 3
        end = self.head.find(b"\r\n", start)
        return self.head[start : end if end >= 0 else len(self.head)].strip().decode("latin-1")


NO_ANSWER = Answer(0, b"", b"")
Step = Ask | Pause | Letter
Life = Generator[Step, Any, None]


class Postbox(Protocol):
    """Where mails arrive."""

    def expect(self, letter: Letter, arrived: Callable[[str | None], None]) -> None:
        """Call back once, with the link's path or with None."""


@dataclass
class Tally:
    """What was asked and what came back."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    finished: int = 0
    broken: int = 0


def loopback(url: str) -> Target:
    """The host and port of a plain http address on this machine. Raises NotLoopback for any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise NotLoopback(f"{url} is not a plain http:// address: simulated people only visit this machine.")
    if not _is_loopback(parts.hostname):
        raise NotLoopback(f"{parts.hostname} is not this machine: simulated people only visit 127.0.0.0/8.")
    return Target(parts.hostname, parts.port or 80)


def _is_loopback(host: str) -> bool:
    """Names are not looked up: only this one surely means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def source_of(number: int) -> str:
    """A loopback address for person `number`; neighbours differ in the second byte, so they share no subnet."""
    low, middle, high = number & 0xFF, (number >> 8) & 0xFF, (number >> 16) & 0x3F
    return f"127.{low}.{middle}.{high + 64}"


class Crowd:
    """Plays lives, each over one kept-alive connection, and counts what happens."""

    def __init__(self, loop: Loop, target: Target, postbox: Postbox) -> None:
        self.loop = loop
        self.target = target
        self.postbox = postbox
        self.tally = Tally()
        self.lines: set[Line] = set()
        loop.later(_SWEEP_SECONDS, self._sweep)

    def start(self, life: Life, source: str) -> None:
        """Begin a life; it goes on inside the loop."""
        line = Line(self, life, source)
        self.lines.add(line)
        line.advance(None)

    def hang_up(self) -> None:
        """Close what is still open, once the loop has ended."""
        for line in self.lines:
            if line.wire is not None:
                line.wire.close()

    def _sweep(self) -> None:
        late = time.monotonic() - _ANSWER_SECONDS
        for line in [line for line in self.lines if line.asked and line.asked_at < late]:
            line.give_up()
        self.loop.later(_SWEEP_SECONDS, self._sweep)


class Line:
    """One person's connection and where their life stands."""

    __slots__ = ("asked", "asked_at", "crowd", "expected", "life", "received", "source", "tries", "wire")

    def __init__(self, crowd: Crowd, life: Life, source: str) -> None:
        self.crowd = crowd
        self.life = life
        self.source = source
        self.wire: socket.socket | None = None
        self.asked: Ask | None = None
        self.asked_at = 0.0
        self.received = b""
        self.expected = 0
        self.tries = 0

    def advance(self, value: Answer | str | None) -> None:
        """Hand the person what they waited for and do what they want next."""
        try:
            step = self.life.send(value)
        except StopIteration:
            self._end()
            return
        if type(step) is Ask:
            self.tries = 0
            self.asked = step
            self.asked_at = time.monotonic()
            self._send()
        elif type(step) is Pause:
            self.crowd.loop.later(step.seconds, self._resume)
        elif type(step) is Letter:
            self.crowd.postbox.expect(step, self.advance)

    def give_up(self) -> None:
        """No answer in time: tell the person so."""
        self._hang_up()
        self._answered(NO_ANSWER)

    def _resume(self) -> None:
        self.advance(None)

    def _send(self) -> None:
        if self.asked is None:
            return
        try:
            if self.wire is None:
                self._connect()
            assert self.wire is not None
            self.wire.sendall(self.asked.wire)
        except OSError:
            self._again()

    def _connect(self) -> None:
        wire = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # systems that know only 127.0.0.1
            wire.setsockopt(socket.IPPROTO_IP, _BIND_WITHOUT_PORT, 1)
            wire.bind((self.source, 0))
        wire.settimeout(_CONNECT_SECONDS)
        try:
            wire.connect(self.crowd.target)
        except OSError:
            wire.close()
            raise
        wire.settimeout(0)  # a request is small and the loop tells when the answer is there
        self.wire = wire
        self.crowd.loop.watch(wire, self._readable)

    def _again(self) -> None:
        """The connection broke before an answer came: a person would reload, and so do we."""
        self._hang_up()
        self.tries += 1
        if self.tries > _TRIES:
            self._answered(NO_ANSWER)
        else:
            self.crowd.loop.later(_AGAIN_SECONDS if self.tries > 1 else 0.0, self._send)

    def _readable(self) -> None:
        assert self.wire is not None
        try:
            chunk = self.wire.recv(_CHUNK)
        except OSError:
            chunk = b""
        if self.asked is None:  # an idle connection that the server closes
            self._hang_up()
            return
        if not chunk:
            self._again()
            return
        self.received = self.received + chunk if self.received else chunk
        self._read()

    def _read(self) -> None:
        received = self.received
        if len(received) < self.expected:
            return
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = received[:end]
        total = end + 4 + _content_length(head)
        if len(received) < total:
            self.expected = total
            return
        self._answered(Answer(int(head[9:12]), head, received[end + 4 : total]))

    def _answered(self, answer: Answer) -> None:
        asked, tally = self.asked, self.crowd.tally
        assert asked is not None
        tally.requests[asked.name] += 1
        tally.statuses[asked.name, answer.status] += 1
        tally.seconds.setdefault(asked.name, []).append(time.monotonic() - self.asked_at)
        self.asked, self.received, self.expected = None, b"", 0
        self.advance(answer)

    def _hang_up(self) -> None:
        if self.wire is not None:
            self.crowd.loop.forget(self.wire)
            self.wire.close()
            self.wire = None
        self.received, self.expected = b"", 0

    def _end(self) -> None:
        self._hang_up()
        self.crowd.lines.discard(self)
        self.crowd.tally.finished += 1


def _content_length(head: bytes) -> int:
    """Length of the body. Raises ValueError for a chunked answer: no public page is one."""
    start = head.find(b"content-length: ")
    if start < 0:
        head = head.lower()
        start = head.find(b"content-length: ")
    if start < 0:
        if b"transfer-encoding: chunked" in head:
            raise ValueError("a chunked answer")
        return 0
    end = head.find(b"\r\n", start)
    return int(head[start + 16 : end if end >= 0 else len(head)])
