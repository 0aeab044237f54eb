"""A million contacts taken in from a CSV file and written to one again: seconds, CPU and memory."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

from sqlalchemy import select

from bench import cpu
from bench.figures import say, show
from bench.stack import ROOT, Stack
from leadgen.accounts.models import Brand
from leadgen.app import create_app
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.segments import fields, reading

GOAL_EXPORT_S = 10.0
GOAL_IMPORT_S = 60.0
GOAL_MB = 30.0  # beyond what ten lines take
_DOMAINS = ("gmail.com", "orange.fr", "free.fr", "outlook.com", "mail.example", "laposte.net")
_COLUMNS = (
    "email", "first_name", "locale", "timezone", "consent_at", "consent_wording", "consent_source", "confirmed_at",
)  # fmt: skip
_PROOF = ("2025-03-01T10:00:00+01:00", "I would like your news.", "form of the old site", "2025-03-01T10:05:00+01:00")


def measure(stack: Stack, slug: str, *, people: int) -> None:
    """Write the file, take it in twice, export everybody."""
    say(f"a file of {people} people")
    path = stack.folder / "people.csv"
    few = stack.folder / "few.csv"
    _write(few, range(10))
    _write(path, range(10, people + 10))
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        brand = db.session.scalars(select(Brand).join(Campaign).where(Campaign.slug == slug)).one()
        base = _take(stack, few, brand.slug)[2]
        for figure in ("contacts imported", "contacts imported again"):
            spent, used, megabytes = _take(stack, path, brand.slug)
            met = spent <= GOAL_IMPORT_S and megabytes - base <= GOAL_MB
            show(figure=figure, unit="s", value=spent, cpu_s=used, goal=GOAL_IMPORT_S, met=met, mb=megabytes - base)
        with stack.connect() as connection:
            connection.execute("VACUUM ANALYZE contact")
        catalogue = fields.of_brand(brand)
        floor = _floor(stack)
        _export(stack, catalogue, floor)


def _write(path: Path, numbers: range) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for number in numbers:
            proof = _PROOF if number % 10 < 6 else ("",) * 4
            email = f"person.{number}@{_DOMAINS[number % len(_DOMAINS)]}"
            writer.writerow((email, "Camille" if number % 3 else "Zoé", "fr", "Europe/Paris", *proof))


def _take(stack: Stack, path: Path, brand: str) -> tuple[float, float, float]:
    """Seconds, CPU seconds of command and database, and the largest megabytes of the command."""
    command = [
        sys.executable,
        "-m",
        "flask",
        "--app",
        "wsgi",
        "import-contacts",
        str(path),
        "--brand",
        brand,
        "--by",
        "bench",
    ]
    begun, before = time.monotonic(), cpu.used(stack.pids("postgres"))
    process = subprocess.Popen(command, env={**os.environ, **stack.environment}, cwd=ROOT, stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    used = cpu.used(stack.pids("postgres")) - before + usage.ru_utime + usage.ru_stime
    return time.monotonic() - begun, used, usage.ru_maxrss / 1024


def _export(stack: Stack, catalogue: fields.Catalogue, floor: float) -> None:
    roots = [*stack.pids("postgres"), os.getpid()]
    Path("/proc/self/clear_refs").write_text("5")  # the largest memory so far begins anew
    before, begun, used = _peak_mb(), time.monotonic(), cpu.used(roots)
    size = blocks = 0
    for block in reading.export_csv(catalogue, {"all": []}):
        size, blocks = size + len(block), blocks + 1
    spent, used, grown = time.monotonic() - begun, cpu.used(roots) - used, _peak_mb() - before
    met = spent <= GOAL_EXPORT_S and grown <= GOAL_MB
    figure = {"figure": "contacts exported", "unit": "s", "value": spent, "cpu_s": used, "floor": floor}
    show(**figure, goal=GOAL_EXPORT_S, met=met, mb=grown, bytes=size, blocks=blocks)


def _floor(stack: Stack) -> float:
    """The bare COPY of the same columns, thrown away by the server."""
    begun = time.monotonic()
    with stack.connect() as connection:
        connection.execute(
            "COPY (SELECT email, first_name, locale, timezone, created_at, email_verified_at, marketing_at, "
            "last_inbound_at, answers FROM contact) TO '/dev/null' (FORMAT csv)"
        )
    return time.monotonic() - begun


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
