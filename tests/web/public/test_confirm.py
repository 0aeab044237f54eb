"""Confirming an address by the link of the mail."""

from datetime import timedelta

import pytest
from flask import Flask

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock, hot, i18n, links, notes
from leadgen.core.db import db
from leadgen.entries import confirming, person
from leadgen.journal import counters
from tests.web.public.conftest import Scene
from tests.web.public.street import Visitor, count, text_of


def _status(entry_id: int) -> str:
    row = hot.one("SELECT status FROM entry WHERE id = %(id)s", {"id": entry_id})
    assert row is not None
    return str(row["status"])


def test_the_page_says_what_the_button_does(visitor: Visitor, scene: Scene) -> None:
    page = visitor.get(f"{scene.confirm}?lang=en")
    assert page.status_code == 200
    assert "Anna, you are not in yet" in text_of(page)
    assert "a•••@m•••.example" in page.text
    assert "data-submit-once" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_looking_changes_nothing(visitor: Visitor, scene: Scene) -> None:
    """Rule 2: GET and HEAD change nothing but counters."""
    before = [count(table) for table in ("entry", "ledger", "consent", "message", "fact")]
    visitor.get(scene.confirm)
    assert visitor.client.head(scene.confirm).status_code == 200
    visitor.get(scene.confirm, headers={"Sec-Purpose": "prefetch"})
    assert [count(table) for table in ("entry", "ledger", "consent", "message", "fact")] == before
    assert _status(scene.anna_id) == "pending"
    counters.flush()
    assert hot.one("SELECT number FROM counter WHERE name = 'confirm_view'", {}) == {"number": 3}


def test_pressing_confirms_and_leads_to_the_persons_page(visitor: Visitor, scene: Scene) -> None:
    """F3; rule 3: from now on it counts, for Anna and for Ben who brought her (F5)."""
    answer = visitor.post(scene.confirm)
    assert answer.status_code == 303
    assert answer.location.startswith("/me/")
    assert answer.location.endswith("?new=1")
    assert answer.headers["Cache-Control"] == "no-store"
    assert _status(scene.anna_id) == "confirmed"
    row = hot.one("SELECT sum(points) AS points FROM ledger WHERE entry_id = %(id)s", {"id": scene.ben_id})
    assert row == {"points": 6}
    assert "You are in, Anna" in visitor.get(f"{answer.location}&lang=en").text


def test_pressing_twice_is_the_same_as_once(visitor: Visitor, scene: Scene) -> None:
    visitor.post(scene.confirm)
    lines = count("ledger")
    page = visitor.post(f"{scene.confirm}?lang=en")
    assert page.status_code == 200
    assert "Your address is confirmed" in page.text
    assert count("ledger") == lines


def test_a_forwarded_link_opens_nobodys_page(visitor: Visitor, scene: Scene) -> None:
    """The share link only if the browser proves itself; else by mail."""
    page = visitor.get(f"{scene.confirmed}?lang=en")
    assert "/me/" not in page.text
    assert "Mail me the link to my page" in page.text
    assert "We have sent a mail to b•••@m•••.example" in visitor.post(f"{scene.confirmed}/again?lang=en").text
    assert hot.one("SELECT letter FROM message", {}) == {"letter": "page_link"}


