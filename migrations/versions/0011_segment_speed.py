"""Figures of what a person did, kept on the contact by triggers, and indexes that segments are counted by.

A sum over everybody's entries takes seconds at a million people. Triggers keep such sums for each person, in the
transaction that changes what they are made of: always exact, whoever writes. An entry, which changes often, adds the
difference; all else, which is rare, has the person's figures reckoned anew. Of somebody erased there are none.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

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
        CREATE FUNCTION reckon_{table}(who bigint) RETURNS void LANGUAGE plpgsql AS $$
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
        CREATE FUNCTION watch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
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
        CREATE FUNCTION watch_entry() RETURNS trigger LANGUAGE plpgsql AS $$
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
            f"CREATE TRIGGER reckon_{verb.lower()} AFTER {verb} ON {table} FOR EACH ROW WHEN ({rule}) "
            f"EXECUTE FUNCTION watch_{table}()"
        )


def _reckon_everybody() -> None:
    """A function that reckons everybody: for this migration, and after rows that were loaded past the triggers."""
    names, news, joins = [], [], []
    for table, figures in _FIGURES.items():
        names += figures.columns
        none = {"clicked_at": "NULL", "contests": "'{}'"}
        news += [f"coalesce(of_{table}.{name}, {none.get(name, 0)})" for name in figures.columns]
        joins.append(
            f"LEFT JOIN (SELECT {figures.owner} AS who, {_named(figures)} FROM {figures.rows} GROUP BY 1) "  # noqa: S608 - as above
            f"AS of_{table} ON of_{table}.who = p.id AND p.erased_at IS NULL"
        )
    columns = ", ".join(names)
    op.execute(
        f"""
        CREATE FUNCTION reckon_everybody() RETURNS void LANGUAGE sql AS $$
            UPDATE contact c SET ({columns}) = ROW({", ".join(f"f.{name}" for name in names)})
            FROM (SELECT p.id, {", ".join(news)} FROM contact p {" ".join(joins)}) AS f (id, {columns})
            WHERE f.id = c.id AND ({", ".join(f"c.{name}" for name in names)})
                  IS DISTINCT FROM ({", ".join(f"f.{name}" for name in names)})
        $$
        """  # noqa: S608 - as above
    )


def upgrade() -> None:
    op.add_column("contact", sa.Column("points", sa.BigInteger(), **_NUMBER))
    op.add_column("contact", sa.Column("clicked_at", sa.DateTime(timezone=True), nullable=True))
    contests = sa.Column("contests", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("contact", contests)
    for name in ("clicks", "friends", "deeds", "works", "rewards"):
        op.add_column("contact", sa.Column(name, sa.Integer(), **_NUMBER))
    for table, figures in _FIGURES.items():
        _reckon(table, figures)
    _watch_entries()
    for table, rule in _RULES.items():
        new, old = rule.format(row="NEW"), rule.format(row="OLD")
        of = "message_id" if table == "click" else "entry_id"
        _watch(table, _FIGURES[table], new, f"({new}) <> ({old}) OR NEW.{of} <> OLD.{of}")
    _reckon_everybody()
    op.execute("SELECT reckon_everybody()")
    op.create_index(
        "ix_message_marketing",
        "message",
        ["brand_id", "sent_at"],
        postgresql_include=["contact_id"],
        postgresql_where=sa.text("purpose = 'marketing' AND sent_at IS NOT NULL"),
    )
    op.create_index(
        "ix_consent_withdrawn",
        "consent",
        ["brand_id", "contact_id", "at"],
        postgresql_where=sa.text("purpose = 'marketing' AND action = 'withdrawn'"),
    )


def downgrade() -> None:
    op.drop_index("ix_consent_withdrawn", table_name="consent")
    op.drop_index("ix_message_marketing", table_name="message")
    for table in _FIGURES:
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER reckon_{verb} ON {table}")
        op.execute(f"DROP FUNCTION watch_{table}()")
        op.execute(f"DROP FUNCTION reckon_{table}(bigint)")
    op.execute("DROP FUNCTION reckon_everybody()")
    for figures in _FIGURES.values():
        for name in figures.columns:
            op.drop_column("contact", name)
