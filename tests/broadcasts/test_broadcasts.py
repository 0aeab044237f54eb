"""A broadcast as the marketer handles it: written, counted, sent once, paused, resumed, cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from leadgen.accounts.models import Brand
from leadgen.broadcasts import expansion, jobs
from leadgen.broadcasts import service as broadcasts
from leadgen.broadcasts.audiences import Audience
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.broadcasts.service import BroadcastInput
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.contacts.models import Contact
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.mail import rescue, streams
from leadgen.mail.models import Message, MessageStatus, Stream, StreamState
from tests import texts
from tests.factories import (
    fresh,
    make_answer,
    make_brand,
    make_broadcast,
    make_campaign,
    make_entry,
    make_segment,
    make_suppression,
)
from tests.mail.conftest import noon  # noqa: F401 - a fixture

WORDS = texts.step(1)


@pytest.fixture
def campaign(context: None, noon: object) -> Campaign:  # noqa: F811 - fixture
    return make_campaign()


def people(campaign: Campaign, number: int = 3, **values: Any) -> list[int]:
    return [make_entry(campaign, confirmed=True, marketing=True, **values).contact_id for _ in range(number)]


def written(**values: Any) -> BroadcastInput:
    return BroadcastInput(**{"name": "Last days", "texts": WORDS, "audience": Audience()} | values)


def wanted(broadcast: Broadcast) -> list[Message]:
    found = db.session.scalars(select(Message).where(Message.stream_id == broadcast.stream_id).order_by(Message.id))
    return list(found)


def test_a_draft_may_have_gaps_and_is_sent_only_when_whole(campaign: Campaign) -> None:
    people(campaign)
    draft = broadcasts.create(campaign, written(texts={"fr": {"subject": "Bientôt"}, "en": {}}), "Ada")
    assert (draft.status, draft.created_by, draft.texts["en"]["subject"]) == (BroadcastStatus.DRAFT, "Ada", "")
    problems = [problem.sentence for problem in broadcasts.missing(draft)]
    assert [sentence.partition(":")[0] for sentence in problems] == [
        "Heading in French", "Text in French", "Button in French"
    ]  # fmt: skip
    with pytest.raises(Invalid, match="Heading in French"):
        broadcasts.send(draft)

    broadcasts.edit(draft, written(texts={"fr": WORDS["fr"]}), draft.version)
    assert broadcasts.missing(draft) == []  # nobody of the audience reads English
    assert broadcasts.send(draft)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 91}, "name"),
        ({"texts": {"en": {"subject": "{moon}"}}}, "en-subject"),
        ({"texts": {"fr": {"body": "x" * 10_001}}}, "fr-body"),
        ({"texts": {"fr": {"url": "javascript:alert(1)"}}}, "fr-url"),
        ({"audience": Audience(locales=("de",))}, "locales"),
        ({"audience": Audience(friends=-1)}, "friends"),
        ({"audience": Audience(segment=999_999)}, "segment"),
        ({"audience": Audience(conditions=({"question": "unknown", "is": "sea"},))}, "condition"),
        ({"audience": Audience(conditions=({"question": "question_1", "is": "moon"},))}, "condition"),
        ({"audience": Audience(conditions=({"question": "question_1", "is": ["sea"]},))}, "condition"),
    ],
)
def test_what_cannot_be_is_refused(campaign: Campaign, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        broadcasts.create(campaign, written(**wrong))
    assert refused.value.field == field


def test_two_people_who_edit_at_once_do_not_overwrite_each_other(campaign: Campaign) -> None:
    draft = broadcasts.create(campaign, written())
    seen = draft.version
    broadcasts.edit(draft, written(name="Mine"), seen)
    with pytest.raises(Conflict, match="Somebody else saved"):
        broadcasts.edit(draft, written(name="Yours"), seen)
    assert draft.name == "Mine"


def test_a_second_click_starts_nothing(campaign: Campaign) -> None:
    people(campaign)
    draft = broadcasts.create(campaign, written())
    assert broadcasts.send(draft, by="Ada")
    assert not broadcasts.send(draft, by="Ada")
    db.session.commit()
    for _twice in range(2):
        jobs.expand()
    assert len(wanted(draft)) == 3
    with pytest.raises(Conflict, match="has begun"):
        broadcasts.edit(draft, written(), draft.version)
    with pytest.raises(Conflict, match="Only a draft"):
        broadcasts.delete(draft)


def test_the_audience_is_who_may_be_written_to(campaign: Campaign) -> None:
    """Rule 1 and rule 3: confirmed, agreed to marketing; rule 6 looks again when each mail leaves."""
    first, *_others = people(campaign)
    make_entry(campaign, confirmed=True)  # never agreed
    make_entry(campaign, marketing=True)  # has not confirmed
    people(make_campaign())  # of another contest
    make_suppression(db.session.get_one(Contact, first))
    draft = broadcasts.create(campaign, written())
    size = broadcasts.audience_size(draft)
    assert (size.people, size.is_exact, size.by_locale, size.by_group) == (2, True, {"fr": 2}, {"other": 2})
    broadcasts.send(draft)
    db.session.commit()
    jobs.expand()
    assert len(wanted(draft)) == 2
    assert draft.audience_size == 2


def test_an_audience_may_be_narrowed(campaign: Campaign) -> None:
    choice = campaign.questions[0]
    sea, city, english = (make_entry(campaign, confirmed=True, marketing=True) for _ in range(3))
    make_answer(sea, choice, "sea")
    make_answer(city, choice, "city")
    english.locale = "en"
    make_entry(campaign, confirmed=True, referrer=city)
    db.session.commit()

    def size(**values: Any) -> int:
        return broadcasts.audience_size(broadcasts.create(campaign, written(audience=Audience(**values)))).people

    assert size() == 3
    assert size(conditions=({"question": choice.key, "is": "sea"},)) == 1
    assert size(locales=("en",)) == 1
    assert size(locales=("en", "fr")) == 3
    assert size(friends=1) == 1
    assert size(friends=1, conditions=({"question": choice.key, "is": "sea"},)) == 0


def test_nobody_to_write_to_is_said(campaign: Campaign) -> None:
    draft = broadcasts.create(campaign, written())
    with pytest.raises(Invalid, match="Nobody would get it"):
        broadcasts.send(draft)


@pytest.mark.parametrize("status", [CampaignStatus.DRAFT, CampaignStatus.PAUSED, CampaignStatus.ARCHIVED])
def test_only_a_public_contest_writes(campaign: Campaign, status: CampaignStatus) -> None:
    people(campaign)
    draft = broadcasts.create(campaign, written())
    campaign.status = status
    with pytest.raises(Conflict):
        broadcasts.send(draft)


def test_a_copy_is_a_draft_of_its_own(campaign: Campaign) -> None:
    people(campaign)
    first = broadcasts.create(campaign, written(audience=Audience(locales=("fr",))))
    broadcasts.send(first)
    twin = broadcasts.duplicate(first, "Again", "Bob")
    assert (twin.status, twin.texts, twin.audience) == (BroadcastStatus.DRAFT, first.texts, first.audience)
    assert twin.stream_id != first.stream_id
    twin.texts["fr"]["subject"] = "Other"
    assert first.texts["fr"]["subject"] != "Other"


def test_a_draft_is_deleted_with_its_stream(campaign: Campaign) -> None:
    draft = broadcasts.create(campaign, written())
    stream = draft.stream_id
    broadcasts.delete(draft)
    assert db.session.get(Stream, stream) is None
    with pytest.raises(NotFound):
        broadcasts.get(campaign.id, draft.id)


def test_of_another_campaign_it_is_absent(campaign: Campaign) -> None:
    """Rule 8."""
    with pytest.raises(NotFound):
        broadcasts.get(make_campaign().id, make_broadcast(campaign).id)


def test_a_schedule_can_be_taken_back_and_lies_ahead(campaign: Campaign) -> None:
    people(campaign)
    draft = broadcasts.create(campaign, written())
    for wrong in (clock.now() - timedelta(minutes=1), clock.now() + timedelta(days=400)):
        with pytest.raises(Invalid):
            broadcasts.send(draft, at=wrong)
    assert broadcasts.send(draft, at=clock.now() + timedelta(hours=2))
    assert draft.status is BroadcastStatus.SCHEDULED
    db.session.commit()
    with pytest.raises(Invalid, match="in French"):
        broadcasts.edit(draft, written(texts={"fr": {}}), draft.version)
    db.session.rollback()
    broadcasts.unschedule(draft)
    assert (draft.status, draft.send_at) == (BroadcastStatus.DRAFT, None)
    with pytest.raises(Conflict):
        broadcasts.unschedule(draft)


def test_pause_resume_and_cancel_need_one_that_runs(campaign: Campaign) -> None:
    people(campaign)
    draft = broadcasts.create(campaign, written())
    for verb in (broadcasts.pause, broadcasts.resume, broadcasts.cancel):
        with pytest.raises(Conflict):
            verb(draft, "Ada")
    broadcasts.send(draft)
    broadcasts.pause(draft, "Ada")
    stream = fresh(db.session.get_one(Stream, draft.stream_id))
    assert (stream.state, stream.changed_by) == (StreamState.PAUSED, "Ada")
    broadcasts.resume(draft, "Bob")
    assert stream.state is StreamState.OPEN


def sent(campaign: Campaign, status: str = "delivered") -> tuple[Broadcast, list[Message]]:
    """A broadcast to two people that is finished; the first mail stands at `status`."""
    people(campaign, 2)
    draft = broadcasts.create(campaign, written())
    broadcasts.send(draft, by="Ada")
    db.session.commit()
    jobs.expand()
    found = wanted(draft)
    for message in found:
        message.status = MessageStatus.DELIVERED
    found[0].status, found[0].reason = MessageStatus(status), "content" if status == "failed" else ""
    db.session.commit()
    jobs.expand()
    return fresh(draft), found


def flow(broadcast: Broadcast) -> tuple[str, str]:
    stream = fresh(db.session.get_one(Stream, broadcast.stream_id))
    return stream.state.value, stream.reason


def test_the_stream_of_a_finished_broadcast_closes(campaign: Campaign) -> None:
    """Otherwise each claim would look at all broadcasts there ever were."""
    done, _mails = sent(campaign)
    assert done.status is BroadcastStatus.SENT
    assert flow(done) == ("paused", "finished")
    for verb in (streams.resume, streams.pause):
        with pytest.raises(Conflict, match="is finished"):
            verb(done.stream_id, "Bob")


def test_one_that_waits_for_a_mail_is_not_finished(campaign: Campaign) -> None:
    for status in ("scheduled", "sending"):
        going, _mails = sent(campaign, status)
        assert going.status is BroadcastStatus.SENDING
        assert flow(going) == ("open", "")


@pytest.mark.parametrize("is_all", [True, False])
def test_a_failed_mail_sent_again_opens_the_stream_until_it_is_gone(campaign: Campaign, is_all: bool) -> None:
    done, (failed, _other) = sent(campaign, "failed")
    if is_all:
        assert rescue.retry_all(campaign.id, done.stream_id, "content", "Ada") == 1
    else:
        assert rescue.retry(failed.id, "Ada")
    db.session.commit()
    assert flow(done) == ("open", "")
    jobs.expand()
    assert flow(done) == ("open", "")
    failed.status = MessageStatus.DELIVERED
    db.session.commit()
    jobs.expand()
    assert flow(done) == ("paused", "finished")


def test_a_pause_by_hand_is_not_lifted_by_sending_again(campaign: Campaign) -> None:
    going, (failed, _other) = sent(campaign, "failed")
    stream = db.session.get_one(Stream, going.stream_id)
    stream.reason = "by_hand"
    db.session.commit()
    rescue.retry(failed.id, "Ada")
    db.session.commit()
    assert flow(going) == ("paused", "by_hand")


@pytest.mark.parametrize("statement", ["_FINISH", "_THROUGH", "_CANCEL"])
def test_what_waits_is_found_by_an_index(campaign: Campaign, statement: str) -> None:
    """Every two seconds, in a table that may hold millions."""
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    values = {"now": clock.now(), "beyond": 2**62, "streams": [1], "chunk": 10}
    lines = db.session.scalars(text(f"EXPLAIN {getattr(expansion, statement).text}"), values).all()
    conditions = [line for line in lines if "Index Cond" in line and "stream_id" in line]
    assert conditions, lines
    assert not [line for line in lines if "Seq Scan on message" in line]


def test_what_was_cancelled_cannot_be_resumed(campaign: Campaign) -> None:
    people(campaign)
    draft = broadcasts.create(campaign, written())
    broadcasts.send(draft)
    broadcasts.cancel(draft, "Ada")
    for verb in (streams.resume, streams.pause):
        with pytest.raises(Conflict, match="was cancelled"):
            verb(draft.stream_id, "Bob")
    assert db.session.get_one(Stream, draft.stream_id).reason == "cancelled"


def test_cancelling_comes_before_writing(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while another broadcast takes all the time there is."""
    people(campaign, 2)
    cancelled, other = broadcasts.create(campaign, written()), broadcasts.create(campaign, written())
    broadcasts.send(cancelled)
    db.session.commit()
    jobs.expand()
    broadcasts.cancel(cancelled, "Ada")
    broadcasts.send(other)
    db.session.commit()
    monkeypatch.setattr(jobs, "SECONDS", 0.0)
    jobs.expand()
    assert [fresh(one).status.value for one in wanted(cancelled)] == ["cancelled"] * 2


