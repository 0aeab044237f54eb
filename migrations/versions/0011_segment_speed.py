"""Figures of what a person did, kept on the contact by triggers, and indexes that segments are counted by.

A sum over everybody's entries takes seconds at a million people. Triggers keep such sums for each person, in the
transaction that changes what they are made of: always exact, whoever writes. An entry, which changes often, adds the
difference; all else, which is rare, has the person's figures reckoned anew. Of somebody erased there are none.

Contests go on meanwhile: indexes are built beside them, tables are locked for a moment in the order in which people are
confirmed, and everybody is reckoned some thousand at a time. So it commits on its way; one that was stopped is begun
again, and every step may be done twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STEP = 5_000
_NEXT = sa.text("SELECT id FROM contact WHERE id > :after ORDER BY id LIMIT :most")
_NUMBER = {"server_default": sa.text("0"), "nullable": False}


class _Figures(NamedTuple):
    """What rows of one table add up to for a person: columns of the contact, the rows, and whose they are."""

    columns: dict[str, str]
    rows: str
    owner: str
    whose: str = ""  # the contacts that the row OLD and the row NEW belong to


def _of_entries(table: str, column: str, rule: str) -> _Figures:
    return _Figures(
        columns={column: "count(*)"},
        rows=f"entry e JOIN {table} d ON d.entry_id = e.id WHERE {rule.format(row='d')}",
        owner="e.contact_id",
        whose="SELECT contact_id FROM entry WHERE id IN (OLD.entry_id, NEW.entry_id)",
    )


# Which rows count.
_RULES = {
    "deed": "{row}.state = 'done'",
    "work": "{row}.state = 'published'",
    "award": "{row}.state NOT IN ('refused', 'reclaimed', 'expired')",
    "click": "{row}.kind = 'human'",
}
_POINTS = "CASE WHEN {row}.status = 'confirmed' AND {row}.points > 0 THEN {row}.points ELSE 0 END"
_FIGURES = {
    "entry": _Figures(
        columns={
            "points": "coalesce(sum(e.points) FILTER (WHERE e.status = 'confirmed' AND e.points > 0), 0)",
            "friends": "coalesce(sum(e.friends_counted) FILTER (WHERE e.friends_counted > 0), 0)",
            "contests": "coalesce(array_agg(e.campaign_id ORDER BY e.campaign_id) "
            "FILTER (WHERE e.status = 'confirmed'), '{}')",
        },
        rows="entry e WHERE true",
        owner="e.contact_id",
    ),
    "deed": _of_entries("deed", "deeds", _RULES["deed"]),
    "work": _of_entries("work", "works", _RULES["work"]),
    "award": _of_entries("award", "rewards", _RULES["award"]),
    "click": _Figures(
        columns={"clicks": "count(*)", "clicked_at": "max(k.at)"},
        rows=f"message m JOIN click k ON k.message_id = m.id WHERE {_RULES['click'].format(row='k')}",
        owner="m.contact_id",
        whose="SELECT contact_id FROM message WHERE id IN (OLD.message_id, NEW.message_id)",
    ),
}


def _named(figures: _Figures) -> str:
    return ", ".join(f"{sql} AS {name}" for name, sql in figures.columns.items())


def _reckon(table: str, figures: _Figures) -> None:
    """A function that reckons one person's figures of a table, under a lock of the contact.

    The statement after the lock sees all that was committed before it: whoever comes last reckons with the rows of all.
    """
    names = ", ".join(figures.columns)
    news = ", ".join(f"s.{name}" for name in figures.columns)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION reckon_{table}(who bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM contact WHERE id = who FOR NO KEY UPDATE;
            UPDATE contact SET ({names}) = ROW({news})
            FROM (SELECT {_named(figures)} FROM {figures.rows} AND {figures.owner} = who) AS s
            WHERE id = who AND erased_at IS NULL;
        END $$
        """  # noqa: S608 - put in are only constants of this file
    )


