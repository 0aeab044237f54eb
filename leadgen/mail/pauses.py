"""When nobody calls the provider: its own pauses, growing ones after trouble, one probe afterwards, and who is told.

All of it are short notes in Redis, read by every worker. Without Redis each process keeps its own: then a provider in
trouble gets one probe for each process, never a storm.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime

from leadgen.core import clock, notes
from leadgen.mail.providers.interface import Answer

log = logging.getLogger(__name__)
PAUSED = "mail-provider"
_TROUBLES, _PROBE, _NOTICE = "mail-provider-troubles", "mail-provider-probe", "mail-provider-notice"
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 300.0
_FORGIVEN = 3  # so many troubles in a row before the pauses grow; as many lost answers before there is one
_REMEMBERED_SECONDS = 3600.0
_PROBE_SECONDS = 60.0
_NOTICE_SECONDS = 30 * 86400.0
# Pauses that end only when the operator does something.
_OPERATORS = frozenset({"sender_refused", "not_encrypted", "not_trusted"})


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operator has to know: the code of the reason (mail.reasons), and since when mail stands still."""

    code: str
    since: datetime


def current() -> notes.Note | None:
    """Why no process should call the provider now, or None."""
    return notes.read(PAUSED)


def operator_notice() -> Notice | None:
    """Why no mail leaves until somebody changes a setting; None when all is well."""
    found = notes.read(_NOTICE)
    code, _space, since = found.text.partition(" ") if found else ("", "", "")
    return Notice(code, datetime.fromtimestamp(float(since), UTC)) if code else None


def is_in_trouble() -> bool:
    """Whether the last call went wrong, so that one mail should go first as a probe."""
    return notes.read(_TROUBLES) is not None or notes.read(_NOTICE) is not None


def may_probe() -> bool:
    """Be the one process that tries the provider again; all others go on waiting."""
    return notes.claim(_PROBE, _PROBE_SECONDS)


def after(answer: Answer, *, was_in_trouble: bool) -> float:
    """Remember what an answer says about the provider; answers for how many seconds everybody pauses now."""
    seconds, reason = answer.pause_seconds, answer.pause_reason
    if answer.is_trouble:
        seconds = max(seconds, _growing(seconds))
        reason = reason or "provider_away"
    if reason in _OPERATORS:
        _tell_operator(reason)
    elif was_in_trouble and not seconds and not answer.is_trouble and _was_answered(answer):
        _all_is_well()
    if seconds:
        log.warning("the mail provider pauses for %.0f s: %s", seconds, reason)
        notes.leave(PAUSED, reason, seconds)
    if was_in_trouble:
        notes.drop(_PROBE)
    return seconds


def _was_answered(answer: Answer) -> bool:
    """Whether the provider itself said something: a mail that was never handed over proves nothing."""
    return any(not one.reason.startswith(("out_of_time", "cannot_render")) for one in answer.outcomes)


def _growing(asked: float) -> float:
    """Five seconds, doubled with each trouble after the third in a row, five minutes at most, and never quite alike."""
    before = notes.read(_TROUBLES)
    troubles = 1 + (int(before.text) if before else 0)
    notes.leave(_TROUBLES, str(troubles), _REMEMBERED_SECONDS)
    if not asked and troubles < _FORGIVEN:
        return 0.0
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** max(0, troubles - _FORGIVEN))
    return seconds * random.uniform(1.0, 1.25)  # noqa: S311 - spreads load, guards nothing


def _tell_operator(code: str) -> None:
    """Once for each reason: the log has one line, the pages a banner, until a call works again."""
    known = notes.read(_NOTICE)
    if known is None or known.text.partition(" ")[0] != code:
        log.error("no mail leaves: %s. Look at the settings of MAIL_PROVIDER; it is tried again every minute.", code)
        notes.leave(_NOTICE, f"{code} {clock.now().timestamp():.0f}", _NOTICE_SECONDS)


def _all_is_well() -> None:
    for name in (_TROUBLES, _NOTICE):
        notes.drop(name)
    log.warning("the mail provider works again")
