"""The doubles' process: `python -m tests.doubles LOG CLOCK`; says its ports in one line of JSON, then obeys orders."""

from __future__ import annotations

import json
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.doubles.sendgrid import Desk, handler
from tests.doubles.toxic import Toxic

WIRES = ("redis", "provider")


def main() -> None:
    """Serve until the orders end; each order is a line of JSON and gets a line of JSON back."""
    log, clock = map(Path, sys.argv[1:])
    log.touch()
    desk = Desk(log, clock)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(desk))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wires = {name: Toxic() for name in WIRES}
    wires["provider"].upstream = server.server_port
    _say({"sendgrid": server.server_port, **{name: wire.port for name, wire in wires.items()}})
    for line in sys.stdin:
        order, values = json.loads(line)
        if order == "plan":
            desk.instruct(values)
        elif order == "upstream":
            wires[values["wire"]].upstream = values["port"]
        elif order == "set":
            wires[values["wire"]].set(values["mode"], values.get("delay", 0.0))
        _say(desk.calls if order == "calls" else None)


def _say(words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
