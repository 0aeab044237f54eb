"""A test and a holdout from end to end: drawn when people enter and letters are planned, and counted as they were."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.experiments import balance
from leadgen.journal.vocabulary import FactName
from leadgen.mail.models import Message
from leadgen.nurture import jobs, splitting, triggers
from leadgen.nurture.models import Enrolment, EnrolmentStatus, Sequence, Step
from leadgen.outcomes import readers, results
from leadgen.outcomes.results import Which
from tests.factories import fresh, in_one_go, make_campaign, make_entry, make_fact
from tests.nurture.audience import make_tested

pytestmark = pytest.mark.usefixtures("context")
PEOPLE = 60


@pytest.fixture
def entered() -> Sequence:
    """Sixty people confirmed; a fifth is held out, the others get a or b."""
    campaign = make_campaign()
    sequence = make_tested("a", "b", campaign=campaign, holdout=20, days_ago=1)
    with in_one_go():
        entries = [make_entry(campaign, confirmed=True, marketing=True) for _ in range(PEOPLE)]
        facts = [make_fact(entry, FactName.ENTRY_CONFIRMED) for entry in entries]
    triggers.hear(facts)
    db.session.commit()
    jobs.plan()
    return sequence


def _wordings() -> dict[int, str]:
    rows = db.session.execute(select(Message.contact_id, Step.variant).join(Step, Step.id == Message.step_id))
    return {row.contact_id: row.variant for row in rows}


def test_who_is_held_out_gets_nothing_and_everybody_else_the_wording_of_their_draw(entered: Sequence) -> None:
    held = set(db.session.scalars(select(Enrolment.contact_id).filter_by(status=EnrolmentStatus.HELD_OUT)))
    everybody = set(db.session.scalars(select(Enrolment.contact_id)))
    got = _wordings()
    assert len(everybody) == PEOPLE
    assert held == {one for one in everybody if splitting.is_held_out(entered.id, 20, one)}
    assert got.keys() == everybody - held
    assert got == {one: "ab"[splitting.variant_of("e1", (1, 1), one)] for one in got}
    for key in range(2):
        assert jobs.plan() == 0, key
    assert db.session.scalar(select(func.count()).select_from(Message)) == len(got)


def test_a_replay_gives_everybody_the_same_wording_and_nothing_twice(entered: Sequence) -> None:
    before = _wordings()
    db.session.execute(
        text(
            "UPDATE enrolment SET status = 'active', step_key = 'step_1', next_run_at = :now WHERE status = 'finished'"
        ),
        {"now": clock.now() - timedelta(minutes=1)},
    )
    db.session.execute(text("DELETE FROM message WHERE id % 2 = 0"))
    db.session.commit()
    assert jobs.plan() > 0
    assert _wordings() == before


def test_what_was_drawn_is_what_is_counted(entered: Sequence) -> None:
    (found,) = results.letters(fresh(entered))
    drawn = Counter(_wordings().values())
    assert {one.variant: one.people for one in found.counts} == drawn
    assert found.trial is not None
    listed = readers.people(entered, found.trial, "a", Which.PEOPLE)
    assert len(listed) == min(drawn["a"], readers.PAGE + 1)


def test_ten_thousand_people_are_split_as_the_shares_say() -> None:
    drawn = Counter(splitting.variant_of("any", (1, 2, 1), contact) for contact in range(10_000))
    assert not balance.is_off([drawn[0], drawn[1], drawn[2]], (1, 2, 1))
    held = sum(splitting.is_held_out(7, 5, contact) for contact in range(10_000))
    assert not balance.is_off([10_000 - held, held], (95, 5))
