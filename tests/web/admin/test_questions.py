"""The editor of a campaign's form."""

from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign, CampaignStatus, Question
from leadgen.core.db import db
from leadgen.forms import definition as documents
from leadgen.forms import service as forms
from leadgen.forms.definition import AskAt, Definition, FieldType, Pattern, Sensitivity
from leadgen.forms.service import Draft
from tests import factories
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/questions"


@pytest.fixture
def draft_path(app: Flask, world: World) -> str:
    """The same pages of a campaign that is not published yet."""
    with app.app_context():
        campaign = factories.make_campaign(
            db.session.get_one(type(world.brand), world.brand.id), status=CampaignStatus.DRAFT
        )
        return f"/admin/campaigns/{campaign.id}/questions"


def _payload(**values: Any) -> dict[str, Any]:
    return {
        "kind": "single",
        "key": "",
        "page": "p1",
        "ask_at": "after_confirm",
        "pattern": "",
        "sensitivity": "ordinary",
        "fresh_days": "0",
        "weight": "1",
        "show-mode": "",
        "require-mode": "",
        "en-label": "When do you travel?",
        "fr-label": "Quand partez-vous ?",
        "points": "3",
        "options-0-en": "Spring",
        "options-0-fr": "Printemps",
        "options-1-en": "Autumn",
        "options-1-fr": "Automne",
        "options-2-en": "",
        "options-2-fr": "",
        "do": "save",
    } | values


def _draft(app: Flask, path: str) -> Draft:
    with app.app_context():
        return forms.draft_of(db.session.get_one(Campaign, int(path.split("/")[3])))


def _form(app: Flask, path: str) -> Definition:
    return _draft(app, path).definition


def _asked(app: Flask, path: str) -> list[str]:
    with app.app_context():
        return [question.key for question in forms.asked(db.session.get_one(Campaign, int(path.split("/")[3])))]


def test_a_question_gets_a_key_from_its_words(app: Flask, ada: Staff, path: str) -> None:
    assert ada.post(f"{path}/new", _payload()).location == path
    added = _form(app, path).pages[0].fields[-1]
    assert (added.key, added.type, added.points) == ("quand_partez_vous", FieldType.SINGLE, 3)
    assert [option["texts"]["fr"] for option in added.options] == ["Printemps", "Automne"]


def test_of_a_live_campaign_the_draft_waits_for_its_publication(app: Flask, ada: Staff, path: str) -> None:
    ada.post(f"{path}/new", _payload())
    page = ada.get(path).text
    assert "Your changes are not published yet. People see version 1." in page
    assert _asked(app, path) == ["question_1", "question_2"]

    dialog = ada.get(f"{path}/publish").text
    assert "“When do you travel?”: new" in dialog
    assert "that is a change of the rules" in dialog

    assert ada.post(f"{path}/publish").location == path
    assert "Version 2 of the form is published." in ada.get(path).text
    assert _asked(app, path) == ["question_1", "question_2", "quand_partez_vous"]
    versions = ada.get(f"{path}/versions").text
    assert "Version 2" in versions
    assert "0 began, 0 finished" in versions


def test_nothing_new_is_not_published(app: Flask, ada: Staff, path: str) -> None:
    ada.post(f"{path}/new", _payload())
    ada.post(f"{path}/publish")
    ada.post(f"{path}/publish")
    assert "There is nothing new to publish." in ada.get(path).text
    assert _draft(app, path).number == 2


def test_of_a_draft_campaign_the_questions_follow_at_once(app: Flask, ada: Staff, draft_path: str) -> None:
    ada.post(f"{draft_path}/new", _payload())
    assert _asked(app, draft_path) == ["question_1", "question_2", "quand_partez_vous"]
    ada.post(f"{draft_path}/publish")
    assert "published together with the campaign" in ada.get(draft_path).text


@pytest.mark.parametrize("kind", [kind.value for kind in FieldType])
def test_every_type_can_be_asked(app: Flask, ada: Staff, draft_path: str, kind: str) -> None:
    answer = ada.post(f"{draft_path}/new", _payload(kind=kind, key="travel", parameter="utm_source"))
    assert answer.location == draft_path, answer.text
    kept = _form(app, draft_path).field("travel")
    assert kept is not None
    assert kept.type == kind
    assert (_asked(app, draft_path)[-1] == "travel") is kept.has_answer
    fields = fields_of(ada.get(f"{draft_path}/fields/travel").text)
    assert fields["en-label"] == "When do you travel?"
    assert ada.post(f"{draft_path}/fields/travel", fields | {"do": "save"}).location == draft_path
    assert _form(app, draft_path).field("travel") == kept, "saved as it was shown, nothing changes"
    preview = ada.get(draft_path).text.partition('data-address="')[2].partition('"')[0]
    assert ada.client.get(f"{preview}?lang=en").status_code == 200


