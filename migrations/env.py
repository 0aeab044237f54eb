"""Alembic's environment: one database, one metadata, the URL handed in or read from config.py."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

import config as product_config
import leadgen.accounts.models
import leadgen.actions.models
import leadgen.broadcasts.models
import leadgen.campaigns.models
import leadgen.contacts.models
import leadgen.entries.models
import leadgen.forms.models
import leadgen.fraud.models
import leadgen.gallery.models
import leadgen.journal.models
import leadgen.letters.models
import leadgen.mail.models
import leadgen.nurture.models
import leadgen.outcomes.models
import leadgen.pictures.models
import leadgen.rewards.models
import leadgen.scores.models
import leadgen.segments.models
import leadgen.visits.models
import leadgen.worth.models  # noqa: F401 - importing the models fills the metadata
from leadgen.core.db import db

# A migration that cannot get its lock gives up instead of standing in front of every visitor.
LOCK_TIMEOUT = "4s"

url = context.config.attributes.get("url") or product_config.load().database_url
engine = create_engine(url)
with engine.connect() as connection:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=db.metadata, compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
