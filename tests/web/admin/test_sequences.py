"""The sequences of a campaign: the list, the editor and its forms, publishing, pausing, YAML; all without a script."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadgen.authoring import arranging, drafts, examples, publishing
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.logic import Op
from leadgen.mail import streams
from leadgen.nurture import sequences as nurture
from leadgen.nurture.definition import Branch, Definition, Letter, to_data
from leadgen.nurture.models import Sequence, SequenceVersion
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.web.admin.test_letters import Letters, letters_of  # noqa: F401 - fixture
from tests.world import World

NOBODY = {"all": [{"all": [{"field": "friends", "op": op, "value": value} for op, value in (("gt", 5), ("lt", 2))]}]}


def make(app: Flask, world: World, example: str = "welcome") -> int:
    """A draft made from an example; answers its id."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        ready = examples.get(example)
        made = nurture.create(campaign, ready.name)
        drafts.save(made, ready.data("Cap Sud"), made.revision, "Ada")
        db.session.commit()
        return made.id


def publish(app: Flask, number: int) -> None:
    with app.app_context():
        publishing.publish(db.session.get_one(Sequence, number), publishing.Choices(), "Ada")
        db.session.commit()


def draft(app: Flask, number: int) -> Definition:
    with app.app_context():
        return drafts.definition_of(db.session.get_one(Sequence, number))


def letter(app: Flask, number: int, key: str) -> Letter:
    found = draft(app, number).step(key)
    assert isinstance(found, Letter)
    return found


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/nurture"


@pytest.fixture
def welcome(app: Flask, world: World) -> int:
    return make(app, world)


@pytest.fixture
def here(path: str, welcome: int) -> str:
    return f"{path}/{welcome}"


def _shown(ada: Staff, path: str) -> dict[str, Any]:
    return fields_of(ada.get(path).text)


