"""Commands: `flask --app wsgi …`, and `python -m leadgen.cli run`, which `make run` calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask
from flask.cli import with_appcontext

from leadgen.core import migrate, settings

if TYPE_CHECKING:
    from leadgen.seed import Seeded

ROOT = Path(__file__).resolve().parents[1]
# Marketing letters rest for eleven hours of the night: no step may jump from one night into the next.
CLOCK_STEP = timedelta(hours=6)
CLOCK_PAUSE = 0.25  # seconds between two looks at the queues
CLOCK_PATIENCE = 20.0


def register(app: Flask) -> Flask:
    """Add the commands to the application's `flask` command."""
    from leadgen.intake import COMMANDS as FILES

    for command in (database, worker, scheduler, seed, user, clock, consent, mail, simulate, fraud, *FILES):
        app.cli.add_command(command)
    return app


@click.group(name="db")
def database() -> None:
    """Keep the database's tables up to date."""


@database.command()
def upgrade() -> None:
    """Bring the tables to the newest version."""
    migrate.upgrade(settings.get().database_url)


@database.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the tables back to REVISION."""
    migrate.downgrade(settings.get().database_url, revision)


@database.command()
@click.argument("message")
def migration(message: str) -> None:
    """Write a new migration from the difference between models and tables."""
    migrate.write(settings.get().database_url, message)


@click.command()
def worker() -> None:
    """Run one worker."""
    from leadgen import worker as rq_worker

    rq_worker.run()


@click.command()
def scheduler() -> None:
    """Run the scheduler; several may run, one leads."""
    from leadgen import schedule

    schedule.run()


@click.command()
@click.option("--people", "number", type=int, default=500, show_default=True, help="How many people take part.")
@click.option("--rate", type=float, default=5.0, show_default=True, help="How many arrive in a second.")
@click.option("--seed", type=int, help="The same seed gives the same play.")
@click.option("--campaign", "slug", default="", help="Slug of the campaign; otherwise the first on the home page.")
@click.option("--pace", type=float, default=1.0, show_default=True, help="Thinking time; 0.1 is ten times faster.")
def simulate(number: int, rate: float, seed: int | None, slug: str, pace: float) -> None:
    """Let people enter, confirm, share and answer in the running product on this machine."""
    import secrets

    from leadgen.simulator import client, play

    chosen = secrets.randbelow(10**6) if seed is None else seed
    try:
        wanted = play.chosen(play.Play(settings.get().base_url, number, rate, chosen, slug, pace))
        click.echo(f"Playing in {wanted.address}")
        with click.progressbar(length=number, label=f"{number} people, seed {chosen}") as bar:
            report = play.play(wanted, bar.update)
    except (client.NotLoopback, play.NotPossible) as reason:
        raise click.ClickException(str(reason)) from reason
    for name, value in report.lines():
        click.echo(f"{name:<42} {value:>12}")


@click.command()
@click.option(
    "--people", type=int, default=0, help="Then add so many made-up people who confirmed (not in production)."
)
@with_appcontext
def seed(people: int) -> None:
    """Make the demo brand, its live contest and the first login, if there is no brand yet."""
    from leadgen import seed as demo
    from leadgen.core.db import db
    from leadgen.core.errors import LeadgenError

    made = demo.seed_when_empty()
    db.session.commit()
    if made is None:
        click.echo("There is a brand already; nothing was changed.")
    else:
        click.echo(f"Campaign: /c/{made.slug}")
        click.echo(f"First login: {made.login}")
    if people > 0:
        try:
            added = sum(demo.add_people(people))
        except LeadgenError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{added} made-up people confirmed and agreed to marketing.")


@click.group()
def user() -> None:
    """Staff who sign in."""


@user.command()
@click.argument("email")
@click.option("--name", default="", help="How the person is called.")
@click.option("--brand", "slug", default="", help="Slug of the one brand to work for; all brands when left out.")
@click.option("--counter", "is_for_counter", is_flag=True, help="May honour codes, and reach nothing else.")
@with_appcontext
def create(email: str, name: str, slug: str, is_for_counter: bool) -> None:  # noqa: FBT001 - as below
    """Add the member of staff EMAIL and print the password, once."""
    from sqlalchemy import select

    from leadgen.accounts import service as accounts
    from leadgen.accounts.models import Brand, MemberRole
    from leadgen.core.db import db
    from leadgen.core.errors import LeadgenError

    brands = db.session.scalars(select(Brand).filter_by(slug=slug) if slug else select(Brand)).all()
    if slug and not brands:
        raise click.ClickException(f"there is no brand “{slug}”")
    try:
        role = MemberRole.FULFILMENT if is_for_counter else MemberRole.OWNER
        _, password = accounts.create_user(email, name=name, brands=brands, role=role)
    except LeadgenError as error:
        raise click.ClickException(str(error)) from error
    db.session.commit()
    click.echo(f"{email}  password: {password}")


@click.group()
def clock() -> None:
    """Move the clock of the running product, so that nobody has to wait for tomorrow's mail (not in production)."""


