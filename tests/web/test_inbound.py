"""SendGrid's Event Webhook: only what SendGrid signed lately over these very bytes is taken in."""

from __future__ import annotations

import base64
import dataclasses
import io
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


def shown(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half, as SendGrid's settings page shows it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


PUBLIC = shown(KEY)
STAMP, SIGNATURE = "X-Twilio-Email-Event-Webhook-Timestamp", "X-Twilio-Email-Event-Webhook-Signature"
EVENTS = [{"event": "delivered", "sg_event_id": "one", "m": "0ab4cd2e-4f6a-4f29-9d1c-111111111111", "timestamp": 1}]


@pytest.fixture(autouse=True)
def _keyed(app: Flask, settings: Settings) -> Iterator[None]:
    product_settings.use(dataclasses.replace(settings, sendgrid_webhook_public_key=PUBLIC))
    yield
    product_settings.use(settings)


def stamp(seconds_ago: float = 0) -> str:
    return str(int(product_clock.now().timestamp() - seconds_ago))


def sign(body: bytes, moment: str, key: ec.EllipticCurvePrivateKey = KEY) -> str:
    return base64.b64encode(key.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


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


def test_while_a_key_is_exchanged_both_are_good(client: FlaskClient, settings: Settings) -> None:
    new, foreign = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    keys = f"{PUBLIC}, {shown(new)},"
    product_settings.use(dataclasses.replace(settings, sendgrid_webhook_public_key=keys))
    body, moment = json.dumps(EVENTS).encode(), stamp()
    answers = [
        client.post("/webhooks/sendgrid", data=body, headers={STAMP: moment, SIGNATURE: sign(body, moment, key)})
        for key in (KEY, new, foreign)
    ]
    assert [answer.status_code for answer in answers] == [204, 204, 403]


@pytest.mark.parametrize("key", ["x", "AAAA", "é", PUBLIC[:60]], ids=["letter", "short", "accent", "cut off"])
def test_a_key_that_is_none_lets_nobody_in(client: FlaskClient, settings: Settings, key: str) -> None:
    product_settings.use(dataclasses.replace(settings, sendgrid_webhook_public_key=key))
    assert post(client, json.dumps(EVENTS).encode()) == 403


@pytest.mark.parametrize(
    "moment", ["170000000", "17000000000", "1700000000.0", " 1700000000", "-170000000", "१७००००००००"]
)
def test_a_timestamp_is_ten_digits(client: FlaskClient, moment: str) -> None:
    headers = {STAMP: moment.encode().decode("latin-1"), SIGNATURE: sign(b"[]", moment)}
    assert client.post("/webhooks/sendgrid", data=b"[]", headers=headers).status_code == 403


def test_a_huge_body_is_refused(client: FlaskClient) -> None:
    assert post(client, b"[" + b" " * 2 * 1024 * 1024 + b"]") == 413
    assert stored() == []


def test_a_body_of_unknown_length_is_bounded_too(client: FlaskClient) -> None:
    body, moment = b"[" + b" " * 3 * 1024 * 1024 + b"]", stamp()
    headers = {STAMP: moment, SIGNATURE: sign(body, moment)}
    stream = io.BytesIO(body)
    answer = client.post(
        "/webhooks/sendgrid",
        input_stream=stream,
        headers=headers,
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code in {403, 413}
    assert stream.tell() <= 2 * 1024 * 1024 + 1


def test_a_strangers_body_is_not_even_read(client: FlaskClient) -> None:
    class Unread(io.BytesIO):
        def read(self, *_size: object) -> bytes:
            raise AssertionError("read")

    for headers in ({}, {STAMP: stamp(80 * 3600), SIGNATURE: "x"}, {STAMP: stamp()}):
        answer = client.post(
            "/webhooks/sendgrid", input_stream=Unread(), headers=headers, environ_overrides={"CONTENT_LENGTH": "1000"}
        )
        assert answer.status_code == 403


def test_bytes_that_are_no_text_are_checked_as_they_came(client: FlaskClient) -> None:
    assert post(client, b'[{"event": "processed", "sg_event_id": "\xff"}]') == 204
    assert len(stored()) == 1


def test_one_bad_event_does_not_stop_the_others(client: FlaskClient) -> None:
    good = json.dumps(EVENTS[0]).encode()
    assert post(client, b'[{"event": "bounce", "n": NaN}, ' + good + b", {oops}]") == 204
    assert {row["kind"] for row in stored()} == {"delivered", "unreadable"}


def test_a_signed_answer_cannot_be_turned_against_another_body(client: FlaskClient) -> None:
    """I19: without a valid signature nothing changes, whatever else is right."""
    body, moment = json.dumps(EVENTS).encode(), stamp()
    signature = sign(body, moment)
    for wrong in (moment[:-1] + str((int(moment[-1]) + 1) % 10), stamp(3600)):
        headers = {STAMP: wrong, SIGNATURE: signature}
        assert client.post("/webhooks/sendgrid", data=body, headers=headers).status_code == 403
    assert stored() == []
