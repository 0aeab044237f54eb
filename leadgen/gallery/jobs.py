"""Jobs of the gallery: votes counted anew each night."""

from __future__ import annotations

from leadgen.core.db import db
from leadgen.gallery import votes


def audit_votes() -> None:
    """Compare the number of each work with its votes, and mend it."""
    votes.audit()
    db.session.commit()