def test_the_browser_that_entered_confirms_with_one_tap(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """F3: the page presses its own button once; a scanner never holds the cookie."""
    visitor.enter()
    row = hot.one("SELECT max(id) AS id FROM entry", {})
    assert row is not None
    with app.app_context():
        link = links.confirm(row["id"], 1).removeprefix("http://localhost")
    page = visitor.get(link)
    assert "data-submit-once" in page.text
    assert "confirm.js" in page.text
    assert "<button" in page.text
    assert "data-submit-once" not in app.test_client().get(link).text
    assert "data-submit-once" not in visitor.get(link, headers={"Sec-Purpose": "prefetch;prerender"}).text
    visitor.post(link)
    assert hot.one("SELECT confirm_method FROM entry WHERE id = %(id)s", row) == {"confirm_method": "cookie_post"}
    assert 'href="/me/' in visitor.get(link).text


def test_an_expired_link_offers_a_new_one_in_one_tap(visitor: Visitor, scene: Scene) -> None:
    visitor.clock.forward(days=8)
    page = visitor.get(f"{scene.confirm}?lang=en")
    assert page.status_code == 410
    assert "This link has expired" in page.text
    assert "Send me a new link" in page.text
    assert visitor.post(scene.confirm).status_code == 410
    assert _status(scene.anna_id) == "pending"
    assert "It is on its way" in visitor.post(f"{scene.confirm}/again?lang=en").text
    assert hot.one("SELECT letter, lane FROM message", {}) == {"letter": "confirm", "lane": "confirmation"}
    assert visitor.post(scene.confirm).status_code == 303


def test_after_the_close_it_says_so(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        db.session.get_one(Campaign, scene.campaign_id).status = CampaignStatus.CLOSED
        db.session.commit()
    cards.forget()
    page = visitor.get(f"{scene.confirm}?lang=en")
    assert page.status_code == 410
    assert "The contest is over" in page.text
    pressed = visitor.post(f"{scene.confirm}?lang=en")
    assert pressed.status_code == 410
    assert "came too late" in pressed.text
    assert _status(scene.anna_id) == "pending"


@pytest.mark.parametrize(("hours_after_end", "status"), [(71, 303), (73, 410)])
def test_f1_who_entered_in_time_confirms_within_three_days_of_the_end(
    app: Flask, visitor: Visitor, scene: Scene, hours_after_end: int, status: int
) -> None:
    """Whether or not the job that closes the contest has come round; the page names the last moment, not the link's."""
    with app.app_context():
        campaign = db.session.get_one(Campaign, scene.campaign_id)
        campaign.ends_at = clock.now() + timedelta(hours=1)
        closes_at = campaign.ends_at + timedelta(hours=72)
        db.session.commit()
        told = i18n.format_datetime(closes_at, campaign.timezone)
    cards.forget()
    visitor.clock.forward(hours=1 + hours_after_end)
    answer = visitor.post(f"{scene.confirm}?lang=en")
    assert answer.status_code == status
    assert _status(scene.anna_id) == ("confirmed" if status == 303 else "pending")
    if status == 410:
        assert "The contest is over" in answer.text
        assert told in answer.text


def test_a_link_of_before_a_correction_is_inert(app: Flask, visitor: Visitor, scene: Scene) -> None:
    with app.app_context():
        old = links.confirm(scene.anna_id, 0).removeprefix("http://localhost")
    assert "This link is no longer valid" in visitor.get(f"{old}?lang=en").text
    visitor.post(old)
    assert _status(scene.anna_id) == "pending"


@pytest.mark.parametrize("path", ["/confirm/made-up", "/confirm/a.b.c", "/refuse/made-up"])
def test_unknown_links_get_a_friendly_page(visitor: Visitor, scene: Scene, path: str) -> None:
    for answer in (visitor.get(f"{path}?lang=en"), visitor.post(f"{path}?lang=en")):
        assert answer.status_code == 404
        assert "This link does not work" in answer.text


def test_a_token_of_another_purpose_is_unknown(visitor: Visitor, scene: Scene) -> None:
    """ASVS 9.1: every token is good for one thing."""
    foreign = scene.refuse.removeprefix("/refuse/")
    assert visitor.post(f"/confirm/{foreign}").status_code == 404
    assert _status(scene.anna_id) == "pending"


def test_it_speaks_the_language_of_the_entry(visitor: Visitor, scene: Scene) -> None:
    assert '<html lang="fr">' in visitor.get(scene.confirm, headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("which", ["confirm", "refuse", "unsubscribe"])
def test_old_links_of_a_forgotten_person_say_that_everything_was_erased(
    app: Flask, visitor: Visitor, scene: Scene, which: str
) -> None:
    links_of = {
        "confirm": (scene.confirm, scene.anna_id),
        "refuse": (scene.refuse, scene.anna_id),
        "unsubscribe": (scene.unsubscribe, scene.ben_id),
    }
    path, entry_id = links_of[which]
    with app.app_context():
        person.erase(entry_id)
        db.session.commit()
    for answer in (visitor.get(f"{path}?lang=en"), visitor.post(f"{path}?lang=en")):
        assert answer.status_code == (200 if which == "unsubscribe" else 410)
        assert "This data was erased" in answer.text
    if which == "unsubscribe":  # a mailbox's button never hears of it
        one_click = visitor.post(path, {"List-Unsubscribe": "One-Click"})
        assert (one_click.status_code, one_click.text) == (200, "")


def _is_reminder_due(app: Flask, scene: Scene) -> bool:
    with app.app_context():
        return not confirming.was_viewed(scene.anna_id)


def test_only_a_person_who_looks_ends_the_reminder(app: Flask, visitor: Visitor, scene: Scene) -> None:
    """F3: heads, prefetches and scanners get the plain page, nothing else."""
    notes.forget()
    visitor.client.head(scene.confirm)
    visitor.get(scene.confirm, headers={"Sec-Purpose": "prefetch"})
    visitor.get(scene.confirm, headers={"User-Agent": "BingPreview/1.0"})
    assert _is_reminder_due(app, scene)
    visitor.get(scene.confirm)
    assert not _is_reminder_due(app, scene)
