"""A segment as it is kept: checked, versioned, counted over time, put away, and never another brand's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from leadgen.core import clock as product_clock
from leadgen.core import hot, i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.logic import OPS, Op
from leadgen.journal.models import Fact
from leadgen.segments import fields, jobs, reading, sentences
from leadgen.segments import service as segments
from leadgen.segments.models import Segment, SegmentSize
from leadgen.segments.service import SegmentInput
from tests.conftest import Clock
from tests.factories import make_brand, make_campaign, make_contact, make_entry, make_question, make_segment
from tests.segments.conftest import People

WILLING = {"field": "marketing", "op": "eq", "value": True}


def _written(*parts: dict[str, Any], name: str = "Mine", group: str = "all") -> SegmentInput:
    return SegmentInput(name=name, definition={group: list(parts)})


def _is(field: str, value: Any = "fr", op: str = "eq") -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def test_a_segment_is_counted_when_it_is_saved(context: None) -> None:
    brand = make_brand()
    make_contact(brand, marketing=True)
    make_contact(brand)
    made = segments.create(brand, _written(WILLING, name="  Who   agreed "), "Ada")
    assert made.name == "Who agreed"
    assert [(one.day, one.people) for one in segments.sizes(made)] == [(product_clock.now().date(), 1)]
    segments.edit(brand, made, _written({"not": WILLING}), 1, "Ada")
    assert [one.people for one in segments.sizes(made)] == [1]
    segments.edit(brand, made, _written(name="Everybody"), 2, "Ada")
    assert segments.last_sizes([made]) == {made.id: 2}
    with pytest.raises(Conflict):
        segments.edit(brand, made, _written(WILLING), 1, "Bob")


def test_every_deed_of_staff_is_a_fact(context: None) -> None:
    brand = make_brand()
    made = segments.create(brand, _written(WILLING), "Ada")
    segments.edit(brand, made, _written(WILLING), 1, "Bob")
    for _twice in range(2):
        segments.archive(made, "Ada")
    for _twice in range(2):
        segments.restore(made, "Ada")
    segments.record_export(made, "Bob")
    db.session.commit()
    found = [(fact.name.removeprefix("segment."), fact.data["by"]) for fact in db.session.scalars(select(Fact))]
    assert found == [
        ("created", "Ada"),
        ("changed", "Bob"),
        ("archived", "Ada"),
        ("restored", "Ada"),
        ("exported", "Bob"),
    ]


def test_the_night_counts_what_is_in_use_and_passes_over_what_is_unsound(context: None, clock: Clock) -> None:
    brand = make_brand()
    make_contact(brand, marketing=True)
    used, away = make_segment(brand), make_segment(brand)
    segments.archive(away)
    make_segment(brand, {"all": [_is("answer.gone")]})
    db.session.commit()
    for _night in range(2):
        clock.forward(days=1)
        jobs.measure()
        jobs.measure()
    assert [one.people for one in segments.sizes(used)] == [1, 1, 1]
    assert len(segments.sizes(away)) == 1
    assert len(db.session.scalars(select(SegmentSize)).all()) == 5


def test_another_brands_segment_and_people_are_absent(context: None) -> None:
    mine, theirs = make_brand(), make_brand()
    make_contact(theirs, marketing=True)
    segment = make_segment(theirs)
    with pytest.raises(NotFound):
        segments.get(mine.id, segment.id)
    assert segments.of_brand(mine.id) == []
    assert reading.count(fields.of_brand(mine), {"all": []}) == 0
    asked = fields.of_brand(mine).asked
    campaign = make_campaign(theirs)
    assert f"points.{campaign.id}" not in asked
    assert not [name for name in asked if name.startswith("answer.")]


def test_erased_people_are_in_no_segment(people: People) -> None:
    everybody = {"all": []}
    assert reading.count(people.catalogue, everybody) == len(people.contacts)
    people.contacts[0].erased_at = product_clock.now()
    db.session.commit()
    assert reading.count(people.catalogue, everybody) == len(people.contacts) - 1
    assert segments.of_contact(people.brand, people.contacts[0]) == []


def test_pages_hold_everybody_once_newest_first(people: People) -> None:
    condition = {"any": [_is("language"), WILLING]}
    found: list[int] = []
    while page := reading.people(people.catalogue, condition, before_id=found[-1] if found else None, limit=4):
        found += [one.id for one in page]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == reading.count(people.catalogue, condition)


@pytest.mark.parametrize("is_quick", [True, False])
def test_a_survey_says_what_count_and_page_say(
    people: People, monkeypatch: pytest.MonkeyPatch, *, is_quick: bool
) -> None:
    """Whether the page is found person by person, or with the number in one pass over everybody."""
    if not is_quick:
        monkeypatch.setattr(reading, "_one_by_one", lambda *_all: None)
    for condition in ({"any": [_is("language"), WILLING]}, {"all": [_is("friends", 1, "gte")]}, {"any": []}):
        first = reading.survey(people.catalogue, condition, limit=3)
        everybody = reading.people(people.catalogue, condition)
        assert first.number == len(everybody) == reading.count(people.catalogue, condition)
        assert first.people == everybody[:3]
        if len(everybody) > 3:
            second = reading.survey(people.catalogue, condition, before_id=everybody[2].id, limit=3)
            assert (second.number, second.people) == (first.number, everybody[3:6])


def test_the_file_holds_whom_the_count_counts(people: People) -> None:
    condition = {"any": [_is("language"), _is("friends", 1, "gte")]}
    body = b"".join(reading.export_csv(people.catalogue, condition)).decode()
    assert len(body.splitlines()) == 1 + (reading.count(people.catalogue, condition) or 0)


def test_one_person_is_judged_for_all_segments_in_one_statement(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_segment(people.brand, {"all": [_is("language", code)]}) for code in ("fr", "en")]
    made.append(make_segment(people.brand, {"any": [_is("timezone", one) for one in ("x", "y", "z") * 4]}))
    made.append(make_segment(people.brand, {"all": []}))
    person = next(one for one in people.contacts if one.locale == "fr")
    asked: list[str] = []
    hot_many = hot.many
    monkeypatch.setattr(hot, "many", lambda statement, values: asked.append(statement) or hot_many(statement, values))
    inside = segments.of_contact(people.brand, person)
    assert {one.id for one in inside} == {made[0].id, made[3].id}
    assert len(asked) == 1


def test_a_count_ends_at_its_time_and_the_transaction_goes_on(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_COUNT", "SELECT pg_sleep(5), 1 AS count FROM contact c WHERE {condition}")
    before = db.session.scalar(text("SELECT current_setting('work_mem')"))
    assert reading.count(people.catalogue, {"all": []}, milliseconds=50) is None
    assert db.session.scalar(text("SELECT current_setting('statement_timeout')")) == "0"
    reading.people(people.catalogue, {"all": []})
    assert db.session.scalar(text("SELECT current_setting('work_mem')")) == before
    assert db.session.scalar(text("SELECT 1")) == 1


def test_other_errors_of_the_database_are_not_hidden(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_COUNT", "SELECT 1/0 AS count FROM contact c WHERE {condition}")
    with pytest.raises(Exception, match="division by zero") as raised:
        reading.count(people.catalogue, {"all": []})
    assert isinstance(getattr(raised.value, "orig", None), psycopg.errors.DivisionByZero)


@pytest.mark.parametrize(
    "parts",
    [
        (_is("language"), _is("language", "en")),
        (_is("language", ["fr", "en"], "in"), _is("language", "fr", "ne"), _is("language", "en", "ne")),
        (WILLING, {"not": WILLING}),
        (_is("friends", 2, "gt"), _is("friends", 2, "lte")),
        (_is("friends", -1),),
        (_is("clicked.days", 30, "lte"), _is("clicked.days", 30, "gt")),
        (_is("clicked.on", "2027-01-02", "gte"), _is("clicked.on", "2027-01-02", "lt")),
        (_is("clicked.days", 3, "lte"), {"field": "clicked.on", "op": "empty"}),
        (_is("entered", "CAMPAIGN", "contains"), {"not": _is("entered", ["CAMPAIGN"], "in")}),
        (_is("timezone", "Europe/Paris"), _is("timezone", "america", "contains")),
        (_is("language"), {"any": [_is("language", "en"), {"all": [WILLING, _is("marketing", value=False)]}]}),
        ({"not": {"any": [WILLING, _is("marketing", value=False)]}},),
    ],
    ids=str,
)
def test_what_nobody_can_fulfil_is_refused(context: None, parts: Any) -> None:
    brand = make_brand()
    campaign = str(make_campaign(brand).id)
    tree = json.loads(json.dumps(parts).replace("CAMPAIGN", campaign))
    with pytest.raises(Invalid, match="nobody can be both at once"):
        segments.create(brand, _written(*tree))
    assert reading.count(fields.of_brand(brand), {"all": tree}) == 0


@pytest.mark.parametrize(
    "parts",
    [
        (_is("language"), {"any": [_is("language", "en"), WILLING]}),
        (_is("timezone", "Europe/Paris", "ne"), {"field": "timezone", "op": "empty"}),
        ({"not": _is("clicked.days", 3, "lte")}, {"field": "clicked.days", "op": "empty"}),
        (_is("friends", 2, "gte"), _is("friends", 2, "lte")),
        (_is("created.days", 30, "lte"), _is("created.on", "2020-01-01", "gte")),
        (_is("timezone", "EUROPE", "contains"), _is("timezone", "Europe/Paris")),
    ],
    ids=str,
)
def test_what_somebody_can_fulfil_is_kept(context: None, parts: Any) -> None:
    assert segments.create(make_brand(), _written(*parts)).definition == {"all": list(parts)}


def test_a_very_branched_definition_is_believed(context: None) -> None:
    either = {"any": [_is("language"), _is("language", "en"), WILLING]}
    segments.create(make_brand(), _written(*[either] * 15))


def test_the_sentence_says_groups_negations_and_names(context: None) -> None:
    brand = make_brand(timezone="Europe/Paris")
    campaign = make_campaign(brand, name="100 % summer", questions=0)
    make_question(campaign, key="month", options=[{"id": "may", "texts": {"en": "May", "fr": "mai"}}])
    entered = _is("entered", [str(campaign.id)], "in")
    tree = {"all": [WILLING, {"any": [_is("answer.month", "may"), _is("friends", 1, "gte")]}, {"not": entered}]}
    catalogue = fields.of_brand(brand)
    said = sentences.sentence(catalogue, tree)
    assert said.startswith("People who agreed to marketing, and (whose answer to “")
    assert "” is May, or who brought at least 1 friend), and who are not among those who entered 100 % summer" in said
    with i18n.speaking("fr"):
        said = sentences.sentence(catalogue, {"all": [WILLING, _is("clicked.days", 90, "gt")]})
    clicked = "dont le dernier clic dans une lettre a eu lieu il y a plus de 90 jours"
    assert said == f"Personnes qui ont accepté le marketing, et {clicked}"
    assert sentences.sentence(catalogue, {"all": []}) == "Everybody"
    assert sentences.sentence(catalogue, {"any": []}) == "Nobody"


def test_every_field_has_words_in_both_languages_for_each_way_to_compare(people: People) -> None:
    for code in i18n.LOCALES:
        with i18n.speaking(code):
            for name, asked in people.catalogue.asked.items():
                spec = asked.spec
                assert spec.word()
                assert spec.example()
                value = {"number": 3, "date": "2027-05-31", "flag": True}.get(
                    asked.kind, next(iter(sorted(asked.options)), "x")
                )
                for op in OPS[asked.kind]:
                    one = {"field": name, "op": op.value, "value": [value] if op is Op.IN else value}
                    for tree in (one, {"not": one}):
                        said = sentences.sentence(people.catalogue, tree)
                        assert "%" not in said, said


def test_too_many_segments_are_refused(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_SEGMENTS", 1)
    brand = make_brand()
    first = segments.create(brand, _written(WILLING))
    with pytest.raises(Conflict):
        segments.duplicate(brand, first, "Second")
    segments.archive(first)
    segments.create(brand, _written(WILLING))
    with pytest.raises(Conflict):
        segments.restore(first)
    assert len(db.session.scalars(select(Segment)).all()) == 2


def test_a_broadcasts_condition_holds_for_who_is_in_it(people: People) -> None:
    segment = make_segment(people.brand, {"all": [_is("language")]})
    found = segments.condition(people.brand.id, segment.id)
    rows = db.session.scalars(text(f"SELECT c.id FROM contact c WHERE {found.sql}"), found.values)
    assert set(rows) == {one.id for one in people.contacts if one.locale == "fr"}
    unsound = make_segment(people.brand, {"all": [_is("answer.gone")]})
    assert segments.condition(people.brand.id, unsound.id).sql == "false"


def test_moments_are_days_of_the_brands_clock(context: None) -> None:
    brand = make_brand(timezone="Pacific/Auckland")
    night = product_clock.now().replace(year=2026, month=1, day=10, hour=20)  # the eleventh in Auckland
    make_contact(brand, created_at=night)
    catalogue = fields.of_brand(brand)
    assert reading.count(catalogue, _is("created.on", "2026-01-11")) == 1
    assert reading.count(catalogue, _is("created.on", "2026-01-10")) == 0
    days = (product_clock.now() - night) // timedelta(days=1)
    assert reading.count(catalogue, _is("created.days", days)) == 1


def test_an_entry_that_waits_has_entered_and_not_confirmed(context: None) -> None:
    entry = make_entry()
    brand = db.session.get_one(type(make_brand()), entry.brand_id)
    catalogue = fields.of_brand(brand)
    assert reading.count(catalogue, _is("entered", str(entry.campaign_id), "contains")) == 1
    assert reading.count(catalogue, {"field": "confirmed", "op": "empty"}) == 1
