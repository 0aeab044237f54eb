"""The doubles' process as tests hold it: plans for the provider, orders for the wires, the log of what was taken."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[2]


class Call(NamedTuple):
    """A call that the provider got."""

    at: float
    mails: int
    word: str
    is_marketing: bool


class Strangers:
    """A mail provider and the wires to it and to Redis; events are signed with `key`."""

    def __init__(self, folder: Path, clock: Path, key: ec.EllipticCurvePrivateKey) -> None:
        self.path = folder / "provider.log"
        self.key = key
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.doubles", str(self.path), str(clock)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: dict[str, int] = self._hear()

    def plan(self, **plan: Any) -> None:
        """Misbehave like this from now on; see Desk for the words."""
        self._order("plan", plan)

    def forget(self) -> None:
        """Behave, and empty the log."""
        self.plan(forget=True)

    def wire(self, name: str, mode: str, delay: float = 0.0) -> None:
        """Let the wire to “redis” or “provider” `pass`, `refuse` or be a `hole`; `delay` in seconds."""
        self._order("set", {"wire": name, "mode": mode, "delay": delay})

    def lead(self, name: str, port: int) -> None:
        """Where the wire leads."""
        self._order("upstream", {"wire": name, "port": port})

    def calls(self) -> list[Call]:
        """Every call since the log was emptied."""
        return [Call(*call) for call in self._order("calls", {})]

    def mails(self) -> list[dict[str, Any]]:
        """Every mail taken since the log was emptied: `at`, `m`, `to`, `links`."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def taken(self) -> Counter[str]:
        """How often each opaque id was taken."""
        return Counter(mail["m"] for mail in self.mails())

    def post(self, url: str, events: Sequence[dict[str, Any]], moment: int, *, forged: bool = False) -> int:
        """Tell the product; the status of its answer. `forged` signs with another key."""
        body = json.dumps(list(events)).encode()
        key = ec.generate_private_key(ec.SECP256R1()) if forged else self.key
        signature = base64.b64encode(key.sign(str(moment).encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        headers = {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": str(moment),
        }
        try:
            with urlopen(Request(f"{url}/webhooks/sendgrid", body, headers), timeout=30) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def _order(self, name: str, values: dict[str, Any]) -> Any:
        assert self.process.stdin
        self.process.stdin.write(json.dumps([name, values]) + "\n")
        self.process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


def events_of(mails: Iterable[dict[str, Any]], kinds: Sequence[str], moment: int) -> list[dict[str, Any]]:
    """What a provider tells about these mails: an event of each kind for each of them."""
    more = {"bounce": {"type": "bounce", "reason": "550 5.1.1 no such mailbox"}}
    return [
        {
            "email": mail["to"],
            "event": kind,
            "timestamp": moment,
            "sg_event_id": f"{mail['m']}.{kind}",
            "m": mail["m"],
            **more.get(kind, {}),
        }
        for mail in mails
        for kind in kinds
    ]
