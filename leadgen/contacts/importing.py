"""Taking a file of contacts in: a million in seconds, nobody twice, and nobody's consent invented.

Rows are understood in Python, copied into a table of this connection and taken by one statement for each piece of
PIECE lines, in a transaction of its own that also notes how far the file is: whoever repeats the command after a kill
goes on there, and a file that was taken before changes nothing.

- **Consent** comes only with its proof in the row, and never to an address that is blocked, nor to somebody of whom we
  have an act about marketing already: what they told us themselves is newer and better evidence. Nor to anybody who
  was erased here: what they agreed to once is over, and only they themselves can agree anew.
- **Nobody is written to**: no mail is planned, no sequence entered.
- **Who is blocked here** and is no contact stays out: they were erased, or never were to be written to.
- What is known of a contact stays; the file only fills in a first name or a time zone that is missing.
"""

from __future__ import annotations

import contextlib
import contextvars
import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.rows import dict_row

from leadgen.accounts.models import Brand
from leadgen.contacts import address
from leadgen.contacts.file_rows import Refused, Row, read
from leadgen.core import clock, copying
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _

PIECE = 10_000
_LOCK = 7_215_063
_OPTIONS = "-c jit=off -c work_mem=32MB"  # a piece is sorted in memory
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS stage (
    line bigint, email text, mailbox_key text, address_hash bytea, first_name text, locale text, timezone text,
    blocked text[], consent_at timestamptz, wording text, source text, confirmed_at timestamptz
) ON COMMIT DELETE ROWS
"""
_COPY = "COPY stage FROM STDIN"
# A statement of its own: what follows sees what those did whom it waited for. In the order of everybody who locks many.
_HOLD = """
SELECT FROM contact WHERE brand_id = %(brand)s AND mailbox_key IN (SELECT mailbox_key FROM stage)
ORDER BY id FOR NO KEY UPDATE
"""
_TAKE = """
WITH fresh AS MATERIALIZED (
    -- Of a mailbox that stands twice in a piece the first line counts, but a block on any of them.
    SELECT DISTINCT ON (s.mailbox_key) s.*, c.id AS known_id, coalesce(said.blocks, '{}') AS blocks,
           blocked.reasons || coalesce(said.blocks, '{}') AS all_reasons,
           EXISTS (SELECT FROM consent t WHERE t.contact_id = c.id AND t.purpose = 'marketing') AS has_act
    FROM stage s LEFT JOIN contact c ON c.brand_id = %(brand)s AND c.mailbox_key = s.mailbox_key
    LEFT JOIN (
        SELECT mailbox_key, array_agg(DISTINCT reason) AS blocks FROM stage, unnest(blocked) AS reason
        GROUP BY mailbox_key
    ) AS said ON said.mailbox_key = s.mailbox_key
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(reason::text), '{}') AS reasons FROM suppression
        WHERE brand_id = %(brand)s AND address_hash = s.address_hash
    ) AS blocked
    ORDER BY s.mailbox_key, s.line
), welcome AS MATERIALIZED (
    SELECT *, consent_at IS NOT NULL AND NOT has_act
              AND NOT EXISTS (SELECT FROM erased_address e
                              WHERE e.brand_id = %(brand)s AND e.address_hash = fresh.address_hash)
              AND NOT all_reasons && '{unsubscribe,complaint,refused,manual}'::text[] AS is_agreed
    FROM fresh
    WHERE known_id IS NOT NULL OR NOT EXISTS (
        SELECT FROM suppression p WHERE p.brand_id = %(brand)s AND p.address_hash = fresh.address_hash
    )
), taken AS (
    INSERT INTO contact AS c (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone,
                              marketing_at, email_verified_at, created_at, import_id)
    SELECT %(brand)s, mailbox_key, email, address_hash, first_name, locale, timezone,
           CASE WHEN is_agreed THEN consent_at END, CASE WHEN is_agreed THEN confirmed_at END, %(now)s, %(import)s
    FROM welcome
    ON CONFLICT (brand_id, mailbox_key) DO UPDATE
        SET first_name = coalesce(nullif(c.first_name, ''), excluded.first_name),
            timezone = coalesce(nullif(c.timezone, ''), excluded.timezone),
            marketing_at = coalesce(c.marketing_at, excluded.marketing_at),
            email_verified_at = coalesce(c.email_verified_at, excluded.email_verified_at)
        WHERE (c.first_name = '' AND excluded.first_name <> '') OR (c.timezone = '' AND excluded.timezone <> '')
           OR excluded.marketing_at IS NOT NULL
    RETURNING c.id, c.mailbox_key, xmax = 0 AS is_new
), everybody AS (
    SELECT w.*, coalesce(t.id, w.known_id) AS contact_id, coalesce(t.is_new, false) AS is_new
    FROM welcome w LEFT JOIN taken t ON t.mailbox_key = w.mailbox_key
), proven AS (
    INSERT INTO consent (brand_id, contact_id, purpose, action, at, channel, evidence)
    SELECT %(brand)s, contact_id, 'marketing', 'given', consent_at, 'import', jsonb_build_object(
               'email', email, 'email_hash', encode(address_hash, 'hex'), 'wording', wording, 'wording_sha256',
               encode(sha256(convert_to(wording, 'UTF8')), 'hex'), 'source', source, 'note', %(file)s::text,
               'import', %(import)s::bigint, 'line', line)
    FROM everybody WHERE is_agreed AND contact_id IS NOT NULL
    RETURNING id
), blocking AS (
    INSERT INTO suppression (brand_id, address_hash, reason, at, detail)
    SELECT %(brand)s, address_hash, reason, %(now)s, 'import' FROM everybody, unnest(blocks) AS reason
    ON CONFLICT DO NOTHING RETURNING address_hash, reason
), told AS (
    -- Who was a contact before is in contests and sequences, which hear of it as of any other suppression.
    INSERT INTO fact (name, at, brand_id, contact_id, data)
    SELECT 'contact.suppressed', %(now)s, %(brand)s, e.known_id,
           jsonb_build_object('reason', b.reason, 'channel', 'import')
    FROM blocking b JOIN everybody e ON e.address_hash = b.address_hash WHERE e.known_id IS NOT NULL
)
SELECT (SELECT count(*) FROM taken WHERE is_new) AS added, (SELECT count(*) FROM proven) AS agreed,
       (SELECT count(*) FROM blocking) AS blocked,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(line, email) ORDER BY line), '[]') FROM fresh
        WHERE NOT EXISTS (SELECT FROM welcome w WHERE w.line = fresh.line)) AS left_out
