"""What staff decide: publish, refuse with a reason, take back; what the maker hears; and being forgotten."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from leadgen import reactions
from leadgen.campaigns.models import Action, Repeat
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.entries import person
from leadgen.entries.models import Entry, LedgerKind, LedgerLine
from leadgen.gallery import forgetting, kinds, votes
from leadgen.gallery import service as gallery
from leadgen.gallery.models import Vote, Work, WorkState
from leadgen.gallery.service import Before, WorkInput
from leadgen.gallery.voters import Voter
from leadgen.journal.models import Fact
from leadgen.mail.models import Message
from leadgen.pictures.models import Picture
from tests.conftest import Clock
from tests.factories import fresh
from tests.gallery import photos
from tests.gallery.conftest import Contest


def _hand_in(contest: Contest, title: str = "At the sea", maker: Entry | None = None) -> Work:
    given = WorkInput(title=title, body="", photo=photos.photo(), is_agreed=True, rights="It is mine.", address="::1")
    work = gallery.hand_in((maker or contest.ben).id, contest.card, contest.action, given)
    db.session.commit()
    return work


def _decide(contest: Contest, works: list[Work], state: WorkState, reason: str = "") -> list[Before]:
    before = gallery.decide(contest.campaign.id, [work.id for work in works], state, by="Ada", reason=reason)
    db.session.commit()
    return before


def _letters() -> list[str]:
    return list(db.session.scalars(select(Message.letter).where(Message.letter == "work_decided")))


def test_a_work_is_published(contest: Contest) -> None:
    work = _hand_in(contest)
    assert _decide(contest, [work], WorkState.PUBLISHED) == [(work.id, WorkState.WAITING, "")]
    assert (fresh(work).state, work.decided_by) == (WorkState.PUBLISHED, "Ada")
    assert work.decided_at is not None
    assert "work.published" in set(db.session.scalars(select(Fact.name)))


def test_a_refusal_needs_a_reason(contest: Contest) -> None:
    work = _hand_in(contest)
    with pytest.raises(Invalid, match="why") as refused:
        _decide(contest, [work], WorkState.REFUSED, "  ")
    assert refused.value.field == "reason"
    db.session.rollback()
    assert fresh(work).state is WorkState.WAITING


def test_a_reason_is_read_in_the_makers_words(contest: Contest) -> None:
    work = _hand_in(contest)
    _decide(contest, [work], WorkState.REFUSED, "people")
    assert "may not have agreed" in kinds.reason_in_words(fresh(work).reason)
    assert kinds.reason_in_words("Your dog is lovely, but this is about trains.").startswith("Your dog")


def test_the_maker_hears_of_it_once_a_day(contest: Contest) -> None:
    own = [_hand_in(contest, f"Photo {number}") for number in range(3)]
    _decide(contest, own[:2], WorkState.PUBLISHED)
    _decide(contest, own[2:], WorkState.REFUSED, "quality")
    assert len(_letters()) == 1


def test_deciding_again_changes_nothing(contest: Contest) -> None:
    work = _hand_in(contest)
    _decide(contest, [work], WorkState.PUBLISHED)
    assert _decide(contest, [work], WorkState.PUBLISHED) == []


def test_a_decision_can_be_taken_back(contest: Contest) -> None:
    own = [_hand_in(contest, f"Photo {number}") for number in range(2)]
    _decide(contest, own[:1], WorkState.REFUSED, "quality")
    before = _decide(contest, own, WorkState.PUBLISHED)
    assert gallery.restore(contest.campaign.id, before, by="Ada") == 2
    assert [(fresh(work).state, work.reason) for work in own] == [
        (WorkState.REFUSED, "quality"),
        (WorkState.WAITING, ""),
    ]


def _points(contest: Contest) -> int:
    """Ben's points beside those for entering, as the ledger has them."""
    lines = select(func.coalesce(func.sum(LedgerLine.points), 0)).filter_by(entry_id=contest.ben.id)
    return int(db.session.scalar(lines.where(LedgerLine.kind != LedgerKind.ENTRY)) or 0)


def test_publishing_brings_the_actions_points_once(contest: Contest) -> None:
    first, second = _hand_in(contest, "One"), _hand_in(contest, "Two")
    assert _points(contest) == 0
    _decide(contest, [first], WorkState.PUBLISHED)
    assert _points(contest) == 4
    _decide(contest, [first, second], WorkState.PUBLISHED)
    assert _points(contest) == 4


def test_a_later_refusal_takes_the_points_back_and_an_undo_returns_them(contest: Contest) -> None:
    work = _hand_in(contest)
    seen = []
    for _ in range(2):
        _decide(contest, [work], WorkState.PUBLISHED)
        before = _decide(contest, [work], WorkState.REFUSED, "not_own")
        seen.append(_points(contest))
        gallery.restore(contest.campaign.id, before, by="Ada")
        db.session.commit()
        seen.append(_points(contest))
    assert seen == [0, 4, 0, 4]


def test_a_withdrawn_work_loses_its_points(contest: Contest) -> None:
    work = _hand_in(contest)
    _decide(contest, [work], WorkState.PUBLISHED)
    gallery.withdraw(contest.ben.id, work.public_id)
    db.session.commit()
    assert _points(contest) == 0


