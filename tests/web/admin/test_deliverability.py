"""The page about a brand's sender: lights with words, records to copy, a button, and a banner when no mail leaves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from leadgen.core import clock, i18n, notes
from leadgen.core.db import db
from leadgen.mail import deliverability, pauses
from leadgen.mail.models import SenderCheck
from leadgen.mail.providers.interface import Answer
from leadgen.mail.sender_dns import Finding, Light
from leadgen.web.admin import sender_words
from tests.house.source import PRODUCT
from tests.web.admin.studio import Staff
from tests.world import World


@pytest.fixture
def path(world: World) -> str:
    return f"/admin/brands/{world.brand.id}/deliverability"


def keep(app: Flask, world: World, *findings: dict[str, object]) -> None:
    with app.app_context():
        domain = deliverability.domain_of(world.brand)
        results = {"provider": "sendgrid", "findings": list(findings)}
        db.session.add(SenderCheck(domain=domain, checked_at=clock.now(), results=results))
        db.session.commit()


def finding(key: str, light: str, code: str, **more: object) -> dict[str, object]:
    return {"key": key, "light": light, "code": code, "values": {}, "records": [], **more}


def test_before_the_first_check_the_page_says_what_it_does(ada: Staff, path: str) -> None:
    page = ada.get(path)
    assert page.status_code == 200
    assert "Not checked yet" in page.text
    assert "data-live" not in page.text


def test_a_check_is_asked_for_and_the_page_waits_for_it(app: Flask, ada: Staff, path: str, world: World) -> None:
    assert ada.post(path).status_code == 303
    page = ada.get(path).text
    assert "The check is running" in page
    assert f'data-live="{path}/report"' in page
    with app.app_context():
        notes.drop(deliverability._running(world.brand.id))
    assert "The check is running" not in ada.get(f"{path}/report").text


def test_the_report_says_by_words_what_its_colours_say(app: Flask, ada: Staff, path: str, world: World) -> None:
    record = {"kind": "TXT", "name": "_dmarc.capsud.example", "value": "v=DMARC1; p=none"}
    keep(
        app,
        world,
        finding("dmarc", "red", "dmarc_missing", records=[record]),
        finding("spf", "green", "spf_good", values={"number": "1", "record": "v=spf1 <b> -all"}),
        finding("complaints", "amber", "complaints_amber", values={"number": "1", "mails": "1000", "share": "0.001"}),
    )
    page = ada.get(path).text
    assert "1 thing to repair" in page
    assert "To repair" in page
    assert "Could be better" in page
    assert 'data-copy="v=DMARC1; p=none"' in page
    assert "v=spf1 &lt;b&gt; -all" in page
    assert "0.1% of the last 1,000 mails" in page
    assert re.search(r"Checked \d+ seconds? ago|Checked now|Checked \d+ second", page)


def test_one_brand_opens_at_once(ada: Staff, path: str) -> None:
    page = ada.get("/admin/deliverability")
    assert page.status_code == 303
    assert page.headers["Location"].endswith(path)


def test_a_refused_key_is_red_on_every_page_until_it_works(app: Flask, ada: Staff, base: str) -> None:
    assert "No mail leaves" not in ada.get(base).text
    with app.app_context():
        pauses.after(Answer([], 60.0, "sender_refused"), was_in_trouble=False)
    for page in (base, "/admin/", "/admin/password"):
        assert "No mail leaves" in ada.get(page, follow_redirects=True).text


def _codes() -> set[str]:
    """Every code that the checks can answer with, as the source says it."""
    found: set[str] = set()
    for name in ("sender_dns", "deliverability", "providers/account", "providers/smtp", "providers/file"):
        tree = ast.parse((PRODUCT / "mail" / f"{name}.py").read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            if call.func.id == "Finding" and len(call.args) > 2 and isinstance(call.args[2], ast.Constant):  # type: ignore[attr-defined]
                found.add(str(call.args[2].value))
            if call.func.id in {"Checked", "_Trouble"}:  # type: ignore[attr-defined]
                values = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "code")]
                found |= {str(part.value) for value in values for part in ast.walk(value)
                          if isinstance(part, ast.Constant) and isinstance(part.value, str)}  # fmt: skip
    return found - {"provider_away"}


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_code_has_words(locale: str) -> None:
    values = dict.fromkeys(("answer", "record", "number", "domain", "address", "mails"), "1") | {"share": "0.1"}
    codes = _codes() | {f"{key}_{light}" for key in ("complaints", "bounces") for light in ("green", "amber", "red")}
    assert {"spf_missing", "key_refused", "not_trusted", "folder_writable"} <= codes
    with i18n.speaking(locale):
        for code in sorted(codes):
            made = Finding("spf", Light.RED, code, values)
            assert sender_words.sentence(made), code
            sender_words.advice(made)
        assert all(sender_words.light(light) for light in Light)


def test_the_banner_is_part_of_every_page() -> None:
    page = (Path(PRODUCT).parent / "templates/admin/page.html").read_text()
    assert '{% include "admin/_sender_banner.html" %}' in page
