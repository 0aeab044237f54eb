"""Guard rails: what drives people away is taken out, its people get the others, and it is told (outcomes.guarding)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.experiments.verdicts import Finding
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.mail.models import Message, MessageStatus
from leadgen.nurture import versions
from leadgen.nurture.models import Enrolment, Sequence
from leadgen.outcomes import guarding, jobs, results, trials
from leadgen.outcomes.models import HarmKind
from tests.factories import fresh
from tests.nurture.audience import Deeds, make_tested, people, republish

pytestmark = pytest.mark.usefixtures("context")


def _harmful(*variants: str, **definition: int) -> Sequence:
    """B is complained about by 12 of 200, the others by nobody."""
    sequence = make_tested(*(variants or ("a", "b")), **definition)
    for variant in variants or ("a", "b"):
        people(sequence, 188, Deeds(), variant)
        people(sequence, 12, Deeds(complained=variant == "b"), variant)
    return sequence


def test_a_wording_that_is_complained_about_is_taken_out_and_its_share_goes_to_the_others() -> None:
    sequence = _harmful()
    assert results.letters(sequence)[0].verdict.finding is Finding.HARMFUL  # type: ignore[union-attr]

    assert jobs.guard() == 1

    ((_, old), (version, new)) = trials.published(fresh(sequence))
    assert [(one.key, one.weight) for one in next(new.letters()).variants] == [("a", 1), ("b", 0)]
    assert [(one.key, one.weight) for one in next(old.letters()).variants] == [("a", 1), ("b", 1)], "versions stay"
    assert sequence.version == version.number == 2
    assert {enrolment.version for enrolment in db.session.scalars(select(Enrolment))} == {2}


def test_it_is_kept_as_a_fact_with_its_figures_and_shown() -> None:
    sequence = _harmful()
    jobs.guard()
    (stop,) = results.stops(sequence)
    figures = {"a": {"people": 200, "harms": 0}, "b": {"people": 200, "harms": 12}}
    assert (stop.step_key, stop.variant, stop.kind, stop.figures) == ("step_1", "b", HarmKind.COMPLAINTS, figures)
    (fact,) = db.session.scalars(select(Fact).filter_by(name=FactName.VARIANT_STOPPED.value))
    assert fact.campaign_id == sequence.campaign_id
    assert fact.data["sequence"] == sequence.id
    assert fact.data["figures"] == figures
    past = next(one for one in results.letters(sequence) if one.trial)
    assert [one.variant for one in past.stops] == ["b"]


def test_looking_again_stops_nothing_twice() -> None:
    sequence = _harmful()
    jobs.guard()
    assert jobs.guard() == 0
    assert len(results.stops(sequence)) == 1


def test_the_draft_does_not_bring_it_back() -> None:
    sequence = _harmful()
    revision = sequence.revision
    jobs.guard()
    (letter,) = fresh(sequence).draft["steps"]
    assert [one.get("weight", 1) for one in letter["variants"]] == [1, 0]
    published = next(trials.published(sequence)[-1][1].letters())
    assert letter["experiment"] == published.experiment, "publishing it again draws nobody anew"
    assert sequence.revision == revision + 1


def test_letters_that_wait_get_the_words_of_the_largest_wording_left() -> None:
    sequence = _harmful("a", "b", "c", c=3)
    people(sequence, 2, Deeds(status=MessageStatus.SCHEDULED, days_ago=0), "b")
    jobs.guard()
    words = {step.id: step.variant for step in fresh(sequence).steps}
    waiting = db.session.scalars(select(Message).filter_by(status=MessageStatus.SCHEDULED)).all()
    assert [words[one.step_id] for one in waiting if one.step_id] == ["c", "c"]


def test_of_three_the_other_two_go_on_being_tested() -> None:
    sequence = _harmful("a", "b", "c")
    jobs.guard()
    running = trials.trials(trials.published(fresh(sequence)))[0]
    assert (running.variants, running.until) == (["a", "c"], None)
    assert running.experiment != "e1", "others draw anew"


def test_people_in_an_older_version_with_the_same_test_are_spared_too() -> None:
    sequence = _harmful()
    republish(sequence, "a", "b", goal=False, days_ago=1)
    jobs.guard()
    published = versions.definitions([(sequence.id, number) for number in (3, 4)])
    assert fresh(sequence).version == 4
    assert published[sequence.id, 3].goal is not None, "as version 1"
    assert published[sequence.id, 4].goal is None, "as version 2"
    assert {enrolment.version for enrolment in db.session.scalars(select(Enrolment))} == {3}


def test_what_else_is_compared_goes_on_over_a_stop() -> None:
    """The version for who waits in an older one was never published for anybody who enters."""
    sequence = make_tested("a", "b", holdout=10, days_ago=30)
    people(sequence, 3, Deeds(), "a")
    republish(sequence, "a", "b", holdout=20, days_ago=15)
    for number, variant, is_bad in ((200, "a", False), (188, "b", False), (12, "b", True)):
        people(sequence, number, Deeds(days_ago=12, version=2, complained=is_bad), variant)
    before = trials.holdout(trials.published(fresh(sequence)))
    assert jobs.guard() == 1
    history = trials.published(fresh(sequence))
    assert [version.number for version, _defined in history] == [1, 2, 4]
    assert trials.holdout(history) == before


def test_a_version_that_is_put_back_is_guarded_again() -> None:
    """The same draw of the people comes back, with the wording that was taken out."""
    sequence = _harmful()
    jobs.guard()
    republish(fresh(sequence), "a", "b", days_ago=25)
    people(sequence, 190, Deeds(version=3), "a")
    people(sequence, 178, Deeds(version=3), "b")
    people(sequence, 12, Deeds(version=3, complained=True), "b")
    assert jobs.guard() == 1
    assert [stop.experiment for stop in results.stops(sequence)] == ["e1", "e1"]


def test_what_was_published_while_it_counted_is_looked_at_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = _harmful()
    whole = results.counts_of

    def publish_meanwhile(*asked: Any) -> Any:
        counts = whole(*asked)
        republish(sequence, "a", "b", experiment="e2", days_ago=0)
        return counts

    monkeypatch.setattr(results, "counts_of", publish_meanwhile)
    assert guarding.look(sequence) == 0
    assert fresh(sequence).version == 2


def test_unsubscribes_are_watched_as_well() -> None:
    sequence = make_tested("a", "b")
    people(sequence, 100, Deeds(), "a")
    people(sequence, 80, Deeds(), "b")
    people(sequence, 20, Deeds(left=3), "b")
    jobs.guard()
    assert [one.kind for one in results.stops(sequence)] == [HarmKind.UNSUBSCRIBES]


def test_equal_harm_stops_nothing() -> None:
    sequence = make_tested("a", "b")
    for variant in "ab":
        people(sequence, 90, Deeds(), variant)
        people(sequence, 10, Deeds(complained=True, left=4), variant)
    assert jobs.guard() == 0


def test_a_sequence_that_is_put_away_is_left_alone() -> None:
    sequence = _harmful()
    sequence.archived_at = clock.now()
    db.session.commit()
    assert jobs.guard() == 0
