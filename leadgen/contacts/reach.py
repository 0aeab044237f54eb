"""Which suppression stops which mail: one table, which the gates of the outbox are tested against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from leadgen.contacts.models import SuppressionReason


class Way(StrEnum):
    """Whether a mail of a purpose may go to an address that is suppressed for a reason."""

    OPEN = "open"
    BLOCKED = "blocked"
    WHEN_ASKED = "when_asked"  # only what was asked for by a form after the suppression


# The purposes are those of letters.models.MailPurpose, which lies on a floor above.
CONFIRMATION, SERVICE, MARKETING = "confirmation", "service", "marketing"
PURPOSES = (CONFIRMATION, SERVICE, MARKETING)
_ALL = dict.fromkeys(PURPOSES, Way.BLOCKED)
MATRIX: Mapping[SuppressionReason, Mapping[str, Way]] = {
    # Leaving the news is not leaving the contest.
    SuppressionReason.UNSUBSCRIBE: _ALL | {CONFIRMATION: Way.OPEN, SERVICE: Way.OPEN},
    # The mailbox may exist by now; whoever fills in the form again says so.
    SuppressionReason.HARD_BOUNCE: _ALL | {CONFIRMATION: Way.WHEN_ASKED},
    # Nothing that a form or a link can do lifts these three.
    SuppressionReason.COMPLAINT: _ALL,
    SuppressionReason.REFUSED: _ALL,
    SuppressionReason.MANUAL: _ALL,
}
# What staff may take back. A person's own no is theirs alone, and a mailbox that does not exist proves itself.
LIFTED_BY_STAFF = frozenset({SuppressionReason.MANUAL})


def stopped_by(purpose: str, reasons: Iterable[SuppressionReason]) -> tuple[Way, list[SuppressionReason]]:
    """The narrowest way that these suppressions leave to mails of `purpose`, and those that narrow it."""
    found = [reason for reason in reasons if MATRIX[reason][purpose] is not Way.OPEN]
    if any(MATRIX[reason][purpose] is Way.BLOCKED for reason in found):
        return Way.BLOCKED, found
    return (Way.WHEN_ASKED, found) if found else (Way.OPEN, [])
