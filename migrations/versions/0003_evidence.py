"""Evidence of consent that nobody changes: triggers on it and on its seals; the act of letting a deadline pass."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ACTIONS = "'given', 'refused', 'confirmed', 'withdrawn'"


def upgrade() -> None:
    _allow_actions(f"{_ACTIONS}, 'expired'")
    # What a step back (below) had to rename.
    op.execute("UPDATE consent SET action = 'expired' WHERE action = 'refused' AND channel = 'deadline'")
    # The list is leadgen.contacts.evidence.PERSONAL; a test compares them.
    op.execute(
        """
        CREATE FUNCTION guard_consent() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('leadgen.erasing', true) = 'on'
               AND to_jsonb(NEW) - 'evidence' = to_jsonb(OLD) - 'evidence'
               AND NEW.evidence = OLD.evidence - ARRAY['ip', 'user_agent', 'page', 'email', 'source', 'note']
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'consent is append-only: an erasure blanks what is personal, anything else is a new row';
        END $$
        """
    )
    op.execute("CREATE TRIGGER guard BEFORE UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION guard_consent()")
    op.execute("CREATE TRIGGER no_truncate BEFORE TRUNCATE ON consent EXECUTE FUNCTION refuse_change()")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_seal "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("CREATE TRIGGER no_truncate BEFORE TRUNCATE ON consent_seal EXECUTE FUNCTION refuse_change()")


def _allow_actions(actions: str) -> None:
    op.execute("ALTER TABLE consent DROP CONSTRAINT ck_consent_consentaction")
    op.execute(f"ALTER TABLE consent ADD CONSTRAINT ck_consent_consentaction CHECK (action IN ({actions}))")


def downgrade() -> None:
    op.execute("DROP TRIGGER no_truncate ON consent_seal")
    op.execute("DROP TRIGGER append_only ON consent_seal")
    op.execute("DROP TRIGGER no_truncate ON consent")
    op.execute("DROP TRIGGER guard ON consent")
    op.execute("DROP FUNCTION guard_consent()")
    # The release before does not know the word; the channel keeps what it was.
    op.execute("UPDATE consent SET action = 'refused' WHERE action = 'expired'")
    _allow_actions(_ACTIONS)
