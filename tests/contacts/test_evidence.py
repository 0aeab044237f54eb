"""I20: evidence is only ever added, each act is sealed after the one before, and any touch shows."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from leadgen.contacts import address, evidence, jobs
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Consent, ConsentAction, Contact
from leadgen.core.db import db
from tests.contacts.conftest import seal_everything, unguarded
from tests.entries.conftest import rows
from tests.factories import make_brand, make_consent, make_contact

PERSONAL = {"ip": "192.0.2.7", "user_agent": "A browser", "page": "/c/summer", "email": "anna@mail.example"}
SAID = {"wording": "Yes, é please", "seconds": 12.5, "rules_version": 1}


def act(contact: Contact, **values: object) -> Consent:
    return make_consent(contact, evidence={**SAID, **PERSONAL, **values})


def change(statement: str) -> None:
    with unguarded():
        db.session.execute(text(statement))


def test_each_act_holds_on_to_the_one_before_as_documented(anna: Contact) -> None:
    first, second = act(anna), act(anna)
    seal_everything()

    [one, two] = rows("SELECT * FROM consent_seal ORDER BY position")
    assert [(one["consent_id"], one["position"]), (two["consent_id"], two["position"])] == [
        (first.id, 1),
        (second.id, 2),
    ]
    assert one["previous_hash"] == bytes(32)
    assert two["previous_hash"] == one["row_hash"]
    # Recomputed from the description alone, as somebody else would.
    said = {
        "id": second.id,
        "brand_id": anna.brand_id,
        "contact_id": anna.id,
        "campaign_id": None,
        "entry_id": None,
        "purpose": "marketing",
        "action": "given",
        "at": second.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "channel": "form",
        "evidence": SAID,
    }
    plain = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
    key = rows("SELECT address_key FROM installation")[0]["address_key"]
    digest = hmac.new(key, json.dumps(PERSONAL, **plain).encode(), hashlib.sha256).digest()
    assert two["personal_digest"] == digest
    assert two["row_hash"] == hashlib.sha256(one["row_hash"] + json.dumps(said, **plain).encode() + digest).digest()


def test_each_brand_has_its_own_chain(anna: Contact) -> None:
    other = make_contact(make_brand())
    for contact in (anna, other, anna, other):
        act(contact)
    seal_everything()

    for contact in (anna, other):
        verdict = evidence.verify(contact.brand_id)
        assert (verdict.is_whole, verdict.links, verdict.waiting) == (True, 2, 0)


def test_sealing_twice_is_the_same_as_once(anna: Contact) -> None:
    act(anna)
    seal_everything()
    before = rows("SELECT * FROM consent_seal")
    jobs.seal()
    jobs.seal_all()
    assert rows("SELECT * FROM consent_seal") == before


def test_an_act_that_was_committed_late_is_sealed_too(anna: Contact, database_url: str) -> None:
    """Numbers are given before the commit: a slow transaction's act comes after its neighbours."""
    with psycopg.connect(database_url) as slow:
        slow.execute(
            "INSERT INTO consent (brand_id, contact_id, purpose, action, at, channel) "
            "VALUES (%s, %s, 'marketing', 'given', now(), 'form')",
            [anna.brand_id, anna.id],
        )
        later = act(anna)
        jobs.seal()
        assert [row["consent_id"] for row in rows("SELECT consent_id FROM consent_seal")] == [later.id]
    jobs.seal()

    assert [row["consent_id"] for row in rows("SELECT consent_id FROM consent_seal ORDER BY position")] == [
        later.id,
        later.id - 1,
    ]
    assert evidence.verify(anna.brand_id).is_whole


def test_what_lies_below_the_window_is_found_at_night(anna: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "WINDOW", 2)
    acts = [act(anna) for _ in range(4)]
    seal_everything()
    with unguarded():
        db.session.execute(text("DELETE FROM consent_seal WHERE position IN (2, 3)"))
        db.session.execute(text("UPDATE consent_seal SET position = 2 WHERE position = 4"))

    jobs.seal()
    assert len(rows("SELECT 1 FROM consent_seal")) == 3, "only the one within the window"
    jobs.seal_all()
    assert {row["consent_id"] for row in rows("SELECT consent_id FROM consent_seal")} == {one.id for one in acts}


def test_a_backlog_is_sealed_in_batches(anna: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "BATCH", 2)
    monkeypatch.setattr(evidence.seal, "__kwdefaults__", {"limit": 2, "after": None})
    for _ in range(5):
        act(anna)
    jobs.seal()
    verdict = evidence.verify(anna.brand_id)
    assert (verdict.links, verdict.waiting, verdict.is_whole) == (5, 0, True)


_ACT, _PERSON = "its act was changed", "what identifies the person was changed"
_HOLD = "it does not hold on to the link before it"
_SAY = "UPDATE consent SET evidence = evidence"


@pytest.mark.parametrize(
    ("touch", "reason"),
    [
        ("UPDATE consent SET action = 'refused' WHERE id = {second}", _ACT),
        ("UPDATE consent SET at = at - interval '1 day' WHERE id = {second}", _ACT),
        (_SAY + " || jsonb_build_object('wording', 'No') WHERE id = {second}", _ACT),
        (_SAY + " || jsonb_build_object('ip', '192.0.2.8') WHERE id = {second}", _PERSON),
        (_SAY + " - 'ip' WHERE id = {second}", _PERSON),
        ("DELETE FROM consent WHERE id = {second}", "its act is gone"),
        ("DELETE FROM consent_seal WHERE position = 2", "a link is missing before it"),
        ("UPDATE consent_seal SET row_hash = previous_hash WHERE position = 2", _ACT),
        ("UPDATE consent_seal SET previous_hash = row_hash WHERE position = 2", _HOLD),
    ],
)
def test_every_touch_is_named_with_its_place(anna: Contact, touch: str, reason: str) -> None:
    _, second, third = (act(anna).id for _ in range(3))
    seal_everything()
    assert evidence.verify(anna.brand_id).is_whole

    change(touch.format(second=second))

    verdict = evidence.verify(anna.brand_id)
    place = (3, third) if "missing" in reason else (2, second)
    assert (verdict.is_whole, verdict.broken_position, verdict.broken_consent_id) == (False, *place)
    assert verdict.reason == reason