def _revision(ada: Staff, here: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', ada.get(here).text)
    assert found is not None
    return found[1]


def _press(ada: Staff, here: str, deed: str, **more: str) -> Any:
    return ada.post(f"{here}/change", {"revision": _revision(ada, here), "do": deed, **more})


# the list


def test_without_one_the_page_teaches_and_offers_examples(app: Flask, ada: Staff, world: World, path: str) -> None:
    page = ada.get(path).text
    assert "No sequence yet" in page
    answer = ada.post(f"{path}/new", {"example": "wake-up"})
    assert answer.status_code == 303
    page = ada.get(answer.location).text
    assert "nobody gets anything before you publish it" in page
    assert "Begins when they have given no sign of life for 14 days" in page
    assert "At once, at 10:00 on Tuesday to Thursday, in the person’s own time" in page
    assert "Wake up who fell silent" in ada.get(path).text


@pytest.mark.parametrize("one", [one.key for one in examples.ready() if one.key != examples.EMPTY])
def test_every_example_can_be_published_as_it_is(app: Flask, ada: Staff, world: World, one: str) -> None:
    number = make(app, world, one)
    with app.app_context():
        assert drafts.problems(db.session.get_one(Sequence, number)) == []


def test_an_example_that_is_none_is_absent(ada: Staff, path: str) -> None:
    assert ada.post(f"{path}/new", {"example": "made-up"}).status_code == 404


def test_archiving_is_undone(app: Flask, ada: Staff, path: str, here: str, welcome: int) -> None:
    publish(app, welcome)
    ada.post(f"{here}/archive")
    page = ada.get(path).text
    assert "“Welcome” is archived; its letters stop." in page
    assert "No sequence yet" in page
    assert "Welcome" in ada.get(f"{path}?archived=1").text
    ada.post(f"{here}/restore", {"undo": "1", "on": "1"})
    with app.app_context():
        found = db.session.get_one(Sequence, welcome)
        assert (found.archived_at, found.is_active) == (None, True)


def test_the_list_counts_the_people(app: Flask, ada: Staff, world: World, path: str, welcome: int) -> None:
    publish(app, welcome)
    with app.app_context():
        factories.make_enrolment(
            db.session.get_one(Sequence, welcome), world.ben, step_key="hello", goal_at=clock.now()
        )
        factories.make_enrolment(
            db.session.get_one(Sequence, welcome), factories.make_entry(world.campaign), status="held_out",
            goal_at=clock.now(),
        )  # fmt: skip
    row = re.search(r"<tbody>.*?</tbody>", ada.get(path).text, re.DOTALL)
    assert row is not None
    figures = r'data-label="(?:Inside now|Finished|Reached the goal|Priority)">(?:<a [^>]*state=(\w+)[^>]*>)?(\d+)'
    assert re.findall(figures, row[0]) == [("inside", "1"), ("", "0"), ("goal", "1"), ("", "5")]
    assert "1 waits" in ada.get(f"{path}/{welcome}").text


# the flow


def test_steps_are_put_in_moved_doubled_and_taken_out(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    answer = _press(ada, here, "add:letter:0::")
    first = draft(app, welcome).steps[0].key
    assert answer.location.endswith(f"/steps/{first}")
    _press(ada, here, f"down:{first}")
    assert [step.key for step in draft(app, welcome).steps] == ["hello", first, "answered"]
    _press(ada, here, f"down:{first}")
    branch = draft(app, welcome).step("answered")
    assert isinstance(branch, Branch)
    assert [step.key for step in branch.yes] == [first, "thanks"]
    _press(ada, here, "add:end:1:no:answered")
    _press(ada, here, "duplicate:hello")
    keys = [step.key for step in draft(app, welcome).walk()]
    assert len(keys) == len(set(keys)) == 7
    _press(ada, here, "remove:answered")
    assert draft(app, welcome).steps[0].key == "hello"
    assert len(list(draft(app, welcome).walk())) == 2


def test_what_was_taken_out_comes_back_where_it_was(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    before = draft(app, welcome)
    _press(ada, here, "remove:thanks")
    page = ada.get(here).text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    undo = {"undo": "1", "do": "restore", "key": key[1]}
    ada.post(f"{here}/change", undo)
    assert draft(app, welcome) == before
    ada.post(f"{here}/change", undo)
    assert "The step is back already." in ada.get(here).text


def test_what_others_saved_meanwhile_is_not_overwritten(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    seen = _revision(ada, here)
    _press(ada, here, "down:hello")
    for headers in ({}, {"X-Background": "1"}):
        answer = ada.post(f"{here}/change", {"revision": seen, "do": "remove:answered"}, headers=headers)
        assert answer.status_code == (409 if headers else 303)
        assert "Somebody else saved" in ada.get(here).text
    assert draft(app, welcome).step("answered") is not None


@pytest.mark.parametrize(
    "deed",
    ["", "fly:hello", "up:absent", "add:moon:0::", "add:letter:0:yes:hello", "add:letter:0:up:answered", "restore"],
)
def test_a_button_that_there_is_not_changes_nothing(app: Flask, ada: Staff, here: str, welcome: int, deed: str) -> None:
    before = draft(app, welcome)
    assert _press(ada, here, deed).status_code == 303
    assert draft(app, welcome) == before


def test_the_flow_is_drawn_anew_without_a_reload(ada: Staff, here: str) -> None:
    data = {"revision": _revision(ada, here), "do": "up:answered"}
    answer = ada.post(f"{here}/change", data, headers={"X-Background": "1"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.index("step-answered") < answer.text.index("step-hello")


def test_what_is_missing_leads_to_its_field(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    _press(ada, here, "add:letter:0::")
    _press(ada, here, "add:branch:1::")
    with app.app_context():
        found = db.session.get_one(Sequence, welcome)
        data = to_data(drafts.definition_of(found)) | {"holdout": 50, "priority": 0, "again": "after", "who": NOBODY}
        data |= {
            "trigger": {"on": "inactive"},
            "exits": [{}],
            "goal": {"on": {"on": "answered", "of": "gone"}, "days": 99},
        }
        wait = {"until": "event", "seconds": 0, "at": "99:99", "weekdays": [1, 1]}
        variants = [{"key": key, "weight": 0, "texts": {}} for key in "ab"]
        broken = arranging.replaced(data, "hello", {"wait": wait, "variants": variants, "when": NOBODY})
        drafts.save(found, broken, found.revision, "Ada")
        places = {(one.where, one.field) for one in drafts.problems(found)}
        db.session.commit()
    page = ada.get(here).text.replace("&amp;", "&")
    assert "before it can be published" in page
    led = set(re.findall(r'href="([^"#]+)(?:\?[^"#]*)?#([^"]+)"', page.split('id="missing"')[1].split("</aside>")[0]))
    assert len(led) > 15, places
    pages = {target: ada.get(target).text for target in {target for target, _anchor in led}}
    for target, anchor in led:
        assert f'id="{anchor}"' in pages[target], (target, anchor)


# one step


def test_saving_what_was_shown_changes_nothing(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    before = draft(app, welcome)
    for key in ("hello", "answered", "thanks"):
        assert ada.post(f"{here}/steps/{key}", _shown(ada, f"{here}/steps/{key}")).status_code == 303
    for part in ("trigger", "goal", "settings"):
        assert ada.post(f"{here}/parts/{part}", _shown(ada, f"{here}/parts/{part}")).status_code == 303
    assert draft(app, welcome) == before


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        ({"wait-amount": "3", "wait-unit": "days"}, "3 days later"),
        ({"wait-amount": "0"}, "At once"),
        (
            {"wait-amount": "3", "wait-unit": "days", "wait-at": "10:00", "wait-weekdays": ["2", "3", "4"]},
            "3 days later, at 10:00 on Tuesday to Thursday, in the person’s own time",
        ),
        ({"wait-amount": "1", "wait-unit": "hours", "wait-weekdays": ["1", "5"]}, "on a Monday or a Friday"),
        ({"wait-until": "before_end", "wait-amount": "3", "wait-unit": "days"}, "3 days before the contest ends"),
        (
            {"wait-until": "event", "wait-what": "friend_counted:", "wait-amount": "5", "wait-unit": "days"},
            "As soon as a friend whom they brought counts, after 5 days at the latest",
        ),
    ],
)
def test_each_wait_is_chosen_and_said(ada: Staff, here: str, wait: dict[str, Any], told: str) -> None:
    data = _shown(ada, f"{here}/steps/hello") | wait
    assert ada.post(f"{here}/steps/hello", data).status_code == 303
    assert told in ada.get(here).text
    assert told in ada.get(f"{here}/steps/hello").text
    shown = _shown(ada, f"{here}/steps/hello")
    assert ada.post(f"{here}/steps/hello", shown | {"wait-weekdays": wait.get("wait-weekdays", [])}).status_code == 303
    assert told in ada.get(here).text


@pytest.mark.parametrize(
    ("wrong", "told", "at"),
    [
        ({"wait-amount": "9" * 30}, "Please choose a number from 0", "wait-amount"),
        ({"wait-amount": "400", "wait-unit": "days"}, "Choose a delay of one year at most.", "wait-amount"),
        ({"wait-amount": "many"}, "Please write a whole number.", "wait-amount"),
        ({"wait-unit": "moons"}, "Please choose one of the list.", "wait-unit"),
        ({"wait-at": "25:00"}, "Write an hour such as 10:00.", "wait-at"),
        ({"wait-until": "event", "wait-what": ""}, "Please choose one of the list.", "wait-what"),
        ({"fr-body": "x" * 10_001}, "at most 10000 characters", "fr-body"),
        ({"en-url": "javascript:alert(1)"}, "Give an address that starts with https://", "en-url"),
        ({"en-body": "Dear {nobody}"}, "is no placeholder", "en-body"),
        ({"catch_up_hours": "0"}, "Please choose a number from 1", "catch_up_hours"),
        ({"otherwise": "fly"}, "Please choose one of the list.", "otherwise"),
    ],
)
def test_what_is_wrong_is_named_and_kept(
    app: Flask, ada: Staff, here: str, welcome: int, wrong: dict[str, str], told: str, at: str
) -> None:
    before = draft(app, welcome)
    data = _shown(ada, f"{here}/steps/hello") | {"en-heading": "Typed with care"} | wrong
    answer = ada.post(f"{here}/steps/hello", data)
    assert answer.status_code == 422
    assert told in answer.text
    assert f'href="#{at}"' in answer.text
    assert "Typed with care" in answer.text
    assert draft(app, welcome) == before


def test_a_letter_is_for_whom_a_condition_holds(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    data = _shown(ada, f"{here}/steps/hello")
    rows = {"set-0-match": "all", "set-0-row-0-field": "language", "match": "all"}
    grown = ada.post(f"{here}/steps/hello", data | rows | {"do": "show", "en-subject": "Kept"})
    assert grown.status_code == 200
    assert 'value="Kept"' in grown.text
    part = ada.post(f"{here}/steps/hello", data | rows | {"do": "show"}, headers={"X-Background": "1"})
    assert "<html" not in part.text
    assert "segment-said" in part.text
    rows |= {"set-0-row-0-way": "in", "set-0-row-0-value": "fr", "otherwise": "exit"}
    assert ada.post(f"{here}/steps/hello", data | rows).status_code == 303
    told = "Only to people whose language is French; the others leave the sequence"
    assert told in ada.get(here).text
    data = _shown(ada, f"{here}/steps/hello") | {"set-0-row-0-field": ""}
    assert ada.post(f"{here}/steps/hello", data).status_code == 303
    assert letter(app, welcome, "hello").when is None


def test_conditions_of_templates_and_of_yaml_are_shown_as_rows_or_stay(
    app: Flask, ada: Staff, here: str, welcome: int
) -> None:
    deep = {"any": [{"all": [{"field": "friends", "op": "gte", "value": 1}, {"not": {"any": [NOBODY["all"][0]]}}]}]}
    plain = {"field": "friends", "op": "gte", "value": 3}
    with app.app_context():
        found = db.session.get_one(Sequence, welcome)
        data = arranging.replaced(to_data(drafts.definition_of(found)), "answered", {"when": plain})
        drafts.save(found, arranging.replaced(data, "thanks", {"when": deep}), found.revision, "Ada")
        db.session.commit()
    rows = _shown(ada, f"{here}/steps/answered")
    assert (rows["set-0-row-0-field"], rows["set-0-row-0-value"]) == ("friends", "3")
    page = ada.get(f"{here}/steps/thanks").text
    assert "It stays as it is." in page
    assert ada.post(f"{here}/steps/thanks", fields_of(page) | {"en-subject": "Other"}).status_code == 303
    assert letter(app, welcome, "thanks").when == deep
    anew = f"{here}/steps/thanks?condition=anew"
    assert ada.post(anew, _shown(ada, anew)).status_code == 303
    assert letter(app, welcome, "thanks").when is None


def test_a_condition_that_nobody_fulfils_is_refused_and_kept(ada: Staff, here: str) -> None:
    rows = {"match": "all", "set-0-match": "all"}
    for number, value in enumerate(("5", "2")):
        rows |= {f"set-0-row-{number}-field": "friends", f"set-0-row-{number}-value": value}
        rows[f"set-0-row-{number}-way"] = "gte" if number == 0 else "lte"
    answer = ada.post(f"{here}/steps/answered", _shown(ada, f"{here}/steps/answered") | rows)
    assert answer.status_code == 422
    assert "nobody can be both at once" in answer.text
    assert 'value="5"' in answer.text


def test_wordings_are_tested_against_each_other(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    at = f"{here}/steps/hello"
    answer = ada.post(at, _shown(ada, at) | {"then": "add"})
    assert answer.location.endswith("variant=b")
    data = _shown(ada, f"{at}?variant=b")
    assert data["variant"] == "b"
    ada.post(at, data | {"en-subject": "The other one", "weight_a": "9", "weight_b": "1", "then": "to:a"})
    found = letter(app, welcome, "hello")
    assert [(one.key, one.weight) for one in found.variants] == [("a", 9), ("b", 1)]
    assert found.variants[1].texts["en"]["subject"] == "The other one"
    assert found.variants[0].texts["en"]["subject"].startswith("Nice to meet you")
    assert "A/B test of 2" in ada.get(here).text
    wrong = ada.post(at, _shown(ada, at) | {"weight_b": "0"})
    assert wrong.status_code == 422
    assert 'href="#weight_b"' in wrong.text
    ada.post(at, _shown(ada, at) | {"then": "drop:a"})
    assert [one.key for one in letter(app, welcome, "hello").variants] == ["b"]


def test_a_stale_form_keeps_what_was_typed_and_saves_the_second_time(
    app: Flask, ada: Staff, here: str, welcome: int
) -> None:
    data = _shown(ada, f"{here}/steps/hello") | {"en-subject": "Mine"}
    _press(ada, here, "up:answered")
    answer = ada.post(f"{here}/steps/hello", data)
    assert answer.status_code == 422
    assert "Somebody else saved" in answer.text
    again = fields_of(answer.text)
    assert again["en-subject"] == "Mine"
    assert ada.post(f"{here}/steps/hello", again).status_code == 303
    assert letter(app, welcome, "hello").variants[0].texts["en"]["subject"] == "Mine"
    assert draft(app, welcome).steps[0].key == "answered"


def test_the_letter_is_seen_and_tested_with_the_words_of_the_draft(
    app: Flask,
    ada: Staff,
    here: str,
    letters_of: Letters,  # noqa: F811 - fixture
) -> None:
    frame = ada.get(f"{here}/steps/hello/letter?locale=fr")
    assert "Enchantés de faire votre connaissance" in frame.text
    assert "script-src" not in frame.headers["Content-Security-Policy"]
    typed = ada.post(f"{here}/steps/hello/letter", {"locale": "en", "en-heading": "While I type", "en-body": "…"})
    assert "While I type" in typed.text
    headers = ada.get(f"{here}/steps/hello/letter?form=headers").text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in headers
    assert "Nice to meet you" in ada.get(f"{here}/steps/hello/letter?form=text").text
    ada.post(f"{here}/steps/hello/test", {"to": "ada@staff.example", "locale": "both"})
    assert {one.summary.subject for one in letters_of("ada@staff.example")} == {
        "[Test] Nice to meet you: what Cap Sud is about",
        "[Test] Enchantés\u00a0: ce qu’est Cap Sud",
    }
    ada.post(f"{here}/steps/hello/test", {"to": "stranger@mail.example"})
    assert list(letters_of("stranger@mail.example")) == []
    assert ada.get(f"{here}/steps/answered/letter").status_code == 404


# around the steps


def test_the_beginning_the_goal_and_the_settings_are_chosen(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    question = "answered:question_1"
    begins = {"begins-what": question, "begins-days": "0", "stays_while": "y", "match": "all", "set-0-match": "all"}
    begins |= {"set-0-row-0-field": "friends", "set-0-row-0-way": "gte", "set-0-row-0-value": "2"}
    assert ada.post(f"{here}/parts/trigger", _shown(ada, f"{here}/parts/trigger") | begins).status_code == 303
    goal = {"goal": "friend_counted:", "days": "7", "value": "12.50", "exit_0": "contest_ended:", "exit_2": "clicked:"}
    assert ada.post(f"{here}/parts/goal", _shown(ada, f"{here}/parts/goal") | goal).status_code == 303
    settings = {"name": "For readers", "again": "after", "again_days": "30", "priority": "9", "holdout": "5"}
    assert ada.post(f"{here}/parts/settings", _shown(ada, f"{here}/parts/settings") | settings).status_code == 303
    found = draft(app, welcome)
    assert (found.trigger.of, found.stays_while, found.again_days, found.holdout) == ("question_1", True, 30, 5)
    assert found.goal is not None
    assert (found.goal.on.on, found.goal.days, found.goal.value) == ("friend_counted", 7, 1250)
    assert [one.on.on for one in found.exits if one.on] == ["contest_ended", "clicked"]
    page = ada.get(here).text
    assert "for people who brought at least 2 friends, as long as that holds" in page
    assert "Priority 9 of 9" in page
    assert "5 % are held out" in page
    assert "For readers" in page


@pytest.mark.parametrize(
    ("part", "wrong", "at"),
    [
        ("trigger", {"begins-what": "moonrise:"}, "begins-what"),
        ("trigger", {"begins-what": "inactive:", "begins-days": "0"}, "begins-days"),
        ("goal", {"goal": "inactive:"}, "goal"),
        ("goal", {"days": "91"}, "days"),
        ("goal", {"value": "much"}, "value"),
        ("goal", {"exit_1": "segment_joined:1"}, "exit_1"),
        ("settings", {"name": ""}, "name"),
        ("settings", {"again": "after", "again_days": "0"}, "again_days"),
        ("settings", {"priority": "10"}, "priority"),
        ("settings", {"holdout": "21"}, "holdout"),
    ],
)
def test_what_is_wrong_around_the_steps_is_named(
    app: Flask, ada: Staff, here: str, welcome: int, part: str, wrong: dict[str, str], at: str
) -> None:
    before = draft(app, welcome)
    answer = ada.post(f"{here}/parts/{part}", _shown(ada, f"{here}/parts/{part}") | wrong)
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert f'id="{at}"' in answer.text
    if part == "settings":
        assert re.search(rf'<a href="#{at}">[A-Z][a-z0-9 ,]+: ', answer.text), "the summary names the field"
    assert draft(app, welcome) == before


def test_a_part_that_there_is_not_is_absent(ada: Staff, here: str) -> None:
    assert ada.get(f"{here}/parts/moon").status_code == 404


# publishing and pausing


def test_the_dialog_says_what_changes_and_publishes(
    app: Flask, ada: Staff, world: World, path: str, here: str, welcome: int
) -> None:
    page = ada.get(f"{here}/publish").text
    assert "This is the first version." in page
    ada.post(f"{here}/publish", fields_of(page) | {"then": "publish"})
    assert "Version 1 is published." in ada.get(here).text
    with app.app_context():
        sequence = db.session.get_one(Sequence, welcome)
        soon = clock.now() + timedelta(hours=1)
        factories.make_enrolment(sequence, world.ben, step_key="hello", anchor_at=clock.now(), next_run_at=soon)
    data = _shown(ada, f"{here}/steps/hello")
    ada.post(f"{here}/steps/hello", data | {"wait-amount": "0", "en-subject": "Hello again"})
    assert "On, with changes to publish" in ada.get(path).text
    dialog = ada.get(f"{here}/publish").text
    assert "1 person waits for it. The date that they have stays." in dialog
    assert "1 person waits here" in dialog
    counted = ada.post(
        f"{here}/publish",
        fields_of(dialog) | {"timing": "recompute", "then": "count"},
        headers={"X-Background": "1"},
    )
    assert "1 of them would be due now." in counted.text
    assert "<html" not in counted.text
    wrong = ada.post(f"{here}/publish", fields_of(dialog) | {"spread_days": "31", "then": "publish"})
    assert wrong.status_code == 422
    assert 'href="#spread_days"' in wrong.text
    ada.post(f"{here}/publish", fields_of(dialog) | {"timing": "recompute", "spread_days": "2", "then": "publish"})
    assert "Version 2 is published." in ada.get(here).text
    with app.app_context():
        assert db.session.query(SequenceVersion).filter_by(sequence_id=welcome).count() == 2


def test_what_is_not_complete_or_was_changed_since_is_not_published(
    app: Flask, ada: Staff, here: str, welcome: int
) -> None:
    data = fields_of(ada.get(f"{here}/publish").text)
    _press(ada, here, "up:answered")
    stale = ada.post(f"{here}/publish", data | {"then": "publish"})
    assert stale.status_code == 422
    assert "Somebody else changed the draft" in stale.text
    _press(ada, here, "add:letter:0::")
    page = ada.get(f"{here}/publish").text
    assert "before it can be published" in page
    assert ada.post(f"{here}/publish", fields_of(page) | {"then": "publish"}).status_code == 422
    with app.app_context():
        assert db.session.get_one(Sequence, welcome).version is None


def test_an_old_version_is_looked_at_and_put_back(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    assert "Nothing is published yet" in ada.get(f"{here}/versions").text
    publish(app, welcome)
    before = draft(app, welcome)
    _press(ada, here, "remove:answered")
    publish(app, welcome)
    assert "Version 1" in ada.get(f"{here}/versions").text
    old = ada.get(f"{here}/versions/1").text
    assert "You brought somebody along" in old
    assert 'name="do"' not in old
    assert ada.get(f"{here}/versions/9").status_code == 404
    ada.post(f"{here}/versions/1/put-back")
    assert draft(app, welcome) == before


def test_a_sequence_is_paused_and_goes_on_as_chosen(
    app: Flask, ada: Staff, world: World, here: str, welcome: int
) -> None:
    assert ada.get(f"{here}/resume").status_code == 303
    publish(app, welcome)
    ada.post(f"{here}/pause")
    page = ada.get(here).text
    assert "Paused: nothing leaves any more." in page
    assert f"{here}/resume" in page
    with app.app_context():
        sequence = db.session.get_one(Sequence, welcome)
        factories.make_enrolment(sequence, world.ben, step_key="hello", anchor_at=clock.now())
    dialog = ada.get(f"{here}/resume").text
    wrong = ada.post(f"{here}/resume", fields_of(dialog) | {"how": "spread", "spread_days": "0", "then": "resume"})
    assert wrong.status_code == 422
    assert 'href="#spread_days"' in wrong.text
    kept = ada.post(f"{here}/resume", fields_of(dialog) | {"clock": "keep", "then": "count"})
    assert "person is overdue" in kept.text
    ada.post(f"{here}/resume", fields_of(dialog) | {"how": "send", "clock": "keep", "then": "resume"})
    assert "The sequence goes on." in ada.get(here).text
    with app.app_context():
        assert db.session.get_one(Sequence, welcome).paused_at is None


def test_one_that_cannot_be_switched_on_stays_paused(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    """Refused as a whole: no letter leaves to some while nobody comes in."""
    publish(app, welcome)
    with app.app_context():
        sequence = db.session.get_one(Sequence, welcome)
        nurture.archive(sequence, "Ada")
        nurture.restore(sequence)
        sequence.steps[0].texts = {}
        db.session.commit()
    dialog = ada.get(f"{here}/resume").text
    refused = ada.post(f"{here}/resume", fields_of(dialog) | {"how": "send", "clock": "keep", "then": "resume"})
    assert refused.status_code == 422
    with app.app_context():
        sequence = db.session.get_one(Sequence, welcome)
        assert not sequence.is_active
        assert not streams.is_open(sequence.stream_id)


# YAML


def test_the_same_sequence_goes_out_and_in_as_yaml(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    before = draft(app, welcome)
    text = _shown(ada, f"{here}/yaml")["text"]
    file = ada.get(f"{here}/yaml/file")
    assert file.text.strip() == text.strip()
    assert "attachment" in file.headers["Content-Disposition"]
    _press(ada, here, "remove:answered")
    ada.post(f"{here}/yaml", _shown(ada, f"{here}/yaml") | {"text": text})
    assert draft(app, welcome) == before


def test_yaml_that_cannot_be_read_is_kept_and_its_line_named(app: Flask, ada: Staff, here: str, welcome: int) -> None:
    shown = _shown(ada, f"{here}/yaml")
    for wrong in ("trigger: [", "steps:\n  - kind: moon\n    key: a", "- 1", shown["text"] + "\nmoon: full"):
        answer = ada.post(f"{here}/yaml", shown | {"text": wrong})
        assert answer.status_code == 422, wrong
        assert "ine " in answer.text
        assert 'href="#text"' in answer.text
        assert fields_of(answer.text)["text"] == wrong


# everything


def test_a_letter_that_a_mail_names_leads_to_its_step(
    app: Flask, ada: Staff, path: str, here: str, welcome: int
) -> None:
    publish(app, welcome)
    with app.app_context():
        row = db.session.get_one(Sequence, welcome).steps[0]
    assert f"/steps/{row.key}" in ada.get(f"{path}/letters/{row.id}").location
    _press(ada, here, f"remove:{row.key}")
    assert ada.get(f"{path}/letters/{row.id}").location == here
    assert ada.get(f"{path}/letters/999999").status_code == 404


def test_all_of_it_speaks_french(app: Flask, ada: Staff, path: str, here: str, welcome: int) -> None:
    publish(app, welcome)
    ada.post("/admin/language", {"locale": "fr", "next": "/admin/"})
    for page in ("", "/steps/hello", "/steps/answered", "/parts/trigger", "/parts/goal", "/parts/settings", "/publish"):
        text = ada.get(f"{here}{page}").text
        assert 'lang="fr"' in text
        assert not re.search(r">\s*(?:Letter|Branch|When|For whom|Beginning|Save|Take out)\s*<", text), page
    assert "Commence quand la personne confirme sa participation" in ada.get(here).text
    assert "2 jours plus tard, à 10:00, à l’heure de la personne" in ada.get(here).text


# conditions that are none

WRONG = (
    "{field: points, op: yes, value: 1}", "{field: points, op: foo, value: 1}", "{field: points, op: [a], value: 1}",
    "{field: [a], op: eq, value: 1}", "{field: language, op: eq, value: {a: b}}", "{field: points, op: gte}",
    "{field: language, op: in, value: [[a]]}", "{field: points, op: gte, value: [1]}", "{all: hello}", "{all: [null]}",
    "{field: points, op: gte, value: 99999999999999999}", "{field: language, op: in, value: []}", "{not: [a]}",
    "{field: created, op: before, value: 2026-01-01}",
)  # fmt: skip
PLACES = (
    ("who: %s\nsteps: []", "who"),
    ("exits:\n- when: %s\nsteps: []", "exits.1.when"),
    ("steps:\n- letter: a\n  when: %s", "steps.1.when"),
    ("steps:\n- branch: a\n  when: %s", "steps.1.when"),
)


def test_a_condition_that_is_none_is_refused_with_its_line_and_place(ada: Staff, here: str) -> None:
    shown = _shown(ada, f"{here}/yaml")
    places = [*((PLACES[0], wrong) for wrong in WRONG), *((place, WRONG[1]) for place in PLACES)]
    for (frame, place), wrong in places:
        answer = ada.post(f"{here}/yaml", shown | {"text": "trigger: confirmed\n" + frame % wrong})
        assert answer.status_code == 422
        assert re.search(rf"Line \d, {place}[a-z0-9.]*: ", answer.text)


_plain = st.sampled_from(
    ["a", "friends", "language", "created.on", "created.days", "points", "lt", "in", "eq", "", "2026-01-01", 1, -1.5]
) | st.sampled_from([True, None, 10**14, 10**30, "x" * 300])
_small: Any = st.recursive(
    _plain,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "not"]), inner, max_size=1),
)
_names = st.sampled_from(["friends", "language", "created.on", "created.days", "marketing", "tags"]) | _small
_comparison = st.fixed_dictionaries({"field": _names, "op": st.sampled_from(list(Op)) | _small, "value": _small})
_any_condition: Any = st.recursive(
    _comparison | _small,
    lambda inner: st.builds(lambda word, part: {word: part}, st.sampled_from(["all", "any", "not"]), st.lists(inner)),
    max_leaves=3,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_any_condition)
def test_whatever_stands_for_a_condition_no_page_fails(app: Flask, ada: Staff, here: str, value: Any) -> None:
    steps = [{"letter": "a", "when": value}, {"branch": "b", "when": value}]
    data = {"trigger": "confirmed", "who": value, "exits": [{"when": value}], "steps": steps}
    text = json.dumps(data, ensure_ascii=False)
    answer = ada.post(f"{here}/yaml", _shown(ada, f"{here}/yaml") | {"text": text})
    assert answer.status_code in {303, 422}
    if answer.status_code == 303:
        for page in ("", "/steps/a", "/steps/b", "/rehearsal", "/parts/goal"):
            assert ada.get(f"{here}{page}").status_code in {200, 404}, page


@pytest.mark.parametrize(
    "kept",
    [{"field": "friends", "op": True}, {"field": ["a"], "op": "eq"}, {"all": "hello"}, {"any": [None]}, {"not": 1},
     {"field": "friends", "op": "gte", "value": [1]}, {"field": "created.on", "op": "lt", "value": "soon"}],
)  # fmt: skip
def test_a_condition_kept_before_its_form_was_checked_is_drawn(
    app: Flask, ada: Staff, here: str, welcome: int, kept: dict[str, Any]
) -> None:
    with app.app_context():
        found = db.session.get_one(Sequence, welcome)
        found.draft = arranging.replaced(to_data(drafts.definition_of(found)), "answered", {"when": kept})
        db.session.commit()
    for page in ("", "/steps/answered", "/rehearsal"):
        assert ada.get(f"{here}{page}").status_code == 200, page
    assert "a condition that cannot be read" in ada.get(here).text
