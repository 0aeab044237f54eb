"""Enrolment: at confirmation, only with consent to marketing, once (nurture.triggers.hear)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import inside, triggers
from leadgen.nurture.models import Enrolment, EnrolmentStatus
from tests.factories import fresh, letter_data, make_campaign, make_entry, make_fact, make_sequence

pytestmark = pytest.mark.usefixtures("context")


def _confirm(*entries: Entry) -> None:
    triggers.hear([make_fact(entry, FactName.ENTRY_CONFIRMED) for entry in entries])
    db.session.commit()


def _enrolments() -> list[Enrolment]:
    return list(db.session.scalars(select(Enrolment).order_by(Enrolment.id)))


def test_only_people_who_agreed_to_marketing_are_enrolled() -> None:
    campaign = make_campaign()
    make_sequence(campaign)
    willing = make_entry(campaign, confirmed=True, marketing=True)
    unwilling = make_entry(campaign, confirmed=True, marketing=False)

    _confirm(willing, unwilling)

    (enrolment,) = _enrolments()
    assert enrolment.entry_id == willing.id
    assert enrolment.status is EnrolmentStatus.ACTIVE


def test_nobody_is_enrolled_before_the_address_is_confirmed() -> None:
    """Rule 3: nothing counts before the confirmation."""
    campaign = make_campaign()
    make_sequence(campaign)

    _confirm(make_entry(campaign, confirmed=False, marketing=True))

    assert _enrolments() == []


def test_the_first_step_is_due_its_delay_after_the_confirmation() -> None:
    campaign = make_campaign()
    make_sequence(campaign)
    entry = make_entry(campaign, confirmed=True, marketing=True)

    _confirm(entry)

    (enrolment,) = _enrolments()
    assert entry.confirmed_at is not None
    assert enrolment.next_run_at == entry.confirmed_at + timedelta(hours=1)
    assert (enrolment.step_key, enrolment.anchor_at) == ("step_1", entry.confirmed_at)


def test_a_delay_in_days_keeps_the_hour_when_summer_time_ends() -> None:
    campaign = make_campaign(timezone="Europe/Paris")
    make_sequence(campaign, definition={"steps": [letter_data(1, seconds=2 * 86400 + 600)]})
    confirmed_at = datetime.fromisoformat("2026-10-24T09:00+02:00")  # the clocks go back in the night to the 25th
    entry = make_entry(campaign, confirmed=True, marketing=True, confirmed_at=confirmed_at)

    _confirm(entry)

    assert _enrolments()[0].next_run_at == datetime.fromisoformat("2026-10-26T09:10+01:00")


def test_the_reaction_may_run_twice() -> None:
    campaign = make_campaign()
    make_sequence(campaign)
    entry = make_entry(campaign, confirmed=True, marketing=True)

    _confirm(entry)
    _confirm(entry)

    assert len(_enrolments()) == 1
    entered = select(func.count()).select_from(Fact).filter_by(name=FactName.SEQUENCE_ENTERED.value)
    assert db.session.scalar(entered) == 1


def test_who_left_is_not_enrolled_again() -> None:
    campaign = make_campaign()
    make_sequence(campaign)
    entry = make_entry(campaign, confirmed=True, marketing=True)
    _confirm(entry)
    inside.leave([make_fact(entry, FactName.CONSENT_WITHDRAWN)])

    _confirm(entry)

    (enrolment,) = _enrolments()
    assert fresh(enrolment).status is EnrolmentStatus.EXITED


def test_a_paused_sequence_enrols_nobody() -> None:
    campaign = make_campaign()
    make_sequence(campaign, is_active=False)

    _confirm(make_entry(campaign, confirmed=True, marketing=True))

    assert _enrolments() == []


def test_a_thousand_facts_cost_one_statement() -> None:
    campaign = make_campaign()
    make_sequence(campaign)
    entries = [make_entry(campaign, confirmed=True, marketing=True) for _ in range(30)]

    _confirm(*entries)

    assert {enrolment.entry_id for enrolment in _enrolments()} == {entry.id for entry in entries}
