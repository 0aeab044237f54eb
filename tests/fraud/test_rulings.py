"""What staff decide in the review holds, is kept with its reason, and can be taken back (F11)."""

from __future__ import annotations

import pytest

from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.entries.models import Entry
from leadgen.fraud import rulings
from leadgen.fraud.models import Decision, Verdict
from tests.conftest import Clock
from tests.factories import make_campaign, make_entry
from tests.factories_contest import make_signal, make_verdict
from tests.world import make_world


def _decision(entry: Entry) -> Decision:
    verdict = db.session.get(Verdict, entry.id, populate_existing=True)
    return verdict.decision if verdict else Decision.NONE


@pytest.fixture
def ben(context: None) -> Entry:
    world = make_world()
    make_signal(world.ben, "same_device")
    make_verdict(world.ben, score=60)
    return world.ben


def test_a_decision_is_kept_with_its_reason_and_the_codes_known_then(ben: Entry) -> None:
    ruling = rulings.rule(ben.campaign_id, [ben.id], Decision.ACCEPTED, reason=" My cousin ", by="Ada")
    db.session.commit()

    assert (ruling.reason, ruling.by) == ("My cousin", "Ada")
    verdict = db.session.get_one(Verdict, ben.id)
    assert verdict.decision is Decision.ACCEPTED
    assert verdict.decided_codes == ["same_device"]
    assert verdict.decided_by == "Ada"


def test_taking_it_back_restores_what_was_before(ben: Entry) -> None:
    first = rulings.rule(ben.campaign_id, [ben.id], Decision.HELD, reason="look again", by="Ada")
    db.session.commit()
    second = rulings.rule(ben.campaign_id, [ben.id], Decision.REJECTED, reason="a script", by="Bob")
    db.session.commit()

    rulings.undo(ben.campaign_id, second.id, by="Ada")
    db.session.commit()
    assert _decision(ben) is Decision.HELD
    with pytest.raises(Conflict):
        rulings.undo(ben.campaign_id, second.id, by="Ada")
    verdict = db.session.get_one(Verdict, ben.id)
    assert (verdict.decided_by, verdict.decided_at) == ("Ada", first.at)  # as it was made, so it can be taken back too
    rulings.undo(ben.campaign_id, first.id, by="Ada")
    db.session.commit()
    assert _decision(ben) is Decision.NONE


def test_people_about_whom_somebody_decided_anew_keep_that(ben: Entry) -> None:
    first = rulings.rule(ben.campaign_id, [ben.id], Decision.HELD, reason="look again", by="Ada")
    db.session.commit()
    rulings.rule(ben.campaign_id, [ben.id], Decision.REJECTED, reason="a script", by="Bob")
    db.session.commit()

    rulings.undo(ben.campaign_id, first.id, by="Ada")
    db.session.commit()

    assert _decision(ben) is Decision.REJECTED


def test_what_was_found_after_a_decision_is_news_again_when_a_later_one_is_taken_back(ben: Entry) -> None:
    rulings.rule(ben.campaign_id, [ben.id], Decision.ACCEPTED, reason="my cousin", by="Ada")
    db.session.commit()
    make_signal(ben, "instant_form")
    later = rulings.rule(ben.campaign_id, [ben.id], Decision.HELD, reason="look", by="Ada")
    db.session.commit()

    rulings.undo(ben.campaign_id, later.id, by="Ada")
    db.session.commit()

    verdict = db.session.get_one(Verdict, ben.id, populate_existing=True)
    assert (verdict.decision, verdict.decided_codes) == (Decision.ACCEPTED, ["same_device"])


def test_it_can_be_taken_back_for_thirty_days(ben: Entry, clock: Clock) -> None:
    ruling = rulings.rule(ben.campaign_id, [ben.id], Decision.ACCEPTED, reason="known", by="Ada")
    db.session.commit()
    clock.forward(days=29)
    assert rulings.may_be_undone(ruling)
    clock.forward(days=2)
    assert not rulings.may_be_undone(ruling)
    with pytest.raises(Conflict, match="thirty days"):
        rulings.undo(ben.campaign_id, ruling.id, by="Ada")


def test_a_reason_is_needed_and_foreign_people_are_not_touched(ben: Entry) -> None:
    with pytest.raises(Invalid) as refused:
        rulings.rule(ben.campaign_id, [ben.id], Decision.REJECTED, reason="  ", by="Ada")
    assert refused.value.field == "reason"
    stranger = make_entry(make_campaign(), confirmed=True)
    with pytest.raises(NotFound):
        rulings.rule(ben.campaign_id, [stranger.id], Decision.REJECTED, reason="script", by="Ada")
    rulings.rule(ben.campaign_id, [ben.id, stranger.id], Decision.REJECTED, reason="script", by="Ada")
    db.session.commit()
    assert _decision(stranger) is Decision.NONE
    with pytest.raises(NotFound):
        rulings.undo(stranger.campaign_id, rulings.latest(ben.campaign_id)[0].id, by="Ada")


def test_not_too_many_at_once(ben: Entry) -> None:
    with pytest.raises(Invalid, match="1000"):
        rulings.rule(ben.campaign_id, range(1, 1_002), Decision.HELD, reason="all", by="Ada")
