"""What the sequences did and will do with a contact, in words."""

import pytest

from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.journal.vocabulary import FactName
from leadgen.nurture import inside, jobs
from leadgen.nurture import service as nurture
from tests.factories import make_campaign, make_enrolment, make_entry, make_fact, make_sequence

pytestmark = pytest.mark.usefixtures("context")


def _sentences(contact_id: int) -> list[str]:
    db.session.commit()
    return [line.sentence for line in nurture.timeline(contact_id)]


def test_it_tells_entry_plan_and_exit_with_the_reason() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    sequence = make_sequence(campaign)
    make_enrolment(sequence, entry)
    assert _sentences(entry.contact_id) == ["Entered the sequence “After the entry”", "“Letter 1” is planned"]

    inside.leave([make_fact(entry, FactName.CONTACT_SUPPRESSED, data={"reason": "complaint"})])
    db.session.commit()
    assert _sentences(entry.contact_id)[-1] == "Left the sequence “After the entry”: reported as spam"

    with i18n.speaking("fr"):
        assert _sentences(entry.contact_id)[-1].endswith(": signalé comme indésirable")


def test_it_tells_that_a_paused_sequence_waits() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_enrolment(make_sequence(campaign, is_active=False), entry)

    assert _sentences(entry.contact_id)[-1] == "“Letter 1” waits: the sequence is paused"


def test_it_tells_the_end() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_enrolment(make_sequence(campaign, steps=1), entry)
    jobs.plan()

    lines = nurture.timeline(entry.contact_id)
    assert lines[-1].sentence == "Finished “After the entry”"
    assert lines[-1].at <= clock.now()


def test_who_is_in_no_sequence_has_no_lines() -> None:
    assert nurture.timeline(make_entry(confirmed=True).contact_id) == []
