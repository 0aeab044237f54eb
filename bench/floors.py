"""What our figures are divided by: an empty Flask view, and a bare WSGI application that writes the same rows by hand.

`granian bench.floors:app` serves them; `send_one` is the usual way to mail: one RQ job and one API call per mail.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
from flask import Flask
from sqlalchemy import create_engine, text

_ENTER = """
WITH person AS (
    INSERT INTO contact (brand_id, mailbox_key, email, address_hash, first_name, locale, timezone, created_at)
    VALUES (%(brand)s, %(email)s, %(email)s, %(hash)s, %(first_name)s, 'en', '', %(now)s) RETURNING id
), joined AS (
    INSERT INTO entry (public_id, code, brand_id, campaign_id, contact_id, locale, rules_version, is_marketing_wanted,
                       code_expires_at, last_mail_at, expires_at, created_at)
    SELECT %(public_id)s, %(code)s, %(brand)s, %(campaign)s, id, 'en', 1, true, %(now)s, %(now)s, %(later)s, %(now)s
    FROM person RETURNING id, contact_id
), evidence AS (
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
    SELECT %(brand)s, contact_id, %(campaign)s, id, purpose, 'given', %(now)s, 'form', %(evidence)s::jsonb
    FROM joined, (VALUES ('rules'), ('marketing')) AS act (purpose)
), wanted AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                         status, due_at, expires_at, created_at)
    SELECT 'doi:' || id || ':1:1', %(brand)s, %(campaign)s, contact_id, id, 'confirmation', 'confirmation', 'confirm',
           'en', '{"entry": 1, "generation": 1, "code_number": 1}', 'cancelled', %(now)s, %(later)s, %(now)s FROM joined
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, announced_at)
    SELECT 'entry.created', %(now)s, %(brand)s, %(campaign)s, contact_id, id, %(now)s FROM joined
)
SELECT id FROM joined
"""

_CONFIRM = """
WITH confirmed AS (
    UPDATE entry SET status = 'confirmed', confirmed_at = %(now)s, reached_at = %(now)s, confirm_method = 'button_post'
    WHERE id = %(entry)s AND status = 'pending' RETURNING id, contact_id, campaign_id, brand_id
), verified AS (
    UPDATE contact SET email_verified_at = %(now)s, last_inbound_at = %(now)s, marketing_at = %(now)s
    FROM confirmed WHERE contact.id = confirmed.contact_id
), evidence AS (
    INSERT INTO consent (brand_id, contact_id, campaign_id, entry_id, purpose, action, at, channel, evidence)
    SELECT brand_id, contact_id, campaign_id, id, purpose, 'confirmed', %(now)s, 'button_post', '{"generation": 1}'
    FROM confirmed, (VALUES ('rules'), ('marketing')) AS act (purpose)
), credited AS (
    INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, rules_version, at, idempotency_key)
    SELECT campaign_id, id, 'entry', 1, 1, 1, %(now)s, 'entry:' || id FROM confirmed
), unfolded AS (
    INSERT INTO ledger_pending (campaign_id, entry_id, points, chances, kind, friends, at)
    SELECT campaign_id, id, 1, 1, 'entry', 0, %(now)s FROM confirmed
), welcome AS (
    INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, purpose, letter, locale, context,
                         status, due_at, expires_at, created_at)
    SELECT 'welcome:' || id, brand_id, campaign_id, contact_id, id, 'service', 'service', 'welcome', 'en',
           '{"entry": 1, "access_version": 1, "code": "ABCDEFGH"}', 'cancelled', %(now)s, %(now)s, %(now)s
    FROM confirmed
), told AS (
    INSERT INTO fact (name, at, brand_id, campaign_id, contact_id, entry_id, announced_at)
    SELECT 'entry.confirmed', %(now)s, brand_id, campaign_id, contact_id, id, %(now)s FROM confirmed
)
SELECT id FROM confirmed
"""
_EVENTS = """
INSERT INTO provider_event (event_id, opaque_id, kind, payload, received_at, due_at)
SELECT e.id, e.opaque::uuid, e.kind, e.payload::jsonb, %(now)s, %(now)s
FROM unnest(%(ids)s::text[], %(opaques)s::text[], %(kinds)s::text[], %(payloads)s::text[])
     AS e (id, opaque, kind, payload)
