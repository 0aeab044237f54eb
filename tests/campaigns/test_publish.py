"""The life of a campaign: publish with its checks, pause, resume, archive, and the moves of the clock (F1)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards, jobs, rules
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.checking import missing_before_launch
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock as product_clock
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from tests.campaigns.conftest import prize_input
from tests.conftest import Clock
from tests.factories import fresh, make_campaign

S = CampaignStatus


def _brand(campaign: Campaign) -> Brand:
    return db.session.get_one(Brand, campaign.brand_id)


def _itself(campaign: Campaign) -> Campaign:
    return campaign


def _ago(days: int) -> datetime:
    return product_clock.now() - timedelta(days=days)


def _without_text(key: str) -> Callable[[Campaign], None]:
    def empty(campaign: Campaign) -> None:
        campaign.texts = campaign.texts | {"fr": campaign.texts["fr"] | {key: ""}}

    return empty


def _clear(row_of: Callable[[Campaign], object], name: str, value: object = "") -> Callable[[Campaign], None]:
    return lambda campaign: setattr(row_of(campaign), name, value)


SPOILED: list[tuple[str, Callable[[Campaign], None]]] = [
    ("brand", _clear(_brand, "legal_name")),
    ("brand", _clear(_brand, "legal_address", " ")),
    ("brand", _clear(_brand, "contact_email")),
    ("brand", _clear(_brand, "sender_email")),
    ("brand", _clear(_brand, "sender_name")),
    ("texts", _without_text("title")),
    ("texts", _without_text("lead")),
    ("texts", _without_text("share_text")),
    ("rules", _without_text("rules")),
    ("consents", _without_text("consent_rules")),
    ("consents", _without_text("consent_marketing")),
    ("texts", lambda c: campaigns.edit_texts(c, "en", {"share_text": "Join me"})),
    ("rules", lambda c: campaigns.edit_texts(c, "en", {"rules": "Organised by {organizer}."})),
    ("dates", lambda c: setattr(c, "ends_at", c.starts_at + timedelta(minutes=59))),
    ("dates", lambda c: (_clear(_itself, "starts_at", _ago(9))(c), _clear(_itself, "ends_at", _ago(1))(c))),
    ("prizes", lambda c: campaigns.remove_prize(c, c.prizes[0].id)),
    ("prizes", lambda c: campaigns.edit_prize(c, c.prizes[0].id, prize_input(value=0))),
    ("prizes", lambda c: campaigns.edit_prize(c, c.prizes[0].id, prize_input(texts={"en": {"title": "Only English"}}))),
    ("questions", lambda c: setattr(c.questions[0], "texts", {"en": {"label": "Only English?"}})),
]  # fmt: skip


def test_a_complete_draft_misses_nothing(draft: Campaign) -> None:
    assert missing_before_launch(draft) == []


@pytest.mark.parametrize(("where", "spoil"), SPOILED)
def test_publishing_is_refused_while_something_is_missing(
    draft: Campaign, where: str, spoil: Callable[[Campaign], None]
) -> None:
    spoil(draft)

    with i18n.speaking("fr"):
        problems = missing_before_launch(draft)
    assert {problem.where for problem in problems} == {where}
    assert all(problem.sentence for problem in problems)
    with pytest.raises(Invalid) as refused:
        campaigns.publish(draft)
    assert refused.value.field == where
    assert draft.status is S.DRAFT


def test_publishing_schedules_and_freezes_the_first_rules(draft: Campaign) -> None:
    campaigns.publish(draft)
    db.session.commit()

    (version,) = rules.versions(draft.id)
    assert (draft.status, draft.rules_version, version.number) == (S.SCHEDULED, 1, 1)
    assert draft.published_at is not None
    assert len(version.sha256) == 64
    assert version.snapshot["prizes"][0]["value"] == 150_000
    facts = set(db.session.scalars(select(Fact.name)))
    assert {FactName.CAMPAIGN_PUBLISHED.value, FactName.CAMPAIGN_MOVED.value} <= facts


def test_a_contest_whose_start_has_come_is_live_at_once(draft: Campaign) -> None:
    draft.starts_at = product_clock.now() - timedelta(minutes=1)

    campaigns.publish(draft)
    db.session.commit()

    assert draft.status is S.LIVE
    assert cards.by_id(draft.id).is_open()


def test_a_campaign_is_published_once(published: Campaign) -> None:
    with pytest.raises(Conflict):
        campaigns.publish(published)


def test_two_clicks_publish_once(app: Flask, draft: Campaign) -> None:
    start = Barrier(2)
    campaign_id = draft.id

    def click() -> bool:
        with app.app_context():
            mine = db.session.get_one(Campaign, campaign_id)
            start.wait()
            try:
                campaigns.publish(mine)
            except Conflict:
                return False
            db.session.commit()
            return True

    with ThreadPoolExecutor(2) as pool:
        clicks = [click.result() for click in [pool.submit(click) for _ in range(2)]]

    assert sorted(clicks) == [False, True]
    assert len(rules.versions(campaign_id)) == 1


# status, days from now to the start, to the end, and where the clock moves it; the grace is three days
MOVES = [
    (S.DRAFT, -2, 2, S.DRAFT),
    (S.SCHEDULED, 1, 9, S.SCHEDULED),
    (S.SCHEDULED, -1, 9, S.LIVE),
    (S.SCHEDULED, -9, -1, S.CLOSING),
    (S.SCHEDULED, -9, -4, S.CLOSED),
    (S.LIVE, -1, 9, S.LIVE),
    (S.LIVE, -9, -1, S.CLOSING),
    (S.LIVE, -9, -4, S.CLOSED),
    (S.PAUSED, -1, 9, S.PAUSED),
    (S.PAUSED, 1, 9, S.PAUSED),
    (S.PAUSED, -9, -1, S.CLOSING),
    (S.PAUSED, -9, -4, S.CLOSED),
    (S.CLOSING, -9, -1, S.CLOSING),
    (S.CLOSING, -9, -4, S.CLOSED),
    (S.CLOSED, -9, -4, S.CLOSED),
    (S.DRAWING, -9, -4, S.DRAWING),
    (S.AWARDED, -9, -4, S.AWARDED),
    (S.ARCHIVED, -9, 4, S.ARCHIVED),
]


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(("status", "start", "end", "expected"), MOVES)
def test_the_clock_moves_campaigns(status: S, start: int, end: int, expected: S) -> None:
    """F1: automatic moves compare now with the start, the end, and the end plus the grace."""
    now = product_clock.now()
    campaign = make_campaign(status=status, starts_at=now + timedelta(days=start), ends_at=now + timedelta(days=end))
    version = campaign.version

    assert jobs.move_on() == (status is not expected)
    assert jobs.move_on() == 0, "the job is idempotent"

    assert fresh(campaign).status is expected
    assert campaign.version == version + (status is not expected)


def test_a_whole_life(published: Campaign, clock: Clock) -> None:
    lived = [published.status]
    for _ in range(37):
        clock.forward(days=1)
        jobs.move_on()
        lived.append(fresh(published).status)

    assert list(dict.fromkeys(lived)) == [S.SCHEDULED, S.LIVE, S.CLOSING, S.CLOSED]


@pytest.mark.usefixtures("context")
def test_a_pause_closes_the_form_and_resuming_opens_it() -> None:
    campaign = make_campaign()

    campaigns.pause(campaign)
    db.session.commit()
    assert campaign.status is S.PAUSED
    assert not cards.by_id(campaign.id).is_open()

    campaigns.resume(campaign)
    db.session.commit()
    cards.forget()
    assert campaign.status is S.LIVE
    assert cards.by_id(campaign.id).is_open()


def test_resuming_before_the_start_is_scheduled_again(published: Campaign) -> None:
    campaigns.pause(published)
    campaigns.resume(published)

    assert published.status is S.SCHEDULED


@pytest.mark.usefixtures("context")
def test_what_cannot_be_paused_resumed_or_archived() -> None:
    for verb, allowed in (
        (campaigns.pause, {S.LIVE, S.SCHEDULED}),
        (campaigns.resume, {S.PAUSED}),
        (campaigns.archive, {S.CLOSED, S.AWARDED}),
    ):
        for status in set(S) - allowed:
            with pytest.raises(Conflict):
                verb(make_campaign(status=status, prizes=0, questions=0))


@pytest.mark.usefixtures("context")
def test_a_contest_that_is_over_can_be_archived() -> None:
    campaign = make_campaign(status=S.CLOSED)

    campaigns.archive(campaign)

    assert campaign.status is S.ARCHIVED
