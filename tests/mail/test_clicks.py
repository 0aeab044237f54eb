"""Clicks: letters that lead through us, who clicked, and what a human's click means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign
from leadgen.contacts.models import Contact
from leadgen.core import clock as product_clock
from leadgen.core import hot, tokens
from leadgen.core.db import db
from leadgen.core.tokens import Purpose
from leadgen.letters.models import Lane, MailPurpose
from leadgen.letters.rendering import OwnWords
from leadgen.mail import clicks, jobs, receipts
from leadgen.mail.clicks import Asking, Link
from leadgen.mail.models import Click, MailLink, Message
from leadgen.mail.service import preview
from tests.conftest import Clock
from tests.factories import fresh, make_broadcast, make_consent, make_entry, make_message, make_sequence

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604"
LAPTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
HOME, AWAY = "203.0.113.77", "198.51.100.9"
OFFER, OTHER = "https://brand.example/offer?a=1&b=2", "http://brand.example/second"
_GO = re.compile(r"http://localhost/go/([\w.-]+[\w-])")
Mailbox = Callable[[], list[EmailMessage]]


def letter(campaign: Campaign, body: str = f"See {OFFER} and {OTHER}.", url: str = "", **values: Any) -> Message:
    """A letter of a sequence with these words, due now."""
    entry = make_entry(campaign, confirmed=True, marketing=True)
    step = make_sequence(campaign, steps=1, key=f"s{entry.id}").steps[0]
    words = {"subject": "Hello", "heading": "Hello", "body": body, "button": "Go", "url": url}
    step.texts = {"en": words, "fr": words}
    db.session.commit()
    return make_message(
        entry,
        letter="sequence",
        lane=Lane.NURTURE,
        purpose=MailPurpose.MARKETING,
        step_id=step.id,
        **values,
    )


def parts(mail: EmailMessage) -> tuple[str, str]:
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    return html.get_content(), text.get_content()


def led(words: str) -> set[int]:
    """The numbers of the links in a mail that lead through us."""
    return {tokens.read(Purpose.CLICK, token)[1] for token in _GO.findall(words)}


def numbers(*urls: str) -> set[int]:
    return set(db.session.scalars(select(MailLink.id).where(MailLink.url.in_(urls))))


class TestLetters:
    """What of a letter leads through us."""

    def test_the_button_and_typed_addresses_lead_through_us(self, campaign: Campaign, mailbox: Mailbox) -> None:
        letter(campaign)
        jobs.pump_mail()
        html, text = parts(mailbox()[0])
        assert led(html) == led(text) == {0} | numbers(OFFER, OTHER)
        assert len(led(html)) == 3
        assert "offer" not in "".join(re.findall(r'href="[^"]*"', html))
        assert '<a class="button"' in html
        assert re.search(r'<a class="button"[^>]*href="http://localhost/go/', html)
        assert {tokens.read(Purpose.CLICK, token)[2] for token in _GO.findall(html)} == {3}

    def test_the_typed_button_leads_through_us_and_the_foot_does_not(
        self, campaign: Campaign, mailbox: Mailbox
    ) -> None:
        letter(campaign, body="No address here.", url=OFFER)
        jobs.pump_mail()
        html, text = parts(mailbox()[0])
        assert led(html) == led(text) == numbers(OFFER)
        assert re.search(r'href="http://localhost/me/', html.partition('class="foot"')[2])
        assert re.search(r'href="http://localhost/unsubscribe/', html)
        assert "http://localhost/me/" in text

    def test_an_address_typed_twice_is_one_link(self, campaign: Campaign, mailbox: Mailbox) -> None:
        letter(campaign, body=f"{OFFER} {OFFER}", url=OFFER)
        jobs.pump_mail()
        assert {tokens.read(Purpose.CLICK, token)[2] for token in _GO.findall(parts(mailbox()[0])[0])} == {1}
        assert len(db.session.scalars(select(MailLink)).all()) == 1

    def test_a_brand_that_does_not_track_sends_plain_addresses(self, campaign: Campaign, mailbox: Mailbox) -> None:
        db.session.get_one(Brand, campaign.brand_id).is_tracking_clicks = False
        db.session.commit()
        cards.forget()
        letter(campaign)
        jobs.pump_mail()
        html, text = parts(mailbox()[0])
        assert "/go/" not in html + text
        assert OTHER in text
        assert f'href="{OTHER}"' in html
        assert db.session.scalars(select(MailLink)).all() == []

    @pytest.mark.parametrize("name", ["confirm", "reminder", "welcome", "page_link"])
    def test_confirmations_and_service_mails_are_never_tracked(
        self, campaign: Campaign, mailbox: Mailbox, name: str
    ) -> None:
        is_first = name in {"confirm", "reminder"}
        lane, purpose = (
            (Lane.CONFIRMATION, MailPurpose.CONFIRMATION) if is_first else (Lane.SERVICE, MailPurpose.SERVICE)
        )
        make_message(make_entry(campaign, confirmed=not is_first), letter=name, lane=lane, purpose=purpose)
        jobs.pump_mail()
        assert "/go/" not in "".join(parts(mailbox()[0]))

    def test_links_to_share_and_addresses_with_a_name_in_them_stay_plain(
        self, campaign: Campaign, mailbox: Mailbox
    ) -> None:
        """A friend's visit must not count as the person's click, and nobody's name is stored as a destination."""
        letter(campaign, body="Share {share_link}", url="https://brand.example/{first_name}")
        jobs.pump_mail()
        html, _text = parts(mailbox()[0])
        assert led(html) == set()
        assert "http://localhost/r/" in html

    def test_a_preview_is_not_tracked(self, campaign: Campaign) -> None:
        own = OwnWords(subject="News", heading="News", body="A word", button="Go", url="https://brand.example/")
        rendered = preview(campaign.id, "sequence", "en", own=own)
        assert "/go/" not in rendered.html + rendered.text

    def test_a_broadcast_is_tracked_too(self, campaign: Campaign, mailbox: Mailbox) -> None:
        broadcast = make_broadcast(campaign)
        entry = make_entry(campaign, confirmed=True, marketing=True)
        given = {"lane": Lane.BULK, "purpose": MailPurpose.MARKETING, "stream_id": broadcast.stream_id}
        make_message(entry, letter="broadcast", domain_group="other", **given)
        jobs.pump_mail()
        assert 0 in led(parts(mailbox()[0])[0])