def test_another_published_work_earns_them_in_its_place(contest: Contest) -> None:
    first, second = _hand_in(contest, "One"), _hand_in(contest, "Two")
    _decide(contest, [first, second], WorkState.PUBLISHED)
    _decide(contest, [first], WorkState.REFUSED, "quality")
    assert _points(contest) == 4
    _decide(contest, [second], WorkState.REFUSED, "quality")
    assert _points(contest) == 0


def test_each_work_brings_points_where_the_action_may_be_done_many_times(contest: Contest) -> None:
    db.session.get_one(Action, contest.action_id).repeat = Repeat.UNLIMITED
    db.session.commit()
    works = [_hand_in(contest, f"Photo {number}") for number in range(3)]
    _decide(contest, works, WorkState.PUBLISHED)
    assert _points(contest) == 12
    _decide(contest, works[:1], WorkState.REFUSED, "quality")
    assert _points(contest) == 8


def test_what_was_handed_in_before_the_end_counts_when_it_is_looked_at_later(contest: Contest, clock: Clock) -> None:
    work = _hand_in(contest)
    contest.set(ends_at=product_clock.now())
    clock.forward(hours=1)
    _decide(contest, [work], WorkState.PUBLISHED)
    assert (fresh(work).state, _points(contest)) == (WorkState.PUBLISHED, 4)


def test_a_work_of_an_action_that_is_gone_is_published_without_points(contest: Contest) -> None:
    work = _hand_in(contest)
    db.session.get_one(Action, contest.action_id).is_active = False
    contest.set(name="Photos")
    _decide(contest, [work], WorkState.PUBLISHED)
    assert (fresh(work).state, _points(contest)) == (WorkState.PUBLISHED, 0)


def test_another_campaigns_works_stay(contest: Contest) -> None:
    work = _hand_in(contest)
    assert gallery.decide(contest.campaign.id + 1, [work.id], WorkState.PUBLISHED, by="Cleo") == []
    assert fresh(work).state is WorkState.WAITING


def test_a_withdrawn_work_is_neither_published_nor_restored(contest: Contest) -> None:
    work = _hand_in(contest)
    before = _decide(contest, [work], WorkState.PUBLISHED)
    gallery.withdraw(contest.ben.id, work.public_id)
    db.session.commit()
    assert _decide(contest, [work], WorkState.PUBLISHED) == []
    assert gallery.restore(contest.campaign.id, before, by="Ada") == 0
    assert fresh(work).state is WorkState.WITHDRAWN
    with pytest.raises(NotFound):
        gallery.withdraw(contest.ben.id, work.public_id)


def test_erasing_a_person_removes_works_and_pictures_and_keeps_votes_as_counts(contest: Contest) -> None:
    own, other = _hand_in(contest), _hand_in(contest, maker=contest.anna)
    _decide(contest, [own, other], WorkState.PUBLISHED)
    contest.vote_now()
    votes.cast(contest.card, own.public_id, Voter("203.0.113.1", "Browser"))
    votes.cast(contest.card, other.public_id, Voter("203.0.113.2", "Browser", contest.ben.id))
    db.session.commit()
    person.erase(contest.ben.id)
    db.session.commit()
    for _ in range(2):  # a reaction may run twice
        reactions.drain()
        db.session.execute(Fact.__table__.update().values(announced_at=None))
        db.session.commit()
    own = fresh(own)
    assert (own.title, own.body, own.rights, bytes(own.network), own.picture_id) == ("", "", "", b"", None)
    assert own.state is WorkState.WITHDRAWN
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 1
    assert [own.votes, fresh(other).votes] == [1, 1]
    assert set(db.session.scalars(select(Vote.entry_id))) == {None}
    assert votes.audit() == 0


def test_what_is_held_names_works_and_votes(contest: Contest) -> None:
    own, other = _hand_in(contest), _hand_in(contest, maker=contest.anna)
    _decide(contest, [own, other], WorkState.PUBLISHED)
    contest.vote_now()
    votes.cast(contest.card, other.public_id, Voter("203.0.113.2", "Browser", contest.ben.id))
    db.session.commit()
    held = forgetting.held(contest.ben.contact_id)
    assert [work["title"] for work in held["works"]] == ["At the sea"]
    assert [vote["work"] for vote in held["votes_given"]] == [other.public_id]


@pytest.mark.parametrize("status", ["closed", "awarded"])
def test_once_the_contest_is_closed_works_move_and_points_stay(contest: Contest, status: str) -> None:
    work = _hand_in(contest)
    _decide(contest, [work], WorkState.PUBLISHED)
    points_before = _points(contest)
    contest.set(status=status)

    before = _decide(contest, [work], WorkState.REFUSED, "not a photo")
    assert (fresh(work).state, _points(contest)) == (WorkState.REFUSED, points_before)
    gallery.restore(contest.campaign.id, before, by="Ada")
    db.session.commit()
    assert (fresh(work).state, _points(contest)) == (WorkState.PUBLISHED, points_before)
