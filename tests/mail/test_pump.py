"""The pump: what is due goes out once, batch by batch, in the language of the person."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

from leadgen.campaigns.models import Campaign
from leadgen.mail import jobs
from tests.factories import make_entry, make_message
from tests.mail.conftest import confirmation, nurture, state

Mailbox = Callable[[], list[EmailMessage]]


def test_a_confirmation_goes_out_once(campaign: Campaign, mailbox: Mailbox) -> None:
    message = confirmation(campaign, email="anna@mail.example")
    jobs.pump_confirmations()
    jobs.pump_confirmations()
    (mail,) = mailbox()
    assert mail["To"] == "anna@mail.example"
    assert state(message) == ("delivered", "")


def test_every_lane_is_emptied(campaign: Campaign, mailbox: Mailbox) -> None:
    welcome = make_message(make_entry(campaign, confirmed=True))
    letter = nurture(campaign)
    jobs.pump_mail()
    assert [state(welcome)[0], state(letter)[0]] == ["delivered", "delivered"]
    assert len(mailbox()) == 2
