"""Sequences: drafts and versions, wordings of a letter, and the story of each enrolment."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATES = ("active", "finished", "exited")
_REASONS = ("branched", "skipped", "went_on", "timed_out", "retimed", "moved", "goal")


def upgrade() -> None:
    jsonb = postgresql.JSONB(astext_type=sa.Text())
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "sequence_version",
        sa.Column("sequence_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", jsonb, nullable=False),
        sa.Column("published_at", moment, nullable=False),
        sa.Column("published_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence_id"], ["sequence.id"], name=op.f("fk_sequence_version_sequence_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sequence_id", "number", name=op.f("pk_sequence_version")),
    )
    op.create_table(
        "enrolment_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(*_REASONS, name="movereason", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("detail", jsonb, server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_move")),
    )
    op.create_index("ix_enrolment_move_enrolment_id", "enrolment_move", ["enrolment_id", "id"])
    op.add_column("campaign", sa.Column("resumed_at", moment, nullable=True))
    op.add_column("sequence", sa.Column("draft", jsonb, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("sequence", sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("sequence", sa.Column("version", sa.Integer(), nullable=True))
    op.add_column("sequence", sa.Column("paused_at", moment, nullable=True))
    op.add_column("sequence", sa.Column("archived_at", moment, nullable=True))
    op.add_column("step", sa.Column("variant", sa.Text(), server_default="a", nullable=False))
    op.drop_constraint(op.f("uq_step_sequence_id_key"), "step")
    op.create_unique_constraint(op.f("uq_step_sequence_id_key_variant"), "step", ["sequence_id", "key", "variant"])
    _widen_enrolments(moment)
    op.add_column("message", sa.Column("enrolment_id", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("priority", sa.SmallInteger(), server_default=sa.text("5"), nullable=False))
    # What was clicked before nobody heard of it as an event; nobody shall hear of it all at once now.
    op.add_column("click", sa.Column("is_told", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.alter_column("click", "is_told", server_default=sa.text("false"))
    _define()
    op.alter_column("enrolment", "anchor_at", nullable=False)
    op.drop_column("enrolment", "next_position")
    op.drop_column("step", "delay_seconds")
    op.drop_column("step", "condition")
    op.drop_column("message", "condition")


_STEPS = sa.text("""
SELECT t.sequence_id, t.key, t.delay_seconds, t.condition, t.texts, q.kind
FROM step t JOIN sequence s ON s.id = t.sequence_id
LEFT JOIN question q ON q.campaign_id = s.campaign_id AND q.key = t.condition ->> 'question'
WHERE t.is_active ORDER BY t.sequence_id, t.position
""")
_FIRST_VERSION = sa.text("""
WITH made AS (
    INSERT INTO sequence_version (sequence_id, number, definition, published_at)
    VALUES (:id, 1, CAST(:definition AS jsonb), now())
)
UPDATE sequence SET version = 1, draft = CAST(:definition AS jsonb) WHERE id = :id
""")
# Who waits for a step that was removed waits for the next that is sent; since when, is its date less its delay.
_PLACES = """
UPDATE enrolment n SET
    step_key = coalesce(following.key, ''),
    anchor_at = n.next_run_at - make_interval(secs => coalesce(following.delay_seconds, 0))
FROM enrolment o
LEFT JOIN LATERAL (SELECT t.key, t.delay_seconds FROM step t
                   WHERE t.sequence_id = o.sequence_id AND t.is_active AND t.position >= o.next_position
                   ORDER BY t.position LIMIT 1) AS following ON true
