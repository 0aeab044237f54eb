"""Rules of scores by version, contributions, the two numbers of a contact, and who waits to be scored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    states, kinds = ("draft", "computing", "standing", "past"), ("fit", "engagement")
    op.create_table(
        "score_rules",
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*states, name="rulesstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), server_default="", nullable=False),
        sa.Column("stood_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached_id", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("of", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_swept", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_score_rules_brand_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brand_id", "number", name=op.f("pk_score_rules")),
    )
    for state in ("draft", "standing"):
        where = sa.text(f"state = '{state}'")
        op.create_index(f"ix_score_rules_{state}", "score_rules", ["brand_id"], unique=True, postgresql_where=where)
    op.create_table(
        "contact_score",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("fit", sa.Integer(), nullable=False),
        sa.Column("disqualified_by", sa.Text(), server_default="", nullable=False),
        sa.Column("worth", sa.Double(), nullable=False),
        sa.Column("worth_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alive_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fit_band", sa.Text(), nullable=False),
        sa.Column("engagement_band", sa.Text(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("reactions", sa.Integer(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_score_contact_id")),
        sa.PrimaryKeyConstraint("contact_id", "number", name=op.f("pk_contact_score")),
    )
    op.create_index("ix_contact_score_brand_id", "contact_score", ["brand_id", "number"])
    op.create_table(
        "score_contribution",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*kinds, name="contributionkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "number", "rule", "event", name=op.f("pk_score_contribution")),
    )
    op.create_table(
        "score_wanted",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_wanted")),
    )


def downgrade() -> None:
    op.drop_table("score_wanted")
    op.drop_table("score_contribution")
    op.drop_index("ix_contact_score_brand_id", table_name="contact_score")
    op.drop_table("contact_score")
    op.drop_table("score_rules")
