"""The public gallery and its vote: no cookie, no session, no script; limits that a forged header does not lift."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadgen.app import create_app
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus, Mechanic, Prize
from leadgen.core import clock as product_clock
from leadgen.core import hot, tokens
from leadgen.core import settings as product_settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.core.tokens import Purpose
from leadgen.entries.models import Entry
from leadgen.gallery.models import Work
from tests.factories_contest import make_vote
from tests.gallery.conftest import make_contest
from tests.web.public.street import BROWSER, Visitor, fields_of, text_of


class Hall:
    """A contest in its vote, with three works of Ben; and somebody who looks at it."""

    def __init__(self, app: Flask, visitor: Visitor) -> None:
        self.app, self.visitor = app, visitor
        with app.app_context():
            contest = make_contest()
            contest.vote_now()
            self.ids = [contest.work(contest.ben, title=f"Photo {number}").public_id for number in range(3)]
            self.anna_id, self.ben_id, self.ben_code = contest.anna.id, contest.ben.id, contest.ben.code
            self.campaign_id = contest.campaign.id
            db.session.expunge_all()

    def address(self, number: int = 0, more: str = "") -> str:
        return f"/c/photos/works/{self.ids[number]}{more}"

    def set(self, **values: Any) -> None:
        with self.app.app_context():
            campaign = db.session.get_one(Campaign, self.campaign_id)
            for name, value in values.items():
                setattr(campaign, name, value)
            db.session.commit()
        cards.forget()

    def vote(
        self,
        number: int = 0,
        *,
        address: str = "203.0.113.7",
        query: str = "?lang=en",
        headers: Any = None,
        **fields: str,
    ) -> TestResponse:
        """Open the page of a work and press the button, as a browser does."""
        page = self.visitor.get(self.address(number, query))
        sent = {name: value for name, value in fields_of(page).items() if value is not None} | fields
        return self.visitor.client.post(
            self.address(number, "/vote?lang=en"),
            data=sent,
            environ_overrides={"REMOTE_ADDR": address},
            headers=headers,
        )

    def votes(self) -> list[int]:
        return [row["votes"] for row in hot.many("SELECT votes FROM work ORDER BY id", {})]


@pytest.fixture
def hall(app: Flask, visitor: Visitor) -> Hall:
    return Hall(app, visitor)


def test_the_gallery_shows_what_is_published(hall: Hall) -> None:
    page = hall.visitor.get("/c/photos/works?lang=en")
    assert page.status_code == 200
    assert [public_id for public_id in hall.ids if public_id not in page.text] == []
    assert "by Ben" in text_of(page)
    assert "Vote until" in text_of(page)
    assert "Set-Cookie" not in page.headers


def test_a_campaign_without_works_has_no_gallery(hall: Hall) -> None:
    hall.set(mechanics=["draw"], actions=[])
    assert hall.visitor.get("/c/photos/works").status_code == 404


def test_a_draft_has_no_gallery(hall: Hall) -> None:
    hall.set(status=CampaignStatus.DRAFT)
    assert hall.visitor.get("/c/photos/works").status_code == 404
    assert hall.visitor.get(hall.address()).status_code == 404


def test_one_votes_without_cookie_and_hears_what_is_left(hall: Hall) -> None:
    answer = hall.vote()
    assert answer.status_code == 303, text_of(answer)
    assert "Set-Cookie" not in answer.headers
    assert hall.votes() == [1, 0, 0]
    said = text_of(hall.visitor.get(answer.location))
    assert "Thank you. You have 2 votes left today." in said
    assert "Take part too" in said


def test_a_second_press_changes_nothing(hall: Hall) -> None:
    hall.vote()
    answer = hall.vote()
    assert "voted=again" in answer.location
    assert "entrants vote under their own name" in text_of(hall.visitor.get(answer.location))
    assert hall.votes() == [1, 0, 0]


def test_the_fourth_vote_of_a_day_is_refused_with_a_sentence(hall: Hall) -> None:
    hall.set(votes_a_day=2)
    hall.vote(0)
    hall.vote(1)
    answer = hall.vote(2)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Come back tomorrow." in text_of(answer)
    assert hall.votes() == [1, 1, 0]


@pytest.mark.parametrize("token", ["", "forged", "foreign"])
def test_without_the_form_token_nothing_happens(hall: Hall, token: str) -> None:
    if token == "foreign":
        token = tokens.sign(Purpose.FORM, [hall.campaign_id + 1, int(product_clock.now().timestamp() * 1000), "x"])
    answer = hall.vote(csrf_token=token)
    assert answer.status_code == 400
    assert "press the button again" in text_of(answer)
    assert hall.votes() == [0, 0, 0]


def test_a_form_of_another_site_is_refused(hall: Hall) -> None:
    assert hall.vote(headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert hall.votes() == [0, 0, 0]


def test_a_get_never_votes(hall: Hall) -> None:
    assert hall.visitor.get(hall.address(0, "/vote")).status_code == 405
    hall.visitor.get(hall.address(0, "?voted=new&left=2"))
    assert hall.votes() == [0, 0, 0]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"])
def test_a_forged_address_brings_no_further_vote(hall: Hall, header: str) -> None:
    """Contest Gallery CVE-2026-107447, Forminator CVE-2026-87070: limits lifted by a header (H10)."""
    for number in range(4):
        hall.vote(headers={header: f"for=198.51.100.{number}" if header == "Forwarded" else f"198.51.100.{number}"})
    assert hall.votes() == [1, 0, 0]


@pytest.mark.parametrize(("hops", "expected"), [(0, 1), (1, 1), (2, 4)])
def test_addresses_are_believed_as_far_as_the_proxies_we_trust(
    app: Flask, visitor: Visitor, settings: Settings, hops: int, expected: int
) -> None:
    """The client writes the left part of X-Forwarded-For; behind one proxy only the last address is true."""
    trusting = create_app(replace(settings, trusted_proxies=hops))
    try:
        visitor.client = trusting.test_client()
        visitor.client.environ_base["HTTP_USER_AGENT"] = BROWSER
        hall = Hall(trusting, visitor)
        for number in range(4):
            hall.vote(headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.50"})
        assert hall.votes()[0] == expected
    finally:
        product_settings.use(settings)
        hot.forget()


def test_an_entrant_votes_by_their_own_link_and_it_is_not_handed_on(hall: Hall) -> None:
    token = tokens.sign(Purpose.VOTER, hall.anna_id)
    hall.vote()  # a stranger in the same room
    page = hall.visitor.get(hall.address(0, f"?lang=en&v={token}"))
    assert page.headers["Referrer-Policy"] == "no-referrer"
    share = re.search(r'id="my-link" readonly value="([^"]+)"', page.text)
    assert share is not None
    assert token not in share[1]
    answer = hall.vote(query=f"?lang=en&v={token}")
    assert f"v={token}" in answer.location
    assert hall.votes() == [2, 0, 0]


def test_a_forged_voter_is_a_stranger(hall: Hall) -> None:
    hall.vote()
    hall.vote(v="forged")
    hall.vote(v=tokens.sign(Purpose.STATUS, {"e": hall.anna_id, "a": 1}))
    assert hall.votes() == [1, 0, 0]


def test_strangers_are_invited_when_votes_need_an_entry(hall: Hall) -> None:
    hall.set(votes_need_entry=True)
    page = hall.visitor.get(hall.address(0, "?lang=en"))
    assert "Enter the contest, confirm your address, and vote." in text_of(page)
    assert "Vote for this work" not in text_of(page)
    assert hall.vote(csrf_token=_token_of(hall)).status_code == 409
    assert hall.votes() == [0, 0, 0]


def _token_of(hall: Hall) -> str:
    return tokens.sign(Purpose.FORM, [hall.campaign_id, int(product_clock.now().timestamp() * 1000), "x"])


def test_while_people_vote_nobody_sees_who_leads(hall: Hall) -> None:
    hall.vote(2)
    for address in ("/c/photos/works?lang=en", "/c/photos/works?lang=en&sort=top", hall.address(2, "?lang=en")):
        page = text_of(hall.visitor.get(address))
        assert "1 vote " not in page
    assert "each has the same chance to be seen" in text_of(hall.visitor.get("/c/photos/works?lang=en"))


def test_works_are_shuffled_anew_each_hour(hall: Hall) -> None:
    seen = set()
    for _ in range(12):
        page = hall.visitor.get("/c/photos/works").text
        seen.add(tuple(sorted(hall.ids, key=page.index)))
        hall.visitor.clock.forward(hours=1)
    assert len(seen) > 1


def test_before_the_vote_the_banner_says_when_it_begins(hall: Hall) -> None:
    now = product_clock.now()
    hall.set(votes_start_at=now + timedelta(days=2), votes_end_at=now + timedelta(days=3))
    page = text_of(hall.visitor.get("/c/photos/works?lang=en"))
    assert "Works are being handed in. The vote begins on" in page
    assert "Vote for this work" not in text_of(hall.visitor.get(hall.address()))
    with hall.app.app_context():
        campaign = db.session.get_one(Campaign, hall.campaign_id)
        campaign.actions[0].ends_at = now - timedelta(minutes=1)
        db.session.commit()
        cards.forget()
    assert "We are looking at the works." in text_of(hall.visitor.get("/c/photos/works?lang=en"))


def test_the_result_names_places_votes_and_prizes(hall: Hall) -> None:
    """Winners of the prizes whose mechanic is the vote; one person wins one prize at most."""
    with hall.app.app_context():
        campaign = db.session.get_one(Campaign, hall.campaign_id)
        for number, title in enumerate(("A camera", "A book"), 2):
            texts = {code: {"title": title, "description": ""} for code in ("en", "fr")}
            campaign.prizes.append(Prize(position=number, texts=texts, quantity=1, value=100, mechanic=Mechanic.VOTES))
        first, second, third = db.session.scalars(select(Work).order_by(Work.id))
        third.entry_id = hall.anna_id
        for work, number in ((first, 3), (second, 2), (third, 1)):
            for _ in range(number):
                make_vote(work)
            work.votes, work.voted_at = number, product_clock.now()
        now = product_clock.now()
        campaign.votes_start_at, campaign.votes_end_at = now - timedelta(days=2), now - timedelta(hours=1)
        db.session.commit()
    cards.forget()
    page = text_of(hall.visitor.get("/c/photos/works?lang=en"))
    assert "The vote is over. This is the result." in page
    assert page.index("Photo 0") < page.index("Photo 1") < page.index("Photo 2")
    assert page.index("Photo 0") < page.index("A camera") < page.index("Photo 1")
    assert page.index("Photo 2") < page.index("A book")
    assert "3 votes" in page


def test_a_shared_work_brings_its_maker_the_referral(hall: Hall) -> None:
    page = hall.visitor.get(hall.address(0, f"?lang=en&r={hall.ben_code}"))
    found = re.search(r'href="(/c/photos\?lang=en[^"]*ref=[^"#]+)', page.text)
    assert found is not None
    landing = hall.visitor.get(found[1].replace("&amp;", "&"))
    assert "Ben invites you to take part" in text_of(landing)


def test_previews_of_a_work_show_its_picture_and_name(hall: Hall) -> None:
    page = hall.visitor.get(hall.address(0, "?lang=en")).text
    assert '<meta property="og:title" content="“Photo 0” by Ben">' in page
    assert 'property="og:image" content="http://localhost/' in page


def test_a_maker_who_does_not_want_to_be_seen_is_a_number(hall: Hall) -> None:
    with hall.app.app_context():
        db.session.get_one(Entry, hall.ben_id).is_on_board = False
        db.session.commit()
    page = text_of(hall.visitor.get("/c/photos/works?lang=en"))
    assert "by Participant " in page
    assert "by Ben" not in page


def test_words_of_makers_are_shown_as_words(hall: Hall) -> None:
    with hall.app.app_context():
        work = db.session.scalars(select(Work).order_by(Work.id)).first()
        assert work is not None
        work.title, work.body = "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"
        db.session.commit()
    for address in ("/c/photos/works", hall.address()):
        page = hall.visitor.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_it_speaks_french(hall: Hall) -> None:
    page = text_of(hall.visitor.get(hall.address(0, "?lang=fr")))
    assert "Voter pour cette création" in page
    assert "Chacun a 3 votes par jour" in page
