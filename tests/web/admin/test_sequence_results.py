"""The results of a sequence, and the programme of a brand: one sentence, figures with their lists, the return."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.i18n import speaking
from leadgen.nurture.models import Sequence
from leadgen.outcomes import jobs, returns
from leadgen.outcomes.results import letters
from leadgen.web.admin import result_words
from tests import factories
from tests.nurture.audience import Deeds, make_tested, people
from tests.web.admin.studio import Staff
from tests.world import World


def _made(app: Flask, world: World, *variants: str, **definition: int) -> int:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        return make_tested(*(variants or ("a",)), campaign=campaign, **definition).id


def _fill(app: Flask, sequence_id: int, number: int, deeds: Deeds, variant: str = "a") -> None:
    with app.app_context():
        people(db.session.get_one(Sequence, sequence_id), number, deeds, variant)


def _address(base: str, sequence_id: int) -> str:
    return f"{base}/nurture/{sequence_id}/results"


def _tested(app: Flask, world: World) -> int:
    number = _made(app, world, "a", "b")
    _fill(app, number, 370, Deeds(), "a")
    _fill(app, number, 30, Deeds(goal=5), "a")
    _fill(app, number, 300, Deeds(), "b")
    _fill(app, number, 100, Deeds(goal=5), "b")
    return number


def test_the_result_stands_in_one_sentence_on_top(app: Flask, ada: Staff, world: World, base: str) -> None:
    page = ada.get(_address(base, _tested(app, world))).text
    found = re.search(r"B brings ([\d.]+) to ([\d.]+) more goals per hundred people; you may stop\.", page)
    assert found
    assert 0 < float(found[1]) < 17.5 < float(found[2])
    assert 'class="interval interval-more"' in page


def test_every_number_opens_its_people(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world, "a", "b", holdout=10)
    _fill(app, number, 3, Deeds(click=1, goal=5), "b")
    _fill(app, number, 2, Deeds(is_held=True))
    page = ada.get(_address(base, number)).text
    links = re.findall(r'<a class="behind-number" href="([^"]+)">([\d,]+)</a>', page)
    assert len(links) >= 7
    for link, shown in links:
        listed = ada.get(link.replace("&amp;", "&"))
        assert listed.status_code == 200
        assert listed.text.count('<tr><th scope="row">') == int(shown)


def test_without_a_test_the_page_teaches(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world)
    page = ada.get(_address(base, number)).text
    assert "No test runs" in page
    assert "Nobody is held out." in page
    assert "nobody has reached it yet" in page
    for way in ("", "/parts/settings"):
        link = f"{base}/nurture/{number}{way}"
        assert f'href="{link}"' in page
        assert ada.get(link).status_code == 200


def test_a_broken_split_and_a_leak_are_told_as_such(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world, "a", "b", holdout=10)
    _fill(app, number, 200, Deeds(), "a")
    _fill(app, number, 100, Deeds(), "b")
    _fill(app, number, 2, Deeds(is_held=True))
    page = ada.get(_address(base, number)).text
    assert "Do not trust this test" in page
    assert "Do not trust this comparison" in page


def test_what_a_guard_rail_did_is_told(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world, "a", "b")
    _fill(app, number, 100, Deeds(), "a")
    _fill(app, number, 88, Deeds(), "b")
    _fill(app, number, 12, Deeds(complained=True), "b")
    with app.app_context():
        assert jobs.guard() == 1
    page = ada.get(_address(base, number)).text
    sentence = "B was taken out by itself: 12 complaints from 100 people, against 0 from 100."
    assert sentence in page
    assert sentence in ada.get(f"{base}/nurture/{number}").text, "on the page of the sequence too"


def test_one_wording_is_kept_in_the_draft_and_undone(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world, "a", "b")
    address = _address(base, number)
    answer = ada.post(f"{address}/winner", {"step": "step_1", "variant": "b"}, follow_redirects=True)
    assert "Only B is in the draft now." in answer.text
    assert f'action="{address}/winner"' in answer.text
    with app.app_context():
        assert [one["key"] for one in db.session.get_one(Sequence, number).draft["steps"][0]["variants"]] == ["b"]
    ada.post(f"{address}/winner", {"step": "step_1"})
    with app.app_context():
        assert len(db.session.get_one(Sequence, number).draft["steps"][0]["variants"]) == 2
    assert "no such wording" in ada.post(f"{address}/winner", {"step": "x", "variant": "y"}, follow_redirects=True).text


def test_a_segment_has_its_own_sentence_and_another_brands_is_absent(
    app: Flask, ada: Staff, world: World, base: str
) -> None:
    number = _made(app, world, holdout=10)
    _fill(app, number, 9, Deeds(goal=5))
    _fill(app, number, 1, Deeds(is_held=True))
    with app.app_context():
        english = {"all": [{"all": [{"field": "language", "op": "eq", "value": "en"}]}]}
        mine = factories.make_segment(db.session.get_one(Brand, world.brand.id), english, name="English").id
        other = factories.make_segment(db.session.get_one(Brand, world.other_brand.id)).id
    address = _address(base, number)
    assert "English: It is too early" in ada.get(f"{address}?segment={mine}").text
    for path in (address, f"/admin/brands/{world.brand.id}/programme"):
        assert ada.get(f"{path}?segment={other}").status_code == 404
        assert ada.get(f"{path}?segment={'9' * 30}").status_code == 404
    assert ada.get(f"/admin/brands/{world.brand.id}/programme?campaign={world.other_campaign.id}").status_code == 404


def test_own_figures_are_reckoned_with(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world, holdout=10)
    _fill(app, number, 450, Deeds(goal=5))
    _fill(app, number, 450, Deeds())
    _fill(app, number, 10, Deeds(goal=5, is_held=True))
    _fill(app, number, 90, Deeds(is_held=True))
    address = _address(base, number)
    sent = {"value": "12.50", "per_thousand": "2", "fixed": "100"}
    page = ada.post(f"{address}/costs", sent, follow_redirects=True).text
    assert "Reckoned anew" in page
    assert "€4,500" in page, "360 goals more at 12.50"
    assert "€101.80" in page, "100 once and 900 letters"
    assert 'value="12.50"' in page


@pytest.mark.parametrize("value", ["much", "-3", "99999999999999"])
def test_what_is_no_amount_comes_back_with_its_field(
    app: Flask, ada: Staff, world: World, base: str, value: str
) -> None:
    number = _made(app, world)
    for path in (_address(base, number), f"/admin/brands/{world.brand.id}/programme"):
        answer = ada.post(f"{path}/costs", {"per_thousand": value, "fixed": "5", "currency": "EUR"})
        assert answer.status_code == 422
        assert 'id="per_thousand-error"' in answer.text
        assert f'value="{value}"' in answer.text
        assert 'value="5"' in answer.text


def test_the_programme_adds_up_what_can_be_compared(app: Flask, ada: Staff, world: World, base: str) -> None:
    number = _made(app, world, holdout=10)
    _fill(app, number, 450, Deeds(goal=5))
    _fill(app, number, 450, Deeds())
    _fill(app, number, 100, Deeds(is_held=True))
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        make_tested("a", campaign=campaign, key="open")
    path = f"/admin/brands/{world.brand.id}/programme"
    page = ada.get(path).text
    assert re.search(r"The letters bring [\d.]+ to [\d.]+ more goals per hundred people than none\.", page)
    assert "not in the sum" in page
    assert "900 people had the letters" in page
    ada.post(f"{path}/costs", {"per_thousand": "10", "fixed": "", "currency": "GBP"})
    with app.app_context():
        assert returns.costs(world.brand.id)[None].per_thousand == 1_000
    assert "£9" in ada.get(f"{path}?campaign={world.campaign.id}").text
    assert ada.get("/admin/programme").status_code == 303


def test_a_brand_without_sequences_is_taught(ada: Staff, world: World) -> None:
    assert "No sequence yet" in ada.get(f"/admin/brands/{world.brand.id}/programme").text


@pytest.mark.parametrize(
    "rest", ["?which=nothing", "?which=left&experiment=other&step=step_1", "?which=left&before=-5"]
)
def test_lists_that_are_none_are_absent_or_empty(app: Flask, ada: Staff, world: World, base: str, rest: str) -> None:
    answer = ada.get(f"{_address(base, _made(app, world))}/people{rest}")
    assert answer.status_code == (200 if "before" in rest else 404)


def test_another_contests_sequence_is_absent(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        other = make_tested("a", campaign=factories.make_campaign(db.session.get_one(Brand, world.brand.id))).id
    assert ada.get(_address(base, other)).status_code == 404


def test_findings_are_told_in_french(app: Flask, world: World) -> None:
    number = _tested(app, world)
    with app.test_request_context(), speaking("fr"):
        (found,) = letters(db.session.get_one(Sequence, number))
        sentence = result_words.finding(found)
    assert sentence.startswith("Le texte B apporte ")
    assert sentence.endswith("buts de plus pour cent personnes\u202f; vous pouvez arrêter.")
    assert re.search(r"\d,\d à \d+,\d", sentence)
