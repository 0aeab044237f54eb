"""Figures of what a person did, kept on the contact by triggers, and indexes that segments are counted by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = (
    sa.Column("points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    sa.Column("clicked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("clicks", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("friends", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("deeds", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("works", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("rewards", sa.Integer(), server_default=sa.text("0"), nullable=False),
)
# Which rows of a table count for the person, as a condition on a row {row} of it.
_COUNTS = {
    "deed": "{row}.state = 'done'",
    "work": "{row}.state = 'published'",
    "award": "{row}.state NOT IN ('refused', 'reclaimed', 'expired')",
    "click": "{row}.kind = 'human'",
}
# By table: the columns of the contact, how each is reckoned, from which rows, and whose they are.
_FIGURES = {
    "entry": (
        {
            "points": "coalesce(sum(e.points) FILTER (WHERE e.status = 'confirmed' AND e.points > 0), 0)",
            "friends": "coalesce(sum(e.friends_counted) FILTER (WHERE e.friends_counted > 0), 0)",
        },
        "entry e WHERE true",
        "e.contact_id",
    ),
    **{
        table: ({column: "count(*)"}, f"entry e JOIN {table} d ON d.entry_id = e.id WHERE {rule}", "e.contact_id")
        for table, column in (("deed", "deeds"), ("work", "works"), ("award", "rewards"))
        for rule in (_COUNTS[table].format(row="d"),)
    },
    "click": (
        {"clicks": "count(*)", "clicked_at": "max(d.at)"},
        f"message m JOIN click d ON d.message_id = m.id WHERE {_COUNTS['click'].format(row='d')}",
        "m.contact_id",
    ),
}
# Whose figures a changed row moves, by its table.
_WHOSE = {
    "entry": "SELECT unnest(ARRAY[OLD.contact_id, NEW.contact_id])",
    **{table: "SELECT contact_id FROM entry WHERE id IN (OLD.entry_id, NEW.entry_id)" for table in ("deed", "work")},
    "award": "SELECT contact_id FROM entry WHERE id IN (OLD.entry_id, NEW.entry_id)",
    "click": "SELECT contact_id FROM message WHERE id IN (OLD.message_id, NEW.message_id)",
}


def _reckon(table: str) -> None:
    """One person's figures of a table, reckoned anew under a lock of the contact.

    A statement after the lock sees everything that was committed before it, so the last of several that change one
    person's rows at the same time reckons with the rows of all.
    """
    columns, rows, owner = _FIGURES[table]
    op.execute(
        f"""
        CREATE FUNCTION reckon_{table}(who bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM FROM contact WHERE id = who FOR NO KEY UPDATE;
            UPDATE contact SET ({", ".join(columns)}) = ROW({", ".join(f"s.{name}" for name in columns)})
            FROM (SELECT {", ".join(f"{sql} AS {name}" for name, sql in columns.items())}
                  FROM {rows} AND {owner} = who) AS s
            WHERE id = who;
        END $$
        """  # noqa: S608 - put in are only constants of this file
    )


def _watch(table: str, *, added: str, changed: str) -> None:
    """Reckon when a row changes what counts; `added` tells it of a new row NEW, `changed` of an update."""
    # An entry that moves to another contact takes everything with it that hangs on it.
    others = "" if table != "entry" else """
            IF OLD.contact_id <> NEW.contact_id THEN
                PERFORM reckon_deed(who), reckon_work(who), reckon_award(who);
            END IF;"""
    op.execute(
        f"""
        CREATE FUNCTION watch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE who bigint;
        BEGIN
            FOR who IN SELECT DISTINCT w FROM ({_WHOSE[table]}) AS whose (w) WHERE w IS NOT NULL ORDER BY 1 LOOP
                PERFORM reckon_{table}(who);{others}
            END LOOP;
            RETURN NULL;
        END $$
        """  # noqa: S608 - as above
    )
    gone = added.replace("NEW.", "OLD.")
    for verb, condition in (("INSERT", added), ("UPDATE", changed), ("DELETE", gone)):
        op.execute(
            f"CREATE TRIGGER reckon_{verb.lower()} AFTER {verb} ON {table} FOR EACH ROW WHEN ({condition}) "
            f"EXECUTE FUNCTION watch_{table}()"
        )


def _reckon_everybody() -> None:
    """All figures of all contacts that differ: for this migration, and for whoever wrote past the triggers."""
    every = [name for columns, _rows, _owner in _FIGURES.values() for name in columns]
    joined = " ".join(
        f"LEFT JOIN (SELECT {owner} AS who, {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} "  # noqa: S608 - as above
        f"FROM {rows} GROUP BY 1) AS of_{table} ON of_{table}.who = p.id"
        for table, (columns, rows, owner) in _FIGURES.items()
    )
    news = ", ".join(name if name == "clicked_at" else f"coalesce({name}, 0)" for name in every).replace(
        "clicked_at", "of_click.clicked_at"
    )
    for name in every:
        news = news.replace(f"coalesce({name}", f"coalesce(of_{_table_of(name)}.{name}")
    op.execute(
        f"""
        CREATE FUNCTION reckon_everybody() RETURNS void LANGUAGE sql AS $$
            UPDATE contact c SET ({", ".join(every)}) = ROW({", ".join(f"f.{name}" for name in every)})
            FROM (SELECT p.id, {news} FROM contact p {joined}) AS f (id, {", ".join(every)})
            WHERE f.id = c.id AND ({", ".join(f"c.{name}" for name in every)})
                  IS DISTINCT FROM ({", ".join(f"f.{name}" for name in every)})
        $$
        """  # noqa: S608 - as above
    )


def _table_of(column: str) -> str:
    return next(table for table, (columns, _rows, _owner) in _FIGURES.items() if column in columns)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("contact", column.copy())
    for table in _FIGURES:
        _reckon(table)
    _watch(
        "entry",
        added="NEW.points > 0 OR NEW.friends_counted > 0",
        changed="OLD.points <> NEW.points OR OLD.friends_counted <> NEW.friends_counted "
        "OR OLD.contact_id <> NEW.contact_id OR OLD.status <> NEW.status AND NEW.points > 0",
    )
    for table, rule in _COUNTS.items():
        of = "message_id" if table == "click" else "entry_id"
        new, old = rule.format(row="NEW"), rule.format(row="OLD")
        _watch(table, added=new, changed=f"({new}) <> ({old}) OR NEW.{of} <> OLD.{of}")
    _reckon_everybody()
    op.execute("SELECT reckon_everybody()")


def downgrade() -> None:
    for table in _FIGURES:
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER reckon_{verb} ON {table}")
        op.execute(f"DROP FUNCTION watch_{table}()")
        op.execute(f"DROP FUNCTION reckon_{table}(bigint)")
    op.execute("DROP FUNCTION reckon_everybody()")
    for column in _COLUMNS:
        op.drop_column("contact", column.name)
