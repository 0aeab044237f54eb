"""What a programme costs and is worth, and wordings that a guard rail took out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_HARMS = ("complaints", "unsubscribes")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "programme_cost",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence_id", sa.BigInteger(), nullable=True),
        sa.Column("per_thousand", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fixed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), server_default="EUR", nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("changed_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brand.id"], name=op.f("fk_programme_cost_brand_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["sequence_id"], ["sequence.id"], name=op.f("fk_programme_cost_sequence_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_cost")),
        sa.UniqueConstraint(
            "brand_id",
            "sequence_id",
            name=op.f("uq_programme_cost_brand_id_sequence_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "variant_stop",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sequence_id", sa.BigInteger(), nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*_HARMS, name="harmkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence_id"], ["sequence.id"], name=op.f("fk_variant_stop_sequence_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_stop")),
    )
    op.create_index("ix_variant_stop_sequence_id", "variant_stop", ["sequence_id"])


def downgrade() -> None:
    op.drop_table("variant_stop")
    op.drop_table("programme_cost")