def test_settings_are_kept(app: Flask, ada: Staff, path: str) -> None:
    sent = _payload(
        kind="text", key="vat", least="2", most="20", pattern="digits", sensitivity="personal", fresh_days="365",
        weight="9", ask_at="later", is_required="y",
    )  # fmt: skip
    ada.post(f"{path}/new", sent)
    kept = _form(app, path).field("vat")
    assert kept is not None
    assert (kept.least, kept.most, kept.pattern, kept.fresh_days, kept.weight) == (2, 20, Pattern.DIGITS, 365, 9)
    assert (kept.sensitivity, kept.ask_at, kept.is_required) == (Sensitivity.PERSONAL, AskAt.LATER, True)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"en-label": "", "fr-label": "", "key": "empty"}, "Write the question."),
        ({"options-1-en": "", "options-1-fr": ""}, "Give from 2 to 30 choices."),
        ({"key": "question_1"}, "Another question of this campaign has this key."),
        ({"key": "Not a key"}, "Use small letters, digits and _"),
        ({"points": "1001"}, "Please choose a number from 0 to 1000."),
        ({"kind": "riddle"}, "Please choose one of the list."),
        ({"options-0-en": "x" * 121}, "at most 120 characters"),
        ({"page": "p9"}, "Choose a page of this form."),
        ({"kind": "number", "least": "5", "most": "5"}, "The greatest must be above the least."),
        ({"sensitivity": "special"}, "cannot be required or bring points"),
        ({"kind": "hidden", "parameter": "cookie"}, "Choose what the field remembers."),
        (
            {
                "show-mode": "all",
                "show-rows-0-field": "question_1",
                "show-rows-0-op": "eq",
                "show-rows-0-value": "Mars",
            },
            "Choose a value that “question_1” can have.",
        ),
        (
            {"show-mode": "all", "show-rows-0-field": "question_1", "show-rows-0-op": "gt", "show-rows-0-value": "1"},
            "cannot be compared in this way",
        ),
        ({"show-mode": "all", "show-rows-0-field": "gone", "show-rows-0-op": "empty"}, "nothing that can be asked for"),
        ({"revision": "77"}, "Somebody else changed this form"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    app: Flask, ada: Staff, path: str, wrong: dict[str, str], told: str
) -> None:
    answer = ada.post(f"{path}/new", _payload(**wrong))
    assert answer.status_code == 422
    assert told in answer.text
    assert fields_of(answer.text)["options-0-fr"] == "Printemps"
    assert len(list(_form(app, path).fields)) == 2


def test_choices_are_moved_and_taken_out_without_a_script(ada: Staff, path: str) -> None:
    moved = fields_of(ada.post(f"{path}/new", _payload(do="down-0")).text)
    assert [moved["options-0-en"], moved["options-1-en"]] == ["Autumn", "Spring"]
    dropped = fields_of(ada.post(f"{path}/new", _payload(do="drop-0")).text)
    assert [dropped["options-0-en"], dropped["options-1-en"]] == ["Autumn", ""]
    more = fields_of(ada.post(f"{path}/new", _payload(do="more")).text)
    assert "options-5-en" in more


def test_choices_keep_their_ids_while_their_words_change(app: Flask, ada: Staff, path: str) -> None:
    one = f"{path}/fields/question_1"
    fields = fields_of(ada.get(one).text)
    assert fields["options-0-id"] == "sea"
    ada.post(one, fields | {"options-0-fr": "L’océan", "do": "save"})
    kept = _form(app, path).field("question_1")
    assert kept is not None
    assert kept.options[0] == {"id": "sea", "texts": {"en": "The sea", "fr": "L’océan"}}


def test_once_published_what_a_key_means_stays(app: Flask, ada: Staff, path: str) -> None:
    one = f"{path}/fields/question_1"
    ada.post(one, fields_of(ada.get(one).text) | {"kind": "text", "do": "save"})
    ada.post(f"{path}/publish")
    assert "“question_1” was answered in another way before." in ada.get(path).text
    with app.app_context():
        assert db.session.query(Question).filter_by(key="question_1").first().kind == "choice"  # type: ignore[union-attr]


def test_the_order_is_changed_by_buttons_over_the_edges_of_pages(app: Flask, ada: Staff, path: str) -> None:
    ada.post(f"{path}/pages")
    ada.post(f"{path}/fields/question_2/move", {"by": "up"})
    ada.post(f"{path}/fields/question_1/move", {"by": "down"})
    pages = _form(app, path).pages
    assert [[one.key for one in page.fields] for page in pages] == [["question_2"], ["question_1"]]
    ada.post(f"{path}/fields/question_1/move", {"by": "up"})
    ada.post(f"{path}/pages/p2/remove")
    assert [[one.key for one in page.fields] for page in _form(app, path).pages] == [["question_2", "question_1"]]


def test_a_condition_is_written_in_words(app: Flask, ada: Staff, path: str) -> None:
    one = f"{path}/fields/question_2"
    condition = {
        "show-mode": "none",
        "show-rows-0-field": "question_1",
        "show-rows-0-op": "eq",
        "show-rows-0-value": "the sea",
    }
    ada.post(one, fields_of(ada.get(one).text) | condition | {"do": "save"})
    kept = _form(app, path).field("question_2")
    assert kept is not None
    assert kept.show == {"not": {"any": [{"field": "question_1", "op": "eq", "value": "sea"}]}}
    assert "Shown when none of: “Question 1?” is The sea" in ada.get(path).text
    assert fields_of(ada.get(one).text)["show-rows-0-value"] == "The sea"


