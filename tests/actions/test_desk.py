"""What waits for staff: accepted, refused with a reason, handed in again, and minds that change."""

from __future__ import annotations

import pytest

from leadgen.actions import audit, desk, ways
from leadgen.actions.models import DeedState
from leadgen.actions.rules import Stand
from leadgen.actions.service import Outcome
from leadgen.campaigns import cards
from leadgen.campaigns.models import ActionKind, Campaign, CampaignStatus
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.entries.models import Entry
from tests.actions.conftest import an, do, lines, total
from tests.conftest import Clock
from tests.factories import make_campaign


@pytest.fixture
def handed_in(campaign: Campaign, ben: Entry) -> int:
    """Ben's deed waits; answers its id."""
    action = an(ActionKind.CUSTOM, campaign, settings={"approval": True})
    assert do(ben, action, note="seen at the fair").outcome is Outcome.WAITING
    [line] = desk.lines([action.id], state="waiting")
    assert line.note == "seen at the fair"
    return line.id


def test_acceptance_credits_once_as_of_when_it_was_handed_in(
    campaign: Campaign, ben: Entry, handed_in: int, clock: Clock
) -> None:
    clock.forward(days=2)
    assert desk.approve(campaign.id, handed_in, by="Ada")
    assert not desk.approve(campaign.id, handed_in, by="Ada")
    db.session.commit()
    assert total(ben) == (2, 2)
    [line], [deed] = lines(ben), desk.lines([campaign.actions[0].id])
    assert line["at"] == deed.begun_at


def test_a_refusal_tells_why_and_may_be_handed_in_again(campaign: Campaign, ben: Entry, handed_in: int) -> None:
    with pytest.raises(Invalid):
        desk.refuse(campaign.id, handed_in, by="Ada", reason=" ")
    assert desk.refuse(campaign.id, handed_in, by="Ada", reason="Nothing can be seen.")
    assert not desk.refuse(campaign.id, handed_in, by="Ada", reason="Nothing can be seen.")
    db.session.commit()
    [way] = ways.of(ben.id, cards.by_id(campaign.id)).ways
    assert way.stand is Stand.REFUSED
    assert way.deed is not None
    assert way.deed.data["reason"] == "Nothing can be seen."
    action = campaign.actions[0]
    assert do(ben, action, note="now").outcome is Outcome.WAITING
    desk.refuse(campaign.id, handed_in, by="Ada", reason="Still nothing.")
    assert do(ben, action, note="now").outcome is Outcome.WAITING
    desk.refuse(campaign.id, handed_in, by="Ada", reason="No.")
    assert do(ben, action, note="now").outcome is Outcome.FAILED, "three times in all"


def test_minds_may_change(campaign: Campaign, ben: Entry, handed_in: int) -> None:
    """Approve, refuse and approve again leave one line that stands."""
    for _ in range(2):
        desk.approve(campaign.id, handed_in, by="Ada")
        db.session.commit()
        assert total(ben) == (2, 2)
        desk.refuse(campaign.id, handed_in, by="Ada", reason="A mistake")
        db.session.commit()
        assert total(ben) == (0, 0)
        assert audit.audit() == []
    desk.approve(campaign.id, handed_in, by="Ada")
    assert audit.audit() == []


def test_what_is_accepted_again_is_worth_what_it_was(campaign: Campaign, ben: Entry, handed_in: int) -> None:
    """The line that stands again is the one of then, whatever the action is worth by now."""
    action = campaign.actions[0]
    desk.approve(campaign.id, handed_in, by="Ada")
    desk.refuse(campaign.id, handed_in, by="Ada", reason="A mistake")
    action.points = action.chances = 9
    db.session.commit()
    cards.forget()

    desk.approve(campaign.id, handed_in, by="Ada")
    db.session.commit()
    assert total(ben) == (2, 2)
    assert desk.lines([action.id])[0].points == 2
    assert audit.audit() == []


def test_staff_passes_nobody_through_a_film_or_a_quiz(campaign: Campaign, ben: Entry) -> None:
    film, quiz = an(ActionKind.VIDEO, campaign), an(ActionKind.QUIZ, campaign)
    do(ben, film)
    assert do(ben, quiz, answers={}, seconds=60.0).outcome is Outcome.FAILED
    for line in desk.lines([film.id, quiz.id]):
        with pytest.raises(Conflict, match="handed in"):
            desk.approve(campaign.id, line.id, by="Ada")
    assert total(ben) == (0, 0)


def test_in_grace_what_was_handed_in_before_can_be_accepted(campaign: Campaign, ben: Entry, handed_in: int) -> None:
    campaign.status = CampaignStatus.CLOSING
    db.session.commit()
    assert desk.approve(campaign.id, handed_in, by="Ada")


def test_not_after_the_contest_is_settled(campaign: Campaign, ben: Entry, handed_in: int) -> None:
    campaign.status = CampaignStatus.CLOSED
    db.session.commit()
    with pytest.raises(Conflict):
        desk.approve(campaign.id, handed_in, by="Ada")
    assert total(ben) == (0, 0)


def test_another_campaigns_deed_is_not_there(handed_in: int) -> None:
    """Rule 8."""
    other = make_campaign()
    with pytest.raises(NotFound):
        desk.approve(other.id, handed_in, by="Cleo")
    with pytest.raises(NotFound):
        desk.refuse(other.id, handed_in, by="Cleo", reason="x")


def test_counts_tell_deeds_people_and_what_waits(campaign: Campaign, ben: Entry, handed_in: int) -> None:
    action = campaign.actions[0]
    assert desk.counts(campaign.id, [action.id]) == {action.id: desk.Count(done=0, waiting=1, people=0)}
    desk.approve(campaign.id, handed_in, by="Ada")
    assert desk.counts(campaign.id, [action.id]) == {action.id: desk.Count(done=1, waiting=0, people=1)}
    assert desk.lines([action.id])[0].state is DeedState.DONE
