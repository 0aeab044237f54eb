"""How a campaign spreads: every number opens the list behind it, and equals a plain count (I34)."""

import re
from html import unescape

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.visits.models import VisitKind
from tests import factories, factories_contest
from tests.analytics.spreading import make_random_spread
from tests.web.admin.studio import Staff
from tests.world import World

_NUMBER = re.compile(r'<a class="behind-number" href="([^"]+)"[^>]*>([^<]+)</a>')
_STATED = re.compile(r'data-number="(\d+)"')
_NEXT = re.compile(r'<a class="button button-quiet" rel="next" href="([^"]+)"')


@pytest.fixture
def spread(app: Flask, world: World) -> None:
    """Thirty people, four deep, in all states."""
    with app.app_context():
        make_random_spread(db.session.get_one(Campaign, world.campaign.id), seed=7, people=30)


def _rows(ada: Staff, path: str) -> tuple[int, int]:
    """What a list says it holds, and how many lines its pages have."""
    stated, lines = -1, 0
    while path:
        page = ada.get(unescape(path)).text
        stated = int(_STATED.findall(page)[0])
        lines += page.count("<tr>") - (1 if "<tbody>" in page else 0)
        following = _NEXT.search(page)
        path = following[1] if following else ""
    return stated, lines


def test_every_number_opens_a_list_of_that_length(ada: Staff, spread: None, base: str) -> None:
    """I34: the figures of the page, its tables and the tree; each list walked to its end."""
    found = set(_NUMBER.findall(ada.get(f"{base}/virality").text))
    assert len(found) > 30
    for address, shown in found:
        number = int(shown.replace(",", ""))
        assert _rows(ada, address) == (number, number), address


def test_every_number_of_a_tree_opens_its_list(app: Flask, ada: Staff, world: World, spread: None, base: str) -> None:
    page = ada.get(f"{base}/virality").text
    trees = set(re.findall(rf'href="({base}/virality/tree/\d+)"', page))
    assert len(trees) > 3
    for tree in trees:
        for address, shown in _NUMBER.findall(ada.get(tree).text):
            assert _rows(ada, address) == (int(shown), int(shown)), address


def test_every_figure_has_its_definition(ada: Staff, spread: None, base: str) -> None:
    """A name beside a question mark that opens without a script and is read out by its own words."""
    page = ada.get(f"{base}/virality").text
    named = re.findall(
        r'<details class="define"><summary aria-label="([^"]+)">.*?</summary><p>([^<]+)</p></details>', page
    )
    assert len(named) == len(re.findall(r'class="define"', page)) > 10
    assert all(len(words) > 20 for _name, words in named)
    for name in ("K raw", "K confirmed", "K by quality", "Amplification", "Cycle time", "By generation"):
        assert f"What “{name}” means" in [name for name, _words in named]


def test_the_parts_of_k_are_shown_as_fractions_of_the_same_numbers(
    app: Flask, ada: Staff, world: World, base: str
) -> None:
    """Two of four confirmed share; three human visits; one confirmed friend: 2/4 × 3/2 × 1/3 = 1/4."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        ben = db.session.get_one(type(world.ben), world.ben.id)
        friend = factories.make_entry(campaign, confirmed=True, referrer=ben)
        for _number in range(2):
            factories.make_entry(campaign, confirmed=True)
        for entry in (ben, ben, friend):
            factories_contest.make_visit(entry)
        factories_contest.make_visit(ben, kind=VisitKind.PREVIEW)
    row = re.search(r">Confirmed <details.*?</tr>", ada.get(f"{base}/virality").text, re.DOTALL)
    assert row is not None
    assert [shown for _address, shown in _NUMBER.findall(row[0])] == [
        "2", "4", "3", "2", "1", "3", "1", "4",
    ]  # fmt: skip
    for words in ("50%", "× 1.50", "× 0.33", "= 0.25"):
        assert words in row[0], words


def test_empty_pages_teach(app: Flask, ada: Staff, world: World) -> None:
    with app.app_context():
        brand = db.session.get_one(type(world.brand), world.brand.id)
        empty, alone = factories.make_campaign(brand), factories.make_campaign(brand)
        entry = factories.make_entry(alone, confirmed=True).id
        bases = [f"/admin/campaigns/{one.id}/virality" for one in (empty, alone)]
    assert "A contest spreads when people who entered bring others." in ada.get(bases[0]).text
    page = ada.get(bases[1]).text
    assert "Nobody has brought a friend yet" in page
    assert "Nobody’s link was opened by a person yet." in page
    assert "Nobody came through this person yet" in ada.get(f"{bases[1]}/tree/{entry}").text
    assert "Nobody yet" in ada.get(f"{bases[1]}/people?who=referred").text
    assert "No link was opened by a person yet" in ada.get(f"{bases[1]}/openings").text


def test_k_without_visits_is_not_taken_apart(ada: Staff, world: World, base: str) -> None:
    assert "No opening of a link is recorded, so K cannot be taken apart." in ada.get(f"{base}/virality").text


@pytest.mark.parametrize(
    "path",
    [
        "people?who=everybody",
        "openings?which=all",
        "people?week=soon",
        "people?brought=2026-13-01",
        "tree/999999",
        "people?week=0001-01-01",
        "people?week=9999-12-27",
    ],
)
def test_what_does_not_exist_is_absent(ada: Staff, base: str, path: str) -> None:
    assert ada.get(f"{base}/virality/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["people?depth=99999999999999999999", "people?of=-5&level=9", "people?before=x",
     "openings?before=-1"],
)  # fmt: skip
def test_strange_narrowings_find_nobody_and_break_nothing(ada: Staff, base: str, path: str) -> None:
    assert ada.get(f"{base}/virality/{path}").status_code == 200


def test_the_entrants_page_tells_whom_they_brought(app: Flask, ada: Staff, world: World, base: str) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        anna = factories.make_entry(
            campaign, confirmed=True, referrer=db.session.get_one(type(world.ben), world.ben.id)
        )
        factories.make_entry(campaign, referrer=anna)
    page = ada.get(f"{base}/entrants/{world.ben.id}").text
    card = page[page.index('id="spread-title"') :]
    shown = [number for _address, number in _NUMBER.findall(card)]
    assert shown == ["1", "2", "1", "1", "0", "0"]
    assert f'href="{base}/virality/tree/{world.ben.id}"' in card
    for address, number in _NUMBER.findall(card):
        assert _rows(ada, address) == (int(number), int(number))


def test_sheets_are_files_of_the_campaign(ada: Staff, spread: None, base: str) -> None:
    """What somebody typed never runs as a formula."""
    people = ada.get(f"{base}/virality/influencers.csv")
    assert people.headers["Content-Disposition"].startswith('attachment; filename="summer-influencers-')
    assert people.text.startswith("public_id,first_name,email,")
    assert ",=1+1," not in people.text
    weeks = ada.get(f"{base}/virality/cohorts.csv")
    assert weeks.text.startswith("week_from,entries,confirmed,")
    assert weeks.headers["Content-Type"] == "text/csv; charset=utf-8"
