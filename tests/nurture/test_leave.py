"""Leaving: unsubscribe, bounce, complaint and erasure end every sequence and cancel what is planned."""

import pytest
from sqlalchemy import select

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail.models import MessageStatus
from leadgen.nurture import inside, planning
from leadgen.nurture.models import Enrolment, EnrolmentStatus
from tests.factories import (
    fresh,
    make_brand,
    make_campaign,
    make_contact,
    make_enrolment,
    make_entry,
    make_fact,
    make_message,
    make_sequence,
)

pytestmark = pytest.mark.usefixtures("context")

REASONS = [
    (FactName.CONSENT_WITHDRAWN, {"channel": "unsubscribe page"}, "withdrawn"),
    (FactName.CONTACT_SUPPRESSED, {"reason": "unsubscribe"}, "unsubscribe"),
    (FactName.CONTACT_SUPPRESSED, {"reason": "hard_bounce"}, "hard_bounce"),
    (FactName.CONTACT_SUPPRESSED, {"reason": "complaint"}, "complaint"),
    (FactName.CONTACT_ERASED, {}, "erased"),
]


def _enrolled(**values: object) -> tuple[Entry, Enrolment]:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, marketing=True, **values)
    return entry, make_enrolment(make_sequence(campaign), entry)


def _leave(entry: Entry, name: FactName = FactName.CONSENT_WITHDRAWN, **data: object) -> None:
    inside.leave([make_fact(entry, name, data=data)])
    db.session.commit()


@pytest.mark.parametrize(("name", "data", "reason"), REASONS)
def test_every_reason_ends_the_enrolment(name: FactName, data: dict[str, object], reason: str) -> None:
    entry, enrolment = _enrolled()

    _leave(entry, name, **data)

    assert fresh(enrolment).status is EnrolmentStatus.EXITED
    assert enrolment.exit_reason == reason
    assert enrolment.ended_at is not None
    (exited,) = db.session.scalars(select(Fact).filter_by(name=FactName.SEQUENCE_EXITED.value))
    assert exited.contact_id == entry.contact_id
    assert exited.data["reason"] == reason


def test_what_is_planned_is_cancelled_and_service_mail_is_not() -> None:
    entry, _ = _enrolled()
    letter = make_message(entry, letter="sequence", lane=Lane.NURTURE, purpose=MailPurpose.MARKETING)
    welcome = make_message(entry, letter="welcome", lane=Lane.SERVICE)

    _leave(entry)

    assert fresh(letter).status is MessageStatus.CANCELLED
    assert letter.reason == "withdrawn"
    assert fresh(welcome).status is MessageStatus.SCHEDULED


def test_a_letter_that_is_being_sent_is_left_to_the_sender() -> None:
    entry, _ = _enrolled()
    letter = make_message(entry, lane=Lane.NURTURE, status=MessageStatus.SENDING)

    _leave(entry)

    assert fresh(letter).status is MessageStatus.SENDING


def test_all_sequences_of_the_contact_end_and_nobody_elses() -> None:
    brand = make_brand()
    contact = make_contact(brand, marketing=True)
    campaigns = [make_campaign(brand) for _ in range(2)]
    entries = [make_entry(campaign, contact, confirmed=True, marketing=True) for campaign in campaigns]
    own = [make_enrolment(make_sequence(c), e) for c, e in zip(campaigns, entries, strict=True)]
    _, other = _enrolled()

    _leave(entries[0])

    assert {fresh(enrolment).status for enrolment in own} == {EnrolmentStatus.EXITED}
    assert fresh(other).status is EnrolmentStatus.ACTIVE


def test_the_reaction_may_run_twice_and_keeps_the_first_reason() -> None:
    entry, enrolment = _enrolled()

    _leave(entry, FactName.CONTACT_SUPPRESSED, reason="complaint")
    _leave(entry, FactName.CONTACT_ERASED)

    assert fresh(enrolment).exit_reason == "complaint"


def test_who_has_left_is_not_planned() -> None:
    entry, _ = _enrolled()
    _leave(entry)

    assert planning.plan_batch() == 0


@pytest.mark.parametrize(("name", "data", "reason"), REASONS)
def test_what_began_after_somebody_agreed_again_goes_on(name: FactName, data: dict[str, object], reason: str) -> None:
    """A withdrawal may be told after the confirmation that followed it; what cannot be taken back ends that too."""
    entry, before = _enrolled()
    gone = make_fact(entry, name, data=data)
    again = make_fact(entry, FactName.ENTRY_CONFIRMED)
    sequence = make_sequence(db.session.get_one(Campaign, entry.campaign_id), key="again")
    after = make_enrolment(sequence, entry, fact_id=again.id)
    letters = [
        make_message(entry, lane=Lane.NURTURE, purpose=MailPurpose.MARKETING, enrolment_id=one.id)
        for one in (before, after)
    ]

    inside.leave([gone])
    db.session.commit()

    assert fresh(before).exit_reason == reason
    goes_on = reason in {"withdrawn", "unsubscribe"}
    assert fresh(after).status is (EnrolmentStatus.ACTIVE if goes_on else EnrolmentStatus.EXITED)
    states = [fresh(one).status for one in letters]
    assert states == [MessageStatus.CANCELLED, MessageStatus.SCHEDULED if goes_on else MessageStatus.CANCELLED]
