"""Publishing: who would get what now, where everybody goes, nobody anything twice, and back again."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from leadgen.authoring import publishing
from leadgen.authoring.moving import Group, Journey, Person
from leadgen.authoring.publishing import ChangeKind, Choices, Inside, Timing
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.mail.models import Message
from leadgen.nurture import planning
from leadgen.nurture.definition import Variant
from leadgen.nurture.models import Enrolment, EnrolmentMove, EnrolmentStatus, MoveReason, Sequence, Step
from tests.conftest import Clock
from tests.factories import fresh, make_campaign
from tests.nurture.crowd import dates, draft, letter, published, republish, unpublished, waiting
from tests.texts import step as step_words

_ENTERS_ANEW = text("""
INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id, status, version, step_key, anchor_at,
                       next_run_at, enrolled_at, occasion)
SELECT sequence_id, campaign_id, brand_id, entry_id, contact_id, 'active', version, step_key, anchor_at, next_run_at,
       now(), 'again'
FROM enrolment
""")
pytestmark = pytest.mark.usefixtures("context")
RECOMPUTE = Choices(timing=Timing.RECOMPUTE)


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


def _people(sequence: Sequence, **values: object) -> int:
    asked = select(func.count()).select_from(Enrolment).filter_by(sequence_id=sequence.id, **values)
    return db.session.scalar(asked) or 0


def test_five_thousand_wait_three_days_and_it_becomes_one(campaign: Campaign) -> None:
    """The dialog says how many go now and offers to spread them; going back restores every date."""
    sequence = published(campaign, letter("hello", 0), letter("news", 3))
    waiting(sequence, 5_000, "news", days=2 - 17 / 86_400, hours=48)  # the 2,501st is due in 17 s
    before = dates(sequence)
    draft(sequence, letter("hello", 0), letter("news", 1))

    kept = publishing.preview(sequence, Choices())
    told = publishing.preview(sequence, RECOMPUTE)
    spread = publishing.preview(sequence, Choices(timing=Timing.RECOMPUTE, spread_days=5))

    assert (kept.people_now, kept.people_active) == (0, 5_000)
    (change,) = told.changes
    assert (change.kind, change.step_key) == (ChangeKind.SHORTER, "news")
    assert (change.people_waiting, change.people_now) == (5_000, 2_500)
    assert change.sentence == (
        "Step 2 “Letter 1” has another wait: “1 day later” instead of “3 days later”. 5,000 people wait for it. "
        "2,500 of them would be due now."
    )
    assert told.first_at == told.last_at
    assert spread.first_at is not None
    assert spread.last_at is not None
    assert spread.last_at - spread.first_at == timedelta(days=5) * 2_499 / 2_500

    now = product_clock.now()
    publishing.publish(sequence, Choices(timing=Timing.RECOMPUTE, spread_days=5), "Ada")
    db.session.commit()

    after = [due for _key, due in dates(sequence)]
    assert sum(due <= now + timedelta(seconds=5) for due in after) <= 2, "nobody but the first goes at once"
    per_day = [sum(timedelta(days=d) <= due - now < timedelta(days=d + 1) for due in after) for d in range(5)]
    assert min(per_day) >= 500, "2,500 over five days, and the others at their new time"
    assert _people(sequence, version=2) == 5_000

    publishing.put_back(sequence, 1, "Ada")
    publishing.publish(sequence, RECOMPUTE, "Ada")
    db.session.commit()

    assert dates(sequence) == before
    assert _people(sequence, version=3) == 5_000


def test_without_recomputing_everybody_keeps_the_date(campaign: Campaign) -> None:
    sequence = published(campaign, letter("news", 3))
    waiting(sequence, 3, "news", days=2)
    before = dates(sequence)

    republish(sequence, letter("news", 1))

    assert dates(sequence) == before
    assert _people(sequence, version=2) == 3
    assert db.session.scalars(select(EnrolmentMove)).all() == []


def test_a_longer_wait_moves_dates_away_and_is_told(campaign: Campaign) -> None:
    sequence = published(campaign, letter("news", 3))
    waiting(sequence, 3, "news", days=2)
    before = dates(sequence)

    republish(sequence, letter("news", 4), choices=RECOMPUTE)

    assert [(key, due - timedelta(days=1)) for key, due in dates(sequence)] == before
    told = db.session.scalars(select(EnrolmentMove)).all()
    assert [(one.reason, one.detail["version"]) for one in told] == [(MoveReason.RETIMED, 2)] * 3


def test_who_waits_for_a_removed_step_goes_on_and_comes_back_with_it(campaign: Campaign) -> None:
    steps = (letter("hello", 0), letter("news", 3), letter("last", 7))
    sequence = published(campaign, *steps)
    waiting(sequence, 4, "news", days=1)
    waiting(sequence, 2, "last", days=1, wait=7)
    before = dates(sequence)
    draft(sequence, steps[0], steps[2])

    (change,) = publishing.preview(sequence, Choices()).changes
    assert (change.kind, change.people_waiting) == (ChangeKind.REMOVED, 4)
    assert change.sentence == "Step 2 “Letter 1” is gone. 4 people who wait for it go on to Step 2 “Letter 1”."
    publishing.publish(sequence, Choices(), "Ada")
    db.session.commit()

    anchors = [due - timedelta(days=3) for _key, due in before[:4]]
    assert dates(sequence)[:4] == [("last", anchor + timedelta(days=7)) for anchor in anchors]
    assert dates(sequence)[4:] == before[4:]
    assert db.session.scalar(select(Step.is_active).filter_by(sequence_id=sequence.id, key="news")) is False

    publishing.put_back(sequence, 1, "Ada")
    publishing.publish(sequence, Choices(), "Ada")
    db.session.commit()
    assert dates(sequence) == before, "who was taken away from it waits for it again, the others go on"


def test_the_last_step_goes_and_its_people_are_through(campaign: Campaign) -> None:
    sequence = published(campaign, letter("hello", 0), letter("news", 3))
    waiting(sequence, 3, "news", days=1)
    draft(sequence, letter("hello", 0))

    (change,) = publishing.preview(sequence, Choices()).changes
    assert change.sentence.endswith("is gone. 3 people who wait for it are through.")
    publishing.publish(sequence, Choices(), "Ada")
    db.session.commit()

    assert _people(sequence, status=EnrolmentStatus.FINISHED) == 3
    assert db.session.scalar(text("SELECT count(*) FROM fact WHERE name = 'sequence.finished'")) == 3


def test_an_added_step_is_for_who_has_not_come_that_far_and_if_asked_for_who_finished_lately(
    campaign: Campaign,
) -> None:
    sequence = published(campaign, letter("hello", 0), letter("news", 3))
    waiting(sequence, 2, "news", days=1)
    waiting(sequence, 3, "news", days=5, status="finished")
    waiting(sequence, 4, "news", days=50, status="finished")
    draft(sequence, letter("hello", 0), letter("news", 3), letter("more", 2, number=9))

    assert publishing.preview(sequence, Choices()).people_back == 0
    told = publishing.preview(sequence, Choices(finished_within_days=30))
    assert (told.people_back, told.people_now) == (3, 3)
    assert told.changes[0].sentence == (
        "Step 3 “Letter 9” is new. Whoever has not come that far gets it. 3 people come back for it. "
        "3 of them would be due now."
    )
    publishing.publish(sequence, Choices(finished_within_days=30), "Ada")
    db.session.commit()

    assert [key for key, _due in dates(sequence)] == ["news"] * 2 + ["more"] * 3 + ["news"] * 4
    assert _people(sequence, status=EnrolmentStatus.ACTIVE) == 5


def test_who_is_to_come_back_and_enters_at_this_moment_refuses_the_publication(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = published(campaign, letter("hello", 0))
    waiting(sequence, 1, "hello", days=5, status="finished")
    draft(sequence, letter("hello", 0), letter("more", 2, number=9))
    real = Journey.people

    def enrolled_meanwhile(journey: Journey, group: Group) -> Iterator[Person]:
        people = list(real(journey, group))
        db.session.execute(_ENTERS_ANEW)
        return iter(people)

    with monkeypatch.context() as patch:
        patch.setattr(Journey, "people", enrolled_meanwhile)
        with pytest.raises(Conflict, match="Publish once more"):
            publishing.publish(sequence, Choices(finished_within_days=30), "Ada")
    db.session.commit()

    assert (fresh(sequence).version, len(publishing.versions(sequence))) == (1, 1)
    assert publishing.publish(sequence, Choices(finished_within_days=30), "Ada").number == 2


def test_people_inside_may_stay_in_their_version_and_still_get_what_the_new_one_lacks(campaign: Campaign) -> None:
    sequence = published(campaign, letter("hello", 0), letter("news", 3))
    waiting(sequence, 3, "news", days=1)
    before = dates(sequence)

    republish(sequence, letter("hello", 0), choices=Choices(those_inside=Inside.STAY))
    assert (dates(sequence), _people(sequence, version=1)) == (before, 3)
    assert db.session.scalar(select(Step.is_active).filter_by(sequence_id=sequence.id, key="news")) is True

    republish(sequence, letter("hello", 0), letter("other", 3))
    assert _people(sequence, version=3, step_key="other") == 3, "the next version takes them along"


def test_nothing_new_and_what_is_not_complete_are_not_published(campaign: Campaign) -> None:
    sequence = published(campaign, letter("hello", 0))
    with pytest.raises(Conflict):
        publishing.publish(sequence, Choices(), "Ada")
    draft(sequence, letter("hello", 400))
    with pytest.raises(Invalid) as refused:
        publishing.publish(sequence, Choices(), "Ada")
    assert refused.value.field == "hello.wait"


def _is_waiting_for_a_lock() -> bool:
    return bool(db.session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_publishing_waits_for_a_planner_that_holds_people_and_takes_them_from_where_it_left_them(
    app: Flask, campaign: Campaign
) -> None:
    """Two of five are just being planned: they get the letter or not at all, and nobody is lost or moved back."""
    sequence = published(campaign, letter("hello", 0), letter("news", 3), letter("last", 7))
    waiting(sequence, 5, "news", days=4, wait=3)
    draft(sequence, letter("hello", 0), letter("last", 7))
    identity = sequence.id
    assert planning.plan_batch(2) == 2  # not committed: the locks are held

    def publish() -> None:
        with app.app_context():
            publishing.publish(db.session.get_one(Sequence, identity), Choices(), "Ada")
            db.session.commit()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(publish)
        until = time.monotonic() + 20
        while not _is_waiting_for_a_lock() and time.monotonic() < until:
            time.sleep(0.02)
        assert not done.done()
        db.session.commit()
        done.result()

    assert [key for key, _due in dates(sequence)] == ["last"] * 5
    assert _people(sequence, version=2) == 5
    mails = db.session.execute(select(Message.status, Message.reason)).all()
    assert {(str(status), reason) for status, reason in mails} == {("cancelled", "step_removed")}
    assert len(mails) == 2


def test_nobody_gets_a_letter_twice_whatever_is_published_in_between(campaign: Campaign, clock: Clock) -> None:
    steps = (letter("hello", 0), letter("news", 3))
    sequence = published(campaign, *steps)
    waiting(sequence, 6, "news", days=2)
    republish(sequence, steps[0], letter("news", 1), choices=RECOMPUTE)
    assert planning.plan_batch() == 6
    db.session.commit()

    for number in (1, 2, 1):
        publishing.put_back(sequence, number, "Ada")
        publishing.publish(sequence, Choices(timing=Timing.RECOMPUTE, finished_within_days=30), "Ada")
        db.session.commit()
        clock.forward(days=4)
        planning.plan_batch()
        db.session.commit()

    assert db.session.scalars(select(func.count()).select_from(Message)).one() == 6
    assert _people(sequence, status=EnrolmentStatus.FINISHED) == 6


def test_a_reordered_step_keeps_its_people_and_one_that_was_passed_does_not_come_again(campaign: Campaign) -> None:
    sequence = published(campaign, letter("a", 0), letter("b", 1), letter("c", 2), letter("d", 3))
    waiting(sequence, 2, "c", days=1, wait=2)
    draft(sequence, letter("a", 0), letter("d", 3), letter("b", 1))

    kinds = {(one.kind, one.step_key) for one in publishing.preview(sequence, Choices()).changes}
    assert kinds == {(ChangeKind.MOVED, "d"), (ChangeKind.REMOVED, "c")}
    publishing.publish(sequence, Choices(), "Ada")
    db.session.commit()

    assert {key for key, _due in dates(sequence)} == {"d"}


def test_the_first_version_starts_the_sequence_and_has_no_changes(campaign: Campaign) -> None:
    sequence = unpublished(campaign)
    draft(sequence, letter("hello", 0))
    assert publishing.preview(sequence, Choices()) == publishing.Preview(is_first=True)
    assert publishing.publish(sequence, Choices(), "Ada").number == 1
    assert (sequence.version, sequence.is_active) == (1, True)
    assert [one.published_by for one in publishing.versions(sequence)] == ["Ada"]


@pytest.mark.parametrize(
    ("days", "field"), [({"spread_days": 31}, "spread_days"), ({"finished_within_days": -1}, "finished_within_days")]
)
def test_days_that_cannot_be_chosen_are_named(campaign: Campaign, days: dict[str, int], field: str) -> None:
    sequence = published(campaign, letter("hello", 0))
    draft(sequence, letter("hello", 1))
    for verb in (
        lambda: publishing.preview(sequence, Choices(**days)),
        lambda: publishing.publish(sequence, Choices(**days), "A"),
    ):
        with pytest.raises(Invalid) as refused:
            verb()
        assert refused.value.field == field


def test_what_is_planned_of_a_variant_that_is_dropped_still_leaves(campaign: Campaign) -> None:
    two = tuple(Variant(key=key, texts=step_words(1)) for key in "ab")
    sequence = published(campaign, letter("news", 3, variants=two))
    waiting(sequence, 8, "news", days=4, wait=3)
    planning.plan_batch()
    db.session.commit()

    republish(sequence, letter("news", 3))

    assert {str(one) for one in db.session.scalars(select(Message.status))} == {"scheduled"}
    assert db.session.scalar(select(Step.is_active).filter_by(sequence_id=sequence.id, variant="b")) is False


def test_an_archived_sequence_is_not_published_and_a_version_that_never_was_not_put_back(campaign: Campaign) -> None:
    sequence = published(campaign, letter("hello", 0))
    draft(sequence, letter("hello", 1))
    sequence.archived_at = product_clock.now()
    with pytest.raises(Conflict):
        publishing.publish(sequence, Choices(), "Ada")
    with pytest.raises(NotFound):
        publishing.put_back(sequence, 2, "Ada")