def _watch(table: str, figures: _Figures, added: str, changed: str) -> None:
    """Reckon anew when a new or old row counts (`added`, said of NEW), and when an update changes what it counts."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION watch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE who bigint;
        BEGIN
            FOR who IN SELECT DISTINCT t.id FROM ({figures.whose}) AS t (id) WHERE t.id IS NOT NULL ORDER BY 1 LOOP
                PERFORM reckon_{table}(who);
            END LOOP;
            RETURN NULL;
        END $$
        """  # noqa: S608 - put in are only constants of this file
    )
    _fire(table, added, changed)


def _watch_entries() -> None:
    """Points and friends by what an entry has more or less; anew when it moves to a contact, with what hangs on it."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION watch_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            more bigint := {_POINTS.format(row="NEW")} - {_POINTS.format(row="OLD")};
            more_friends integer := coalesce(greatest(NEW.friends_counted, 0), 0)
                             - coalesce(greatest(OLD.friends_counted, 0), 0);
            contest bigint := coalesce(NEW.campaign_id, OLD.campaign_id);
            is_in boolean := coalesce(NEW.status = 'confirmed', false);
        BEGIN
            IF OLD.contact_id <> NEW.contact_id THEN
                PERFORM reckon_entry(who), reckon_deed(who), reckon_work(who), reckon_award(who)
                FROM unnest(ARRAY[least(OLD.contact_id, NEW.contact_id), greatest(OLD.contact_id, NEW.contact_id)])
                     AS both_of_them (who);
            ELSE
                UPDATE contact SET points = points + more, friends = friends + more_friends, contests = CASE
                    WHEN (contest = ANY (contests)) = is_in THEN contests
                    WHEN is_in THEN contests || contest ELSE array_remove(contests, contest) END
                WHERE id = coalesce(NEW.contact_id, OLD.contact_id) AND erased_at IS NULL
                  AND (more <> 0 OR more_friends <> 0 OR (contest = ANY (contests)) <> is_in);
            END IF;
            RETURN NULL;
        END $$
        """  # noqa: S608 - as above
    )
    counts = "NEW.points > 0 OR NEW.friends_counted > 0 OR NEW.status = 'confirmed'"
    changes = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in ("points", "friends_counted", "contact_id"))
    # Being confirmed for the first time is one statement's work (entries.confirming), which runs once for each lead and
    # notes the contest where it writes the contact anyway: 50 of its 850 µs, if it were done here.
    begins = "OLD.status IN ('pending', 'bounced') AND NEW.points = 0"
    turns = f"(OLD.status = 'confirmed') <> (NEW.status = 'confirmed') AND NOT ({begins})"
    _fire("entry", counts, f"{changes} OR {turns}")


def _fire(table: str, added: str, changed: str) -> None:
    for verb, rule in (("INSERT", added), ("UPDATE", changed), ("DELETE", added.replace("NEW.", "OLD."))):
        op.execute(
            f"CREATE OR REPLACE TRIGGER reckon_{verb.lower()} AFTER {verb} ON {table} FOR EACH ROW WHEN ({rule}) "
            f"EXECUTE FUNCTION watch_{table}()"
        )


