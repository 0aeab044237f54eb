"""What the mail room knows of a person and loses when they are erased; that a mail was sent, and when, stays."""

from __future__ import annotations

from sqlalchemy import text

from leadgen.core.db import db

# Mail servers write addresses into their reasons. Events that wait to be applied keep what says whose they are.
_EVENTS = text("""
UPDATE provider_event SET payload = payload - ARRAY['email', 'ip', 'useragent', 'url', 'smtp-id', 'reason', 'response']
WHERE applied_at IS NOT NULL AND opaque_id IN (SELECT opaque_id FROM message WHERE contact_id = :contact)
""")
_CLICKS = text("""
UPDATE click SET evidence = evidence - 'network'
WHERE message_id IN (SELECT id FROM message WHERE contact_id = :contact)
""")


def forget(contact_id: int) -> None:
    """Take what could lead to the person out of events and clicks. The caller erases the contact and commits."""
    for statement in (_EVENTS, _CLICKS):
        db.session.execute(statement, {"contact": contact_id})
