"""The share step: buttons, what is counted, how the link was opened, codes to print."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote

import pytest
from flask import Flask
from PIL import Image

from leadgen.core import hot, links
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal import counters
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from tests.factories_contest import make_visit_tally
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of


def _addresses(page: str) -> dict[str, str]:
    found = re.findall(r'<a class="[^"]*network-(\w+)" href="([^"]+)"', page)
    return {channel: unquote(url.replace("&amp;", "&")) for channel, url in found}


def test_rule_7_every_button_opens_the_persons_own_app(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(f"{scene.me}?lang=en").text
    found = _addresses(page)
    assert set(found) == {"wa", "sms", "em", "fb", "tg", "x", "li"}
    for channel, url in found.items():
        assert f"http://localhost/r/{scene.code}?ch={channel}" in url, "each link names its channel"
    assert found["em"].startswith("mailto:?subject=Win a week in Lisbon&body=Ben thinks of you")
    assert found["wa"].startswith("https://wa.me/?text=Ben thinks of you: win a week in Lisbon 1 with me: http")
    assert "<form" not in page.split('id="share"')[1].split("</section>")[0], "nothing here writes to a friend"


def test_a_press_is_counted_by_channel(visitor: Visitor, scene: Scene) -> None:
    assert visitor.post(f"{scene.me}/shared", {"ch": "wa"}).status_code == 204
    assert visitor.post(f"{scene.me}/shared", {"ch": "carrier pigeon"}).status_code == 204
    assert visitor.post("/me/forged/shared", {"ch": "wa"}).status_code == 404
    counters.flush()
    found = hot.many("SELECT name, channel, number FROM counter", {})
    assert found == [{"name": "share_click", "channel": "wa", "number": 1}]


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "How your link was opened"), ("fr", "Comment votre lien a été ouvert")]
)
def test_how_the_link_was_opened_is_told(app: Flask, visitor: Visitor, scene: Scene, lang: str, said: str) -> None:
    """Issue 4, line 5."""
    assert said not in visitor.get(f"{scene.me}?lang={lang}").text, "nothing to tell yet"
    with app.app_context():
        ben = db.session.get_one(Entry, scene.ben_id)
        make_visit_tally(ben, kind=VisitKind.HUMAN, number=12)
        make_visit_tally(ben, kind=VisitKind.PREVIEW, number=34, channel="fb")
        make_visit_tally(ben, kind=VisitKind.SELF, number=5, channel="copy")
    page = visitor.get(f"{scene.me}?lang={lang}")
    assert said in page.text
    told = page.text.split('id="openings"')[1].split("</details>")[0]
    assert re.findall(r"<dd>(\d+)</dd>", told) == ["12", "34", "5", "12"]
    assert "WhatsApp" in told
    assert "Facebook" not in told, "channels of machines are nobody's"


def test_whoever_waits_has_nothing_to_look_at(visitor: Visitor, scene: Scene, app: Flask) -> None:
    with app.app_context():
        me = links.status(scene.anna_id, 1).removeprefix("http://localhost")
    assert "openings" not in visitor.get(me).text


def test_f12_the_qr_code_has_600_dots(visitor: Visitor, scene: Scene) -> None:
    answer = visitor.get(f"/qr/{scene.code}.png")
    assert answer.mimetype == "image/png"
    assert min(Image.open(io.BytesIO(answer.data)).size) >= 600
    assert visitor.get("/qr/NOTACODE.png").status_code == 404


@pytest.mark.parametrize(("lang", "how"), [("en", "Point your camera here"), ("fr", "Visez ce code")])
def test_the_sheet_to_print(visitor: Visitor, scene: Scene, lang: str, how: str) -> None:
    page = visitor.get(f"/r/{scene.code}/sheet?lang={lang}")
    assert page.status_code == 200
    assert how in text_of(page)
    assert f"localhost/r/{scene.code}" in text_of(page)
    assert "Ben" not in text_of(page), "no name without consent to it"
    assert visitor.get("/r/NOTACODE/sheet").status_code == 404
    visits.flush()
    assert hot.many("SELECT 1 FROM visit", {}) == [], "printing is no visit"


def test_f12_the_source_is_told_at_the_destination_only(visitor: Visitor, scene: Scene) -> None:
    """The link that people see stays clean."""
    assert f'value="http://localhost/r/{scene.code}"' in visitor.get(scene.me).text
    link = visitor.get(f"/r/{scene.code}?ch=wa").location
    assert "utm_source=wa&utm_medium=referral&utm_campaign=island" in link
    visitor.enter(f"{link}&lang=en")
    row = hot.one("SELECT source, channel FROM entry ORDER BY id DESC LIMIT 1", {})
    assert row is not None
    assert row["source"]["utm_source"] == "wa"
    assert row["channel"] == "wa"
    own = visitor.get(f"/r/{scene.code}?utm_source=newsletter").location
    assert "utm_source=newsletter" in own
    assert "utm_medium" not in own
