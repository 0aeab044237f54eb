"""Signed calls: only genuine ones, each once, and an answer that says what is wrong (docs/actions.md)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from leadgen.actions import external, watching
from leadgen.campaigns import cards
from leadgen.campaigns.models import Action, ActionKind, CampaignStatus, Proof, Repeat
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from tests.actions.conftest import an
from tests.conftest import Clock
from tests.factories import make_campaign, make_entry


@dataclass
class Shop:
    """Another system that knows the secret."""

    client: FlaskClient
    secret: str
    slug: str
    key: str
    campaign_id: int
    public_id: str
    code: str
    pending: str
    entry_id: int

    def call(self, told: Any, *, message_id: str = "msg_1", seconds: int = 0, **changed: Any) -> TestResponse:
        """One call, signed; `changed` replaces headers, body, slug or key after the signature was made."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        stamp = str(int(product_clock.now().timestamp()) + seconds)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": external.sign(changed.pop("secret", self.secret), message_id, stamp, body),
        }
        headers |= {name.replace("_", "-"): changed.pop(name) for name in list(changed) if name.startswith("webhook_")}
        path = f"/hooks/actions/{changed.pop('slug', self.slug)}/{changed.pop('key', self.key)}"
        return self.client.post(path, data=changed.pop("body", body), headers=headers)

    def points(self) -> int:
        row = hot.one("SELECT coalesce(sum(points), 0) AS points FROM ledger WHERE kind = 'action'", {})
        assert row is not None
        return int(row["points"])


Make = Callable[..., Shop]


@pytest.fixture
def make(app: Flask, client: FlaskClient) -> Make:
    def made(kind: ActionKind = ActionKind.EXTERNAL, **values: Any) -> Shop:
        with app.app_context():
            campaign = make_campaign()
            action: Action = an(kind, campaign, points=5, chances=5, proof=Proof.EXTERNAL, **values)
            ben = make_entry(campaign, email="ben@mail.example", confirmed=True)
            anna = make_entry(campaign, email="anna@mail.example")
            secret = external.new_secret(campaign.id)
            db.session.commit()
            return Shop(
                client, secret, campaign.slug, action.key, campaign.id, ben.public_id, ben.code, anna.public_id, ben.id
            )

    return made


@pytest.fixture
def shop(make: Make) -> Shop:
    return make()


def test_a_genuine_call_is_credited_once(shop: Shop) -> None:
    answer = shop.call({"entry": shop.public_id})
    assert (answer.status_code, answer.json) == (200, {"status": "done", "points": 5})
    replayed = shop.call({"entry": shop.public_id})
    assert (replayed.status_code, replayed.json) == (200, {"status": "already", "points": 0})
    assert shop.points() == 5
    assert hot.many("SELECT proof FROM ledger WHERE kind = 'action'", {}) == [{"proof": "external"}]


def test_a_referral_code_names_the_person_too(shop: Shop) -> None:
    assert shop.call({"entry": shop.code.lower()}).json == {"status": "done", "points": 5}


def test_each_order_counts_once_whatever_the_message_is_called(make: Make) -> None:
    shop = make(repeat=Repeat.UNLIMITED, most_times=3)
    orders = ["order-1", "order-1", "order-2", "order-3", "order-4"]
    told = [shop.call({"entry": shop.public_id, "occurrence": o}, message_id=f"m{n}") for n, o in enumerate(orders)]
    assert [answer.json["status"] for answer in told if answer.json] == ["done", "already", "done", "done", "already"]
    assert shop.points() == 15


def test_without_an_occurrence_each_message_is_one(make: Make) -> None:
    shop = make(repeat=Repeat.UNLIMITED, most_times=9)
    for name in ("a", "b", "a"):
        shop.call({"entry": shop.public_id}, message_id=name)
    assert shop.points() == 10


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_signature": ""},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": "v1,\xff\xfe"},
        {"webhook_signature": "v2,AAAA v1a,x"},
        {"webhook_id": "msg_2"},
        {"webhook_id": "a.b"},
        {"webhook_id": ""},
        {"webhook_timestamp": ""},
        {"webhook_timestamp": "1700000000"},
        {"webhook_timestamp": "٠١٢٣٤٥٦٧٨٩"},
        {"body": b'{"entry": "somebody else"}'},
        {"slug": "unknown"},
        {"secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"seconds": -301},
        {"seconds": 301},
    ],
)
def test_forged_calls_change_nothing(shop: Shop, changed: dict[str, Any]) -> None:
    """I19."""
    try:
        answer = shop.call({"entry": shop.public_id}, **changed)
    except UnicodeEncodeError:  # such a header cannot even be sent
        return
    assert (answer.status_code, answer.json) == (401, {"error": "signature"})
    assert shop.points() == 0


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_clock_may_be_a_little_off(shop: Shop, seconds: int) -> None:
    assert shop.call({"entry": shop.public_id}, seconds=seconds).status_code == 200


