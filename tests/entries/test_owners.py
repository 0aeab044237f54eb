"""Whoever changes many contacts holds them in one order: no two that do so end in a deadlock (migration 0011)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta

import psycopg
import pytest
from flask import current_app
from psycopg.errors import LockNotAvailable

from leadgen.campaigns.models import Approval, Campaign
from leadgen.contacts import service as contacts
from leadgen.core import clock, hot, settings
from leadgen.core.db import db
from leadgen.entries import owners, points
from leadgen.entries.models import Entry, ReferralState
from leadgen.gallery import forgetting as gallery_forgetting
from leadgen.gallery import service as gallery
from leadgen.gallery.models import WorkState
from leadgen.gallery.service import Before
from leadgen.journal.models import Fact
from leadgen.mail import clicks, ladder
from leadgen.profile import service as profile
from leadgen.rewards import desk, milestones, upkeep
from leadgen.rewards.models import AwardState
from tests.factories import (
    make_campaign,
    make_click,
    make_entry,
    make_message,
    make_pending_points,
    make_provider_event,
)
from tests.factories_contest import make_action, make_award, make_milestone, make_work

Verb = Callable[[], object]


@pytest.fixture
def rival(context: None) -> Iterator[psycopg.Connection]:
    """Another transaction, like a fold that is under way."""
    url = settings.get().database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def two(context: None) -> tuple[Entry, Entry]:
    """Two people of one contest, in the order of their contacts."""
    campaign = make_campaign()
    return make_entry(campaign, confirmed=True), make_entry(campaign, confirmed=True)


def _contest(entry: Entry) -> Campaign:
    return db.session.get_one(Campaign, entry.campaign_id)


def _hold(rival: psycopg.Connection, table: str, key: int) -> None:
    rival.execute(f"SELECT FROM {table} WHERE id = %s FOR NO KEY UPDATE NOWAIT", (key,))


def _while_waiting(rival: psycopg.Connection, verb: Verb, then: Verb) -> None:
    """Run `verb` beside us until the rival blocks it, do `then`, let it end."""
    app, trouble = current_app._get_current_object(), []  # type: ignore[attr-defined]

    def run() -> None:
        with app.app_context():
            try:
                verb()
                db.session.commit()
            except Exception as error:  # noqa: BLE001 - told to the test
                trouble.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    blocked = (
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    )
    until = time.monotonic() + 5
    try:
        while not rival.execute(blocked).fetchone()[0]:  # type: ignore[index]
            assert thread.is_alive(), "nobody waited for the rival"
            assert time.monotonic() < until
            time.sleep(0.01)
        then()
    finally:
        rival.rollback()
        thread.join(20)
    assert not trouble


def _milestones(first: Entry, second: Entry) -> Verb:
    make_milestone(_contest(first), threshold=1, approval=Approval.AUTO)
    for referrer in (second, first):  # the second got there first
        make_entry(_contest(first), confirmed=True, referrer=referrer, referral_state=ReferralState.COUNTED)
    ids = [first.id, second.id]
    return lambda: milestones.evaluate(ids)


def _lost(first: Entry, second: Entry) -> Verb:
    tier = make_milestone(_contest(first), threshold=1)
    for entry in (second, first):
        make_award(entry, tier, state=AwardState.APPROVED)
    ids = [first.id, second.id]
    return lambda: milestones.evaluate(ids)


def _expired(first: Entry, second: Entry) -> Verb:
    tier = make_milestone(_contest(first), threshold=1)
    for entry in (second, first):
        make_award(entry, tier, state=AwardState.APPROVED, claim_until=clock.now() - timedelta(days=1))
    return upkeep.expire


def _refused(first: Entry, second: Entry) -> Verb:
    tier = make_milestone(_contest(first), threshold=1)
    ids = [make_award(entry, tier, state=AwardState.EARNED).id for entry in (second, first)]
    campaign_id = first.campaign_id
    return lambda: desk.decide(campaign_id, ids, desk.Deed.REFUSE, "Ada")


def _works(first: Entry, second: Entry, state: WorkState) -> list[int]:
    action = make_action(_contest(first))
    return [make_work(entry, action, state=state).id for entry in (second, first)]


def _published(first: Entry, second: Entry) -> Verb:
    ids, campaign_id = _works(first, second, WorkState.WAITING), first.campaign_id
    return lambda: gallery.decide(campaign_id, ids, WorkState.PUBLISHED, by="Ada")


def _restored(first: Entry, second: Entry) -> Verb:
    ids, campaign_id = _works(first, second, WorkState.PUBLISHED), first.campaign_id
    before = [Before(one, WorkState.WAITING, "") for one in ids]
    return lambda: gallery.restore(campaign_id, before, by="Ada")


def _forgotten(first: Entry, second: Entry) -> Verb:
    _works(first, second, WorkState.PUBLISHED)
    facts = [Fact(contact_id=entry.contact_id) for entry in (first, second)]
    return lambda: gallery_forgetting.forget(facts)


def _left(first: Entry, second: Entry) -> Verb:
    for entry in (second, first):
        make_provider_event(make_message(entry), kind="unsubscribe")
    return ladder.apply_waiting


def _bounced(first: Entry, second: Entry) -> Verb:
    for entry in (second, first):
        make_provider_event(make_message(entry), kind="spamreport")
    return ladder.apply_waiting


def _clicked(first: Entry, second: Entry) -> Verb:
    """The second's click came so soon that it is a machine's; the first gave a sign of life."""
    an_hour_ago, long_ago = clock.now() - timedelta(hours=1), clock.now() - timedelta(days=9)
    for entry in (first, second):
        contacts.get(entry.contact_id).last_inbound_at = long_ago
    make_click(make_message(first), at=an_hour_ago)
    message = make_message(second)
    make_click(message, at=an_hour_ago, evidence={"same": False})
    delivered = {"event": "delivered", "timestamp": str(int(an_hour_ago.timestamp()))}
    make_provider_event(message, kind="delivered", payload=delivered)
    return clicks.fold


@pytest.mark.parametrize(
    "prepare",
    [_milestones, _lost, _expired, _refused, _published, _restored, _forgotten, _left, _bounced, _clicked],
)
def test_many_contacts_are_held_in_the_order_of_their_ids(
    rival: psycopg.Connection, two: tuple[Entry, Entry], prepare: Callable[[Entry, Entry], Verb]
) -> None:
    """Whoever waits for the first has not taken the second yet."""
    first, second = (entry.contact_id for entry in two)
    assert first < second
    verb = prepare(*two)
    db.session.commit()
    _hold(rival, "contact", first)
    _while_waiting(rival, verb, lambda: _hold(rival, "contact", second))


def test_a_fold_takes_entries_before_contacts(rival: psycopg.Connection, two: tuple[Entry, Entry]) -> None:
    """As confirming and erasing do."""
    entry = two[0]
    make_pending_points(entry)
    entry_id, contact_id = entry.id, entry.contact_id
    db.session.commit()
    _hold(rival, "entry", entry_id)
    _while_waiting(rival, points.fold, lambda: _hold(rival, "contact", contact_id))


def test_a_fold_adds_the_lines_of_those_whom_it_holds(
    two: tuple[Entry, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is committed a moment later waits for the next fold, even under a lower number."""
    held, late = two
    make_pending_points(held)
    make_pending_points(late)
    db.session.commit()
    line = hot.one("DELETE FROM ledger_pending WHERE entry_id = %(entry)s RETURNING *", {"entry": late.id})
    assert line is not None

    def hold(entry_ids: Collection[int], **how: bool) -> None:
        owners_hold(entry_ids, **how)
        hot.many(
            "INSERT INTO ledger_pending (id, campaign_id, entry_id, points, chances, kind, proof, friends, at) "
            "OVERRIDING SYSTEM VALUE VALUES (0, %(campaign_id)s, %(entry_id)s, %(points)s, %(chances)s, %(kind)s, "
            "%(proof)s, %(friends)s, %(at)s)",
            line,
        )

    owners_hold = owners.hold
    monkeypatch.setattr(owners, "hold", hold)
    assert points.fold() == 1
    monkeypatch.undo()
    assert points.fold() == 1


def test_a_correction_takes_entries_before_the_contact(rival: psycopg.Connection, two: tuple[Entry, Entry]) -> None:
    """As confirming and erasing do."""
    entry_id, contact_id = two[0].id, two[0].contact_id
    db.session.commit()
    _hold(rival, "entry", entry_id)

    def correct() -> None:
        profile.correct(contact_id, first_name="Anna", locale="fr", timezone="")

    _while_waiting(rival, correct, lambda: _hold(rival, "contact", contact_id))


def test_leaving_stops_nobody_who_points_to_the_contact(rival: psycopg.Connection, two: tuple[Entry, Entry]) -> None:
    """Scoring thousands holds a share of each; only an erasure makes it wait."""
    contact_id = two[0].contact_id
    db.session.commit()
    share = "SELECT FROM contact WHERE id = %s FOR KEY SHARE NOWAIT"
    contacts.unsubscribe(contact_id, "provider")
    db.session.flush()
    rival.execute(share, (contact_id,))
    rival.rollback()
    contacts.erase(contact_id)
    with pytest.raises(LockNotAvailable):
        rival.execute(share, (contact_id,))
    db.session.rollback()
