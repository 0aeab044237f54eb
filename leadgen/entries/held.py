"""Everything held about a person, in all their contests with a brand, as they may download it (GDPR 15 and 20)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from leadgen.campaigns.titles import public_title
from leadgen.contacts import evidence
from leadgen.contacts import service as contacts
from leadgen.core import clock, hot
from leadgen.entries import points

FORMAT = "leadgen.data.2"
_ENTRIES = f"""
SELECT e.id, {public_title("c")} AS contest, e.public_id, e.status, e.locale AS language, e.rules_version,
       e.channel, e.source,
       e.created_at AS entered_at, e.confirmed_at, e.confirm_method, e.code AS referral_code,
       e.points + coalesce(sum(p.points), 0)::bigint AS points,
       e.chances + coalesce(sum(p.chances), 0)::bigint AS chances,
       e.referrer_id IS NOT NULL AS is_invited, e.referral_state, e.referral_reason, e.depth AS generation,
       e.touch_model, e.first_touch_code, e.last_touch_code, e.review, e.risk,
       e.display_name, e.is_on_board, e.is_name_on_card,
       (SELECT count(*) FROM entry f WHERE f.referrer_id = e.id AND f.status = 'confirmed') AS friends_confirmed
FROM entry e JOIN campaign c ON c.id = e.campaign_id LEFT JOIN ledger_pending p ON p.entry_id = e.id
WHERE e.contact_id = %(contact)s GROUP BY e.id, c.id ORDER BY e.id
"""  # noqa: S608 - the only value put in by Python is a constant
_ANSWERS = f"""
SELECT {public_title("c")} AS contest, a.key, q.texts -> %(locale)s ->> 'label' AS question, a.value, a.at
FROM answer a JOIN question q ON q.id = a.question_id JOIN campaign c ON c.id = q.campaign_id
WHERE a.contact_id = %(contact)s ORDER BY a.id
"""  # noqa: S608 - the only value put in by Python is a constant
_MAILS = f"""
SELECT {public_title("c")} AS contest, m.letter, m.purpose, m.status, m.reason, m.created_at AS planned_at,
       m.due_at, m.sent_at
FROM message m JOIN campaign c ON c.id = m.campaign_id WHERE m.contact_id = %(contact)s ORDER BY m.id
"""  # noqa: S608 - the only value put in by Python is a constant
_CLICKS = """
SELECT k.at, m.letter, l.url AS led_to, k.kind AS judged_as, k.evidence
FROM click k JOIN message m ON m.id = k.message_id LEFT JOIN mail_link l ON l.id = k.link_id
WHERE m.contact_id = %(contact)s ORDER BY k.id
"""
_FACTS = "SELECT name, at FROM fact WHERE contact_id = %(contact)s ORDER BY id"


def data(contact_id: int) -> dict[str, Any]:
    """All of it, as JSON can hold it; times are ISO 8601. Raises NotFound for whoever is erased or unknown."""
    contact = contacts.get(contact_id)
    values = {"contact": contact_id, "locale": contact.locale}
    return {
        "format": FORMAT,
        "exported_at": clock.now().isoformat(),
        "email": contact.email,
        "first_name": contact.first_name,
        "language": contact.locale,
        "timezone": contact.timezone,
        "known_since": _plain(contact.created_at),
        "is_from_a_list": contact.import_id is not None,
        "address_confirmed_at": _plain(contact.email_verified_at),
        "last_sign_of_life_at": _plain(contact.last_inbound_at),
        "is_subscribed": contact.marketing_at is not None,
        "subscribed_since": _plain(contact.marketing_at),
        "entries": [_entry(row) for row in hot.many(_ENTRIES, values)],
        "answers": _rows(_ANSWERS, values),
        "consents": [_consent(act) for act in evidence.acts_of(contact_id)],
        "mails": _rows(_MAILS, values),
        "clicks": _rows(_CLICKS, values),
        "not_written_to_because": [
            {"reason": one.reason.value, "since": _plain(one.at)} for one in contacts.suppressions_of(contact)
        ],
        "events": _rows(_FACTS, values),
    }


def _entry(row: hot.Row) -> dict[str, Any]:
    lines = points.lines_of(row["id"])
    ledger = [
        {
            "kind": line.kind.value,
            "points": line.points,
            "chances": line.chances,
            "proof": line.proof.value,
            "at": _plain(line.at),
        }
        for line in lines
    ]
    return {name: _plain(value) for name, value in row.items() if name != "id"} | {"ledger": ledger}


def _consent(act: evidence.Act) -> dict[str, Any]:
    return {
        "purpose": act.purpose,
        "action": act.action,
        "at": _plain(act.at),
        "channel": act.channel,
        "evidence": act.evidence,
        "seal": bytes(act.row_hash).hex() if act.row_hash else None,
    }


def _rows(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in hot.many(statement, values)]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