def _reckon_many() -> None:
    """Functions that reckon contacts from one id to another, for this migration; and all, after rows loaded otherwise.

    Of each it is true as of one contact: what is committed before the lock is seen, and what comes later adds to it.
    """
    names, news, joins = [], [], []
    for table, figures in _FIGURES.items():
        names += figures.columns
        none = {"clicked_at": "NULL", "contests": "'{}'"}
        news += [f"coalesce(of_{table}.{name}, {none.get(name, 0)})" for name in figures.columns]
        joins.append(
            f"LEFT JOIN (SELECT {figures.owner} AS who, {_named(figures)} FROM {figures.rows} "  # noqa: S608 - as above
            f"AND {figures.owner} BETWEEN first AND last GROUP BY 1) AS of_{table} ON of_{table}.who = p.id "
            f"AND p.erased_at IS NULL"
        )
    columns = ", ".join(names)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION reckon_contacts(first bigint, last bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM contact WHERE id BETWEEN first AND last ORDER BY id FOR NO KEY UPDATE;
            UPDATE contact c SET ({columns}) = ROW({", ".join(f"f.{name}" for name in names)})
            FROM (SELECT p.id, {", ".join(news)} FROM contact p {" ".join(joins)}
                  WHERE p.id BETWEEN first AND last) AS f (id, {columns})
            WHERE f.id = c.id AND ({", ".join(f"c.{name}" for name in names)})
                  IS DISTINCT FROM ({", ".join(f"f.{name}" for name in names)});
        END $$
        """  # noqa: S608 - as above
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION reckon_everybody() RETURNS void LANGUAGE sql AS "
        "$$ SELECT reckon_contacts(min(id), max(id)) FROM contact $$"
    )


@contextmanager
def _patient() -> Iterator[sa.Connection]:
    """Outside of a transaction, where each statement commits; none of ours stands in front of anybody, so they wait."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        limit = connection.execute(sa.text("SHOW lock_timeout")).scalar_one()
        connection.execute(sa.text("SET lock_timeout = 0"))
        yield connection
        connection.execute(sa.text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": limit})


def _build_indexes() -> None:
    """Anew each time: a build that was stopped leaves an index behind that nobody uses."""
    with _patient():
        _drop_indexes()
        op.create_index(
            "ix_message_marketing",
            "message",
            ["brand_id", "sent_at"],
            postgresql_include=["contact_id"],
            postgresql_where=sa.text("purpose = 'marketing' AND sent_at IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_consent_withdrawn",
            "consent",
            ["brand_id", "contact_id", "at"],
            postgresql_where=sa.text("purpose = 'marketing' AND action = 'withdrawn'"),
            postgresql_concurrently=True,
        )


def _drop_indexes() -> None:
    for name in ("ix_consent_withdrawn", "ix_message_marketing"):
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def _lock(mode: str) -> None:
    """First what is written first: whoever is confirmed or gets a reward goes from there to the contact."""
    op.execute(f"LOCK TABLE {', '.join(_FIGURES)} IN {mode} MODE")


def _add_columns() -> None:
    contests = sa.Column("contests", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False)
    columns = [
        sa.Column("points", sa.BigInteger(), **_NUMBER),
        sa.Column("clicked_at", sa.DateTime(timezone=True), nullable=True),
        contests,
        *(sa.Column(name, sa.Integer(), **_NUMBER) for name in ("clicks", "friends", "deeds", "works", "rewards")),
    ]
    for column in columns:
        op.add_column("contact", column, if_not_exists=True)


def _reckon_in_steps() -> None:
    with _patient() as connection:
        reached = 0
        while ids := connection.execute(_NEXT, {"after": reached, "most": _STEP}).scalars().all():
            connection.execute(sa.text("SELECT reckon_contacts(:first, :last)"), {"first": ids[0], "last": ids[-1]})
            reached = ids[-1]


def upgrade() -> None:
    _build_indexes()
    _lock("SHARE ROW EXCLUSIVE")
    _add_columns()
    for table, figures in _FIGURES.items():
        _reckon(table, figures)
    _watch_entries()
    for table, rule in _RULES.items():
        new, old = rule.format(row="NEW"), rule.format(row="OLD")
        of = "message_id" if table == "click" else "entry_id"
        _watch(table, _FIGURES[table], new, f"({new}) <> ({old}) OR NEW.{of} <> OLD.{of}")
    _reckon_many()
    _reckon_in_steps()


def downgrade() -> None:
    with _patient():
        _drop_indexes()
    _lock("ACCESS EXCLUSIVE")
    for table in _FIGURES:
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS reckon_{verb} ON {table}")
        op.execute(f"DROP FUNCTION IF EXISTS watch_{table}()")
        op.execute(f"DROP FUNCTION IF EXISTS reckon_{table}(bigint)")
    op.execute("DROP FUNCTION IF EXISTS reckon_everybody()")
    op.execute("DROP FUNCTION IF EXISTS reckon_contacts(bigint, bigint)")
    for figures in _FIGURES.values():
        for name in figures.columns:
            op.drop_column("contact", name, if_exists=True)
