"""Sequences of before versions become their first version, with everybody in front of the same letter, and back."""

import json
from typing import Any

from sqlalchemy import Engine, text

from leadgen.core import migrate
from leadgen.nurture.definition import from_data
from tests.house.test_migrations import filled, scratch

__all__ = ["filled", "scratch"]
OLD = """
UPDATE step SET condition = '{"question": "question_1", "is": "sea"}' WHERE position = 1;
UPDATE step SET condition = '{"question": "question_2", "is_not": true}' WHERE position = 2;
UPDATE step SET condition = '{"question": "tastes", "is_not": "wine"}', delay_seconds = 0 WHERE position = 3;
INSERT INTO question (campaign_id, position, key, kind, texts)
SELECT campaign_id, 50, 'tastes', 'many', '{}' FROM sequence;
INSERT INTO step (sequence_id, position, key, delay_seconds, texts, is_active)
SELECT id, 4, 'gone', 60, '{}', false FROM sequence;
UPDATE enrolment SET next_position = 2, status = 'active';
INSERT INTO enrolment (sequence_id, campaign_id, brand_id, entry_id, contact_id, next_position, next_run_at,
                       enrolled_at)
SELECT sequence_id, campaign_id, brand_id, entry_id + 1000, contact_id, 4, next_run_at, enrolled_at FROM enrolment;
UPDATE message SET lane = 'nurture', intent = 'seq:' || (SELECT min(id) FROM enrolment) || ':step_1'
WHERE id = (SELECT min(id) FROM message);
"""


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_old_steps_become_the_first_version_and_come_back(filled: Engine) -> None:
    migrate.downgrade(_url(filled), "0006")
    with filled.begin() as connection:
        for statement in OLD.strip().split(";\n"):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    old = "SELECT key, position, delay_seconds, condition FROM step WHERE is_active ORDER BY id"
    before = _rows(filled, old)
    migrate.upgrade(_url(filled), "0007")

    ((version, draft, definition),) = _rows(
        filled,
        "SELECT s.version, s.draft, v.definition FROM sequence s JOIN sequence_version v ON v.sequence_id = s.id",
    )
    assert (version, draft) == (1, definition)
    letters = list(from_data(definition).letters())
    assert [(letter.key, letter.wait.seconds) for letter in letters] == [
        ("step_1", 3_600),
        ("step_2", 172_800),
        ("step_3", 0),
    ]
    assert [letter.when for letter in letters] == [
        {"field": "answer.question_1", "op": "eq", "value": "sea"},
        {"field": "answer.question_2", "op": "ne", "value": True},
        {"not": {"field": "answer.tastes", "op": "contains", "value": "wine"}},
    ]
    places = (
        "SELECT step_key, version, next_run_at - anchor_at = interval '2 days', occasion FROM enrolment ORDER BY id"
    )
    assert _rows(filled, places) == [("step_2", 1, True, ""), ("", 1, False, "")]
    assert _rows(filled, "SELECT count(*) FROM message WHERE enrolment_id = (SELECT min(id) FROM enrolment)") == [(1,)]

    migrate.downgrade(_url(filled), "0006")
    assert json.dumps(_rows(filled, old)) == json.dumps(before)
    assert _rows(filled, "SELECT next_position FROM enrolment ORDER BY id")[0] == (2,)
    migrate.upgrade(_url(filled))