def test_cancelling_cancels_what_waits_and_leaves_what_left(campaign: Campaign) -> None:
    people(campaign, 4)
    draft = broadcasts.create(campaign, written())
    broadcasts.send(draft)
    db.session.commit()
    jobs.expand()
    gone = wanted(draft)[0]
    gone.status = "delivered"  # type: ignore[assignment]
    db.session.commit()
    broadcasts.cancel(draft, "Ada")
    db.session.commit()
    jobs.expand()
    told = [(fresh(one).status.value, one.reason) for one in wanted(draft)]
    assert told == [("delivered", "")] + [("cancelled", "broadcast_cancelled")] * 3
    assert fresh(draft).status is BroadcastStatus.CANCELLED


def test_a_segment_narrows_the_audience_when_people_are_looked_for(campaign: Campaign) -> None:
    inside, outside, late = people(campaign)
    for number in (inside, late):
        db.session.get_one(Contact, number).timezone = "America/New_York"
    tree = {"all": [{"field": "timezone", "op": "contains", "value": "america/"}]}
    segment = make_segment(db.session.get_one(Brand, campaign.brand_id), tree)
    made = broadcasts.create(campaign, written(audience=Audience(segment=segment.id)))
    assert broadcasts.audience_size(made).people == 2
    assert Audience.of(made.audience).segment == segment.id
    broadcasts.send(made, by="Ada")
    db.session.get_one(Contact, late).timezone = "Europe/Paris"
    db.session.commit()
    jobs.expand()
    assert [message.contact_id for message in wanted(made)] == [inside]
    assert outside not in [message.contact_id for message in wanted(made)]


def test_a_segment_that_lost_its_field_holds_nobody_rather_than_everybody(campaign: Campaign) -> None:
    people(campaign)
    brand = db.session.get_one(Brand, campaign.brand_id)
    gone = make_segment(brand, {"all": [{"not": {"field": "answer.gone", "op": "eq", "value": "x"}}]})
    made = broadcasts.create(campaign, written(audience=Audience(segment=gone.id)))
    assert broadcasts.audience_size(made).people == 0
    theirs = make_segment(make_brand())
    with pytest.raises(Invalid):
        broadcasts.create(campaign, written(audience=Audience(segment=theirs.id)))
