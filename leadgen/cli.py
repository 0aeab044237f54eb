"""Commands: `flask --app wsgi …`, and `python -m leadgen.cli run`, which `make run` calls."""

from __future__ import annotations

import click
from flask import Flask

from leadgen.core import migrate, settings


def register(app: Flask) -> Flask:
    """Add the commands to the application's `flask` command."""
    for command in (db, worker, scheduler):
        app.cli.add_command(command)
    return app


@click.group()
def db() -> None:
    """Keep the database's tables up to date."""


@db.command()
def upgrade() -> None:
    """Bring the tables to the newest version."""
    migrate.upgrade(settings.get().database_url)


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
