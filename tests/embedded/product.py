"""A product of four parts in place of the real one: `python -m tests.embedded.product FOLDER PORT`."""

import http.server
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from leadgen.embedded.processes import CannotStart
from leadgen.embedded.run import running


class _Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def web() -> None:
    """Answer /healthz, with a child in a group of its own, as granian's workers and work-horses are."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], process_group=0)
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), _Health).serve_forever()


def worker() -> NoReturn:
    """Work for ever."""
    while True:
        time.sleep(1000)


def stubborn() -> NoReturn:
    """Refuse to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker()


def failing() -> NoReturn:
    """Fail at once, whenever started."""
    raise RuntimeError("this part cannot work")


def main() -> None:
    """Run the parts named after the port; `slow` is a preparation that takes its time."""
    parts = {name: globals()[name] for name in ["web", "worker", *sys.argv[3:]] if name != "slow"}
    try:
        with running(Path(sys.argv[1]), port=int(sys.argv[2]), settings={"LEADGEN_ENV": "development"}) as run:
            if "slow" in sys.argv:
                sys.stdout.write("preparing\n")
                sys.stdout.flush()
                time.sleep(1000)
            run.supervise(parts, ready=f"ready as {os.getpid()}")
    except CannotStart as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