"""
# The file takes back what it says that people took back: an act and a fact for each, like a press of theirs.
_LEAVING = """
SELECT c.id FROM stage s JOIN contact c ON c.brand_id = %(brand)s AND c.mailbox_key = s.mailbox_key
WHERE c.marketing_at IS NOT NULL AND s.blocked && '{unsubscribe,complaint,refused}'::text[]
"""
_LEAVE = """
WITH gone AS (
    UPDATE contact SET marketing_at = NULL WHERE id = ANY(%(ids)s) RETURNING id, brand_id, email, address_hash
), acts AS (
    INSERT INTO consent (brand_id, contact_id, purpose, action, at, channel, evidence)
    SELECT brand_id, id, 'marketing', 'withdrawn', %(now)s, 'import', jsonb_build_object(
        'email', email, 'email_hash', encode(address_hash, 'hex'), 'import', %(import)s::bigint) FROM gone
)
INSERT INTO fact (name, at, brand_id, contact_id, data)
SELECT 'consent.withdrawn', %(now)s, brand_id, id, jsonb_build_object('channel', 'import') FROM gone
"""
_BEGIN = """
INSERT INTO contact_import (brand_id, file, digest, started_by, started_at) VALUES (%(brand)s, %(file)s, %(digest)s,
                            %(by)s, %(now)s) RETURNING *
"""
_UNFINISHED = """
SELECT * FROM contact_import WHERE brand_id = %(brand)s AND digest = %(digest)s AND finished_at IS NULL
ORDER BY id LIMIT 1
"""
_NOTE = """
UPDATE contact_import SET lines = lines + %(lines)s, last_line = %(last_line)s, added = added + %(added)s,
       agreed = agreed + %(agreed)s, blocked = blocked + %(blocked)s, refused = refused + %(refused)s
