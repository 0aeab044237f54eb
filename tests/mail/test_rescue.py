"""By hand: failed and lost mails are sent again, what should not go is cancelled; only along the arrows (I16)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.letters.models import Lane
from leadgen.mail import reasons, rescue
from leadgen.mail.models import Message, MessageMove, MessageStatus
from tests.conftest import Clock
from tests.factories import fresh
from tests.mail.conftest import claimed, confirmation, nurture, state


def stand(message: Message, status: str, reason: str = "") -> Message:
    message.status, message.reason, message.attempts = MessageStatus(status), reason, 2
    db.session.commit()
    return message


def test_a_failed_mail_goes_once_more_and_keeps_its_attempts(campaign: Campaign) -> None:
    message = stand(nurture(campaign), "failed", "content")
    assert rescue.retry(message.id, "Ada")
    db.session.commit()
    assert state(message) == ("scheduled", "by_hand:Ada")
    assert fresh(message).attempts == 2
    assert not rescue.retry(message.id, "Ada")  # pressed twice
    db.session.commit()
    assert claimed(Lane.NURTURE) == [message.id]
    assert fresh(message).attempts == 3


def test_who_did_it_is_written_down(campaign: Campaign) -> None:
    message = stand(nurture(campaign), "failed", "content")
    rescue.retry(message.id, "Ada")
    db.session.commit()
    move = db.session.scalars(select(MessageMove).where(MessageMove.message_id == message.id)).one()
    assert move.reason == "by_hand:Ada"
    assert reasons.reason_in_words(move.reason) == "Ada did it by hand"


def test_an_old_mail_gets_a_day_to_leave(campaign: Campaign, noon: Clock) -> None:
    message = stand(nurture(campaign), "failed", "content")
    noon.forward(days=4)
    rescue.retry(message.id, "Ada")
    db.session.commit()
    assert fresh(message).expires_at > product_clock.now()
    assert claimed(Lane.NURTURE) == [message.id]


@pytest.mark.parametrize(("status", "reason"), [("uncertain", "timeout"), ("failed", "no_answer")])
def test_a_lost_answer_needs_the_word_that_it_may_arrive_twice(campaign: Campaign, status: str, reason: str) -> None:
    message = stand(nurture(campaign), status, reason)
    with pytest.raises(Conflict, match="twice"):
        rescue.retry(message.id, "Ada")
    assert state(message) == (status, reason)
    assert rescue.retry(message.id, "Ada", may_double=True)
    db.session.commit()
    assert state(message)[0] == "scheduled"


@pytest.mark.parametrize(
    "status", ["accepted", "delivered", "bounced", "sending", "suppressed", "skipped", "expired", "cancelled"]
)
def test_what_stands_elsewhere_stays(campaign: Campaign, status: str) -> None:
    message = stand(nurture(campaign), status)
    assert not rescue.retry(message.id, "Ada", may_double=True)
    assert not rescue.cancel(message.id, "Ada")
    assert state(message) == (status, "")


@pytest.mark.parametrize("status", ["scheduled", "uncertain", "failed"])
def test_what_has_not_arrived_can_be_cancelled(campaign: Campaign, status: str) -> None:
    message = stand(confirmation(campaign), status)
    assert rescue.cancel(message.id, "Ada")
    assert not rescue.cancel(message.id, "Ada")
    db.session.commit()
    assert state(message) == ("cancelled", "by_hand:Ada")
    assert claimed(Lane.CONFIRMATION) == []


def test_the_gates_judge_a_second_try_too(campaign: Campaign) -> None:
    """Rule 6: who withdrew meanwhile gets nothing, however often somebody presses."""
    message = stand(nurture(campaign), "failed", "content")
    contact = db.session.get_one(Message, message.id).contact_id
    db.session.execute(db.text("UPDATE contact SET marketing_at = NULL WHERE id = :id"), {"id": contact})
    rescue.retry(message.id, "Ada")
    db.session.commit()
    assert claimed(Lane.NURTURE) == []
    assert state(message) == ("skipped", "no_consent")


def test_all_of_a_reason_at_once_and_no_other(campaign: Campaign) -> None:
    messages = [stand(nurture(campaign), "failed", f"cannot_render: KeyError {number}") for number in range(3)]
    for message in messages[1:]:
        message.stream_id = messages[0].stream_id
    other = stand(nurture(campaign), "failed", "too_large")
    stream_id = messages[0].stream_id
    db.session.commit()
    assert rescue.retry_all(campaign.id, stream_id, "cannot_render", "Ada") == 3
    assert rescue.retry_all(campaign.id, stream_id, "cannot_render", "Ada") == 0
    db.session.commit()
    assert [state(message)[0] for message in messages] == ["scheduled"] * 3
    assert state(other)[0] == "failed"
    assert rescue.cancel_all(campaign.id, other.stream_id, "too_large", "Ada") == 1


def test_all_of_a_lost_answer_needs_the_word_too(campaign: Campaign) -> None:
    message = stand(nurture(campaign), "failed", "no_answer")
    assert rescue.retry_all(campaign.id, message.stream_id, "no_answer", "Ada") == 0
    assert rescue.retry_all(campaign.id, message.stream_id, "no_answer", "Ada", may_double=True) == 1


def test_one_press_moves_a_bounded_number(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "MOST", 2)
    message = stand(nurture(campaign), "failed", "content")
    for _more in range(2):
        stand(nurture(campaign), "failed", "content").stream_id = message.stream_id
    db.session.commit()
    assert rescue.retry_all(campaign.id, message.stream_id, "content", "Ada") == 2
    assert rescue.retry_all(campaign.id, message.stream_id, "content", "Ada") == 1


def test_an_unknown_mail_is_absent(context: None) -> None:
    for deed in (rescue.retry, rescue.cancel):
        with pytest.raises(NotFound):
            deed(4_711, "Ada")