ON CONFLICT (event_id) DO NOTHING RETURNING id
"""
_EVIDENCE = json.dumps({"wording": "I accept the rules of the contest.", "wording_sha256": "0" * 64, "ip": "127.0.0.1"})

flask_app = Flask("floor")


@flask_app.get("/empty")
def empty() -> str:
    """Flask, and nothing else."""
    return "ok"


class _Bare:
    """One connection, opened at the first request; granian runs one thread per process here."""

    def __init__(self) -> None:
        self.connection: psycopg.Connection[Any] | None = None

    def execute(self, statement: str, values: dict[str, Any]) -> Any:
        if self.connection is None:
            url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
            self.connection = psycopg.connect(url, autocommit=True)
        return self.connection.execute(statement, values).fetchone()


_bare = _Bare()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Dispatch by path, without a framework but for the empty view."""
    path = environ["PATH_INFO"]
    if path == "/empty":
        return flask_app(environ, start_response)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if path == "/events":
        _bare.execute(_EVENTS, _told(json.loads(body)))
        start_response("204 No Content", [])
        return [b""]
    fields = dict(parse_qsl(body.decode()))
    row = _bare.execute(*(_entering(fields) if path == "/enter" else _confirming(fields)))
    start_response("303 See Other", [("Location", f"/{row[0] if row else 0}"), ("Content-Length", "0")])
    return [b""]


def _entering(fields: dict[str, str]) -> tuple[str, dict[str, Any]]:
    now = dt.datetime.now(dt.UTC)
    values = {
        "brand": int(fields["brand"]),
        "campaign": int(fields["campaign"]),
        "email": fields["email"],
        "first_name": fields["first_name"],
        "hash": secrets.token_bytes(32),
        "public_id": secrets.token_hex(8),
        "code": secrets.token_hex(8),
        "evidence": _EVIDENCE,
        "now": now,
        "later": now + dt.timedelta(days=7),
    }
    return _ENTER, values


def _confirming(fields: dict[str, str]) -> tuple[str, dict[str, Any]]:
    return _CONFIRM, {"entry": int(fields["entry"]), "now": dt.datetime.now(dt.UTC)}


def _told(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "now": dt.datetime.now(dt.UTC),
        "ids": [event["sg_event_id"] for event in events],
        "opaques": [event["m"] for event in events],
        "kinds": [event["event"] for event in events],
        "payloads": [json.dumps(event) for event in events],
    }


_engine: Any = None


def send_one(message_id: int) -> None:
    """The usual job: read the row, write the mail, call the provider, mark the row."""
    global _engine  # noqa: PLW0603 - as a module of jobs would keep it
    if _engine is None:
        _engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1))
    with _engine.begin() as connection:
        found = text(
            "SELECT c.email, c.first_name FROM message m JOIN contact c ON c.id = m.contact_id WHERE m.id = :id"
        )
        email, first_name = connection.execute(found, {"id": message_id}).one()
    body = {
        "personalizations": [{"to": [{"email": email}], "custom_args": {"m": str(message_id)}}],
        "from": {"email": "sender@brand.example"},
        "subject": f"{first_name}, one last step",
        "content": [{"type": "text/html", "value": f"<p>Hello {first_name}</p>" * 40}],
    }
    target = urlsplit(os.environ["SENDGRID_API_BASE"])
    provider = http.client.HTTPConnection(str(target.hostname), target.port, timeout=10)
    provider.request("POST", "/v3/mail/send", json.dumps(body), {"Content-Type": "application/json"})
    provider.getresponse().read()
    provider.close()
    with _engine.begin() as connection:
        connection.execute(text("UPDATE message SET sent_at = now() WHERE id = :id"), {"id": message_id})
