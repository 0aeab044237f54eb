"""Rules by version: drafted, previewed, published in the background, put back; crossings once for each."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.scores import jobs, rounds
from leadgen.scores import preview as previews
from leadgen.scores import service as scores
from leadgen.scores.explaining import explained
from leadgen.scores.models import ContactScore, RulesState, ScoreContribution, ScoreRules
from leadgen.web.public import sections
from tests.conftest import Clock
from tests.factories import make_brand, make_campaign, make_contact, make_entry, make_fact

PEOPLE = 6


@pytest.fixture
def brand(context: None) -> Brand:
    """Six people who confirmed; each answered one question more than the one before."""
    brand = make_brand()
    campaign = make_campaign(brand)
    for number in range(PEOPLE):
        contact = make_contact(brand, answers={f"question_{n}": "sea" for n in range(number)})
        make_fact(make_entry(campaign, contact, confirmed=True), FactName.ENTRY_CONFIRMED)
    jobs.look_at_all()
    jobs.score()
    return brand


def _definition(brand: Brand) -> dict[str, Any]:
    version = scores.standing(brand.id)
    assert version is not None
    return copy.deepcopy(version.definition)


def _published(brand: Brand, definition: dict[str, Any]) -> ScoreRules:
    draft = scores.open_draft(brand, "Ada")
    draft = scores.save_draft(brand, definition, draft.revision, "Ada")
    found = scores.publish(brand, draft.revision, "Ada")
    db.session.commit()
    return found


def _fits(number: int) -> list[int]:
    chosen = select(ContactScore.fit).filter_by(number=number).order_by(ContactScore.contact_id)
    return list(db.session.scalars(chosen))


def _crossings() -> Sequence[Fact]:
    return db.session.scalars(select(Fact).filter_by(name=FactName.SCORE_CROSSED.value).order_by(Fact.id)).all()


def test_a_brand_has_rules_and_its_people_scores_from_the_first_moment(brand: Brand) -> None:
    version = scores.standing(brand.id)
    assert version is not None
    assert (version.number, version.done, version.of, version.reached_id) == (1, PEOPLE, PEOPLE, None)
    assert _fits(1) == [0, 25, 45, 65, 65, 85]
    assert _crossings() == [], "nothing happened to people who have long been known"


def test_the_old_scores_stay_until_the_new_ones_are_whole(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "STEP", 2)
    changed = _definition(brand)
    changed["fit"][0]["points"] = 50
    made = _published(brand, changed)

    assert rounds.serve(0) is False
    assert (made.state, made.done, made.of) == (RulesState.COMPUTING, 2, PEOPLE)
    standing = scores.standing(brand.id)
    assert standing is not None
    assert standing.number == 1
    assert (_fits(1), _fits(2)) == ([0, 25, 45, 65, 65, 85], [0, 50])

    jobs.score()
    assert made.state is RulesState.STANDING
    assert _fits(2) == [0, 50, 70, 90, 90, 100]
    assert _fits(1) == []
    assert set(db.session.scalars(select(ScoreContribution.number))) == {2}
    assert _crossings() == [], "a change of the rules is no deed of anybody"


def test_who_does_something_during_a_round_has_both_scores_right(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "STEP", 2)
    changed = _definition(brand)
    changed["fit"][0]["points"] = 50
    _published(brand, changed)
    rounds.serve(0)
    first, last = db.session.scalars(select(Contact).order_by(Contact.id)).all()[:: PEOPLE - 1]
    for contact in (first, last):
        contact.answers = {"question_1": "sea"}
    rounds.score_now(brand.id, [first.id, last.id])
    db.session.commit()
    assert (_fits(1), _fits(2)) == ([25, 25, 45, 65, 65, 25], [50, 50, 50])
    jobs.score()
    assert _fits(2) == [50, 50, 70, 90, 90, 50]


def test_a_preview_says_who_moves_and_writes_nothing(brand: Brand) -> None:
    draft = scores.open_draft(brand, "Ada")
    changed = _definition(brand)
    changed["fit"][0]["points"] = 60
    draft = scores.save_draft(brand, changed, draft.revision, "Ada")
    before = db.session.scalar(select(func.count()).select_from(ScoreContribution))
    found = previews.preview(brand, draft)
    assert (found.seen, found.of) == (PEOPLE, PEOPLE)
    assert found.fit[0] == [1, 0, 1, 0, 1, 0, 2, 0, 1, 0]
    assert found.fit[1] == [1, 0, 0, 0, 0, 0, 1, 0, 1, 3]
    assert dict(found.moves) == {("C3", "B3"): 1, ("C3", "A3"): 1, ("B3", "A3"): 2}
    assert [(one.before.fit, one.after.fit) for one in found.movers] == [(25, 60), (45, 80), (65, 100), (65, 100)]
    assert db.session.scalar(select(func.count()).select_from(ScoreContribution)) == before
    assert _fits(2) == []


def test_what_the_preview_said_is_what_happens(brand: Brand) -> None:
    draft = scores.open_draft(brand, "Ada")
    changed = _definition(brand)
    changed["fit"][0]["points"] = 60
    draft = scores.save_draft(brand, changed, draft.revision, "Ada")
    found = previews.preview(brand, draft)
    scores.publish(brand, draft.revision, "Ada")
    db.session.commit()
    jobs.score()
    grades, number = previews.distribution(brand.id)
    assert number == PEOPLE
    assert grades == {"A3": 4, "B3": 1, "D3": 1}
    assert sum(found.moves.values()) == 4


def test_a_published_version_never_changes_and_can_be_put_back(brand: Brand) -> None:
    old = _definition(brand)
    changed = copy.deepcopy(old)
    changed["half_life"] = 14
    _published(brand, changed)
    jobs.score()
    with pytest.raises(Conflict):
        scores.save_draft(brand, old, 1, "Ada")
    draft = scores.open_draft(brand, "Ada", 1)
    assert (draft.number, draft.based_on, draft.definition) == (3, 1, old)
    with pytest.raises(NotFound):
        scores.open_draft(brand, "Ada", 99)
    with pytest.raises(Conflict):
        scores.publish(brand, draft.revision + 1, "Ada")


def test_a_version_that_is_published_meanwhile_overtakes(brand: Brand) -> None:
    first, second = _definition(brand), _definition(brand)
    first["half_life"], second["half_life"] = 14, 30
    _published(brand, first)
    _published(brand, second)
    jobs.score()
    states = {one.number: one.state for one in scores.versions(brand.id)}
    assert states == {1: RulesState.PAST, 2: RulesState.PAST, 3: RulesState.STANDING}
    assert set(db.session.scalars(select(ContactScore.number))) == {3}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("half_life",), 13, "half_life"),
        (("half_life",), "21", "half_life"),
        (("fit", 0, "points"), 0, "fit.0.points"),
        (("fit", 1, "when"), {"field": "answer.shoe", "op": "eq", "value": "x"}, "fit.1.what"),
        (("deeds", 2, "deed"), "open", "deeds.2.what"),
        (("deeds", 2, "points"), 101, "deeds.2.points"),
        (("silence", "days"), 0, "silence.days"),
        (("fit_bands", 1, "leave"), 60, "fit_bands.B.leave"),
        (("engagement_bands", 1, "enter"), 70, "engagement_bands.2.enter"),
    ],
)
def test_rules_that_cannot_be_are_refused_by_field(
    brand: Brand, path: tuple[str | int, ...], value: Any, field: str
) -> None:
    changed: Any = _definition(brand)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    draft = scores.open_draft(brand, "Ada")
    with pytest.raises(Invalid) as refused:
        scores.save_draft(brand, changed, draft.revision, "Ada")
    assert refused.value.field == field


def test_a_crossing_is_told_once_and_does_not_flap(brand: Brand, clock: Clock) -> None:
    anna = db.session.scalars(select(Entry).order_by(Entry.id)).first()
    assert anna is not None
    contact = db.session.get_one(Contact, anna.contact_id)

    def scored(*answers: str) -> list[dict[str, Any]]:
        seen = len(_crossings())
        contact.answers = dict.fromkeys(answers, "sea")
        db.session.commit()
        for _time in range(2):
            rounds.score_now(brand.id, [contact.id])
            db.session.commit()
        return [one.data for one in _crossings()[seen:]]

    assert scored("a", "b", "c") == [{"kind": "fit", "from": "D", "to": "B", "grade": "B3"}]
    assert scored("a", "b") == [], "45 is below 50, where B begins, and above 40, where it ends"
    assert scored("a") == [{"kind": "fit", "from": "B", "to": "C", "grade": "C3"}]
    clock.forward(days=40)
    jobs.look_at_all()
    jobs.score()
    newest = [one.data for one in _crossings() if one.contact_id == contact.id][-1]
    assert newest == {"kind": "engagement", "from": "3", "to": "4", "grade": "C4"}, "decay crosses too"


def test_what_is_missing_says_what_an_answer_could_give(brand: Brand) -> None:
    changed = _definition(brand)
    changed["fit"] = [
        _fit("may", "question_1", "sea", 15),
        _fit("june", "question_1", "city", 5),
        {"key": "told", "when": {"not": {"field": "answer.question_2", "op": "empty"}}, "points": 10},
    ]
    _published(brand, changed)
    jobs.score()
    contact = db.session.scalars(select(Contact).order_by(Contact.id)).first()
    assert contact is not None
    assert [one.up_to for one in explained(contact).missing] == [15, 10]


def test_what_is_missing_promises_no_more_than_is_left_to_the_bound(brand: Brand) -> None:
    changed = _definition(brand)
    known = {"not": {"field": "answer.question_2", "op": "empty"}}
    changed["fit"] = [_fit("may", "question_1", "sea", 90), {"key": "told", "when": known, "points": 80}]
    _published(brand, changed)
    contact = db.session.scalars(select(Contact).order_by(Contact.id)).first()
    assert contact is not None
    contact.answers = {"question_1": "sea"}
    db.session.commit()
    jobs.score()
    assert [one.up_to for one in explained(contact).missing] == [10]


def test_the_file_of_the_person_holds_the_numbers_with_their_reasons_and_no_name_of_the_house(brand: Brand) -> None:
    campaign = db.session.scalars(select(Campaign)).one()
    campaign.name = "Operation cheap leads"
    changed = _definition(brand)
    changed["deeds"][0]["contest"] = campaign.id
    _published(brand, changed)
    jobs.score()
    newest = db.session.scalars(select(Contact.id).order_by(Contact.id.desc())).first()
    held = sections.held_by_all(newest or 0)["scores"]
    assert (held["grade"], held["rules_version"], held["reactivity"]) == ("A3", 2, "lively")
    for name in ("fit", "engagement"):
        assert sum(one["points"] for one in held[name]["because_of"]) == held[name]["number"] > 0
    assert "Operation" not in str(held)
    assert held["engagement"]["because_of"][0]["reason"] == "Entered a contest and confirmed, in “Win a week in Lisbon”"


def _fit(key: str, question: str, value: str, points: int) -> dict[str, Any]:
    return {"key": key, "when": {"field": f"answer.{question}", "op": "eq", "value": value}, "points": points}


def _wait_for_a_waiter(thread: Thread) -> None:
    """Until the other transaction waits for a lock of ours, or is done."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    until = time.monotonic() + 5
    while thread.is_alive() and not db.session.scalar(waiting) and time.monotonic() < until:
        time.sleep(0.02)