@pytest.fixture
def sent(campaign: Campaign, clock: Clock) -> Message:
    """A letter that arrived an hour ago, to somebody who entered by phone at home."""
    message = letter(campaign)
    make_consent(
        db.session.get_one(Contact, message.contact_id),
        channel="form",
        evidence={"ip": HOME, "user_agent": PHONE},
    )
    jobs.pump_mail()
    clock.forward(hours=1)
    return message


def link(message: Message, number: int = 0, of: int = 3) -> Link:
    entry = hot.one("SELECT access_version FROM entry WHERE id = %(id)s", {"id": message.entry_id})
    assert entry is not None
    return Link(message.id, number, of, entry["access_version"])


def ask(message: Message, number: int = 0, *, of: int = 3, **asking: Any) -> str | None:
    return clicks.follow(link(message, number, of), Asking(**{"address": AWAY, "agent": LAPTOP} | asking))


def kinds() -> list[tuple[str, str]]:
    rows = hot.many("SELECT kind, reason FROM click ORDER BY id", {})
    return [(row["kind"], row["reason"]) for row in rows]


class TestFollowing:
    """Where a link leads."""

    def test_a_stored_address_and_the_persons_page(self, sent: Message) -> None:
        [number] = numbers(OFFER)
        assert ask(sent, number) == OFFER
        assert str(ask(sent)).startswith("http://localhost/me/")
        assert [row["link_id"] for row in hot.many("SELECT link_id FROM click ORDER BY id", {})] == [number, None]

    def test_an_address_of_another_campaign_is_not_there(self, sent: Message) -> None:
        """H40: a link leads only where a letter of this campaign led."""
        other = MailLink(campaign_id=sent.campaign_id, url="https://brand.example/x")
        db.session.add(other)
        db.session.commit()
        elsewhere = hot.one("SELECT max(id) + 1 AS id FROM mail_link", {})
        assert elsewhere is not None
        assert ask(sent, elsewhere["id"]) is None
        assert kinds() == []

    def test_a_revoked_page_is_not_opened_by_an_old_letter(self, sent: Message) -> None:
        asked = link(sent)
        hot.many("UPDATE entry SET access_version = access_version + 1 RETURNING id", {})
        assert clicks.follow(asked, Asking(AWAY, LAPTOP)) == "http://localhost/c/" + fresh_slug(sent)

    def test_a_page_is_opened_for_thirty_days(self, sent: Message, clock: Clock) -> None:
        clock.forward(days=30)
        assert ask(sent) == "http://localhost/c/" + fresh_slug(sent)

    def test_an_erased_person_leads_nowhere(self, sent: Message) -> None:
        hot.many("UPDATE contact SET erased_at = now() WHERE id = %(id)s RETURNING id", {"id": sent.contact_id})
        assert ask(sent) is None
        assert kinds() == []


def fresh_slug(message: Message) -> str:
    return fresh(db.session.get_one(Campaign, message.campaign_id)).slug


