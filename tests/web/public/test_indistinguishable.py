"""Anti-enumeration (F2): whoever owns an address, the answers to a form look the same and cost the same."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries import person
from leadgen.letters.models import Lane
from leadgen.mail.bounds import MAILS_PER_ADDRESS
from leadgen.mail.models import MessageStatus
from tests.factories import make_brand, make_campaign, make_entry, make_message, make_suppression
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, text_of

_ABOUT_PEOPLE = re.compile(r"\b(?:entry|contact|message|fact|consent|suppression|forgotten_address)\b")
# One of each kind, all names of one length.
KINDS = ("newcome", "waiting", "certain", "refused", "bounced", "complai", "forgott", "limited")


@dataclass
class Statements:
    """Counts what this thread asks the database about people; cards and letters are read for everybody alike."""

    thread: int = field(default_factory=threading.get_ident)
    number: int = 0

    def see(self, statement: str) -> None:
        if threading.get_ident() == self.thread and _ABOUT_PEOPLE.search(statement):
            self.number += 1


@pytest.fixture(autouse=True)
def _in_english(visitor: Visitor) -> None:
    visitor.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture
def statements(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    seen = Statements()
    run = hot._run

    def counted(statement: str, values: Any) -> Any:
        seen.see(statement)
        return run(statement, values)

    def executed(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.see(statement)

    monkeypatch.setattr(hot, "_run", counted)
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", executed)
    yield seen
    event.remove(engine, "before_cursor_execute", executed)


@pytest.fixture
def known(app: Flask, scene: Scene) -> None:
    """Everybody of KINDS but the newcomer."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        make_entry(campaign, email="waiting@mail.example")
        make_entry(campaign, email="certain@mail.example", confirmed=True)
        for name in ("refused", "bounced"):
            make_entry(campaign, email=f"{name}@mail.example", status=name)
        complainer = make_entry(campaign, email="complai@mail.example", confirmed=True)
        contact = db.session.get_one(Contact, complainer.contact_id)
        make_suppression(contact, reason=SuppressionReason.COMPLAINT)
        person.erase(make_entry(campaign, email="forgott@mail.example", confirmed=True).id)
        db.session.commit()
        limited = make_entry(make_campaign(make_brand()), email="limited@mail.example")
        for _ in range(MAILS_PER_ADDRESS):
            make_message(limited, letter="confirm", lane=Lane.CONFIRMATION, status=MessageStatus.ACCEPTED)


def _shape(answer: TestResponse) -> tuple[object, ...]:
    """Status and headers, without what is random or a length."""
    moving = {"Set-Cookie", "Location", "Content-Length", "X-Request-Id", "Date"}
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in moving)
    cookies = [re.sub(r"=[^;]+", "=…", value, count=1) for value in answer.headers.getlist("Set-Cookie")]
    return answer.status_code, headers, [re.sub(r"Expires=[^;]+", "", cookie) for cookie in cookies]


def _compare(statements: Statements, send: Callable[[str], TestResponse]) -> dict[str, TestResponse]:
    answers, costs = {}, {}
    for kind in KINDS:
        statements.number = 0
        answers[kind] = send(kind)
        costs[kind] = statements.number
    expected = answers["newcome"]
    for kind, answer in answers.items():
        assert _shape(answer) == _shape(expected), kind
        assert abs(len(answer.data) - len(expected.data)) <= 16, kind
        assert abs(len(answer.headers.get("Location", "")) - len(expected.headers.get("Location", ""))) <= 2, kind
    assert costs == dict.fromkeys(KINDS, costs["newcome"])
    return answers


def _said(answers: dict[str, TestResponse]) -> set[str]:
    """The different texts, without the first letter of the address and the seconds that are left."""
    return {re.sub(r"[a-z](?=•••@)|\d+", "", text_of(answer)) for answer in answers.values()}


def _enter(visitor: Visitor, kind: str) -> TestResponse:
    answer = visitor.enter(email=f"{kind}@mail.example")
    assert answer.status_code == 303
    return answer


@pytest.mark.usefixtures("known")
def test_entering(visitor: Visitor, scene: Scene, statements: Statements) -> None:
    _compare(statements, lambda kind: _enter(visitor, kind))


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("path", ["", "/status.json"])
def test_the_waiting_page(visitor: Visitor, scene: Scene, statements: Statements, path: str) -> None:
    pages = {kind: _enter(visitor, kind).location.split("?")[0] for kind in KINDS}
    answers = _compare(statements, lambda kind: visitor.get(f"{pages[kind]}{path}"))
    if not path:
        assert len(_said(answers)) == 1


@pytest.mark.usefixtures("known")
def test_asking_for_the_mail_again(visitor: Visitor, scene: Scene, statements: Statements) -> None:
    pages = {kind: _enter(visitor, kind).location.split("?")[0] for kind in KINDS}
    visitor.clock.forward(seconds=61)
    _compare(statements, lambda kind: visitor.post(f"{pages[kind]}/resend"))


@pytest.mark.usefixtures("known")
def test_correcting_to_any_of_them(visitor: Visitor, scene: Scene, statements: Statements) -> None:
    pages = {kind: _enter(visitor, f"own{kind[:4]}").location.split("?")[0] for kind in KINDS}
    answers = _compare(
        statements, lambda kind: visitor.post(f"{pages[kind]}/correct", {"email": f"{kind}@mail.example"})
    )
    _compare(statements, lambda kind: visitor.get(answers[kind].location))


@pytest.mark.usefixtures("known")
def test_correcting_after_any_of_them_was_typed(visitor: Visitor, scene: Scene, statements: Statements) -> None:
    pages = {kind: _enter(visitor, kind).location.split("?")[0] for kind in KINDS}
    _compare(statements, lambda kind: visitor.post(f"{pages[kind]}/correct", {"email": f"x{kind}@mail.example"}))


@pytest.mark.usefixtures("known")
def test_a_wrong_code(visitor: Visitor, scene: Scene, statements: Statements) -> None:
    """Not even the sentence: “wrong” for one and “too late” for another would tell who is in."""
    pages = {kind: _enter(visitor, kind).location.split("?")[0] for kind in KINDS}
    visitor.clock.forward(minutes=3)
    answers = _compare(statements, lambda kind: visitor.post(f"{pages[kind]}/code", {"code": "000000"}))
    assert {answer.status_code for answer in answers.values()} == {400}
    assert all("This code does not work." in answer.text for answer in answers.values())
    assert len(_said(answers)) == 1