WHERE id = %(import)s RETURNING *
"""
_FINISH = """
WITH done AS (UPDATE contact_import SET finished_at = %(now)s WHERE id = %(import)s RETURNING *)
INSERT INTO fact (name, at, brand_id, data)
SELECT 'contacts.imported', %(now)s, brand_id,
       jsonb_build_object('import', id, 'by', started_by, 'lines', lines, 'added', added) FROM done
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file: lines read, contacts that are new, consents and blocks taken over, lines refused."""

    import_id: int
    lines: int
    added: int
    agreed: int
    blocked: int
    refused: int
    is_resumed: bool


def take(
    brand: Brand, path: Path, errors: Path, *, by: str, progress: Callable[[int], object] = lambda _bytes: None
) -> Report:
    """Take the file in, and write the lines that cannot be taken to `errors` with their reasons.

    `by` is who answers for it, and stands in the journal. Commits after every PIECE lines; `progress` is told how many
    bytes of the file are read. The same file goes on where it stopped. Raises Invalid for what is no such file and for
    `errors` that are the file itself, Conflict while another process takes the same one.
    """
    if errors.exists() and errors.samefile(path):
        raise Invalid(_("The lines that are refused need a file of their own."), "errors")
    values = {"brand": brand.id, "file": path.name, "digest": _digest(path), "by": by, "now": clock.now()}
    with psycopg.connect(copying.server(), row_factory=dict_row, options=_OPTIONS) as connection:
        _alone(connection, values)
        row = connection.execute(_UNFINISHED, values).fetchone()
        is_resumed = row is not None
        row = row or connection.execute(_BEGIN, values).fetchone()
        assert row is not None
        connection.commit()
        values |= {"import": row["id"]}
        with path.open("rb") as raw, _kept_errors(errors, row["last_line"]) as out:
            text = io.TextIOWrapper(raw, "utf-8-sig", newline="")
            for piece in _pieces(read(text, brand.locale, after=row["last_line"])):
                row = _taken(connection, piece, values, out)
                progress(raw.tell())
        connection.execute(_FINISH, values)
    counts = {name: row[name] for name in ("lines", "added", "agreed", "blocked", "refused")}
    return Report(row["id"], **counts, is_resumed=is_resumed)


def _alone(connection: psycopg.Connection[Any], values: dict[str, Any]) -> None:
    """Begin, or refuse while somebody else does; the lock ends with the connection, also when it is killed."""
    what = hashlib.sha256(b"%d:%b" % (values["brand"], values["digest"])).digest()
    number = int.from_bytes(what[:4], "big", signed=True)
    asked = connection.execute("SELECT pg_try_advisory_lock(%s, %s::int) AS is_mine", (_LOCK, number)).fetchone()
    if asked is None or not asked["is_mine"]:
        raise Conflict(_("Another process is taking this file in."))
    connection.execute(_STAGE)
    connection.commit()


def _pieces(rows: Iterator[Row | Refused]) -> Iterator[list[Row | Refused]]:
    """Piece after piece; the next one is understood while the database takes the one before."""
    address.installation_key()  # read here, so that the other thread needs no connection
    speaking = contextvars.copy_context()  # reasons are told in the language of whoever asks
    with ThreadPoolExecutor(max_workers=1) as ahead:

        def following() -> Future[list[Row | Refused]]:
            return ahead.submit(speaking.run, lambda: list(islice(rows, PIECE)))

        waiting = following()
        while piece := waiting.result():
            waiting = following()
            yield piece


def _taken(
    connection: psycopg.Connection[Any], piece: Sequence[Row | Refused], values: dict[str, Any], out: IO[str]
) -> dict[str, Any]:
    """Take one piece in and note how far the file is, in one transaction; answers the noted row."""
    with connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for row in piece:
                if isinstance(row, Row):
                    copy.write_row(_cells(row))
        cursor.execute("ANALYZE stage")
        cursor.execute(_HOLD, values)
        leaving = [one["id"] for one in cursor.execute(_LEAVING, values)]
        counts = cursor.execute(_TAKE, values).fetchone()
        assert counts is not None
        if leaving:
            cursor.execute(_LEAVE, values | {"ids": leaving})
        refused = [row for row in piece if isinstance(row, Refused)]
        reason = _("This address is blocked here, and nobody’s: it stays out.")
        refused += [Refused(line, email, reason) for line, email in counts.pop("left_out")]
        _tell(out, refused)
        noted = {"lines": len(piece), "last_line": piece[-1].line, "refused": len(refused)}
        done: dict[str, Any] | None = cursor.execute(_NOTE, values | counts | noted).fetchone()
    connection.commit()
    assert done is not None
    return done


def _cells(row: Row) -> tuple[Any, ...]:
    """In the order of the stage's columns."""
    return (
        row.line,
        row.email,
        row.mailbox_key,
        row.address_hash,
        row.first_name,
        row.locale,
        row.timezone,
        list(row.blocked),
        row.consent_at,
        row.wording,
        row.source,
        row.confirmed_at,
    )


def _digest(path: Path) -> bytes:
    """What names the file whatever it is called."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@contextlib.contextmanager
def _kept_errors(path: Path, after: int) -> Iterator[IO[str]]:
    """The file of refused lines; what a killed run wrote about lines that it did not finish is written anew."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["line", "email", "reason"])
        if after and path.exists():
            with path.open(encoding="utf-8", newline="") as before:
                known = (cells for cells in csv.reader(before) if cells and cells[0].isdecimal())
                writer.writerows(cells for cells in known if int(cells[0]) <= after)
        out.flush()
        fresh.replace(path)  # from here on it is the file: a kill before leaves the one of the last run
        yield out


def _tell(out: IO[str], refused: Sequence[Refused]) -> None:
    """In the order of the file, with nothing in it that a spreadsheet would run."""
    ordered = sorted(refused, key=lambda one: one.line)
    csv.writer(out).writerows([one.line, copying.harmless(one.email), one.reason] for one in ordered)
    out.flush()