def _go_round_beside(verb: Callable[[], None]) -> None:
    """One step of a round, and before it is committed another transaction that sets out."""
    other = Thread(target=verb)

    def hold(session: Session) -> None:
        session.flush()
        if other.ident is None:
            other.start()
            _wait_for_a_waiter(other)

    session = db.session()
    event.listen(session, "before_commit", hold)
    try:
        rounds.go_round()
    finally:
        event.remove(session, "before_commit", hold)
        other.join()


def _states(brand: Brand) -> dict[int, RulesState]:
    db.session.expire_all()
    return {one.number: one.state for one in scores.versions(brand.id)}


def test_publishing_while_the_version_before_begins_to_stand_leaves_one_in_force(app: Flask, brand: Brand) -> None:
    second = _published(brand, _definition(brand))
    second.reached_id = 10**9  # all but the last step
    revision, brand_id = scores.open_draft(brand, "Ada").revision, brand.id
    db.session.commit()

    def publish() -> None:
        with app.app_context():
            scores.publish(db.session.get_one(Brand, brand_id), revision, "Ben")
            db.session.commit()

    _go_round_beside(publish)
    assert _states(brand) == {1: RulesState.PAST, 2: RulesState.STANDING, 3: RulesState.COMPUTING}
    jobs.score()
    assert _states(brand) == {1: RulesState.PAST, 2: RulesState.PAST, 3: RulesState.STANDING}


def test_the_nightly_round_is_of_what_stands_when_it_begins(app: Flask, brand: Brand) -> None:
    second = _published(brand, _definition(brand))
    second.reached_id = 10**9
    db.session.commit()

    def begin() -> None:
        with app.app_context():
            rounds.begin_all()

    _go_round_beside(begin)
    db.session.expire_all()
    assert [one.reached_id for one in scores.versions(brand.id)] == [0, None]


def test_a_brand_that_lost_its_rules_goes_on_with_those_that_stood_last(brand: Brand) -> None:
    changed = _definition(brand)
    changed["fit"] = [_fit("may", "question_1", "sea", 15)]
    _published(brand, changed)
    jobs.score()
    scores.open_draft(brand, "Ada")
    for version in scores.versions(brand.id):
        version.state = RulesState.DRAFT if version.state is RulesState.DRAFT else RulesState.PAST
    db.session.commit()
    jobs.look_at_all()
    jobs.score()
    standing = scores.standing(brand.id)
    assert standing is not None
    assert (standing.number, standing.definition) == (4, changed)
    assert scores.draft(brand.id) is not None
