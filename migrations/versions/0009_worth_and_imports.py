"""What contacts are worth: prices of a brand, sales, and values; and files of contacts that were taken in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COUNTED = ("lines", "last_line", "added", "agreed", "blocked", "refused")
_PRICED = ("consent", "entry", "form", "answer", "goal")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    numbers = postgresql.ARRAY(sa.BigInteger())
    op.create_table(
        "worth_prices",
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in _PRICED),
        sa.Column("discount", sa.Integer(), server_default=sa.text("50"), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("worked_out_at", moment, nullable=True),
        sa.CheckConstraint("discount BETWEEN 0 AND 100", name=op.f("ck_worth_prices_discount")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_worth_prices_brand_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_worth_prices")),
    )
    op.create_table(
        "sale",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_sale_amount")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_sale_brand_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_sale_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
        sa.UniqueConstraint("brand_id", "reference", name=op.f("uq_sale_brand_id_reference")),
    )
    op.create_index("ix_sale_contact_id", "sale", ["contact_id"])
    op.create_table(
        "contact_worth",
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("own", sa.BigInteger(), nullable=False),
        sa.Column("brought", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("below_people", numbers, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("below_own", numbers, server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_contact_worth_brand_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_worth_contact_id")),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact_worth")),
    )
    op.create_index(
        "ix_contact_worth_brand_id", "contact_worth", ["brand_id", sa.text("(own + brought) DESC"), "contact_id"]
    )
    op.create_table(
        "contact_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("started_by", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in _COUNTED),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_contact_import_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_import")),
    )
    op.create_index(
        "ix_contact_import_digest",
        "contact_import",
        ["brand_id", "digest"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "erased_address",
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_erased_address_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "address_hash", name=op.f("pk_erased_address")),
    )
    # Whoever confirmed and was erased before stands in the evidence with the same hash.
    op.execute("""
        INSERT INTO erased_address (brand_id, address_hash, at)
        SELECT c.brand_id, decode(t.evidence ->> 'email_hash', 'hex'), max(c.erased_at)
        FROM contact c JOIN consent t ON t.contact_id = c.id
        WHERE c.erased_at IS NOT NULL AND c.email_verified_at IS NOT NULL AND t.evidence ->> 'email_hash' <> ''
        GROUP BY 1, 2
    """)
    op.add_column("contact", sa.Column("import_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("contact", "import_id")
    op.drop_table("erased_address")
    op.drop_index("ix_contact_import_digest", table_name="contact_import")
    op.drop_table("contact_import")
    op.drop_index("ix_contact_worth_brand_id", table_name="contact_worth")
    op.drop_table("contact_worth")
    op.drop_index("ix_sale_contact_id", table_name="sale")
    op.drop_table("sale")
    op.drop_table("worth_prices")
