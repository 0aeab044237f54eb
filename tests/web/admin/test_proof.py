"""The proof file of an entrant, and blocking their address by hand."""

import json
import re

import pytest
from flask import Flask
from sqlalchemy import text

from leadgen.contacts import evidence
from leadgen.contacts import service as contacts
from leadgen.contacts.models import ConsentAction, SuppressionReason
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.letters.models import Lane, MailPurpose
from leadgen.mail import jobs
from leadgen.mail.models import MessageStatus
from tests import factories
from tests.web.admin.studio import Staff
from tests.world import World

SAID = {"wording": "Yes, <b>news</b> please", "control": "box, unticked by default", "ip": "192.0.2.7"}


@pytest.fixture
def path(app: Flask, world: World, base: str) -> str:
    """Ben's page, once two of his acts are sealed."""
    with app.app_context():
        ben = db.session.get_one(Entry, world.ben.id)
        contact = db.session.get_one(factories.Contact, ben.contact_id)
        factories.make_consent(contact, evidence=SAID, campaign_id=ben.campaign_id)
        mail = factories.make_message(
            ben, letter="confirm", lane=Lane.CONFIRMATION, purpose=MailPurpose.CONFIRMATION, sent_at=clock.now()
        )
        factories.make_provider_event(mail, received_at=clock.now())
        proven = {"doi_message": str(mail.opaque_id), "doi_sent_at": "2026-11-22T05:32:45+00:00", "method": "code"}
        factories.make_consent(contact, action=ConsentAction.CONFIRMED, channel="code", evidence=proven)
        evidence.seal()
        db.session.commit()
    return f"{base}/entrants/{world.ben.id}"


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_act_is_shown_with_words_hashes_and_place(ada: Staff, path: str) -> None:
    page = ada.get(f"{path}/proof").text
    words = _words(page)
    for part in (
        "All 3 acts are exactly as they were sealed.",
        "ben@mail.example",
        "News and offers by e-mail Agreed",
        "News and offers by e-mail Confirmed",
        "Code from the mail",
        "box, not ticked beforehand",
        "192.0.2.7",
        "2026-11-22 05:32:45 UTC",
        "Seal no. 3 · whole",
    ):
        assert part in words, part
    assert "Yes, &lt;b&gt;news&lt;/b&gt; please" in page
    for row in hot.many("SELECT encode(row_hash, 'hex') AS hash FROM consent_seal", {}):
        assert row["hash"] in page


def test_the_file_holds_the_same(ada: Staff, path: str) -> None:
    answer = ada.get(f"{path}/proof.json")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="proof-')
    data = json.loads(answer.data)
    assert data["format"] == "leadgen.proof.1"
    assert data["person"]["email"] == "ben@mail.example"
    assert [(act["position"], act["action"], act["fault"]) for act in data["acts"]] == [
        (1, "given", ""),
        (2, "given", ""),
        (3, "confirmed", ""),
    ]
    assert data["acts"][1]["evidence"] == SAID
    assert data["acts"][2]["previous_hash"] == data["acts"][1]["row_hash"]
    assert data["verification"]["is_whole"] is True
    [mail] = data["mails"]
    assert mail["delivered_at"] is not None
    assert mail["opaque_id"] == data["acts"][2]["evidence"]["doi_message"]


def test_a_touched_act_is_named(app: Flask, ada: Staff, path: str) -> None:
    with app.app_context():
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(text("UPDATE consent SET at = at - interval '1 year' WHERE action = 'confirmed'"))
        db.session.commit()
    page = ada.get(f"{path}/proof").text
    assert "1 act is not what was sealed" in page
    assert "The act was changed after it was sealed." in page
    assert json.loads(ada.get(f"{path}/proof.json").data)["verification"]["is_whole"] is False


def test_acts_that_are_not_sealed_yet_say_so(app: Flask, ada: Staff, world: World, base: str) -> None:
    assert "These acts are sealed within seconds" in ada.get(f"{base}/entrants/{world.ben.id}/proof").text
    assert "Nothing is recorded" in ada.get(f"{base}/entrants/{world.anna.id}/proof").text


def test_an_erased_persons_file_proves_without_naming_them(app: Flask, ada: Staff, world: World, path: str) -> None:
    with app.app_context():
        contacts.erase(db.session.get_one(Entry, world.ben.id).contact_id)
        db.session.commit()
    for page in (ada.get(f"{path}/proof").text, ada.get(f"{path}/proof.json").text):
        assert "ben@mail.example" not in page
        assert "192.0.2.7" not in page
    assert "All 3 acts are exactly as they were sealed." in ada.get(f"{path}/proof").text
    assert "nothing can be changed here" in ada.get(path).text


def test_an_address_is_blocked_and_unblocked_with_name_and_reason(ada: Staff, path: str) -> None:
    page = ada.get(path).text
    assert "Block this address" in page
    assert page.count("may be sent") == 3

    page = ada.post(f"{path}/suppress", {"note": "His lawyer wrote"}, follow_redirects=True).text
    assert "The address is blocked" in page
    assert "Ada · His lawyer wrote" in page
    assert "Unblock this address" in page
    assert "may be sent" not in page

    page = ada.post(f"{path}/lift", {"note": "It was another Ben"}, follow_redirects=True).text
    assert "The address is unblocked" in page
    assert page.count("may be sent") == 3
    words = _words(ada.get(f"{path}/proof").text)
    assert "Blocked · Ada · His lawyer wrote" in words
    assert "Unblocked · Ada · It was another Ben" in words


def test_without_a_reason_nothing_happens(ada: Staff, path: str) -> None:
    assert "Say why, in a few words." in ada.post(f"{path}/suppress", {"note": " "}, follow_redirects=True).text
    assert hot.many("SELECT 1 FROM suppression", {}) == []
    assert "not blocked by hand" in ada.post(f"{path}/lift", {"note": "Why not"}, follow_redirects=True).text


@pytest.mark.parametrize(
    ("reason", "open_ways"),
    [(SuppressionReason.UNSUBSCRIBE, 2), (SuppressionReason.HARD_BOUNCE, 0), (SuppressionReason.COMPLAINT, 0)],
)
def test_the_card_says_what_may_go(
    app: Flask, ada: Staff, world: World, path: str, reason: SuppressionReason, open_ways: int
) -> None:
    with app.app_context():
        contact = db.session.get_one(factories.Contact, db.session.get_one(Entry, world.ben.id).contact_id)
        factories.make_suppression(contact, reason=reason)
    page = ada.get(path).text
    assert page.count("may be sent") == open_ways
    assert ("only after a new form" in page) == (reason is SuppressionReason.HARD_BOUNCE)
    assert "Unblock this address" not in page, "staff lift nothing but what staff did"


def test_the_studio_speaks_french_here_too(ada: Staff, path: str) -> None:
    ada.post("/admin/language", {"locale": "fr"})
    words = _words(ada.get(f"{path}/proof").text)
    assert "Dossier de preuve" in words
    assert "tels qu’ils ont été scellés" in words
    assert "Consentement et blocage" in ada.get(path).text


def test_a_message_that_waits_is_stopped_by_the_block(app: Flask, ada: Staff, world: World, path: str) -> None:
    ada.post(f"{path}/suppress", {"note": "Now"})
    with app.app_context():
        mail = factories.make_message(db.session.get_one(Entry, world.ben.id))
        jobs.pump_mail()
        assert factories.fresh(mail).status is MessageStatus.SUPPRESSED