WHERE n.id = o.id
"""
_OWNERS = """
UPDATE message SET enrolment_id = split_part(intent, ':', 2)::bigint
WHERE lane = 'nurture' AND intent ~ '^seq:[0-9]+:'
"""


def _define() -> None:
    """The steps of each sequence as its first version, and everybody inside in front of the same letter as before."""
    connection = op.get_bind()
    steps: dict[int, list[dict[str, Any]]] = {
        row.id: [] for row in connection.execute(sa.text("SELECT id FROM sequence")).all()
    }
    for row in connection.execute(_STEPS).all():
        steps[row.sequence_id].append(_letter(row))
    for number, letters in steps.items():
        definition = {"trigger": {"on": "confirmed"}, "again": "never", "steps": letters}
        shared = {"again_days": 0, "holdout": 0, "priority": 5}
        connection.execute(_FIRST_VERSION, {"id": number, "definition": json.dumps({**definition, **shared})})
    op.execute(_PLACES)
    op.execute(_OWNERS)


def _letter(row: Any) -> dict[str, Any]:
    letter: dict[str, Any] = {"kind": "letter", "key": row.key, "otherwise": "skip", "catch_up_hours": 48}
    letter["variants"] = [{"key": "a", "weight": 1, "texts": row.texts}]
    if row.delay_seconds:
        letter["wait"] = {"until": "after", "seconds": row.delay_seconds}
    if row.condition:
        letter["when"] = _asked(row.condition, is_many=row.kind == "many")
    return letter


def _asked(condition: dict[str, Any], *, is_many: bool) -> dict[str, Any]:
    """The old condition on an answer in the words of segments."""
    field, is_wanted = f"answer.{condition['question']}", "is" in condition
    value = condition["is" if is_wanted else "is_not"]
    if is_many:
        holds = {"field": field, "op": "contains", "value": value}
        return holds if is_wanted else {"not": holds}
    return {"field": field, "op": "eq" if is_wanted else "ne", "value": value}


def _widen_enrolments(moment: sa.DateTime) -> None:
    op.add_column("enrolment", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("enrolment", sa.Column("occasion", sa.Text(), server_default="", nullable=False))
    op.add_column("enrolment", sa.Column("fact_id", sa.BigInteger(), nullable=True))
    op.add_column("enrolment", sa.Column("step_key", sa.Text(), server_default="", nullable=False))
    op.add_column("enrolment", sa.Column("anchor_at", moment, nullable=True))
    op.add_column("enrolment", sa.Column("goal_at", moment, nullable=True))
    op.drop_constraint(op.f("uq_enrolment_sequence_id_entry_id"), "enrolment")
    op.create_unique_constraint(
        op.f("uq_enrolment_sequence_id_entry_id_occasion"), "enrolment", ["sequence_id", "entry_id", "occasion"]
    )
    op.create_index(
        "uq_enrolment_active",
        "enrolment",
        ["sequence_id", "entry_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    _index_due(["sequence_id", "next_run_at", "id"])
    _allow_states((*_STATES, "held_out"))


def _index_due(columns: list[str]) -> None:
    op.drop_index("ix_enrolment_due", table_name="enrolment")
    op.create_index("ix_enrolment_due", "enrolment", columns, postgresql_where=sa.text("status = 'active'"))


def _allow_states(states: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint("ck_enrolment_enrolmentstatus", "enrolment")
    op.execute(f"ALTER TABLE enrolment ADD CONSTRAINT ck_enrolment_enrolmentstatus CHECK (status IN ({listed}))")


_NEWEST = sa.text("""
SELECT v.sequence_id, v.definition FROM sequence_version v
JOIN sequence s ON s.id = v.sequence_id AND s.version = v.number
""")
_BACK = sa.text("""
UPDATE step SET delay_seconds = :delay, condition = CAST(:condition AS jsonb)
WHERE sequence_id = :sequence AND key = :key
""")


def _undefine() -> None:
    """What stands in one row of the newest version comes back: letters, waits in seconds, conditions on one answer."""
    connection = op.get_bind()
    for row in connection.execute(_NEWEST).all():
        for letter in _letters(row.definition["steps"]):
            condition = _told(letter.get("when"))
            values = {"delay": letter.get("wait", {}).get("seconds", 0), "key": letter["key"]}
            values |= {"sequence": row.sequence_id, "condition": json.dumps(condition) if condition else None}
            connection.execute(_BACK, values)
    op.execute("""
        UPDATE enrolment n SET next_position = t.position FROM step t
        WHERE t.sequence_id = n.sequence_id AND t.key = n.step_key AND t.variant = 'a'
    """)
    op.execute("""
        UPDATE message m SET condition = t.condition FROM step t
        WHERE t.id = m.step_id AND m.lane = 'nurture' AND m.status = 'scheduled'
    """)


def _letters(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in steps:
        found += [step] if step["kind"] == "letter" else []
        found += _letters([*step.get("yes", []), *step.get("no", [])])
    return found


def _told(when: dict[str, Any] | None) -> dict[str, Any] | None:
    inner = (when or {}).get("not", when or {})
    if not str(inner.get("field", "")).startswith("answer.") or inner.get("op") not in {"eq", "ne", "contains"}:
        return None
    is_wanted = inner["op"] != "ne" and inner is when
    return {"question": inner["field"].removeprefix("answer."), "is" if is_wanted else "is_not": inner["value"]}


def downgrade() -> None:
    jsonb = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("message", sa.Column("condition", jsonb, nullable=True))
    op.add_column("step", sa.Column("condition", jsonb, nullable=True))
    op.add_column("step", sa.Column("delay_seconds", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.alter_column("step", "delay_seconds", server_default=None)
    op.add_column("enrolment", sa.Column("next_position", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.alter_column("enrolment", "next_position", server_default=None)
    _undefine()
    op.drop_column("click", "is_told")
    op.drop_column("message", "priority")
    op.drop_column("message", "enrolment_id")
    # Whoever goes back keeps the first time that somebody went through.
    op.execute("DELETE FROM enrolment WHERE occasion <> '' OR status = 'held_out'")
    _allow_states(_STATES)
    _index_due(["next_run_at", "id"])
    op.drop_index("uq_enrolment_active", table_name="enrolment")
    op.drop_constraint(op.f("uq_enrolment_sequence_id_entry_id_occasion"), "enrolment")
    op.create_unique_constraint(op.f("uq_enrolment_sequence_id_entry_id"), "enrolment", ["sequence_id", "entry_id"])
    for column in ("goal_at", "anchor_at", "step_key", "fact_id", "occasion", "version"):
        op.drop_column("enrolment", column)
    op.execute("DELETE FROM step WHERE variant <> 'a'")
    op.drop_constraint(op.f("uq_step_sequence_id_key_variant"), "step")
    op.create_unique_constraint(op.f("uq_step_sequence_id_key"), "step", ["sequence_id", "key"])
    op.drop_column("step", "variant")
    for column in ("archived_at", "paused_at", "version", "revision", "draft"):
        op.drop_column("sequence", column)
    op.drop_column("campaign", "resumed_at")
    op.drop_index("ix_enrolment_move_enrolment_id", table_name="enrolment_move")
    op.drop_table("enrolment_move")
    op.drop_table("sequence_version")
