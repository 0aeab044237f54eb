"""Commands that take files in: contacts that a brand has already, and what a shop sold them."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.contacts import file_rows, importing
from leadgen.core.db import db
from leadgen.core.errors import LeadgenError
from leadgen.worth import sales

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--brand", "slug", required=True, help="Slug of the brand whose contacts they become.")
@click.option("--by", required=True, help="Who answers for the file: stands in the journal.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Otherwise FILE.errors.csv.")
@with_appcontext
def import_contacts(file: Path, slug: str, by: str, errors: Path | None) -> None:
    """Take the contacts of a CSV file in; the same command goes on after a kill, and changes nothing twice.

    Columns: email, first_name, locale, timezone, blocked; consent_at, consent_wording and consent_source prove consent
    to marketing, confirmed_at a confirmed address. Without proof there is no consent. Nobody is written to.
    """
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        for name in file_rows.ignored(opened.readline()):
            click.echo(f"The column “{name.strip()}” says nothing to us and is left out.", err=True)
    errors = errors or file.with_name(f"{file.name}.errors.csv")
    try:
        with click.progressbar(length=file.stat().st_size, label=f"Taking {file.name} in") as bar:
            report = importing.take(_brand(slug), file, errors, by=by, progress=lambda done: bar.update(done - bar.pos))
    except LeadgenError as error:
        raise click.ClickException(str(error)) from error
    if report.is_resumed:
        click.echo("It went on where it had stopped.")
    counts = [(report.added, "new contact"), (report.agreed, "consent"), (report.blocked, "block")]
    told = ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counts)
    click.echo(f"{report.lines} line{'' if report.lines == 1 else 's'}: {told}")
    if report.refused:
        click.echo(f"{report.refused} lines were refused; {errors} says why.")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--brand", "slug", required=True, help="Slug of the brand that sold.")
@with_appcontext
def import_sales(file: Path, slug: str) -> None:
    """Note what contacts bought, from a CSV file with email, reference, amount (19.90) and at (ISO 8601 with zone)."""
    try:
        report = sales.take(_brand(slug), file)
    except LeadgenError as error:
        raise click.ClickException(str(error)) from error
    for line, reason in report.refused:
        click.echo(f"line {line}: {reason}", err=True)
    click.echo(f"{report.recorded} sales noted, {report.known} known already, {len(report.refused)} lines refused")


def _brand(slug: str) -> Brand:
    found = db.session.scalar(select(Brand).filter_by(slug=slug))
    if found is None:
        raise click.ClickException(f"there is no brand “{slug}”")
    return found


COMMANDS = (import_contacts, import_sales)
