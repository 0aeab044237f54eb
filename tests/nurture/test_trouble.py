"""What goes wrong while letters of sequences leave: nothing is lost, and nobody else waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from leadgen.core.db import db
from leadgen.mail import jobs as mail
from leadgen.mail import outbox
from leadgen.mail.reasons import reason_in_words
from leadgen.nurture import jobs
from tests.conftest import Clock
from tests.nurture.conftest import Inside, messages

Put = Callable[..., Inside]


def _states() -> list[tuple[str, str]]:
    return [(message.status.value, message.reason) for message in messages()]


def test_a_failing_last_check_puts_the_letters_back(
    inside: Put, mailbox: Callable[[], list[Any]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that runs out would have them given up."""
    inside()
    inside()
    jobs.plan()
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "closed", lambda *_: db.session.execute(text("SELECT 1 / 0")))
        mail.pump_mail()

    assert _states() == [("scheduled", "not_checked")] * 2
    assert {(message.attempts, message.sent_at) for message in messages()} == {(0, None)}
    assert reason_in_words("not_checked") != "not_checked"
    clock.forward(minutes=1)
    mail.pump_mail()
    assert len(mailbox()) == 2