class TestWho:
    """F15: which clicks are machines'. They are stored and never counted (rule 9)."""

    @pytest.mark.parametrize(
        ("asking", "expected"),
        [
            ({}, ("human", "")),
            ({"is_head": True}, ("machine", "head")),
            ({"is_prefetch": True}, ("machine", "prefetch")),
            ({"agent": ""}, ("machine", "agent")),
            ({"agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}, ("machine", "agent")),
            ({"agent": "Slackbot-LinkExpanding 1.0"}, ("machine", "agent")),
            ({"agent": LAPTOP.replace("Chrome", "HeadlessChrome")}, ("machine", "agent")),
            ({"agent": "python-requests/2.32"}, ("machine", "agent")),
            ({"agent": "Microsoft Office Existence Discovery"}, ("machine", "agent")),
            ({"agent": PHONE}, ("human", "")),
            ({"agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}, ("human", "")),
            (
                {"agent": "Mozilla/5.0 (Linux; Android 14; Cubot X50) Chrome/130 Mobile"},
                ("human", ""),
            ),
        ],
    )
    def test_a_request_tells_who_asks(self, sent: Message, asking: dict[str, Any], expected: tuple[str, str]) -> None:
        ask(sent, **asking)
        assert kinds() == [expected]

    @pytest.mark.parametrize(
        ("seconds", "asking", "expected"),
        [
            (3, {"address": AWAY, "agent": LAPTOP}, ("machine", "too_soon")),
            (3, {"address": HOME, "agent": LAPTOP}, ("machine", "too_soon")),
            (3, {"address": AWAY, "agent": PHONE}, ("machine", "too_soon")),
            (3, {"address": "203.0.113.5", "agent": PHONE.replace("18_1", "18_2")}, ("human", "")),
            (12, {"address": AWAY, "agent": LAPTOP}, ("human", "")),
        ],
    )
    def test_a_click_right_after_delivery_by_somebody_else_is_a_machines(
        self, sent: Message, clock: Clock, seconds: int, asking: dict[str, Any], expected: tuple[str, str]
    ) -> None:
        """The mail waited for an hour before it arrived: its arrival counts, not its sending."""
        arrived = int(product_clock.now().timestamp())
        receipts.store([{"event": "delivered", "sg_event_id": "d", "m": str(sent.opaque_id), "timestamp": arrived}])
        clock.forward(seconds=seconds)
        ask(sent, **asking)
        assert kinds() == [expected]

    def test_what_tells_of_the_delivery_may_come_after_the_click(self, sent: Message, clock: Clock) -> None:
        ask(sent)
        assert kinds() == [("human", "")]
        arrived = int(product_clock.now().timestamp()) - 2
        receipts.store([{"event": "delivered", "sg_event_id": "d", "m": str(sent.opaque_id), "timestamp": arrived}])
        jobs.fold_clicks()
        assert kinds() == [("machine", "too_soon")]

    def test_all_links_within_two_seconds_are_a_machines(self, sent: Message) -> None:
        for number in sorted({0} | numbers(OFFER, OTHER)):
            ask(sent, number)
        assert set(kinds()) == {("machine", "all_links")}

    def test_some_links_or_slowly_are_a_persons(self, sent: Message, clock: Clock) -> None:
        found = sorted({0} | numbers(OFFER, OTHER))
        for number in found[:2]:
            ask(sent, number)
        clock.forward(seconds=3)
        ask(sent, found[2])
        assert set(kinds()) == {("human", "")}

    def test_the_only_link_of_a_mail_is_not_all_of_them(self, sent: Message) -> None:
        ask(sent, of=1)
        ask(sent, of=1)
        assert set(kinds()) == {("human", "")}

    def test_what_is_kept_names_nobody(self, sent: Message) -> None:
        ask(sent, address="203.0.113.77", agent=LAPTOP)
        ask(sent, address="2001:db8:1:2:3:4:5:6", agent=LAPTOP)
        rows = hot.many("SELECT evidence FROM click ORDER BY id", {})
        assert [row["evidence"]["network"] for row in rows] == ["203.0.113.0/24", "2001:db8:1::/48"]
        assert rows[0]["evidence"]["family"] == "chrome/windows"
        assert "113.77" not in json.dumps([row["evidence"] for row in rows])

    def test_a_link_that_is_asked_for_ever_does_not_fill_the_disk(
        self, sent: Message, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clicks, "MOST_CLICKS", 3)
        assert all(ask(sent) for _ in range(5))
        assert len(kinds()) == 3


class TestSignOfLife:
    """A click counts as the last contact from the prospect, an open or a machine does not."""

    def heard(self, message: Message) -> Any:
        return fresh(db.session.get_one(Contact, message.contact_id)).last_inbound_at

    def test_a_persons_click_counts_when_it_is_settled(self, sent: Message, clock: Clock) -> None:
        ask(sent)
        clicked_at = db.session.scalars(select(Click.at)).one()
        jobs.fold_clicks()
        assert self.heard(sent) != clicked_at
        clock.forward(minutes=6)
        jobs.fold_clicks()
        assert self.heard(sent) == clicked_at
        jobs.fold_clicks()
        assert self.heard(sent) == clicked_at

    def test_a_machines_click_does_not(self, sent: Message, clock: Clock) -> None:
        before = self.heard(sent)
        ask(sent, is_head=True)
        clock.forward(minutes=6)
        jobs.fold_clicks()
        assert self.heard(sent) == before

    def test_a_later_sign_stays(self, sent: Message, clock: Clock) -> None:
        ask(sent)
        clock.forward(minutes=6)
        later = product_clock.now() + timedelta(minutes=1)
        values = {"id": sent.contact_id, "at": later}
        hot.many("UPDATE contact SET last_inbound_at = %(at)s WHERE id = %(id)s RETURNING id", values)
        jobs.fold_clicks()
        assert self.heard(sent) == later