def test_always_takes_a_condition_out_and_throws_none_away(app: Flask, ada: Staff, path: str) -> None:
    one = f"{path}/fields/question_2"
    condition = {"show-mode": "", "show-rows-0-field": "question_1", "show-rows-0-op": "empty"}
    ada.post(one, fields_of(ada.get(one).text) | condition | {"do": "save"})
    kept = _form(app, path).field("question_2")
    assert kept is not None
    assert kept.show == {"all": [{"field": "question_1", "op": "empty"}]}
    ada.post(one, fields_of(ada.get(one).text) | {"show-mode": "", "do": "save"})
    kept = _form(app, path).field("question_2")
    assert kept is not None
    assert kept.show is None


def test_a_question_that_others_depend_on_is_not_taken_out(app: Flask, ada: Staff, path: str) -> None:
    one = f"{path}/fields/question_2"
    condition = {"show-mode": "all", "show-rows-0-field": "question_1", "show-rows-0-op": "empty"}
    ada.post(one, fields_of(ada.get(one).text) | condition | {"do": "save"})
    ada.post(f"{path}/fields/question_1/remove")
    assert "“Question 2?” depends on this question." in ada.get(path).text
    assert _form(app, path).field("question_1") is not None


def test_a_question_that_was_answered_is_only_not_asked_any_more(
    app: Flask, ada: Staff, world: World, path: str
) -> None:
    with app.app_context():
        question = db.session.get_one(Question, world.campaign.questions[0].id)
        factories.make_answer(db.session.get_one(type(world.ben), world.ben.id), question)
    ada.post(f"{path}/fields/question_1/remove")
    assert "Answers that were given stay." in ada.get(path).text
    ada.post(f"{path}/publish")
    assert _asked(app, path) == ["question_2"]
    with app.app_context():
        assert db.session.get(Question, world.campaign.questions[0].id) is not None


def test_jumps_of_a_page(app: Flask, ada: Staff, path: str) -> None:
    ada.post(f"{path}/pages")
    ada.post(f"{path}/fields/question_2/move", {"by": "down"})
    page = f"{path}/pages/p1"
    jump = {
        "en": "You", "fr": "Vous", "jumps-0-to": "end", "jumps-0-when-mode": "any",
        "jumps-0-when-rows-0-field": "question_1", "jumps-0-when-rows-0-op": "in",
        "jumps-0-when-rows-0-value": "The sea, Une ville",
    }  # fmt: skip
    assert ada.post(page, fields_of(ada.get(page).text) | jump).status_code == 303
    kept = _form(app, path).pages[0]
    assert kept.texts == {"en": {"title": "You"}, "fr": {"title": "Vous"}}
    assert [(one.when, one.to) for one in kept.jumps] == [
        ({"any": [{"field": "question_1", "op": "in", "value": ["sea", "city"]}]}, "end")
    ]
    assert ada.post(page, fields_of(ada.get(page).text)).status_code == 303
    assert _form(app, path).pages[0] == kept


def test_faults_are_listed_with_their_place_and_keep_the_form_unpublished(app: Flask, ada: Staff, path: str) -> None:
    ada.post(f"{path}/new", _payload(**{"fr-label": "", "key": "half"}))
    page = ada.get(path).text
    assert "1 thing to mend before publishing" in page
    assert f'<a href="{path}/fields/half">“When do you travel?” is not complete in French.</a>' in page
    ada.post(f"{path}/publish")
    assert "is not complete in French." in ada.get(path).text
    assert "half" not in _asked(app, path)


def test_faults_keep_the_campaign_from_its_launch(app: Flask, ada: Staff, draft_path: str) -> None:
    one = f"{draft_path}/fields/question_2"
    never = {"show-mode": "all"}
    for row, value in enumerate(("The sea", "A city")):
        never |= {f"show-rows-{row}-field": "question_1", f"show-rows-{row}-op": "eq", f"show-rows-{row}-value": value}
    ada.post(one, fields_of(ada.get(one).text) | never | {"do": "save"})
    overview = draft_path.removesuffix("/questions")
    assert "“Question 2?” is never shown: its conditions exclude each other." in ada.get(overview).text


def test_a_copy_of_a_campaign_has_its_form(app: Flask, world: World) -> None:
    with app.app_context():
        data = documents.to_data(forms.draft_of(db.session.get_one(Campaign, world.campaign.id)).definition)
        data["pages"].append({"id": "p2", "fields": [], "jumps": [], "texts": {}})
        factories.make_form(db.session.get_one(Campaign, world.campaign.id), data)
        from_form = documents.from_data(data)
        twin = forms.campaigns.duplicate(db.session.get_one(Campaign, world.campaign.id), name="Twin")
        fact = db.session.query(factories.Fact).filter_by(name="campaign.created", campaign_id=twin.id).one()
        forms.copied([fact])
        forms.copied([fact])
        assert forms.draft_of(twin).definition == from_form
        assert forms.draft_of(twin).number == 0
