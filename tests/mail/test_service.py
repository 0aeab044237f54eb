"""The mail room's verbs: want, preview, edit words, test send, timeline, numbers."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import hot, i18n
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound, TooMany
from leadgen.letters import editing, kinds
from leadgen.letters.rendering import OwnWords
from leadgen.mail import jobs, reasons
from leadgen.mail import service as mail
from leadgen.mail.providers.interface import Result
from leadgen.mail.service import Wanted
from tests.factories import (
    make_brand,
    make_broadcast,
    make_entry,
    make_membership,
    make_message,
    make_user,
)

Mailbox = Callable[[], list[EmailMessage]]


def wanted(campaign: Campaign, **values: Any) -> Wanted:
    entry = make_entry(campaign, confirmed=True)
    given: dict[str, Any] = {
        "intent": f"welcome:{entry.id}",
        "letter": "welcome",
        "brand_id": entry.brand_id,
        "campaign_id": entry.campaign_id,
        "contact_id": entry.contact_id,
        "entry_id": entry.id,
        "locale": "en",
        "context": {"entry": entry.id, "access_version": 1, "code": entry.code},
    }
    return Wanted(**given | values)


def test_what_is_wanted_goes_out_after_the_commit(campaign: Campaign, mailbox: Mailbox) -> None:
    assert mail.want(wanted(campaign))
    db.session.commit()
    jobs.pump_mail()
    assert [letter["Subject"] for letter in mailbox()] == ["You are in: Win a week in Lisbon"]


def test_what_is_rolled_back_was_never_wanted(campaign: Campaign) -> None:
    mail.want(wanted(campaign))
    db.session.rollback()
    assert hot.many("SELECT id FROM message", {}) == []


def test_the_same_intent_is_one_mail(campaign: Campaign) -> None:
    first = wanted(campaign)
    assert [mail.want(first), mail.want(first)] == [True, False]


def test_a_letter_that_nobody_knows_is_not_found(campaign: Campaign) -> None:
    with pytest.raises(NotFound):
        mail.want(wanted(campaign, letter="love"))


def test_a_preview_leaves_no_trace(campaign: Campaign) -> None:
    mail.preview(campaign.id, "confirm", "fr")
    assert hot.many("SELECT id FROM message", {}) == []


def test_a_preview_of_an_absent_campaign_or_broadcast(campaign: Campaign) -> None:
    with pytest.raises(NotFound):
        mail.preview(campaign.id + 1, "confirm", "fr")
    with pytest.raises(NotFound):
        mail.preview(campaign.id, "broadcast", "fr", stream_id=999)


def test_edited_words_hold_from_now_on(campaign: Campaign, mailbox: Mailbox) -> None:
    make_message(make_entry(campaign, confirmed=True), locale="en")
    editing.save(campaign, "welcome", {"en": {"subject": "Welcome, {first_name}", "body": "To {prize}"}})
    db.session.commit()
    jobs.pump_mail()
    assert mailbox()[0]["Subject"] == "Welcome, Anna"


def test_headers_can_be_looked_at_before(campaign: Campaign) -> None:
    broadcast = make_broadcast(campaign)
    headers = dict(mail.preview_headers(campaign.id, "broadcast", "en", stream_id=broadcast.stream_id))
    assert headers["List-Unsubscribe"].startswith("<http://localhost/sample/unsubscribe/")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in dict(mail.preview_headers(campaign.id, "confirm", "en"))


@pytest.fixture
def bob(campaign: Campaign) -> str:
    """The address of somebody who works for the brand."""
    user = make_user("bob@staff.example")
    make_membership(user, db.session.get_one(Brand, campaign.brand_id))
    return user.email


def test_a_test_mail_goes_to_staff_and_is_marked(campaign: Campaign, mailbox: Mailbox, bob: str) -> None:
    assert mail.send_test(campaign.id, "welcome", "en", bob).result is Result.DELIVERED
    (letter,) = mailbox()
    assert letter["To"] == "bob@staff.example"
    assert letter["Subject"] == "[Test] You are in: Win a week in Lisbon"
    assert hot.many("SELECT id FROM message", {}) == []


def test_words_of_a_draft_and_a_broadcast_can_be_tried_too(campaign: Campaign, mailbox: Mailbox, bob: str) -> None:
    broadcast = make_broadcast(campaign, texts={"en": {"subject": "News", "body": "B"}})
    mail.send_test(campaign.id, "sequence", "en", bob, own=OwnWords(subject="Letter 1", body="B"))
    mail.send_test(campaign.id, "broadcast", "en", bob, stream_id=broadcast.stream_id)
    assert [letter["Subject"] for letter in mailbox()] == ["[Test] Letter 1", "[Test] News"]
    assert "One-Click" in mailbox()[1]["List-Unsubscribe-Post"]
    assert mail.preview(campaign.id, "broadcast", "en", stream_id=broadcast.stream_id).subject == "News"


@pytest.mark.parametrize(
    "to", ["bob", "stranger@mail.example", "cleo@staff.example", "bob@staff.example\r\nBcc: x@y.z"]
)
def test_tests_are_no_way_to_mail_strangers(campaign: Campaign, mailbox: Mailbox, bob: str, to: str) -> None:
    make_membership(make_user("cleo@staff.example"), make_brand())
    with pytest.raises(Invalid) as refused:
        mail.send_test(campaign.id, "welcome", "en", to)
    assert refused.value.field == "to"
    assert mailbox() == []


def test_tests_are_limited(campaign: Campaign, bob: str) -> None:
    for _number in range(20):
        mail.send_test(campaign.id, "welcome", "en", bob)
    with pytest.raises(TooMany):
        mail.send_test(campaign.id, "welcome", "en", bob)


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_reason_and_letter_has_words(locale: str) -> None:
    with i18n.speaking(locale):
        words = reasons._of_people() | reasons._of_providers()
        assert all(words.values())
        assert all(kinds.title(name) for name in kinds.ALL)
        assert reasons.reason_in_words("cannot_render: KeyError x") == words["cannot_render"]
        assert "550 5.1.1" in reasons.reason_in_words("smtp_550 5.1.1")
        assert "418" in reasons.reason_in_words("answer_418") != "answer_418"
        assert reasons.reason_in_words("teleported") == "teleported"
        assert reasons.reason_in_words("") == ""