def test_a_new_secret_replaces_the_old_one(app: Flask, shop: Shop) -> None:
    with app.app_context():
        external.new_secret(shop.campaign_id)
        db.session.commit()
    assert shop.call({"entry": shop.public_id}).status_code == 401


def test_another_campaigns_secret_opens_nothing(make: Make) -> None:
    mine, other = make(), make()
    assert mine.call({"entry": mine.public_id}, secret=other.secret).status_code == 401
    assert mine.call({"entry": other.public_id}).status_code == 404, "and its people are not there"


def test_the_secret_is_nowhere_to_be_read(shop: Shop) -> None:
    assert shop.secret not in str(hot.many("SELECT * FROM external_key", {}))


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"\xff\x00", 400),
        (b"[" * 5000, 400),
        ({}, 400),
        ({"entry": 5}, 400),
        ({"entry": "x' OR 1=1"}, 400),
        ({"entry": "\x00"}, 400),
        ({"entry": "ZZZZZZZZZZ"}, 404),
        ({"visit": "forged"}, 404),
        ({"entry": "{ben}", "occurrence": 7}, 400),
        ({"entry": "{ben}", "occurrence": "x" * 101}, 400),
        ({"entry": "{ben}", "occurrence": "\x00"}, 400),
    ],
)
def test_what_cannot_be_read_is_told(shop: Shop, told: Any, status: int) -> None:
    if isinstance(told, dict) and told.get("entry") == "{ben}":
        told = told | {"entry": shop.public_id}
    answer = shop.call(told)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]
    assert shop.points() == 0


def test_actions_that_are_not_called_are_not_there(make: Make) -> None:
    """A key of a quiz is no way to its points."""
    shop = make(ActionKind.QUIZ)
    assert shop.call({"entry": shop.public_id}).status_code == 404
    assert shop.call({"entry": shop.public_id}, key="none").status_code == 404


def test_not_before_confirmation_and_not_after_the_end(app: Flask, shop: Shop) -> None:
    early = shop.call({"entry": shop.pending})
    assert (early.status_code, early.json) == (409, {"status": "unconfirmed", "points": 0})
    hot.one("UPDATE campaign SET status = %(s)s RETURNING id", {"s": CampaignStatus.CLOSING.value})
    late = shop.call({"entry": shop.public_id}, message_id="later")
    assert (late.status_code, late.json) == (409, {"status": "closed", "points": 0})
    assert shop.points() == 0


def test_a_site_that_was_visited_calls_back_with_the_token(app: Flask, make: Make, clock: Clock) -> None:
    shop = make(ActionKind.VISIT, settings={"callback": True})
    with app.app_context():
        action = cards.by_slug(shop.slug).actions[0]
        token = watching.destination(action, shop.entry_id).rsplit("visit=", 1)[1]
    assert shop.call({"visit": token}).json == {"status": "done", "points": 5}
    clock.forward(hours=25)
    assert shop.call({"visit": token}, message_id="later").status_code == 404


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        pass


def test_the_example_of_the_documentation_works(app: Flask, shop: Shop) -> None:
    """Word for word as it stands in docs/actions.md, against a server on a socket."""
    text = (Path(__file__).parents[2] / "docs/actions.md").read_text()
    example = text.split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(compile(example, "docs/actions.md", "exec"), names)
    with make_server("127.0.0.1", 0, app.wsgi_app, handler_class=_Quiet) as server:  # type: ignore[arg-type]

        def serve() -> None:
            server.serve_forever()
            hot.forget()  # this thread's own connection

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/hooks/actions/{shop.slug}/{shop.key}"
        answer = names["tell"](address, shop.secret, {"entry": shop.public_id})
        server.shutdown()
        thread.join()
    assert answer == {"status": "done", "points": 5}
