"""Segments in the studio: taken over, built without a script, told in words, counted, exported, put away."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.journal.models import Fact
from leadgen.segments import examples
from leadgen.segments.models import Segment
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(world: World) -> str:
    return f"/admin/brands/{world.brand.id}/segments"


@pytest.fixture
def willing(app: Flask, world: World) -> int:
    """Everybody who agreed to marketing: Ben."""
    with app.app_context():
        return factories.make_segment(world.brand).id


def _row(number: int, field: str, way: str = "", value: Any = None, *, at: int = 0) -> dict[str, Any]:
    place = f"set-{at}-row-{number}"
    return {f"{place}-field": field, f"{place}-way": way, f"{place}-value": [] if value is None else value}


def _payload(*rows: dict[str, Any], **values: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"name": "Mine", "match": "all", "set-0-match": "all", "version": "1"}
    for row in rows:
        said |= row
    return said | values


def _segment(app: Flask, number: int) -> Segment:
    with app.app_context():
        return db.session.get_one(Segment, number)


def test_the_rail_leads_to_the_brands_segments(ada: Staff, path: str) -> None:
    assert ada.get("/admin/segments").location == path
    assert 'href="/admin/segments"' in ada.get("/admin/").text
    assert "Cap Sud › Segments" in [one["name"] for one in ada.get("/admin/places.json").json or ()]


def test_the_empty_list_teaches_with_examples_in_plain_words(ada: Staff, path: str) -> None:
    page = ada.get(path).text
    assert "The right letter to the right people" in page
    assert page.count("/segments/take/") == len(examples.ALL) >= 8
    assert "People who agreed to marketing, and who last gave a sign of life within the last 30 days." in page


@pytest.mark.parametrize("example", [one.key for one in examples.ALL])
def test_an_example_is_taken_over_in_one_press(app: Flask, ada: Staff, path: str, example: str) -> None:
    answer = ada.post(f"{path}/take/{example}")
    page = ada.get(answer.location)
    assert page.status_code == 200
    assert "It is yours now" in page.text
    number = int(answer.location.rpartition("/")[2])
    before = _segment(app, number).definition
    assert ada.post(f"{answer.location}/edit", fields_of(ada.get(f"{answer.location}/edit").text)).status_code == 303
    assert _segment(app, number).definition == before


def test_one_is_built_without_a_script(app: Flask, ada: Staff, world: World, path: str) -> None:
    page = ada.get(f"{path}/new").text
    assert '<option value="answer.question_1">' in page
    shown = ada.post(f"{path}/new", _payload(_row(0, "marketing"), do="row:0")).text
    assert 'name="set-0-row-1-field"' in shown
    assert "<b>1</b> person" in shown
    assert "ben@mail.example" in shown
    rows = _row(0, "marketing", "yes"), _row(1, "friends", "lt", "2")
    answer = ada.post(f"{path}/new", _payload(*rows))
    assert answer.status_code == 303
    made = _segment(app, int(answer.location.rpartition("/")[2]))
    assert made.definition == {
        "all": [
            {
                "all": [
                    {"field": "marketing", "op": "eq", "value": True},
                    {"field": "friends", "op": "lt", "value": 2},
                ]
            }
        ]
    }
    page = ada.get(answer.location).text
    assert "People who agreed to marketing, and who brought fewer than 2 friends." in page
    assert "<b>1</b> person now" in page
    assert f"/campaigns/{world.campaign.id}/entrants/{world.ben.id}" in page


def test_groups_grow_and_shrink_by_buttons(ada: Staff, path: str) -> None:
    sent = _payload(_row(0, "language", "in", ["fr"]), _row(1, "brought", "yes"))
    two = ada.post(f"{path}/new", sent | {"do": "set"}).text
    assert two.count('<fieldset class="card stack segment-set"') == 2
    assert 'name="match" value="any"' in two
    one = ada.post(f"{path}/new", sent | {"set-1-match": "any", "do": "unset:1"}).text
    assert one.count('<fieldset class="card stack segment-set"') == 1
    dropped = ada.post(f"{path}/new", sent | {"do": "drop:0:0"}).text
    assert '<option value="brought" selected>' in dropped
    assert '<option value="language" selected>' not in dropped
    for nonsense in ("row:99", "drop:0:99", "unset:0", "x", "drop", "row:²"):
        assert ada.post(f"{path}/new", sent | {"do": nonsense}).status_code == 200


def test_groups_of_every_kind_come_back_as_they_were_built(app: Flask, ada: Staff, path: str) -> None:
    sent = _payload(
        _row(0, "answer.question_1", "in", ["sea", "city"]),
        _row(1, "answer.question_2", "known"),
        _row(2, "points", "gte", "1 000,5"),
        _row(0, "clicked", "ago", "30", at=1),
        _row(1, "created", "since", "2026-01-31", at=1),
        _row(0, "marketing_since", "known", at=2),
        _row(1, "country", "ne", "FR", at=2),
        _row(2, "timezone", "contains", "America/", at=2),
        match="any",
        **{"set-1-match": "any", "set-2-match": "none"},
    )
    answer = ada.post(f"{path}/new", sent)
    assert answer.status_code == 303, answer.text
    number = int(answer.location.rpartition("/")[2])
    before = _segment(app, number).definition
    again = fields_of(ada.get(f"{answer.location}/edit").text)
    again |= {"set-0-row-0-value": ["sea", "city"], "set-2-row-1-value": "FR", "match": "any"}
    assert ada.post(f"{answer.location}/edit", again).status_code == 303
    assert _segment(app, number).definition == before


def test_the_sentence_is_in_the_readers_language(ada: Staff, path: str, willing: int) -> None:
    ada.post("/admin/language", {"locale": "fr"})
    page = ada.get(f"{path}/{willing}").text
    assert "Personnes qui ont accepté le marketing." in page


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((), "Choose what these people have in common."),
        ((_row(0, "points", "gte", "many"),), "Choose a value that “Points, over all contests” can have."),
        ((_row(0, "language", "in", []),), "Choose at least one value for “Language”."),
        ((_row(0, "clicked", "within", "1.5"),), "“Last click in a letter”: write a whole number of days"),
        ((_row(0, "clicked", "within", "-3"),), "“Last click in a letter”: write a whole number of days"),
        ((_row(0, "created", "on", "0001-01-01"),), "“First seen”: choose a day of our times."),
        ((_row(0, "created", "on", "soon"),), "Choose a value that “First seen” can have."),
        (
            (_row(0, "language", "in", ["fr"]), _row(1, "language", "in", ["en"])),
            "“Language”: nobody can be both at once: whose language is French · whose language is English.",
        ),
        ((_row(0, "marketing", "yes"), _row(1, "marketing", "no")), "“Agreed to marketing”: nobody can be both"),
        ((_row(0, "friends", "gte", "3"), _row(1, "friends", "lt", "3")), "nobody can be both at once"),
        ((_row(0, "friends", "lt", "0"),), "nobody can be both at once"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_field(
    app: Flask, ada: Staff, path: str, rows: Any, told: str
) -> None:
    answer = ada.post(f"{path}/new", _payload(*rows))
    assert answer.status_code == 422
    assert told in answer.text
    with app.app_context():
        assert db.session.scalars(select(Segment)).all() == []


def test_a_name_is_needed_and_kept_words_come_back(ada: Staff, path: str) -> None:
    answer = ada.post(f"{path}/new", _payload(_row(0, "marketing", "yes"), name=" ", description="Why"))
    assert answer.status_code == 422
    assert "Give the segment a name." in answer.text
    assert 'value="Why"' in answer.text


def test_only_the_part_that_changes_comes_to_a_script(ada: Staff, path: str) -> None:
    answer = ada.post(f"{path}/new", _payload(_row(0, "marketing"), do="show"), headers={"X-Background": "1"})
    assert "<html" not in answer.text
    assert 'id="segment-said"' in answer.text


def test_of_two_who_change_it_at_once_the_second_is_told(app: Flask, ada: Staff, path: str, willing: int) -> None:
    assert ada.post(f"{path}/{willing}/edit", _payload(_row(0, "brought", "no"))).status_code == 303
    stale = ada.post(f"{path}/{willing}/edit", _payload(_row(0, "brought", "yes")))
    assert stale.status_code == 422
    assert "Somebody else saved this segment" in stale.text
    assert _segment(app, willing).version == 2


def test_the_export_is_safe_for_spreadsheets_and_is_kept_in_the_journal(
    app: Flask, ada: Staff, world: World, path: str, willing: int
) -> None:
    with app.app_context():
        campaign = factories.db.session.get_one(type(world.campaign), world.campaign.id)
        factories.make_entry(campaign, email="eve@mail.example", first_name="=1+1", confirmed=True, marketing=True)
    answer = ada.post(f"{path}/{willing}/export")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0].startswith("email,first_name,locale")
    assert lines[1].startswith("eve@mail.example,'=1+1")
    assert lines[2].startswith("ben@mail.example,Ben")
    assert len(lines) == 3
    with app.app_context():
        fact = db.session.scalars(select(Fact).filter_by(name="segment.exported")).one()
        assert fact.data == {"segment": willing, "by": "Ada"}
    assert ada.get(f"{path}/{willing}/export").status_code == 405


def test_it_is_copied_archived_and_taken_out_again(app: Flask, ada: Staff, path: str, willing: int) -> None:
    twin = ada.post(f"{path}/{willing}/duplicate").location
    assert "Copy of Willing" in ada.get(twin).text
    ada.post(f"{path}/{willing}/archive")
    page = ada.get(f"{path}/{willing}").text
    assert f'action="{path}/{willing}/restore"' in page  # the undo
    assert f'href="{path}/{willing}"' not in ada.get(path).text
    assert f'href="{path}/{willing}"' in ada.get(f"{path}?archived=1").text
    ada.post(f"{path}/{willing}/restore")
    assert f'href="{path}/{willing}"' in ada.get(path).text


def test_a_segment_that_asks_for_what_is_gone_says_so(app: Flask, ada: Staff, world: World, path: str) -> None:
    gone = {"all": [{"all": [{"field": "answer.shoe_size", "op": "gt", "value": 40}]}]}
    with app.app_context():
        number = factories.make_segment(world.brand, gone).id
    page = ada.get(f"{path}/{number}").text
    assert "It asks for something that is there no more (answer.shoe_size)" in page
    assert ada.get(f"{path}/{number}/edit").status_code == 303
    assert ada.post(f"{path}/{number}/export").status_code == 303
    assert ada.get(path).status_code == 200


def test_its_size_is_drawn_day_by_day(app: Flask, ada: Staff, path: str, willing: int) -> None:
    assert "from the second day on a curve stands here" in ada.get(f"{path}/{willing}").text
    with app.app_context():
        db.session.execute(
            db.text("INSERT INTO segment_size SELECT segment_id, day - 3, 5 FROM segment_size WHERE segment_id = :id"),
            {"id": willing},
        )
        db.session.commit()
    page = ada.get(f"{path}/{willing}").text
    assert 'role="img" aria-labelledby="sizes-title"' in page
    assert page.count('<tr><th scope="row">') >= 2


def test_the_entrants_page_names_the_segments_that_hold_them(ada: Staff, base: str, world: World, willing: int) -> None:
    assert f"/segments/{willing}" in ada.get(f"{base}/entrants/{world.ben.id}").text
    assert "In no segment." in ada.get(f"{base}/entrants/{world.anna.id}").text


def test_another_brands_segment_is_absent_from_mine(app: Flask, ada: Staff, world: World, path: str) -> None:
    with app.app_context():
        theirs = factories.make_segment(world.other_brand).id
    assert ada.get(f"{path}/{theirs}").status_code == 404
    for deed in ("archive", "restore", "export", "duplicate", "edit"):
        assert ada.post(f"{path}/{theirs}/{deed}", _payload(_row(0, "brought", "no"))).status_code == 404
    assert i18n.locale() == "en"


def test_a_broadcast_is_written_to_a_segment(app: Flask, ada: Staff, base: str, world: World, willing: int) -> None:
    with app.app_context():
        draft = factories.make_broadcast(db.session.get_one(type(world.campaign), world.campaign.id)).id
        nobody = factories.make_segment(world.brand, {"all": [{"field": "friends", "op": "gt", "value": 99}]}).id
    page = ada.get(f"{base}/broadcasts/{draft}/edit").text
    assert f'<option value="{willing}">Willing</option>' in page
    assert ada.post(f"{base}/broadcasts/{draft}/edit", fields_of(page) | {"segment": str(nobody)}).status_code == 303
    page = ada.get(f"{base}/broadcasts/{draft}/edit").text
    assert f'<option value="{nobody}" selected>' in page
    assert "<b>0</b>" in ada.get(f"{base}/broadcasts/audience?segment={nobody}").text
    assert "<b>1</b>" in ada.get(f"{base}/broadcasts/audience?segment={willing}").text
    assert ada.get(f"{base}/broadcasts/audience?segment=999999").status_code == 200


@pytest.mark.parametrize(
    ("field", "way", "value"),
    [
        ("domain", "contains", "a\x00b"),
        ("points", "gte", "nan"),
        ("points", "gte", "1e400"),
        ("points", "gte", "9" * 30),
        ("clicked", "within", "9" * 30),
        ("created", "on", "9999-12-31"),
        ("answer.question_1", "in", "nowhere"),
        ("moon", "in", "x"),
        ("domain", "like", ""),
    ],
)
def test_impossible_values_are_refused_with_a_page(ada: Staff, path: str, field: str, way: str, value: str) -> None:
    sent = _payload(_row(0, field, way, [value]))
    assert ada.post(f"{path}/new", sent).status_code == 422
    assert ada.post(f"{path}/new", sent | {"do": "show"}).status_code == 200


def test_numbers_beyond_the_tables_name_nothing(ada: Staff, base: str, path: str, willing: int) -> None:
    assert ada.get(f"{path}/{10**20}").status_code == 404
    assert ada.get(f"{path}/{willing}?before={10**20}").status_code == 200
    assert ada.get(f"{path}/{willing}?before=-1").status_code == 200
    assert ada.get(f"{base}/broadcasts/audience?segment={10**20}").status_code == 404
    assert ada.post(f"{path}/take/moon").status_code == 404
    assert ada.post(f"{path}/new", {"set-999-row-999-field": "language", "do": "row:999"}).status_code == 200
