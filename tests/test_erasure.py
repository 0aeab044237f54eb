"""Being forgotten, in every room: what somebody wrote or others wrote about them is in no table afterwards (I13)."""

from __future__ import annotations

import json
import threading

import pytest
from flask import Flask

from leadgen import reactions
from leadgen.actions import external, service
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import ActionKind, Campaign, QuestionKind, Repeat
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries import answers, confirming, entering, person
from leadgen.entries.models import Entry
from leadgen.fraud import rulings, sightings, verdicts
from leadgen.fraud.models import Decision
from leadgen.fraud.observations import Found
from leadgen.fraud.scoring import Score
from tests.entries.conftest import filled, rows
from tests.factories import make_campaign, make_question
from tests.factories_contest import (
    make_action,
    make_appeal,
    make_award,
    make_award_address,
    make_milestone,
    make_signal,
)

CANARY = "zanzibarka"


def _anna() -> tuple[CampaignCard, Entry]:
    campaign = make_campaign()
    make_action(campaign, kind=ActionKind.EXTERNAL, key="buy", repeat=Repeat.UNLIMITED)
    make_action(campaign, key="tell", settings={"asks": True})
    make_question(campaign, kind=QuestionKind.TEXT, position=9)
    cards.forget()
    card = cards.by_id(campaign.id)
    entry_id = entering.enter(card, filled("anna@mail.example", typed_code=CANARY.upper())).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    return card, db.session.get_one(Entry, entry_id)


def _erase(entry: Entry) -> None:
    person.erase(entry.id)
    db.session.commit()
    while reactions.drain():
        pass


def _tables_that_name_them() -> list[str]:
    tables = [row["name"] for row in rows("SELECT relname AS name FROM pg_stat_user_tables")]
    named = {"word": f"%{CANARY}%"}
    return [name for name in tables if rows(f'SELECT 1 FROM "{name}" AS t WHERE t::text ILIKE %(word)s', **named)]


def test_i13_what_was_written_by_and_about_somebody_is_in_no_table(context: None) -> None:
    card, anna = _anna()
    body = json.dumps({"entry": anna.public_id, "occurrence": f"{CANARY}@mail.example"}).encode()
    external.take(card, "buy", external.Call("m1", "1", "", body))
    person.show_as(anna.id, display_name=CANARY, is_on_board=True, is_name_on_card=True)
    rulings.rule(card.id, [anna.id], Decision.ACCEPTED, reason=f"{CANARY} rang us", by="Ada")
    make_appeal(anna, text=f"{CANARY} is my name")
    make_signal(anna, evidence={"domain": f"{CANARY}.example"})
    make_award_address(make_award(anna, make_milestone(db.session.get_one(Campaign, card.id))), street=CANARY)
    db.session.commit()
    assert {"fact", "entry", "ruling", "appeal", "signal", "award_address"} <= set(_tables_that_name_them())

    _erase(anna)

    assert _tables_that_name_them() == []
    assert rows("SELECT deed FROM ruling") == [{"deed": "accepted"}]


def test_i13_a_look_that_read_somebody_before_writes_nothing_about_them_afterwards(context: None) -> None:
    card, anna = _anna()
    _erase(anna)

    score = Score(points=30, found=(Found("one_domain", 30, {"number": 3, "of": 4, "domain": CANARY}),))
    verdicts.write(card.id, [anna.id], {anna.id: score}, 1)
    db.session.commit()
    assert rows("SELECT code FROM signal UNION ALL SELECT 'sum' FROM verdict") == []

    make_signal(anna)  # by a look whose transaction was still open
    db.session.commit()
    sightings.age()
    assert rows("SELECT code FROM signal") == []


def test_i13_a_name_chosen_while_being_erased_does_not_come_back(app: Flask, context: None) -> None:
    _card, anna = _anna()
    entry_id = anna.id
    assert anna.display_name == ""  # read into this session before the other one erases
    other = threading.Thread(target=_erased_elsewhere, args=(app, entry_id))
    other.start()
    other.join()
    with pytest.raises(NotFound):
        person.show_as(entry_id, display_name=CANARY, is_on_board=True, is_name_on_card=True)
    db.session.commit()
    assert _tables_that_name_them() == []


def _erased_elsewhere(app: Flask, entry_id: int) -> None:
    with app.app_context():
        person.erase(entry_id)
        db.session.commit()
        while reactions.drain():
            pass


def _note(card: CampaignCard, entry_id: int) -> None:
    """Anna tells what she did, in her own words."""
    (action,) = (action for action in card.actions if action.key == "tell")
    service.do(entry_id, action, service.Shown(note=f"{CANARY} did it"))


def test_i13_a_note_that_is_being_written_goes_with_the_person(app: Flask, context: None) -> None:
    card, anna = _anna()
    _note(card, anna.id)
    other = threading.Thread(target=_erased_elsewhere, args=(app, anna.id))
    other.start()
    other.join(0.5)
    assert other.is_alive()  # it waits for the note
    db.session.commit()
    other.join(20)
    assert _tables_that_name_them() == []


@pytest.mark.parametrize("what", ["note", "answer"])
def test_i13_nothing_is_written_by_somebody_who_is_being_erased(app: Flask, context: None, what: str) -> None:
    card, anna = _anna()
    entry_id, refused = anna.id, []

    def write() -> None:
        with app.app_context():
            try:
                if what == "note":
                    _note(card, entry_id)
                    db.session.commit()
                else:
                    answers.store(entry_id, card.questions[-1].key, CANARY)
            except NotFound as error:
                refused.append(error)
            hot.forget()

    person.erase(entry_id)
    other = threading.Thread(target=write)
    other.start()
    other.join(0.5)
    assert other.is_alive()  # it waits to see whether the person is there
    db.session.commit()
    while reactions.drain():
        pass
    other.join(20)
    assert len(refused) == 1
    assert _tables_that_name_them() == []
