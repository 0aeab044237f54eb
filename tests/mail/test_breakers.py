"""Breakers: bounces over 5 %, complaints over 0.1 %, or 20 identical errors stop a stream and say why."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import insert, select, update

from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.journal.models import Fact
from leadgen.letters.models import Lane
from leadgen.mail import breakers, jobs, streams
from leadgen.mail.models import Message, Stream, StreamState
from tests.factories import fresh, make_entry, make_stream
from tests.mail.conftest import nurture

FINE = ("delivered", "")
BOUNCED = ("bounced", "hard")
COMPLAINED = ("delivered", "complaint")


@pytest.fixture
def stream(campaign: Campaign) -> Stream:
    """A stream with one mail that is still due."""
    return db.session.get_one(Stream, nurture(campaign).stream_id)


def send(stream: Stream, outcomes: Iterable[tuple[str, str]], *, locale: str = "en") -> None:
    """Mails of the stream with these states, in this order."""
    entry = make_entry(db.session.get_one(Campaign, stream.campaign_id), confirmed=True)
    now = clock.now()
    same = {
        "brand_id": stream.brand_id, "campaign_id": stream.campaign_id, "contact_id": entry.contact_id,
        "lane": Lane.NURTURE, "purpose": "marketing", "stream_id": stream.id, "domain_group": "other",
        "letter": "sequence", "locale": locale, "due_at": now, "expires_at": now, "created_at": now, "sent_at": now,
    }  # fmt: skip
    first = db.session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1)) or 0
    rows = [
        {**same, "intent": f"seq:{stream.id}:{first}:{number}", "status": status, "reason": reason}
        for number, (status, reason) in enumerate(outcomes)
    ]
    db.session.execute(insert(Message), rows)
    db.session.commit()


def judged(stream: Stream) -> str:
    breakers.judge()
    db.session.commit()
    found = fresh(stream)
    assert (found.state is StreamState.STOPPED) == bool(found.reason)
    return found.reason


@pytest.mark.parametrize(("bounces", "reason"), [(5, ""), (6, "bounces")])
def test_more_than_five_percent_of_hard_bounces_stop(stream: Stream, bounces: int, reason: str) -> None:
    send(stream, [BOUNCED] * bounces + [FINE] * (100 - bounces))
    assert judged(stream) == reason


def test_ninety_nine_mails_are_too_few_to_say(stream: Stream) -> None:
    send(stream, [BOUNCED] * 9 + [FINE] * 90)
    assert judged(stream) == ""


def test_a_blocked_mail_is_no_hard_bounce(stream: Stream) -> None:
    send(stream, [("bounced", "blocked")] * 20 + [FINE] * 80)
    assert judged(stream) == ""


def test_an_address_that_is_refused_at_once_is_one(stream: Stream) -> None:
    """SMTP says so in its answer; no receipt comes."""
    send(stream, [("failed", "address"), *[("accepted", "")] * 9] * 15)
    assert judged(stream) == "bounces"


@pytest.mark.parametrize(
    ("complaints", "sent", "reason"),
    [(1, 1000, ""), (2, 1000, "complaints"), (1, 150, ""), (2, 20, "complaints"), (2, 99, "complaints")],
)
def test_two_complaints_stop_and_one_may_be_a_slip(stream: Stream, complaints: int, sent: int, reason: str) -> None:
    send(stream, [COMPLAINED] * complaints + [FINE] * (sent - complaints))
    assert judged(stream) == reason


def test_only_the_last_thousand_count(stream: Stream) -> None:
    send(stream, [BOUNCED] * 100 + [FINE] * 960)
    assert judged(stream) == ""  # 40 of the last 1,000
    send(stream, [BOUNCED] * 60 + [FINE])
    assert judged(stream) == "bounces"


def test_mails_that_nothing_is_known_of_yet_do_not_hide_the_bounces_before_them(stream: Stream) -> None:
    """At 2,000 mails a second the last 1,000 would always be without an answer."""
    send(stream, [BOUNCED, FINE] * 60)
    send(stream, [("accepted", "")] * 1_500)
    assert judged(stream) == "bounces"


def test_a_provider_that_tells_of_bounces_only_is_judged_by_all_that_it_took(stream: Stream) -> None:
    send(stream, [BOUNCED, *[("accepted", "")] * 99] * 15)
    send(stream, [("accepted", "")] * 1_500)
    assert judged(stream) == ""  # one of a hundred
    send(stream, [BOUNCED, *[("accepted", "")] * 9] * 100)
    assert judged(stream) == "bounces"


def test_twenty_identical_errors_in_a_row_stop(stream: Stream) -> None:
    send(stream, [FINE] * 5 + [("failed", "content")] * 19)
    assert judged(stream) == ""
    send(stream, [("failed", "content")])
    assert judged(stream) == "errors"


def test_a_mail_that_went_out_among_them_breaks_the_row(stream: Stream) -> None:
    send(stream, [FINE, *[("failed", "content")] * 19, ("accepted", ""), *[("failed", "content")] * 19])
    assert judged(stream) == ""


def test_a_letter_that_cannot_be_put_together_in_one_language_stops_too(stream: Stream) -> None:
    """Its mails fail between others that go out; the words of the error differ from person to person."""
    for number in range(20):
        send(stream, [("failed", f"cannot_render: KeyError {number}")], locale="fr")
        send(stream, [FINE])
    assert judged(stream) == "errors"


def test_different_errors_do_not_stop(stream: Stream) -> None:
    send(stream, [("failed", "content"), ("failed", "too_large")] * 20)
    assert judged(stream) == ""


def test_answers_that_got_lost_with_a_killed_process_do_not_stop(stream: Stream) -> None:
    send(stream, [("failed", "no_answer")] * 50)
    assert judged(stream) == ""


def test_a_resumed_stream_is_judged_anew(stream: Stream) -> None:
    send(stream, [BOUNCED] * 50 + [FINE] * 50)
    assert judged(stream) == "bounces"
    streams.resume(stream.id, "Ada")
    db.session.commit()
    assert judged(stream) == ""
    send(stream, [BOUNCED] * 50 + [FINE] * 50)
    assert judged(stream) == "bounces"


def test_a_resumed_broadcast_is_judged_anew_although_its_mails_were_written_ahead(stream: Stream) -> None:
    send(stream, [("scheduled", "")] * 300)
    ids = db.session.scalars(select(Message.id).where(Message.stream_id == stream.id).order_by(Message.id)).all()[-300:]
    for hundred in (ids[:100], ids[100:200]):
        db.session.execute(update(Message).where(Message.id.in_(hundred)).values(status="delivered"))
        db.session.execute(update(Message).where(Message.id.in_(hundred[:20])).values(status="bounced", reason="hard"))
        db.session.commit()
        assert judged(stream) == "bounces"
        streams.resume(stream.id, "Ada")
        db.session.commit()
        assert judged(stream) == ""


def test_the_fact_says_why_and_by_which_figures(stream: Stream) -> None:
    send(stream, [BOUNCED] * 20 + [FINE] * 80)
    judged(stream)
    fact = db.session.scalars(select(Fact).where(Fact.name == "stream.stopped")).one()
    assert (fact.data["reason"], fact.data["sent"], fact.data["bounces"]) == ("bounces", 100, 20)
    judged(stream)
    assert len(db.session.scalars(select(Fact).where(Fact.name == "stream.stopped")).all()) == 1


def test_a_stream_with_nothing_to_send_is_left_alone(campaign: Campaign) -> None:
    stream = make_stream(campaign)
    send(stream, [BOUNCED] * 100)
    assert judged(stream) == ""


def test_a_persons_pause_is_not_overruled(stream: Stream) -> None:
    send(stream, [BOUNCED] * 100)
    streams.pause(stream.id, "Ada")
    db.session.commit()
    breakers.judge()
    db.session.commit()
    assert (fresh(stream).state, fresh(stream).changed_by) == (StreamState.PAUSED, "Ada")


def test_the_sweep_judges(stream: Stream) -> None:
    send(stream, [BOUNCED] * 100)
    jobs.sweep()
    assert fresh(stream).reason == "bounces"