@clock.command()
@click.argument("how_far")
@click.option(
    "--at-once", is_flag=True, help="Jump there; what was due in between is late then, and some of it expires."
)
def forward(how_far: str, at_once: bool) -> None:  # noqa: FBT001 - click hands its flags on by name
    """Let time pass: 3d, 12h, 90m or 30s. The product lives through it in steps, about five seconds for a day."""
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    number, unit = how_far[:-1], how_far[-1:]
    if unit not in units or not number.isdecimal():
        raise click.ClickException("say how far, such as 3d, 12h, 90m or 30s")
    left = timedelta(**{units[unit]: int(number)})
    steps = [left] if at_once else [min(CLOCK_STEP, left - CLOCK_STEP * n) for n in range(-(-left // CLOCK_STEP))]
    with click.progressbar(steps, label="Time passes") as bar:
        for step in bar:
            _move_clock(step)
            _strike()
    _tell_time(timedelta(0))


@clock.command()
def reset() -> None:
    """Show the real time again."""
    _tell_time(None)


@clock.command()
def show() -> None:
    """Tell what time the product thinks it is."""
    _tell_time(timedelta(0))


def _tell_time(shift: timedelta | None) -> None:
    from leadgen.core.clock import now

    total = _move_clock(shift)
    click.echo(f"{now():%Y-%m-%d %H:%M:%S} UTC, {total} ahead of the real time")


def _move_clock(shift: timedelta | None) -> timedelta:
    from leadgen.core.clock import move

    try:
        return move(shift)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error


def _strike() -> None:
    """Let everything that the scheduler does happen now, and wait until the workers have done it."""
    from leadgen.core import queue
    from leadgen.schedule import SCHEDULE

    for _seconds, job, name in SCHEDULE:
        queue.enqueue(job, name=name)
    until = time.monotonic() + CLOCK_PATIENCE
    quiet = 0
    while quiet < 3 and time.monotonic() < until:  # one that runs may ring for others
        time.sleep(CLOCK_PAUSE)
        waiting = queue.waiting() or {}
        quiet = 0 if any(count for count, _age in waiting.values()) else quiet + 1


@click.group()
def mail() -> None:
    """What became of the mails."""


@mail.command()
@click.option("--log", type=click.Path(exists=True, path_type=Path), help="The provider's log, or a folder of mails.")
@click.option("--journal", type=click.Path(exists=True, path_type=Path), help="What people were told.")
def audit(log: Path | None, journal: Path | None) -> None:
    """Recompute what must hold of all mails from the tables and what the provider took; ends with 1 if it does not.

    Logs are JSON lines: {"at", "m", "to"} of the provider, {"at", "deed", "email"} of the journal. Where mails go to
    files, their folder is the provider's log unless another is named.
    """
    import psycopg

    from leadgen.core.errors import Invalid
    from leadgen.mail import audit as mail_audit

    current = settings.get()
    if log is None and current.mail_provider == "file" and Path(current.mail_dir).is_dir():
        log = Path(current.mail_dir)
    url = current.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            report = mail_audit.audit(
                connection,
                log=mail_audit.read_log(log) if log else None,
                journal=mail_audit.read_journal(journal) if journal else None,
            )
    except Invalid as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join(report.lines()))
    if not report.is_clean:
        raise SystemExit(1)


@click.group()
def consent() -> None:
    """The evidence of what people agreed to."""


@consent.command()
@with_appcontext
def verify() -> None:
    """Recompute each brand's chain of evidence; ends with 1 when one is broken. Note the heads in a safe place."""
    from leadgen.accounts import service as accounts
    from leadgen.contacts import evidence

    is_whole = True
    for brand in accounts.brands():
        found = evidence.verify(brand.id)
        is_whole = is_whole and found.is_whole
        click.echo(f"{brand.slug}: {found.links} acts, head {found.head.hex()}, {found.waiting} not sealed yet")
        if not found.is_whole:
            place = f"broken at position {found.broken_position}, consent {found.broken_consent_id}"
            click.echo(f"{brand.slug}: {place}: {found.reason}", err=True)
    if not is_whole:
        raise SystemExit(1)


@click.group()
def start() -> None:
    """What works before there is a database."""


@start.command()
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True)
def run(port: int) -> None:
    """Start everything on this machine: database, Redis, web, two workers, scheduler; Ctrl-C stops all."""
    from leadgen.embedded.processes import CannotStart
    from leadgen.embedded.run import running

    var = ROOT / "var"
    own = {"LEADGEN_ENV": "development", "CLOCK_FILE": str(var / "clock"), "MAIL_DIR": str(var / "mail")}
    try:
        with running(var, port=port, settings=own) as product:
            ready = _prepare()
            product.supervise({"web": lambda: _web(product.port), **_background()}, ready=ready)
    except CannotStart as reason:
        raise click.ClickException(str(reason)) from reason


def _prepare() -> str:
    """Migrate, seed an empty database, and say where everything is. Leaves no connection open for the forks."""
    import config
    from leadgen import seed as demo
    from leadgen.app import create_app, forget_connections
    from leadgen.core.db import db

    migrate.upgrade(config.load().database_url)
    with create_app().app_context():
        made = demo.seed_when_empty()
        db.session.commit()
        db.session.remove()
        forget_connections()
    return _addresses(settings.get().base_url, made)


def _addresses(base_url: str, made: Seeded | None) -> str:
    """What a newcomer opens first. The password is known only at the start that made it."""
    lines = {
        "Contest": f"{base_url}/c/{made.slug}" if made else f"{base_url}/",
        "Studio": f"{base_url}/admin/",
        "Login": made.login if made else "as before; another: .venv/bin/flask --app wsgi user create EMAIL",
        "Mailbox": f"{base_url}/dev/mailbox",
    }
    return "\n" + "".join(f"  {name + ':':<9} {line}\n" for name, line in lines.items())


def _background() -> dict[str, Callable[[], None]]:
    from leadgen import schedule
    from leadgen import worker as rq_worker

    return {"worker-1": rq_worker.run, "worker-2": rq_worker.run, "scheduler": schedule.run}


def _web(port: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "wsgi:app",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=2,
        blocking_threads=4,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    start()


@click.group()
def fraud() -> None:
    """What entries have in common."""


@fraud.command()
@click.option("--campaign", "slug", default="", help="Slug of the campaign; otherwise all that are open.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say who would change, and write nothing.")
@click.option("--scores-only", "is_only_scores", is_flag=True, help="Leave holding and releasing to the nightly job.")
@click.option("--quiet", "is_quiet", is_flag=True, help="Print sums only.")
@with_appcontext
def rescore(slug: str, is_dry: bool, is_only_scores: bool, is_quiet: bool) -> None:  # noqa: FBT001 - as above
    """Score everybody anew, by today's weights, and hold or release by the bands."""
    from leadgen.campaigns import cards
    from leadgen.core.db import db
    from leadgen.core.errors import NotFound
    from leadgen.fraud import service as fraud_service

    try:
        chosen = [cards.by_slug(slug).id] if slug else fraud_service.open_contests()
    except NotFound as error:
        raise click.ClickException(f"there is no campaign “{slug}”") from error
    for campaign_id in chosen:
        begun = time.perf_counter()
        changes = fraud_service.rescore(campaign_id, is_dry=is_dry)
        db.session.commit()
        scored = time.perf_counter() - begun
        for change in () if is_quiet else changes:
            click.echo(f"campaign {campaign_id}  entry {change.entry_id}  {change.before} → {change.after}")
        if not is_dry and not is_only_scores:
            while not fraud_service.settle_bands(campaign_id):
                pass
        settled = time.perf_counter() - begun - scored
        verb = "would change" if is_dry else "changed"
        click.echo(
            f"campaign {campaign_id}: {len(changes)} {verb}, scored in {scored:.1f} s, settled in {settled:.1f} s"
        )