def test_an_act_cannot_be_moved_to_another_brands_chain(anna: Contact) -> None:
    other = make_contact(make_brand())
    one = act(anna)
    seal_everything()
    change(f"UPDATE consent SET brand_id = {other.brand_id} WHERE id = {one.id}")
    assert evidence.verify(anna.brand_id).reason == "its act belongs to another brand"


def test_erasure_keeps_the_chain_whole(anna: Contact) -> None:
    act(anna)
    seal_everything()
    act(anna)  # not sealed yet when the person goes
    contacts.erase(anna.id)
    db.session.commit()
    seal_everything()

    assert [row["evidence"] for row in rows("SELECT evidence FROM consent ORDER BY id LIMIT 2")] == [SAID, SAID]
    assert evidence.verify(anna.brand_id).is_whole
    # What is left is still guarded.
    change('UPDATE consent SET evidence = evidence || \'{"wording": "No"}\' WHERE id = (SELECT min(id) FROM consent)')
    assert not evidence.verify(anna.brand_id).is_whole


def test_blanking_without_erasing_the_person_shows(anna: Contact) -> None:
    one = act(anna)
    seal_everything()
    db.session.execute(text("SET LOCAL leadgen.erasing = 'on'"))
    db.session.execute(text(f"UPDATE consent SET evidence = '{json.dumps(SAID)}' WHERE id = {one.id}"))
    db.session.commit()
    assert evidence.verify(anna.brand_id).reason == "what identifies the person was changed"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent SET action = 'refused'",
        "UPDATE consent SET evidence = evidence - 'ip'",
        "DELETE FROM consent",
        "TRUNCATE consent CASCADE",
        "UPDATE consent_seal SET row_hash = previous_hash",
        "DELETE FROM consent_seal",
        "TRUNCATE consent_seal",
    ],
)
def test_the_database_refuses_to_change_evidence(anna: Contact, statement: str) -> None:
    act(anna)
    seal_everything()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()


@pytest.mark.parametrize(
    "assignment",
    [
        "evidence = evidence - 'ip' - 'user_agent' - 'page' - 'email' - 'wording'",
        "evidence = (evidence - 'ip' - 'user_agent' - 'page' - 'email') || '{\"wording\": \"No\"}'",
        "evidence = evidence - 'ip'",
        'evidence = evidence || \'{"ip": "192.0.2.8"}\'',
        "evidence = evidence - 'ip' - 'user_agent' - 'page' - 'email', at = now()",
        "contact_id = contact_id + 1",
    ],
)
def test_an_erasure_may_take_what_is_personal_and_nothing_else(anna: Contact, assignment: str) -> None:
    act(anna)
    db.session.execute(text("SET LOCAL leadgen.erasing = 'on'"))
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(f"UPDATE consent SET {assignment}"))
    db.session.rollback()


def test_the_switch_is_off_again_after_an_erasure(anna: Contact) -> None:
    other = make_contact(make_brand())
    act(other)
    contacts.erase(anna.id)
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text("UPDATE consent SET evidence = evidence - 'ip'"))
    db.session.rollback()


def test_the_trigger_and_the_chain_agree_on_what_is_personal(context: None) -> None:
    [source] = rows("SELECT prosrc FROM pg_proc WHERE proname = 'guard_consent'")
    named = source["prosrc"].split("ARRAY[")[1].split("]")[0]
    assert {name.strip(" '") for name in named.split(",")} == evidence.PERSONAL


def test_a_persons_acts_are_shown_with_their_place(anna: Contact) -> None:
    stranger = make_contact(email="stranger@mail.example", brand_id=anna.brand_id)
    act(stranger)
    mine = act(anna)
    seal_everything()
    waiting = act(anna)

    [sealed, unsealed] = evidence.acts_of(anna.id)
    assert (sealed.consent_id, sealed.position, sealed.fault) == (mine.id, 2, "")
    assert (unsealed.consent_id, unsealed.position, unsealed.fault) == (waiting.id, None, "")
    assert unsealed.action == ConsentAction.GIVEN

    change(f"UPDATE consent SET channel = 'admin' WHERE id = {mine.id}")
    assert evidence.acts_of(anna.id)[0].fault == "its act was changed"
    change(f"UPDATE consent SET channel = 'form' WHERE id = {mine.id}")
    change("UPDATE consent_seal SET row_hash = previous_hash WHERE position = 1")
    assert evidence.acts_of(anna.id)[0].fault == "it does not hold on to the link before it"


def test_another_installations_key_does_not_verify(anna: Contact) -> None:
    act(anna)
    seal_everything()
    [kept] = rows("SELECT encode(address_key, 'hex') AS key FROM installation")
    change("UPDATE installation SET address_key = sha256('another')")
    address.forget_installation()
    try:
        assert evidence.verify(anna.brand_id).reason == "what identifies the person was changed"
    finally:
        change(f"UPDATE installation SET address_key = decode('{kept['key']}', 'hex')")
        address.forget_installation()
