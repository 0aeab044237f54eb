"""Jobs of the entries room: each looks for work, does it and commits; each may run twice."""

from __future__ import annotations

import time

from leadgen.entries import auditing, domains, points, referrals, upkeep

_FOLD_SECONDS = 2.0
_FOLD_PAUSE = 0.15


def fold_points() -> None:
    """Fold until nothing is left, or two seconds passed; between folds lines are left to gather."""
    until = time.monotonic() + _FOLD_SECONDS
    while points.fold() and time.monotonic() < until:
        time.sleep(_FOLD_PAUSE)


def remind() -> None:
    """Remind people who have not confirmed yet, once."""
    upkeep.remind()


def purge() -> None:
    """End overdue entries and forget who never confirmed."""
    upkeep.purge()


def audit_points() -> None:
    """Reckon everything anew from the ledger; a difference is logged as an error."""
    auditing.audit()


def check_domain(*entry_ids: int) -> None:
    """Ask whether anybody takes mail at the domain of these entries."""
    domains.look_at(entry_ids)


def settle_referrals() -> None:
    """Judge the referrals whose time has come."""
    referrals.settle()
