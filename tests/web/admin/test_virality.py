"""How a campaign spreads: every number opens the list behind it, and equals a plain count (I34)."""

import re
from html import unescape

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
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
