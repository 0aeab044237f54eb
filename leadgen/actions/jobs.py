"""Jobs of the actions room; each may run twice."""

from __future__ import annotations

from leadgen.actions import audit


def audit_deeds() -> None:
    """Compare deeds with the ledger; a difference is logged as an error."""
    audit.audit()
