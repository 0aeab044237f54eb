"""One message of a person whom a check concerns, and our answer (F11)."""

from __future__ import annotations

import pytest

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.entries import referrals
from leadgen.entries.models import Entry, ReferralReason, Review
from leadgen.fraud import appeals
from leadgen.fraud.models import Appeal
from leadgen.mail.models import Message
from tests.factories import make_campaign, make_entry, make_fact


@pytest.fixture
def ben(context: None) -> Entry:
    """His friend is being checked."""
    campaign = make_campaign()
    ben = make_entry(campaign, confirmed=True, first_name="Ben")
    friend = make_entry(campaign, confirmed=True, referrer=ben)
    referrals.hold(friend.id, ReferralReason.RISK)
    db.session.commit()
    return ben


def test_one_message_and_one_answer_by_mail(ben: Entry) -> None:
    assert appeals.standing(ben.id).may_appeal
    appeals.send(ben.id, "  These are \u202emy cousins. ")
    db.session.commit()
    assert db.session.get_one(Appeal, ben.id).text == "These are my cousins."
    assert not appeals.standing(ben.id).may_appeal
    with pytest.raises(Conflict):
        appeals.send(ben.id, "Again")
    db.session.rollback()

    appeals.answer(ben.campaign_id, ben.id, "Thank you, they count now.", by="Ada")
    db.session.commit()

    assert db.session.query(Message).filter_by(letter="appeal_answer", entry_id=ben.id).count() == 1
    with pytest.raises(Conflict):
        appeals.answer(ben.campaign_id, ben.id, "Again", by="Ada")


@pytest.mark.parametrize("words", ["", "   ", "x" * 501])
def test_what_cannot_be_kept_is_refused_with_a_sentence(ben: Entry, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        appeals.send(ben.id, words)
    assert refused.value.field == "appeal"


def test_who_has_nothing_to_dispute_cannot_write(ben: Entry) -> None:
    lea = make_entry(db.session.get_one(Campaign, ben.campaign_id), confirmed=True)
    assert appeals.standing(lea.id) == appeals.Standing(may_appeal=False, appeal=None)
    with pytest.raises(Conflict):
        appeals.send(lea.id, "Why?")
    db.session.rollback()
    referrals.set_review(lea.id, Review.HELD)
    db.session.commit()
    assert appeals.standing(lea.id).may_appeal


def test_another_campaigns_message_is_absent(ben: Entry) -> None:
    appeals.send(ben.id, "These are my cousins.")
    db.session.commit()
    with pytest.raises(NotFound):
        appeals.answer(make_campaign().id, ben.id, "No", by="Cleo")


def test_erasure_takes_it_away_and_the_download_has_it(ben: Entry) -> None:
    appeals.send(ben.id, "These are my cousins.")
    db.session.commit()
    assert "cousins" in str(appeals.held(ben.contact_id))
    appeals.forget([make_fact(ben)])
    db.session.commit()
    assert appeals.held(ben.contact_id) == {"messages_about_checks": []}
