"""The message about a check on the person's page."""

from __future__ import annotations

import pytest
from flask import Flask

from leadgen.core.db import db
from leadgen.entries import referrals
from leadgen.entries.models import Entry, ReferralReason, Review
from leadgen.fraud import appeals
from leadgen.fraud.models import Appeal
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of


@pytest.fixture
def checked(app: Flask, scene: Scene) -> Scene:
    """Ben is being checked."""
    with app.app_context():
        referrals.set_review(scene.ben_id, Review.HELD)
        db.session.commit()
    return scene


def test_who_is_not_concerned_sees_nothing_of_it(visitor: Visitor, scene: Scene) -> None:
    assert "Something is not counted?" not in visitor.get(f"{scene.me}?lang=en").text


def test_a_message_is_kept_and_answered_on_the_page(app: Flask, visitor: Visitor, checked: Scene) -> None:
    assert "Something is not counted?" in text_of(visitor.get(f"{checked.me}?lang=en"))
    answer = visitor.post(f"{checked.me}/appeal?lang=en", data={"appeal": "These are <b>my</b> cousins."})
    assert answer.status_code == 303
    page = visitor.get(answer.location)
    assert "A person reads it and answers" in text_of(page)
    assert "&lt;b&gt;my&lt;/b&gt;" in page.text
    with app.app_context():
        entry = db.session.get_one(Entry, checked.ben_id)
        appeals.answer(entry.campaign_id, entry.id, "You are right.", by="Ada")
        db.session.commit()
    assert "You are right." in text_of(visitor.get(f"{checked.me}?lang=en"))


@pytest.mark.parametrize(("typed", "sentence"), [("", "Write in a few words"), ("x" * 501, "500 characters at most")])
def test_a_wrong_message_comes_back(visitor: Visitor, checked: Scene, typed: str, sentence: str) -> None:
    answer = visitor.post(f"{checked.me}/appeal?lang=en", data={"appeal": typed})
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert typed in answer.text


def test_a_second_message_is_refused(app: Flask, visitor: Visitor, checked: Scene) -> None:
    for status in (303, 409):
        assert visitor.post(f"{checked.me}/appeal?lang=en", data={"appeal": "cousins"}).status_code == status
    with app.app_context():
        assert db.session.get_one(Appeal, checked.ben_id).text == "cousins"


def test_a_held_friend_is_ground_enough(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        referrals.refuse(scene.anna_id, ReferralReason.DUPLICATE)
        db.session.commit()
    assert "Something is not counted?" in text_of(visitor.get(f"{scene.me}?lang=en"))
