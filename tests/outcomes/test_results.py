"""The figures of letters and of the holdout are plain counts of the rows (outcomes.results, trials)."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from leadgen.accounts.models import Brand
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.experiments.intervals import Arm
from leadgen.experiments.verdicts import Finding
from leadgen.letters.models import MailPurpose
from leadgen.mail.models import MessageStatus
from leadgen.outcomes import readers, results, trials
from leadgen.outcomes.results import Which
from leadgen.segments import service as segments
from tests.factories import fresh, make_campaign, make_entry, make_message, make_segment, make_sequence
from tests.nurture.audience import Deeds, defined, make_tested, people, republish

pytestmark = pytest.mark.usefixtures("context")


def test_figures_of_each_wording_equal_plain_counts() -> None:
    """People who did anything at random, counted by a loop."""
    sequence = make_tested("a", "b")
    drawn = random.Random(5)
    plain = {variant: dict.fromkeys(Which, 0) | {"ripe": 0, "won": 0} for variant in "ab"}
    for _ in range(100):
        deeds = Deeds(
            goal=drawn.choice([None, 5, 24 * 9, 24 * 12]),
            click=drawn.choice([None, 2]),
            machine=drawn.choice([None, 0.001]),
            left=drawn.choice([None, None, 30, 24 * 8]),
            status=drawn.choice([MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.SKIPPED]),
            complained=False,
            days_ago=drawn.choice([5, 11, 20]),
        )
        variant = drawn.choice("ab")
        people(sequence, 1, deeds, variant)
        counted, has_left = plain[variant], deeds.status is not MessageStatus.SKIPPED
        counted[Which.PEOPLE] += 1
        counted[Which.LEFT] += has_left
        counted[Which.DELIVERED] += deeds.status is MessageStatus.DELIVERED
        counted[Which.CLICKED] += has_left and deeds.click is not None
        is_won = has_left and deeds.goal in {5, 24 * 9}
        counted[Which.REACHED] += is_won
        counted[Which.UNSUBSCRIBED] += has_left and deeds.left == 30
        counted["ripe"] += has_left and deeds.days_ago > 10
        counted["won"] += is_won and deeds.days_ago > 10

    (found,) = results.letters(sequence)

    for one in found.counts:
        shown = {which: getattr(one, which) for which in Which} | {"ripe": one.ripe, "won": one.ripe_reached}
        assert shown == plain[one.variant]
    assert found.by_goal
    assert found.arms == [Arm(plain[v]["ripe"], plain[v]["won"]) for v in "ab"]


def test_every_figure_has_its_list() -> None:
    sequence = make_tested("a", "b")
    people(sequence, 3, Deeds(click=1, goal=5), "a")
    people(sequence, 2, Deeds(complained=True), "b")
    people(sequence, 1, Deeds(status=MessageStatus.SKIPPED), "b")
    (found,) = results.letters(sequence)
    assert found.trial is not None
    for one in found.counts:
        for which in Which:
            listed = readers.people(sequence, found.trial, one.variant, which)
            assert len(listed) == getattr(one, which), (one.variant, which)
    newest = readers.people(sequence, "step_1", "a", Which.PEOPLE)
    assert [one.id for one in readers.people(sequence, "step_1", "a", Which.PEOPLE, before_id=newest[0].id)] == [
        one.id for one in newest[1:]
    ]


def test_the_second_letter_of_somebody_counts_once() -> None:
    sequence = make_tested("a", "b")
    (contact,) = people(sequence, 1, Deeds(click=1))
    again = people(sequence, 1)
    db.session.execute(
        text("UPDATE message SET contact_id = :to WHERE contact_id = :of"), {"to": contact, "of": again[0]}
    )
    db.session.commit()
    assert results.letters(sequence)[0].counts[0].people == 1


def test_an_unsubscribe_belongs_to_the_last_letter_before_it() -> None:
    campaign = make_campaign()
    sequence = make_tested("a", "b", campaign=campaign)
    (contact,) = people(sequence, 1, Deeds(left=30))
    assert results.letters(sequence)[0].counts[0].unsubscribed == 1
    other = make_message(make_entry(campaign), purpose=MailPurpose.MARKETING, sent_at=clock.now())
    other.contact_id, other.sent_at = contact, clock.now() - timedelta(days=20) + timedelta(hours=5)
    db.session.commit()
    assert results.letters(sequence)[0].counts[0].unsubscribed == 0


def test_a_letter_is_judged_by_clicks_when_there_is_no_goal_or_when_asked() -> None:
    sequence = make_tested("a", "b", goal=False)
    people(sequence, 4, Deeds(click=2))
    people(sequence, 2, Deeds(click=2, days_ago=1))
    (found,) = results.letters(sequence)
    assert not found.by_goal
    assert found.arms == [Arm(4, 4), Arm(0, 0)]
    assert found.young == 2, "they may still click"
    assert not results.letters(make_tested("a", "b"), by_clicks=True)[0].by_goal


def test_a_new_draw_is_another_test_and_other_words_are_not() -> None:
    sequence = make_tested("a", "b", days_ago=40)
    people(sequence, 3, Deeds(days_ago=35))
    republish(sequence, "a", "b", holdout=5, days_ago=30)
    people(sequence, 2, Deeds(days_ago=25, version=2))
    republish(sequence, "a", "b", experiment="e2", a=3, days_ago=20)
    people(sequence, 4, Deeds(days_ago=15, version=3))
    people(sequence, 1, Deeds(days_ago=15, version=2))  # stayed in the version that they began

    running, past = results.letters(sequence)

    assert running.trial is not None
    assert past.trial is not None
    assert (running.trial.experiment, running.trial.weights, running.counts[0].people) == ("e2", [3, 1], 4)
    assert (past.trial.first, past.trial.last, past.trial.until) == (1, 2, running.trial.since)
    assert past.counts[0].people == 5


def test_a_planted_fault_in_the_split_is_an_alarm_and_no_winner() -> None:
    sequence = make_tested("a", "b", goal=False)
    people(sequence, 150, Deeds(click=1), "a")
    people(sequence, 90, Deeds(), "b")
    verdict = results.letters(sequence)[0].verdict
    assert verdict is not None
    assert verdict.finding is Finding.UNTRUSTED
    assert not verdict.may_stop


def test_a_letter_without_a_test_has_its_figures() -> None:
    sequence = make_tested("a")
    people(sequence, 3, Deeds(click=1))
    (found,) = results.letters(sequence)
    assert (found.trial, found.verdict, found.counts[0].clicked) == (None, None, 3)


def test_a_sequence_that_was_never_published_has_its_letters() -> None:
    assert [one.step_key for one in results.letters(make_sequence(make_campaign(), steps=2))] == ["step_1", "step_2"]


def test_lift_is_the_plain_difference_of_who_had_it_and_who_had_not() -> None:
    sequence = make_tested("a", holdout=10)
    people(sequence, 30, Deeds(goal=5))
    people(sequence, 60, Deeds())
    people(sequence, 9, Deeds(goal=5, is_written_to=False))
    people(sequence, 2, Deeds(goal=5, is_held=True))
    people(sequence, 8, Deeds(is_held=True))
    people(sequence, 1, Deeds(goal=24 * 11, is_held=True))  # too late to count
    people(sequence, 7, Deeds(goal=5, days_ago=3))

    found = results.lift(sequence)

    assert found is not None
    assert (found.treated, found.held, found.young) == (Arm(99, 39), Arm(11, 2), 7)
    assert found.interval.middle == pytest.approx(39 / 99 - 2 / 11)
    assert found.interval.low < 0 < found.interval.high
    assert (found.letters, found.written_to, found.is_off) == (90, 0, False)


def test_who_was_held_out_and_got_a_letter_is_reported() -> None:
    sequence = make_tested("a", holdout=10)
    leaked = people(sequence, 2, Deeds())
    people(sequence, 18, Deeds())
    people(sequence, 3, Deeds(is_held=True))
    db.session.execute(text("UPDATE enrolment SET status = 'held_out' WHERE contact_id = ANY(:who)"), {"who": leaked})
    db.session.commit()
    found = results.lift(sequence)
    assert found is not None
    assert (found.held.people, found.written_to) == (5, 2)


def test_too_many_held_out_is_an_alarm() -> None:
    sequence = make_tested("a", holdout=5)
    people(sequence, 100)
    people(sequence, 30, Deeds(is_held=True))
    found = results.lift(sequence)
    assert found is not None
    assert found.is_off


def test_only_the_time_with_this_holdout_is_compared() -> None:
    """People from before it are all treated: they would be compared with a time, not with people."""
    sequence = make_tested("a", days_ago=60)
    people(sequence, 50, Deeds(goal=5, days_ago=50))
    republish(sequence, "a", holdout=10, days_ago=40)
    people(sequence, 9, Deeds(days_ago=35))
    people(sequence, 1, Deeds(days_ago=35, is_held=True))
    found = results.lift(sequence)
    assert found is not None
    assert (found.treated.people, found.held.people) == (9, 1)


def test_another_share_begins_another_comparison_and_its_end_ends_it() -> None:
    sequence = make_tested("a", holdout=10, days_ago=60)
    people(sequence, 9, Deeds(days_ago=55))
    people(sequence, 2, Deeds(days_ago=55, is_held=True))
    republish(sequence, "a", holdout=20, days_ago=50)
    people(sequence, 4, Deeds(days_ago=45))
    people(sequence, 1, Deeds(days_ago=45, is_held=True))
    republish(sequence, "a", days_ago=40)
    people(sequence, 30, Deeds(days_ago=35))
    held_out = trials.holdout(trials.published(sequence))
    assert held_out is not None
    assert (held_out.per_cent, held_out.until is None) == (20, False)
    found = results.lift(sequence)
    assert found is not None
    assert (found.treated.people, found.held.people) == (4, 1)


def test_lift_of_a_segment_counts_its_people_alone() -> None:
    campaign = make_campaign()
    sequence = make_tested("a", campaign=campaign, holdout=10)
    english = (("locale", "en"),)
    people(sequence, 6, Deeds(goal=5, values=english))
    people(sequence, 2, Deeds(is_held=True, values=english))
    people(sequence, 20, Deeds())
    brand = db.session.get_one(Brand, campaign.brand_id)
    asked = {"all": [{"all": [{"field": "language", "op": "eq", "value": "en"}]}]}
    segment = make_segment(brand, asked)
    found = results.lift(sequence, segments.condition(brand.id, segment.id))
    assert found is not None
    assert (found.treated, found.held) == (Arm(6, 6), Arm(2, 0))


def test_without_holdout_or_goal_there_is_no_lift() -> None:
    assert results.lift(make_tested("a")) is None
    assert results.lift(make_tested("a", holdout=5, goal=False)) is None


def test_keeping_the_winner_changes_the_draft_and_nothing_that_people_get() -> None:
    sequence = make_tested("a", "b")
    revision = sequence.revision
    assert trials.keep_winner(sequence, "step_1", "b", "Ada")
    db.session.commit()
    (letter,) = fresh(sequence).draft["steps"]
    assert [(one["key"], one["weight"]) for one in letter["variants"]] == [("b", 1)]
    assert "experiment" not in letter
    assert sequence.revision == revision + 1
    assert len(trials.published(sequence)) == 1
    with pytest.raises(NotFound):
        trials.keep_winner(sequence, "step_1", "a", "Ada")


def test_wordings_come_back_as_they_are_published() -> None:
    sequence = make_tested("a", "b")
    before = sequence.draft
    trials.keep_winner(sequence, "step_1", "b", "Ada")
    trials.put_wordings_back(sequence, "step_1", "Ada")
    db.session.commit()
    assert fresh(sequence).draft == before
    with pytest.raises(NotFound):
        trials.put_wordings_back(sequence, "other", "Ada")


def test_what_would_be_lost_is_not_offered_back() -> None:
    """The draft's own words were not published yet: the published ones would overwrite them."""
    sequence = make_tested("a", "b")
    changed = defined("a", "b")
    changed["steps"][0]["variants"][0]["texts"] = {"en": {"subject": "New"}}
    sequence.draft = changed
    db.session.commit()
    assert not trials.keep_winner(sequence, "step_1", "a", "Ada")


def test_the_people_of_the_holdout_have_their_lists() -> None:
    sequence = make_tested("a", holdout=10)
    people(sequence, 3, Deeds(goal=5))
    people(sequence, 2, Deeds())
    people(sequence, 4, Deeds(is_held=True))
    people(sequence, 1, Deeds(is_held=True, days_ago=2))
    for side, reached, number in ((False, False, 5), (False, True, 3), (True, False, 4), (True, True, 0)):
        assert len(readers.compared(sequence, is_held=side, has_reached=reached)) == number
