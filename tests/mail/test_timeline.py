"""The story of each mail: every step with its reason, and a sentence that says why it came or did not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock as product_clock
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.letters.models import Lane
from leadgen.mail import jobs, reasons, receipts, streams, timeline
from leadgen.mail.clicks import judge
from leadgen.mail.models import ClickKind, Message, MessageStatus
from leadgen.mail.timeline import Story
from tests.conftest import Clock
from tests.factories import fresh, make_click, make_entry, make_message, make_move
from tests.house.source import PRODUCT
from tests.mail.conftest import claimed, confirmation, nurture


def story(message: Message) -> Story:
    db.session.rollback()
    return timeline.stories(message.contact_id, "Europe/Paris")[0]


def told(message: Message) -> list[str]:
    return [line.sentence for line in story(message).lines]


def events(message: Message, *names: str, **more: Any) -> None:
    same = {"m": str(message.opaque_id), "timestamp": int(product_clock.now().timestamp())}
    receipts.store([{"event": name, **same, **more, "sg_event_id": f"{message.id}-{name}"} for name in names])
    jobs.apply_receipts()


def test_a_whole_story_from_wish_to_click(campaign: Campaign, clock: Clock) -> None:
    message = nurture(campaign)
    make_move(message)
    clock.forward(minutes=1)
    claimed(Lane.NURTURE)
    clock.forward(minutes=1)
    events(message, "processed")
    clock.forward(minutes=1)
    events(message, "delivered")
    clock.forward(minutes=1)
    click = make_click(message)
    make_click(message, kind=ClickKind.MACHINE, reason="all_links")
    lines = told(message)
    assert lines[0] == "Wanted by the sequence “After the entry”"
    assert re.fullmatch(r"Put off until .*: it was night where the person lives", lines[1])
    assert lines[2:5] == ["Handed to the provider", "The provider took it", "It arrived at the mailbox"]
    assert lines[5].startswith("Clicked, to https://brand.example/offer")
    assert lines[6].endswith("(all links of the mail at once): not counted")
    assert story(message).answer.startswith("It arrived: sent on ")
    assert click.id


def test_the_providers_own_words_stand_beside_a_bounce(campaign: Campaign) -> None:
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    events(message, "bounce", type="bounce", reason="550 5.1.1 <nobody> unknown")
    last = story(message).lines[-1]
    assert (last.sentence, last.words) == ("The mailbox refused it for good", "550 5.1.1 <nobody> unknown")
    assert story(message).answer == "It did not arrive: the mailbox does not exist."


def test_opens_are_nobodys_business(campaign: Campaign) -> None:
    """Rule 9."""
    message = confirmation(campaign)
    claimed(Lane.CONFIRMATION)
    events(message, "open", "click")
    assert told(message) == ["Wanted, because the entry form was sent", "Handed to the provider"]


def test_a_complaint_is_said(campaign: Campaign) -> None:
    message = nurture(campaign)
    claimed(Lane.NURTURE)
    events(message, "spamreport")
    assert story(message).answer == "It arrived, and the person reported it as spam."


@pytest.mark.parametrize(
    ("status", "reason", "answer"),
    [
        ("suppressed", "unsubscribe", "The person did not get it: the person unsubscribed."),
        ("skipped", "condition", "The person did not get it: the condition of the letter is not met."),
        ("expired", "too_late", "The person did not get it: it was no longer worth sending."),
        ("cancelled", "withdrawn", "The person did not get it: the person withdrew the consent to marketing."),
        ("failed", "address", "The person did not get it: the provider refused the address."),
        (
            "failed",
            "no_answer",
            "Nobody knows whether it left: the provider’s answer was lost. It is not sent again by itself.",
        ),
        (
            "uncertain",
            "timeout",
            "Nobody knows yet whether it left: the provider’s answer was lost. The provider’s events may still tell.",
        ),
        ("sending", "", "It is being handed to the provider."),
    ],
)
def test_why_a_person_did_not_get_a_mail_is_a_sentence(
    campaign: Campaign, status: str, reason: str, answer: str
) -> None:
    message = make_message(make_entry(campaign), status=MessageStatus(status), reason=reason)
    assert story(message).answer == answer
    if status in {"suppressed", "skipped", "expired", "cancelled", "failed"}:
        assert told(message)[-1].startswith("Not sent: ")


class TestPlanned:
    """Why a planned mail has not left yet."""

    def test_it_is_its_turn(self, campaign: Campaign) -> None:
        assert story(nurture(campaign)).answer == "It is its turn: it leaves as fast as the pace allows."

    def test_it_has_a_time(self, campaign: Campaign) -> None:
        message = nurture(campaign, message={"due_at": product_clock.now() + timedelta(days=2)})
        assert story(message).answer.startswith("It is planned for ")

    def test_it_was_put_off(self, campaign: Campaign) -> None:
        message = nurture(campaign, message={"due_at": product_clock.now() + timedelta(hours=3)})
        message.reason = "frequency_cap"
        db.session.commit()
        assert story(message).answer.endswith(": the person had a mail in the last 48 hours.")

    def test_its_stream_is_paused_or_stopped(self, campaign: Campaign) -> None:
        message = nurture(campaign)
        streams.pause(message.stream_id, "Ada")
        db.session.commit()
        assert story(message).answer == "It waits: “After the entry” is paused."
        streams.resume(message.stream_id, "Ada")
        streams.stop(message.stream_id, "bounces")
        db.session.commit()
        assert story(message).answer == "It waits: “After the entry” was stopped, because something is wrong."

    def test_its_lane_is_stopped(self, campaign: Campaign) -> None:
        message = nurture(campaign)
        streams.stop_lane(Lane.NURTURE, "Ada")
        db.session.commit()
        assert story(message).answer == "It waits: all mails of its kind are stopped."

    def test_its_contest_is_paused(self, campaign: Campaign) -> None:
        message = nurture(campaign)
        fresh(campaign).status = CampaignStatus.PAUSED
        db.session.commit()
        assert story(message).answer == "It waits: the contest is paused."


_WRITTEN = re.compile(
    r"'(?:skipped|suppressed|expired|cancelled|failed|scheduled):([a-z_]+)'"  # verdicts of the gates
    r"|(?<!v\.)\breason = '([a-z_]+)'|(?:THEN|ELSE) '(again|no_answer)'"  # statements; `v` are moves of enrolments
    r"|Result\.(?:FAILED|TEMPORARY|UNCERTAIN|DELIVERED|ACCEPTED), \"([a-z_]+)\""  # providers
    r"|_pause\(answer, parcels, \"([a-z_]+)\"|_lost\(parcels, \"([a-z_]+)\""
    r"|Rung\(\d, \"[a-z]+\", \"([a-z_]+)\"\)|reason=\"([a-z_]+)\""
    r"|_end\(row, \"([a-z_]+)\"\)|refuse_all\([^\"]+, \"([a-z_]+)\"\)"  # the judge of sequences
)


def test_every_reason_that_any_code_writes_has_words() -> None:
    """Gathered from the source, so that a new one cannot be forgotten."""
    rooms = ("mail", "nurture", "entries")
    paths = [path for room in rooms for path in (PRODUCT / room).rglob("*.py") if path.name != "clicks.py"]
    source = [path.read_text() for path in paths]
    found = {code for text in source for groups in _WRITTEN.findall(text) for code in groups if code}
    assert {
        "no_consent",
        "step_removed",
        "rate_limited",
        "no_answer",
        "hard",
        "complaint",
        "address_limit",
        "goal",
    } <= found
    with i18n.speaking("fr"):
        assert sorted(code for code in found if reasons.reason_in_words(code) == code) == []


def test_every_reason_for_a_machine_has_words() -> None:
    source = (PRODUCT / "mail" / "clicks.py").read_text()
    found = set(re.findall(r"return \"([a-z_]+)\"|reason = '([a-z_]+)'", source))
    codes = {code for pair in found for code in pair if code} | {"too_soon"}
    assert {"head", "agent", "all_links"} <= codes
    assert judge is not None
    with i18n.speaking("fr"):
        assert sorted(code for code in codes if reasons.machine_in_words(code) == code) == []
