"""Sequences: drafts and versions, wordings of a letter, and the story of each enrolment."""

from __future__ import annotations

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
    _allow_states((*_STATES, "held_out"))


def _allow_states(states: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint("ck_enrolment_enrolmentstatus", "enrolment")
    op.execute(f"ALTER TABLE enrolment ADD CONSTRAINT ck_enrolment_enrolmentstatus CHECK (status IN ({listed}))")


def downgrade() -> None:
    op.drop_column("message", "priority")
    op.drop_column("message", "enrolment_id")
    # Whoever goes back keeps the first time that somebody went through.
    op.execute("DELETE FROM enrolment WHERE occasion <> '' OR status = 'held_out'")
    _allow_states(_STATES)
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
    op.drop_index("ix_enrolment_move_enrolment_id", table_name="enrolment_move")
    op.drop_table("enrolment_move")
    op.drop_table("sequence_version")
