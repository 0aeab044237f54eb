"""What the provider's events cost: taken in over signed posts, beside a floor, and applied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from bench import campaign, cpu, people
from bench.double import EVENTS_PER_CALL, Double
from bench.figures import Rounds, say, show
from bench.hot import Hands
from bench.stack import Stack, granian, wait_for_http
from leadgen.embedded.processes import free_port

MAILS = 10_000  # in a round; each is told of twice
GOAL = 2000.0  # events a second
_PATH = b"POST /webhooks/sendgrid"
_SENT = "UPDATE message SET status = 'accepted', reason = '', attempts = 1, sent_at = now() WHERE intent LIKE 'told:%'"
_KINDS: dict[str, dict[str, Any]] = {
    "processed": {},
    "delivered": {"response": "250 2.0.0 OK queued as 4Zx1yT", "ip": "203.0.113.9", "tls": 1},
}
_WAITING = "SELECT count(*) FROM provider_event WHERE applied_at IS NULL"


def measure(stack: Stack, double: Double, slug: str, *, rounds: int) -> None:
    """Intake and applying, without workers beside them."""
    told = _mails(stack, slug)
    double.now = lambda: stack.clock.now().timestamp()
    port = free_port()
    stack.start("floors", granian("bench.floors:app", port, 2))
    wait_for_http(port, "/empty", lambda: True)
    hands = Hands(stack)
    found = Rounds()
    for number in range(rounds + 1):
        say(f"round {number} of {rounds}: {2 * len(told)} events")
        _round(stack, double, hands, found, told, port, str(number))
        if number == 0:
            found.values.clear()
    hands.end()
    stack.stop("floors")
    _report(found, rounds)


def _round(stack: Stack, double: Double, hands: Hands, found: Rounds, told: Sequence[str], port: int, tag: str) -> None:
    authority = f"127.0.0.1:{stack.port}"
    posts = [double.signed(batch, authority) for batch in _batches(told, tag)]
    bare = [
        post.replace(_PATH, b"POST /events", 1)
        for post in (double.signed(b, authority) for b in _batches(told, f"floor{tag}"))
    ]
    events = 2 * len(told)
    _send(stack, found, "intake", stack.port, posts, events, ("web", "postgres"))
    _apply(stack, hands, found, events)
    _send(stack, found, "floor intake", port, bare, events, ("floors", "postgres"))
    with stack.connect() as connection:
        connection.execute("TRUNCATE provider_event")
        connection.execute(_SENT)


def _send(
    stack: Stack, found: Rounds, name: str, port: int, posts: Sequence[bytes], events: int, parts: Sequence[str]
) -> None:
    with stack.connect() as connection:
        connection.execute("TRUNCATE provider_event") if name != "intake" else None
        began = time.monotonic()
        spent = people.send(port, posts, pids=stack.pids(*parts), name=name)
        seconds = time.monotonic() - began
        stored = connection.execute("SELECT count(*) FROM provider_event").fetchone()
    if {answer.status for answer in spent.answers} != {204} or stored != (events,):
        raise RuntimeError(f"{name}: {stored} of {events} events were stored, answered {spent.answers[0].status}")
    found.add(name, spent.seconds * 1e6 / events)
    found.add(f"{name}/s", events / seconds)


def _apply(stack: Stack, hands: Hands, found: Rounds, events: int) -> None:
    roots = [hands.process.pid, *stack.pids("postgres")]
    before, began = cpu.used(roots), time.monotonic()
    with stack.connect() as connection:
        while connection.execute(_WAITING).fetchone() != (0,):
            hands.do("leadgen.mail.jobs.apply_receipts")
        found.add("apply", (cpu.used(roots) - before) * 1e6 / events)
        found.add("apply/s", events / (time.monotonic() - began))
        arrived = connection.execute("SELECT count(*) FROM message WHERE status = 'delivered'").fetchone()
    if arrived != (events // 2,):
        raise RuntimeError(f"{arrived} of {events // 2} mails count as delivered")


def _mails(stack: Stack, slug: str) -> list[str]:
    """Opaque ids of mails that the provider has taken."""
    with stack.connect() as connection:
        connection.execute("TRUNCATE provider_event")
        connection.execute("DELETE FROM message")
        row = connection.execute("SELECT count(*) FROM entry WHERE code LIKE 'BULK%'").fetchone()
        if row == (0,):
            campaign.make_bulk_people(stack, slug, MAILS)
        campaign.want_bulk(stack, "told", MAILS)
        connection.execute(_SENT)
        return [str(row[0]) for row in connection.execute("SELECT opaque_id FROM message ORDER BY id")]


def _batches(told: Sequence[str], tag: str) -> list[list[dict[str, Any]]]:
    """Events as SendGrid posts them, some hundred at a time: all taken, then all delivered."""
    moment = int(time.time())
    events = [
        {
            "email": f"person{number}@mail.example",
            "timestamp": moment,
            "smtp-id": f"<{reference}@geopod-ismtpd-1>",
            "event": kind,
            "category": [],
            "sg_event_id": f"{tag}-{kind}-{number}-ZGVsaXZlcmVkLTAtMTIzNDU2Nzg",
            "sg_message_id": f"{reference}.recvd-7d8f6b-abcde-1-6543.0",
            "m": reference,
            **(
                {"response": "250 2.0.0 OK queued as 4Zx1yT", "ip": "203.0.113.9", "tls": 1}
                if kind == "delivered"
                else {}
            ),
        }
        for kind, more in _KINDS.items()
        for number, reference in enumerate(told)
    ]
    return [events[start : start + EVENTS_PER_CALL] for start in range(0, len(events), EVENTS_PER_CALL)]


def _report(found: Rounds, rounds: int) -> None:
    rate = found.median("intake/s")
    show(
        figure="webhook intake",
        unit="events/s on two cores",
        value=rate,
        rounds=rounds,
        spread=found.spread("intake/s"),
        cpu_us=found.median("intake"),
        floor=found.median("floor intake"),
        floor_is="bare WSGI, JSON parsed, same rows, no signature (CPU-µs per event)",
        ratio=found.ratio("intake", "floor intake"),
        goal=GOAL,
        met=rate >= GOAL,
    )
    applied = found.median("apply/s")
    show(
        figure="webhook events applied",
        unit="events/s by one worker",
        value=applied,
        rounds=rounds,
        spread=found.spread("apply/s"),
        cpu_us=found.median("apply"),
        goal=GOAL,
        met=applied >= GOAL,
    )
