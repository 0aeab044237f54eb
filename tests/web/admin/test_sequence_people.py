"""The people of a sequence, and one person's story narrowed to one sequence."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.nurture.models import EnrolmentStatus
from tests.factories import make_enrolment, make_entry, make_sequence
from tests.web.admin.studio import Staff
from tests.world import World


@pytest.fixture
def sequence_id(app: Flask, world: World) -> int:
    """Ben waits, one is through, one left."""
    with app.app_context():
        campaign = db.session.merge(world.campaign)
        sequence = make_sequence(campaign)
        make_enrolment(sequence, db.session.merge(world.ben))
        now = clock.now()
        ended = {"status": EnrolmentStatus.EXITED, "exit_reason": "complaint", "ended_at": now}
        make_enrolment(sequence, make_entry(campaign, email="cross@mail.example", confirmed=True), **ended)
        db.session.commit()
        return sequence.id


def test_each_number_opens_its_list(ada: Staff, base: str, sequence_id: int) -> None:
    page = f"{base}/nurture/{sequence_id}/people"
    first = ada.get(page).text
    assert "ben@mail.example" in first
    assert "cross@mail.example" not in first
    links = {link.replace("&amp;", "&") for link in re.findall(r'class="behind-number" href="([^"]+)"', first)}
    assert len(links) >= 4
    for link in links:
        shown = ada.get(link.partition("#")[0])
        assert shown.status_code == 200
        assert 'class="row-link"' in shown.text, link
    gone = ada.get(page, query_string={"state": "exited", "reason": "complaint"}).text
    assert "cross@mail.example" in gone
    assert "reported as spam" in gone
    assert "ben@mail.example" not in gone


def test_a_sequence_that_nobody_entered_says_what_will_be_here(app: Flask, ada: Staff, base: str, world: World) -> None:
    with app.app_context():
        empty = make_sequence(db.session.merge(world.campaign), key="empty")
        db.session.commit()
        empty_id = empty.id
    assert "Nobody has entered yet" in ada.get(f"{base}/nurture/{empty_id}/people").text


@pytest.mark.parametrize("asked", [{"state": "dancing"}, {"state": "waiting", "step": "\x00"}, {"before": "-5"}])
def test_absurd_lists_are_the_first_one_or_empty(
    ada: Staff, base: str, sequence_id: int, asked: dict[str, str]
) -> None:
    assert ada.get(f"{base}/nurture/{sequence_id}/people", query_string=asked).status_code == 200


def test_the_story_of_a_person_is_narrowed_to_one_sequence(
    app: Flask, ada: Staff, base: str, world: World, sequence_id: int
) -> None:
    page = f"{base}/entrants/{world.ben.id}"
    with app.app_context():
        other = make_sequence(db.session.merge(world.campaign), key="second", name="Another one")
        make_enrolment(other, db.session.merge(world.ben))
        db.session.commit()
    both = ada.get(page, query_string={"show": "sequences"}).text
    assert "Entered the sequence “Another one”" in both
    assert "Entered the sequence “After the entry”" in both
    one = ada.get(page, query_string={"show": "sequences", "sequence": sequence_id}).text
    assert "Entered the sequence “After the entry”" in one
    assert "Entered the sequence “Another one”" not in one
    assert "Entered the sequence" not in ada.get(page, query_string={"show": "points"}).text
