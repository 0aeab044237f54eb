"""A domain name server on this machine: answers real packets from a small book of records, or not at all."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset


@dataclass
class NameServer:
    """`records` by name and kind: `{("example.com", "MX"): ["10 mx.example.com."]}`.

    A name that is in no entry does not exist. `broken` names are answered SERVFAIL, `silent` ones never.
    """

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    port: int = 0

    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server alone."""
        made = dns.resolver.Resolver(configure=False)
        made.nameservers, made.port, made.timeout = ["127.0.0.1"], self.port, 0.2
        return made

    def answer(self, packet: bytes) -> bytes | None:
        """The packet to send back, None for silence."""
        asked = dns.message.from_wire(packet)
        (question,) = asked.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if name in self.silent:
            return None
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name for known, _kind in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
        return answer.to_wire()


@contextmanager
def name_server() -> Iterator[NameServer]:
    """Run one on a free port."""
    server = NameServer()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(0.1)
        server.port = door.getsockname()[1]
        ended = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, door, ended), daemon=True)
        thread.start()
        yield server
        ended.set()
        thread.join()


def _serve(server: NameServer, door: socket.socket, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            packet, sender = door.recvfrom(4096)
        except TimeoutError:
            continue
        if (said := server.answer(packet)) is not None:
            door.sendto(said, sender)
