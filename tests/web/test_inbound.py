"""SendGrid's Event Webhook: only what SendGrid signed lately over these very bytes is taken in."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from flask.testing import FlaskClient

from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core import settings as product_settings
from leadgen.core.settings import Settings

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
STAMP, SIGNATURE = "X-Twilio-Email-Event-Webhook-Timestamp", "X-Twilio-Email-Event-Webhook-Signature"
EVENTS = [{"event": "delivered", "sg_event_id": "one", "m": "0ab4cd2e-4f6a-4f29-9d1c-111111111111", "timestamp": 1}]


@pytest.fixture(autouse=True)
def _keyed(app: Flask, settings: Settings) -> Iterator[None]:
    product_settings.use(dataclasses.replace(settings, sendgrid_webhook_public_key=PUBLIC))
    yield
    product_settings.use(settings)


def stamp(seconds_ago: float = 0) -> str:
    return str(int(product_clock.now().timestamp() - seconds_ago))


def sign(body: bytes, moment: str) -> str:
    return base64.b64encode(KEY.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


def post(client: FlaskClient, body: bytes, *, moment: str = "") -> int:
    moment = moment or stamp()
    headers = {STAMP: moment, SIGNATURE: sign(body, moment)}
    return client.post("/webhooks/sendgrid", data=body, headers=headers).status_code


def stored() -> list[dict[str, Any]]:
    return hot.many("SELECT event_id, kind, opaque_id::text, payload FROM provider_event ORDER BY id", {})


def test_signed_events_are_stored_as_they_came(client: FlaskClient) -> None:
    assert post(client, json.dumps(EVENTS).encode()) == 204
    assert stored() == [
        {"event_id": "one", "kind": "delivered", "opaque_id": EVENTS[0]["m"], "payload": EVENTS[0]},
    ]


def test_the_signature_is_over_the_raw_bytes(client: FlaskClient) -> None:
    body = b'[\r\n {"event": "processed",  "sg_event_id": "\xc3\xa9"}\r\n]'
    assert post(client, body) == 204
    assert stored()[0]["event_id"] == "é"


def test_the_same_event_is_stored_once(client: FlaskClient) -> None:
    body = json.dumps(EVENTS * 3).encode()
    assert [post(client, body), post(client, body)] == [204, 204]
    assert len(stored()) == 1


def test_an_event_without_an_id_is_told_by_what_it_says(client: FlaskClient) -> None:
    body = json.dumps([{"event": "delivered", "timestamp": 1}, {"event": "delivered", "timestamp": 2}]).encode()
    post(client, body)
    post(client, body)
    assert len(stored()) == 2


def test_a_signature_for_other_bytes_is_refused(client: FlaskClient) -> None:
    body, moment = json.dumps(EVENTS).encode(), stamp()
    other = sign(body, moment)
    answer = client.post("/webhooks/sendgrid", data=body + b" ", headers={STAMP: moment, SIGNATURE: other})
    assert answer.status_code == 403
    assert stored() == []


def test_digits_moved_from_timestamp_to_body_are_refused(client: FlaskClient) -> None:
    """The library joins the two before it checks: to it 1700000000 + [ and 170000000 + 0[ are the same."""
    body, moment = json.dumps(EVENTS).encode(), stamp()
    signature = sign(body, moment)
    moved = client.post(
        "/webhooks/sendgrid", data=moment[-1].encode() + body, headers={STAMP: moment[:-1], SIGNATURE: signature}
    )
    assert moved.status_code == 403


@pytest.mark.parametrize("signature", ["x", "", "AAAA", "ééé", "=" * 100])
def test_any_nonsense_for_a_signature_is_refused(client: FlaskClient, signature: str) -> None:
    headers = {STAMP: stamp(), SIGNATURE: signature.encode().decode("latin-1")}
    assert client.post("/webhooks/sendgrid", data=b"[]", headers=headers).status_code == 403


def test_missing_headers_are_refused(client: FlaskClient) -> None:
    assert client.post("/webhooks/sendgrid", data=b"[]").status_code == 403


@pytest.mark.parametrize(
    ("seconds_ago", "status"), [(0, 204), (86_400, 204), (71 * 3600, 204), (73 * 3600, 403), (-200, 204), (-400, 403)]
)
def test_the_age_of_a_signature_is_limited(client: FlaskClient, seconds_ago: int, status: int) -> None:
    assert post(client, json.dumps(EVENTS).encode(), moment=stamp(seconds_ago)) == status


@pytest.mark.parametrize("body", [b"", b"{}", b'"x"', b"null", b"[", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_array_is_refused(client: FlaskClient, body: bytes) -> None:
    assert post(client, body) in {400, 403}
    assert stored() == []


def test_elements_that_are_no_events_do_not_stop_the_others(client: FlaskClient) -> None:
    odd = [1, None, "x", [], {"event": None, "m": 7}, {"event": "x\u0000", "m": "no id", "sg_event_id": "nul\u0000"}]
    assert post(client, json.dumps([*odd, *EVENTS]).encode()) == 204
    assert len(stored()) == 3


def test_without_a_key_nothing_is_taken_in(client: FlaskClient, settings: Settings) -> None:
    product_settings.use(settings)
    assert post(client, json.dumps(EVENTS).encode()) == 403


def test_reading_the_address_tells_nothing(client: FlaskClient) -> None:
    assert client.get("/webhooks/sendgrid").status_code == 405


def test_a_thousand_events_are_one_statement(client: FlaskClient) -> None:
    events = [{"event": "delivered", "sg_event_id": f"e{n}", "m": EVENTS[0]["m"]} for n in range(1000)]
    assert post(client, json.dumps(events).encode()) == 204
    assert len(stored()) == 1000
