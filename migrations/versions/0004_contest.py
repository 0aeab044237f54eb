"""The viral engine: referral states, actions, milestones and codes, visits, evidence of fraud, works and votes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KINDS = "'entry', 'referral', 'answer', 'reversal'"
_NEW_KINDS = "'indirect', 'quality', 'visit', 'action', 'manual'"
_PERSONAL = "'ip', 'user_agent', 'page', 'email', 'source', 'note'"

_TREE_INDEXES = {
    "ix_entry_referrer_id": ["referrer_id", "id"],
    "ix_entry_ref2_id": ["ref2_id", "referrer_id"],
    "ix_entry_ref3_id": ["ref3_id"],
}


# What rewards.stock asks of a tier, and which row counts for what.
_COUNTED = {
    "coupon": {"free": "status = 'free'", "loaded": "status <> 'void'"},
    "award": {
        "taken": "state IN ('earned', 'approved', 'delivered', 'review')",
        "waiting": "state IN ('earned', 'approved')",
        "reserve": "state = 'reserve'",
    },
}


def _keep_counts(table: str, numbers: dict[str, str]) -> None:
    """Triggers of a table, once for each statement, that keep its numbers in stock_count."""
    names = ", ".join(numbers)
    sums = ", ".join(f"sum({name}) AS {name}" for name in numbers)
    more = ", ".join(f"{name} = c.{name} + d.{name}" for name in numbers)
    moved = " OR ".join(f"sum({name}) <> 0" for name in numbers)
    news = ", ".join(f"({rule})::int" for rule in numbers.values())
    olds = ", ".join(f"-({rule})::int" for rule in numbers.values())
    update = f"""
        UPDATE stock_count c SET {more}
        FROM (SELECT milestone_id, {sums} FROM (%s) AS r (milestone_id, {names}) GROUP BY 1 HAVING {moved}) AS d
        WHERE c.milestone_id = d.milestone_id
    """  # noqa: S608 - put in are only constants of this file
    made = """
        INSERT INTO stock_count (milestone_id) SELECT DISTINCT milestone_id FROM new_rows ORDER BY 1
        ON CONFLICT DO NOTHING
    """
    none = ", ".join(f"{name} = 0" for name in numbers)
    added = f"SELECT milestone_id, {news} FROM new_rows"  # noqa: S608 - as above
    gone = f"SELECT milestone_id, {olds} FROM old_rows"  # noqa: S608 - as above
    op.execute(
        f"""
        CREATE FUNCTION count_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                {made};
                {update % added};
            ELSIF TG_OP = 'UPDATE' THEN
                {made};
                {update % f"{added} UNION ALL {gone}"};
            ELSIF TG_OP = 'DELETE' THEN
                {update % gone};
            ELSE
                UPDATE stock_count SET {none};
            END IF;
            RETURN NULL;
        END $$
        """  # noqa: S608 - as above
    )
    for verb, rows in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("DELETE", "OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER count_{verb.lower()} AFTER {verb} ON {table} REFERENCING {rows} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION count_{table}()"
        )
    op.execute(f"CREATE TRIGGER count_truncate AFTER TRUNCATE ON {table} EXECUTE FUNCTION count_{table}()")


def _allow_roles(roles: str) -> None:
    op.execute("ALTER TABLE membership DROP CONSTRAINT ck_membership_memberrole")
    op.execute(f"ALTER TABLE membership ADD CONSTRAINT ck_membership_memberrole CHECK (role IN ({roles}))")


def upgrade() -> None:
    _allow_roles("'owner', 'admin', 'fulfilment'")
    op.create_table(
        "picture",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_brands", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("public_id", name=op.f("uq_picture_public_id")),
    )
    op.create_table(
        "ruling",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "deed",
            sa.Enum(
                "none",
                "accepted",
                "held",
                "rejected",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("entry_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruling")),
    )
    op.create_index("ix_ruling_campaign_id", "ruling", ["campaign_id", "id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "candidate",
                "human",
                "preview",
                "scanner",
                "prefetch",
                "self",
                "duplicate",
                name="visitkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("visitor", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_unpaid", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("nonce", name=op.f("uq_visit_nonce")),
    )
    op.create_index("ix_visit_campaign_id", "visit", ["campaign_id", "at"], unique=False)
    op.create_index("ix_visit_entry_id", "visit", ["entry_id", "visitor", "at"], unique=False)
    op.create_index("ix_visit_unpaid", "visit", ["id"], unique=False, postgresql_where=sa.text("is_unpaid"))
    op.create_table(
        "visit_tally",
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "candidate",
                "human",
                "preview",
                "scanner",
                "prefetch",
                "self",
                "duplicate",
                name="visitkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "kind", "channel", name=op.f("pk_visit_tally")),
    )
    op.create_table(
        "safe",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("brand_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_safe_brand_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safe")),
        sa.UniqueConstraint("brand_id", "kind", "value", name=op.f("uq_safe_brand_id_kind_value")),
    )
    op.create_table(
        "action",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "share",
                "visit",
                "video",
                "quiz",
                "code",
                "daily",
                "follow",
                "upload",
                "custom",
                "external",
                name="actionkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("chances", sa.Integer(), nullable=False),
        sa.Column(
            "proof",
            sa.Enum(
                "verified", "declared", "external", name="proof", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "repeat",
            sa.Enum(
                "once",
                "daily",
                "weekly",
                "unlimited",
                name="repeat",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="once",
            nullable=False,
        ),
        sa.Column("most_times", sa.Integer(), nullable=True),
        sa.Column("needs_others", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_mandatory", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_action_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
        sa.UniqueConstraint("campaign_id", "key", name=op.f("uq_action_campaign_id_key")),
    )
    op.create_table(
        "external_key",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_external_key_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_external_key")),
    )
    op.create_table(
        "appeal",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_appeal_entry_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_appeal")),
    )
    op.create_index(op.f("ix_appeal_campaign_id"), "appeal", ["campaign_id"], unique=False)
    op.create_table(
        "code_tries",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("wrong", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_code_tries_entry_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_code_tries")),
    )
    op.create_table(
        "deed",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("occurrence", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "begun",
                "waiting",
                "done",
                "refused",
                name="deedstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="done",
            nullable=False,
        ),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_deed_action_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_deed_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deed")),
        sa.UniqueConstraint("entry_id", "action_id", "occurrence", name=op.f("uq_deed_entry_id_action_id_occurrence")),
    )
    op.create_index(
        "ix_deed_waiting", "deed", ["action_id", "id"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "milestone",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "metric",
            sa.Enum("friends", "points", "entry", name="metric", native_enum=False, create_constraint=True, length=32),
            server_default="friends",
            nullable=False,
        ),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("picture", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), server_default="EUR", nullable=False),
        sa.Column("prize_id", sa.BigInteger(), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column(
            "delivery",
            sa.Enum(
                "code", "file", "manual", "api", name="delivery", native_enum=False, create_constraint=True, length=32
            ),
            server_default="manual",
            nullable=False,
        ),
        sa.Column(
            "approval",
            sa.Enum("auto", "semi", "manual", name="approval", native_enum=False, create_constraint=True, length=32),
            server_default="semi",
            nullable=False,
        ),
        sa.Column("claim_days", sa.Integer(), nullable=True),
        sa.Column("is_only_highest", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("file_url", sa.Text(), server_default="", nullable=False),
        sa.Column("is_address_asked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("codes_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_milestone_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["prize_id"], ["prize.id"], name=op.f("fk_milestone_prize_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
        sa.UniqueConstraint("prize_id", name=op.f("uq_milestone_prize_id")),
    )
    op.create_index(op.f("ix_milestone_campaign_id"), "milestone", ["campaign_id"], unique=False)
    op.create_table(
        "secret_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("most_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"], ["action.id"], name=op.f("fk_secret_code_action_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_code")),
        sa.UniqueConstraint("action_id", "code", name=op.f("uq_secret_code_action_id_code")),
    )
    op.create_table(
        "sighting",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("network", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("network_kind", sa.Text(), server_default="isp", nullable=False),
        sa.Column("device", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("form_seconds", sa.Double(), nullable=False),
        sa.Column("has_script", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_trapped", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("timezone", sa.Text(), server_default="", nullable=False),
        sa.Column("landing_host", sa.Text(), server_default="", nullable=False),
        sa.Column("returns", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_sighting_entry_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_sighting")),
    )
    op.create_index(
        "ix_sighting_device",
        "sighting",
        ["campaign_id", "device"],
        unique=False,
        postgresql_where=sa.text("device <> ''"),
    )
    op.create_index("ix_sighting_network", "sighting", ["campaign_id", "network"], unique=False)
    op.create_table(
        "look",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("entry", "contest", "bands", name="lookkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_look_campaign_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look")),
    )
    op.create_index("ix_look_campaign_id", "look", ["campaign_id"], unique=False)
    op.create_table(
        "signal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("weights_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_signal_entry_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
        sa.UniqueConstraint("entry_id", "code", name=op.f("uq_signal_entry_id_code")),
    )
    op.create_index("ix_signal_campaign_id", "signal", ["campaign_id", "code"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "none",
                "accepted",
                "held",
                "rejected",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="none",
            nullable=False,
        ),
        sa.Column("decided_codes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_verdict_entry_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_verdict")),
    )
    op.create_index("ix_verdict_campaign_id", "verdict", ["campaign_id", "score"], unique=False)
    op.create_table(
        "work",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "published",
                "refused",
                "withdrawn",
                name="workstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="waiting",
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("rights", sa.Text(), server_default="", nullable=False),
        sa.Column("network", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.Column("votes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_work_action_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_work_campaign_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_work_entry_id")),
        sa.ForeignKeyConstraint(["picture_id"], ["picture.id"], name=op.f("fk_work_picture_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("public_id", name=op.f("uq_work_public_id")),
    )
    op.create_index("ix_work_campaign_id", "work", ["campaign_id", "state", "id"], unique=False)
    op.create_index("ix_work_entry_id", "work", ["entry_id"], unique=False)
    op.create_table(
        "award",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("milestone_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "earned",
                "reserve",
                "approved",
                "delivered",
                "review",
                "refused",
                "reclaimed",
                "expired",
                name="awardstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="earned",
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_award_entry_id")),
        sa.ForeignKeyConstraint(["milestone_id"], ["milestone.id"], name=op.f("fk_award_milestone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
        sa.UniqueConstraint("entry_id", "milestone_id", name=op.f("uq_award_entry_id_milestone_id")),
    )
    op.create_table(
        "points_moved",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_points_moved")),
    )
    op.create_index(
        "ix_award_claim_until", "award", ["claim_until"], unique=False, postgresql_where=sa.text("state = 'approved'")
    )
    op.create_index("ix_award_milestone_id", "award", ["milestone_id", "state", "id"], unique=False)
    op.create_table(
        "award_address",
        sa.Column("award_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_award_address_award_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("award_id", name=op.f("pk_award_address")),
    )
    op.create_table(
        "code_file",
        sa.Column("milestone_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("preview", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["milestone_id"], ["milestone.id"], name=op.f("fk_code_file_milestone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("milestone_id", name=op.f("pk_code_file")),
    )
    op.create_table(
        "coupon",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("milestone_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "free",
                "assigned",
                "used",
                "void",
                name="couponstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="free",
            nullable=False,
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_coupon_entry_id")),
        sa.ForeignKeyConstraint(
            ["milestone_id"], ["milestone.id"], name=op.f("fk_coupon_milestone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("milestone_id", "code", name=op.f("uq_coupon_milestone_id_code")),
    )
    op.create_index(
        "ix_coupon_free", "coupon", ["milestone_id", "id"], unique=False, postgresql_where=sa.text("status = 'free'")
    )
    op.create_index(
        "uq_coupon_milestone_id_entry_id",
        "coupon",
        ["milestone_id", "entry_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('assigned', 'used')"),
    )
    op.create_table(
        "stock_count",
        sa.Column("milestone_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("free", "loaded", "taken", "waiting", "reserve")
        ),
        sa.ForeignKeyConstraint(
            ["milestone_id"], ["milestone.id"], name=op.f("fk_stock_count_milestone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("milestone_id", name=op.f("pk_stock_count")),
    )
    for table, numbers in _COUNTED.items():
        _keep_counts(table, numbers)
    op.create_table(
        "vote",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("work_id", sa.BigInteger(), nullable=False),
        sa.Column("voter", sa.LargeBinary(), nullable=False),
        sa.Column("network", sa.LargeBinary(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_counted", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("doubt", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["work_id"], ["work.id"], name=op.f("fk_vote_work_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sa.UniqueConstraint("work_id", "voter", "day", name=op.f("uq_vote_work_id_voter_day")),
    )
    op.create_index("ix_vote_campaign_id", "vote", ["campaign_id", "voter", "day"], unique=False)
    op.create_index("ix_vote_network", "vote", ["campaign_id", "network", "at"], unique=False)
    op.add_column(
        "campaign",
        sa.Column("mechanics", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{draw}'"), nullable=False),
    )
    op.add_column(
        "campaign",
        sa.Column(
            "touch_model",
            sa.Enum(
                "last_touch", "first_touch", name="touchmodel", native_enum=False, create_constraint=True, length=32
            ),
            server_default="last_touch",
            nullable=False,
        ),
    )
    op.add_column(
        "campaign",
        sa.Column("is_remembering_touch", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("campaign", sa.Column("hold_hours", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("cap_per_day", sa.Integer(), nullable=True))
    op.add_column("campaign", sa.Column("cap_total", sa.Integer(), nullable=True))
    op.add_column("campaign", sa.Column("indirect_points", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("profile_points", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("stay_points", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("stay_days", sa.Integer(), server_default=sa.text("14"), nullable=False))
    op.add_column("campaign", sa.Column("visit_points", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaign", sa.Column("declared_cap", sa.Integer(), server_default=sa.text("30"), nullable=False))
    op.add_column("campaign", sa.Column("is_board_shown", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("campaign", sa.Column("board_size", sa.Integer(), server_default=sa.text("10"), nullable=False))
    op.add_column("campaign", sa.Column("freeze_hours", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "campaign",
        sa.Column(
            "waitlist_order",
            sa.Enum(
                "by_referrals",
                "skip_n",
                "by_points",
                "by_signup",
                name="waitlistorder",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="by_referrals",
            nullable=False,
        ),
    )
    op.add_column("campaign", sa.Column("skip_places", sa.Integer(), server_default=sa.text("10"), nullable=False))
    op.add_column("campaign", sa.Column("waitlist_hide_above", sa.Integer(), nullable=True))
    op.add_column(
        "campaign",
        sa.Column(
            "fraud_preset",
            sa.Enum(
                "relaxed",
                "balanced",
                "strict",
                name="fraudpreset",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="balanced",
            nullable=False,
        ),
    )
    op.add_column(
        "campaign",
        sa.Column("shares", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "campaign",
        sa.Column("embed_origins", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("campaign", sa.Column("votes_start_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaign", sa.Column("votes_end_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaign", sa.Column("votes_a_day", sa.Integer(), server_default=sa.text("3"), nullable=False))
    op.add_column(
        "campaign", sa.Column("votes_need_entry", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "entry",
        sa.Column(
            "touch_model",
            sa.Enum(
                "last_touch", "first_touch", name="touchmodel", native_enum=False, create_constraint=True, length=32
            ),
            server_default="last_touch",
            nullable=False,
        ),
    )
    op.add_column("entry", sa.Column("first_touch_code", sa.Text(), server_default="", nullable=False))
    op.add_column("entry", sa.Column("last_touch_code", sa.Text(), server_default="", nullable=False))
    op.add_column("entry", sa.Column("landing_variant", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "entry",
        sa.Column(
            "referral_state",
            sa.Enum(
                "none",
                "awaiting",
                "on_hold",
                "counted",
                "not_counted",
                "reversed",
                name="referralstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="none",
            nullable=False,
        ),
    )
    op.add_column(
        "entry",
        sa.Column(
            "referral_reason",
            sa.Enum(
                "",
                "delay",
                "risk",
                "same_person",
                "disposable_email",
                "bounce",
                "unsubscribed_in_hold",
                "ineligible",
                "duplicate",
                "velocity",
                "manual",
                "expired",
                "over_cap",
                name="referralreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="",
            nullable=False,
        ),
    )
    op.add_column("entry", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("entry", sa.Column("risk", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "entry",
        sa.Column(
            "review",
            sa.Enum("clear", "held", "excluded", name="review", native_enum=False, create_constraint=True, length=32),
            server_default="clear",
            nullable=False,
        ),
    )
    op.add_column("entry", sa.Column("display_name", sa.Text(), server_default="", nullable=False))
    op.add_column("entry", sa.Column("is_on_board", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("entry", sa.Column("is_name_on_card", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("entry", sa.Column("rank_points", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("entry", sa.Column("declared_chances", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.drop_index(
        op.f("ix_entry_standing"), table_name="entry", postgresql_where="((status)::text = 'confirmed'::text)"
    )
    op.create_index(
        "ix_entry_standing",
        "entry",
        ["campaign_id", sa.literal_column("rank_points DESC"), "reached_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'confirmed' AND review = 'clear'"),
    )
    op.create_index(
        "ix_entry_reviewed",
        "entry",
        ["campaign_id", sa.literal_column("rank_points DESC"), "reached_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'confirmed' AND review <> 'clear'"),
    )
    # The trees of three generations: counted by these indexes alone, so they know the state and who stands between.
    for name, columns in _TREE_INDEXES.items():
        where = sa.text(f"{columns[0]} IS NOT NULL")
        op.drop_index(name, table_name="entry", postgresql_where=where)
        op.create_index(name, "entry", columns, unique=False, postgresql_include=["status"], postgresql_where=where)
    op.create_index(
        "ix_entry_checked",
        "entry",
        ["campaign_id", "referrer_id"],
        unique=False,
        postgresql_where=sa.text("referral_state = 'on_hold' AND referral_reason = 'risk'"),
    )
    op.create_index(
        "ix_entry_held_until", "entry", ["held_until"], unique=False, postgresql_where=sa.text("held_until IS NOT NULL")
    )
    op.add_column("ledger", sa.Column("action_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "ledger",
        sa.Column(
            "proof",
            sa.Enum(
                "verified", "declared", "external", name="proof", native_enum=False, create_constraint=True, length=32
            ),
            server_default="verified",
            nullable=False,
        ),
    )
    op.add_column("ledger", sa.Column("reverses_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_ledger_source_entry_id",
        "ledger",
        ["source_entry_id"],
        postgresql_where=sa.text("source_entry_id IS NOT NULL"),
    )
    op.create_index(
        "ix_ledger_reverses_id",
        "ledger",
        ["reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.add_column(
        "ledger_pending",
        sa.Column(
            "proof",
            sa.Enum(
                "verified", "declared", "external", name="proof", native_enum=False, create_constraint=True, length=32
            ),
            server_default="verified",
            nullable=False,
        ),
    )
    op.add_column("ledger_pending", sa.Column("friends", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "prize",
        sa.Column(
            "mechanic",
            sa.Enum(
                "draw",
                "rank",
                "milestones",
                "waitlist",
                "codes",
                "quiz",
                "votes",
                name="mechanic",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default="draw",
            nullable=False,
        ),
    )
    _allow_kinds(f"{_KINDS}, {_NEW_KINDS}")
    _guard_consent(f"{_PERSONAL}, 'device'")
    # What stood before: who brought whom had no state of its own, and nothing was declared.
    op.execute(
        """
        UPDATE entry SET rank_points = points,
            referral_state = CASE WHEN referrer_id IS NULL THEN 'none'
                                  WHEN EXISTS (SELECT 1 FROM ledger l WHERE l.source_entry_id = entry.id) THEN 'counted'
                                  WHEN status = 'pending' THEN 'awaiting' ELSE 'not_counted' END,
            referral_reason = CASE WHEN referrer_id IS NULL OR status IN ('pending', 'confirmed') THEN ''
                                   WHEN status = 'bounced' THEN 'bounce' ELSE 'expired' END
        """
    )
    op.execute("UPDATE ledger_pending SET friends = 1 WHERE kind = 'referral'")
    op.execute("DELETE FROM points_bucket")
    op.add_column("points_bucket", sa.Column("hour", sa.Integer(), nullable=False))
    op.drop_constraint("pk_points_bucket", "points_bucket")
    op.create_primary_key("pk_points_bucket", "points_bucket", ["campaign_id", "points", "hour"])
    op.execute(
        """
        INSERT INTO points_bucket (campaign_id, points, hour, entrants)
        SELECT campaign_id, rank_points, floor(extract(epoch FROM reached_at) / 3600), count(*) FROM entry e
        WHERE status = 'confirmed'
          AND NOT EXISTS (SELECT 1 FROM ledger_pending p WHERE p.entry_id = e.id AND p.kind = 'entry')
        GROUP BY 1, 2, 3
        """
    )


def _allow_kinds(kinds: str) -> None:
    for table in ("ledger", "ledger_pending"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_ledgerkind")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_ledgerkind CHECK (kind IN ({kinds}))")


def _guard_consent(personal: str) -> None:
    """What an erasure blanks; the list is leadgen.contacts.evidence.PERSONAL, a test compares them."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION guard_consent() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('leadgen.erasing', true) = 'on'
               AND to_jsonb(NEW) - 'evidence' = to_jsonb(OLD) - 'evidence'
               AND NEW.evidence = OLD.evidence - ARRAY[{personal}]
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'consent is append-only: an erasure blanks what is personal, anything else is a new row';
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DELETE FROM membership WHERE role = 'fulfilment'")  # the release before would let them in everywhere
    _allow_roles("'owner', 'admin'")
    _guard_consent(_PERSONAL)
    # Kinds that the release before did not know become its nearest: points for a deed of one's own.
    op.execute("ALTER TABLE ledger DISABLE TRIGGER USER")
    for table in ("ledger", "ledger_pending"):
        op.execute(f"UPDATE {table} SET kind = 'answer' WHERE kind IN ({_NEW_KINDS})")  # noqa: S608 - constants
    op.execute("ALTER TABLE ledger ENABLE TRIGGER USER")
    _allow_kinds(_KINDS)
    op.execute(
        """
        CREATE TEMPORARY TABLE merged AS
        SELECT campaign_id, points, sum(entrants) AS entrants FROM points_bucket GROUP BY 1, 2
        """
    )
    op.execute("DELETE FROM points_bucket")
    op.drop_constraint("pk_points_bucket", "points_bucket")
    op.drop_column("points_bucket", "hour")
    op.create_primary_key("pk_points_bucket", "points_bucket", ["campaign_id", "points"])
    op.execute("INSERT INTO points_bucket (campaign_id, points, entrants) SELECT * FROM merged")
    op.execute("DROP TABLE merged")
    op.drop_column("prize", "mechanic")
    op.drop_column("ledger_pending", "friends")
    op.drop_column("ledger_pending", "proof")
    op.drop_index("ix_ledger_source_entry_id", table_name="ledger")
    op.drop_index("ix_ledger_reverses_id", table_name="ledger", postgresql_where=sa.text("reverses_id IS NOT NULL"))
    op.drop_column("ledger", "reverses_id")
    op.drop_column("ledger", "proof")
    op.drop_column("ledger", "action_id")
    for name, columns in _TREE_INDEXES.items():
        where = sa.text(f"{columns[0]} IS NOT NULL")
        op.drop_index(name, table_name="entry", postgresql_where=where)
        before = columns if name == "ix_entry_referrer_id" else columns[:1]
        op.create_index(name, "entry", before, unique=False, postgresql_where=where)
    op.drop_index(
        "ix_entry_checked",
        table_name="entry",
        postgresql_where=sa.text("referral_state = 'on_hold' AND referral_reason = 'risk'"),
    )
    op.drop_index("ix_entry_held_until", table_name="entry", postgresql_where=sa.text("held_until IS NOT NULL"))
    op.drop_index(
        "ix_entry_reviewed", table_name="entry", postgresql_where=sa.text("status = 'confirmed' AND review <> 'clear'")
    )
    op.drop_index(
        "ix_entry_standing", table_name="entry", postgresql_where=sa.text("status = 'confirmed' AND review = 'clear'")
    )
    op.create_index(
        op.f("ix_entry_standing"),
        "entry",
        ["campaign_id", "points", "reached_at"],
        unique=False,
        postgresql_where="((status)::text = 'confirmed'::text)",
    )
    op.drop_column("entry", "declared_chances")
    op.drop_column("entry", "rank_points")
    op.drop_column("entry", "is_name_on_card")
    op.drop_column("entry", "is_on_board")
    op.drop_column("entry", "display_name")
    op.drop_column("entry", "review")
    op.drop_column("entry", "risk")
    op.drop_column("entry", "held_until")
    op.drop_column("entry", "referral_reason")
    op.drop_column("entry", "referral_state")
    op.drop_column("entry", "landing_variant")
    op.drop_column("entry", "last_touch_code")
    op.drop_column("entry", "first_touch_code")
    op.drop_column("entry", "touch_model")
    op.drop_column("campaign", "votes_need_entry")
    op.drop_column("campaign", "votes_a_day")
    op.drop_column("campaign", "votes_end_at")
    op.drop_column("campaign", "votes_start_at")
    op.drop_column("campaign", "embed_origins")
    op.drop_column("campaign", "shares")
    op.drop_column("campaign", "fraud_preset")
    op.drop_column("campaign", "waitlist_hide_above")
    op.drop_column("campaign", "skip_places")
    op.drop_column("campaign", "waitlist_order")
    op.drop_column("campaign", "freeze_hours")
    op.drop_column("campaign", "board_size")
    op.drop_column("campaign", "is_board_shown")
    op.drop_column("campaign", "declared_cap")
    op.drop_column("campaign", "visit_points")
    op.drop_column("campaign", "stay_days")
    op.drop_column("campaign", "stay_points")
    op.drop_column("campaign", "profile_points")
    op.drop_column("campaign", "indirect_points")
    op.drop_column("campaign", "cap_total")
    op.drop_column("campaign", "cap_per_day")
    op.drop_column("campaign", "hold_hours")
    op.drop_column("campaign", "is_remembering_touch")
    op.drop_column("campaign", "touch_model")
    op.drop_column("campaign", "mechanics")
    op.drop_index("ix_vote_network", table_name="vote")
    op.drop_index("ix_vote_campaign_id", table_name="vote")
    op.drop_table("vote")
    op.drop_index(
        "uq_coupon_milestone_id_entry_id",
        table_name="coupon",
        postgresql_where=sa.text("status IN ('assigned', 'used')"),
    )
    op.drop_index("ix_coupon_free", table_name="coupon", postgresql_where=sa.text("status = 'free'"))
    op.drop_table("coupon")
    op.execute("DROP FUNCTION count_coupon()")
    op.drop_table("code_file")
    op.drop_table("award_address")
    op.drop_index("ix_award_milestone_id", table_name="award")
    op.drop_index("ix_award_claim_until", table_name="award", postgresql_where=sa.text("state = 'approved'"))
    op.drop_table("award")
    op.execute("DROP FUNCTION count_award()")
    op.drop_table("stock_count")
    op.drop_table("points_moved")
    op.drop_index("ix_work_entry_id", table_name="work")
    op.drop_index("ix_work_campaign_id", table_name="work")
    op.drop_table("work")
    op.drop_index("ix_verdict_campaign_id", table_name="verdict")
    op.drop_table("verdict")
    op.drop_index("ix_signal_campaign_id", table_name="signal")
    op.drop_table("signal")
    op.drop_index("ix_look_campaign_id", table_name="look")
    op.drop_table("look")
    op.drop_index("ix_sighting_network", table_name="sighting")
    op.drop_index("ix_sighting_device", table_name="sighting", postgresql_where=sa.text("device <> ''"))
    op.drop_table("sighting")
    op.drop_table("secret_code")
    op.drop_index(op.f("ix_milestone_campaign_id"), table_name="milestone")
    op.drop_table("milestone")
    op.drop_index("ix_deed_waiting", table_name="deed", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_table("deed")
    op.drop_table("code_tries")
    op.drop_index(op.f("ix_appeal_campaign_id"), table_name="appeal")
    op.drop_table("appeal")
    op.drop_table("external_key")
    op.drop_table("action")
    op.drop_table("safe")
    op.drop_table("visit_tally")
    op.drop_index("ix_visit_unpaid", table_name="visit", postgresql_where=sa.text("is_unpaid"))
    op.drop_index("ix_visit_entry_id", table_name="visit")
    op.drop_index("ix_visit_campaign_id", table_name="visit")
    op.drop_table("visit")
    op.drop_index("ix_ruling_campaign_id", table_name="ruling")
    op.drop_table("ruling")
    op.drop_table("picture")
