"""What people did, as the database keeps it on their contacts: always what their rows add up to (migration 0011)."""

from __future__ import annotations

import random
import threading
from typing import Any

import psycopg
from sqlalchemy import text

from leadgen.actions.models import DeedState
from leadgen.campaigns import cards
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock, hot, settings
from leadgen.core.db import db
from leadgen.entries import confirming, entering
from leadgen.mail.models import ClickKind
from tests.entries.conftest import filled
from tests.factories import make_campaign, make_click, make_entry, make_message
from tests.factories_contest import make_action, make_deed
from tests.segments import oracle
from tests.segments.conftest import People

# Every way in which rows that count come, change and go; `:one` is a number that chooses among them.
CHANGES = (
    "UPDATE entry SET points = :one % 5 - 1, friends_counted = :one % 3 WHERE id % 3 = :one % 3",
    "UPDATE entry SET status = CASE WHEN :one % 2 = 0 THEN 'confirmed' ELSE 'erased' END WHERE id % 4 = :one % 4",
    # To a contact that is not in that contest yet.
    """
    UPDATE entry e SET contact_id = c.id FROM contact c WHERE c.brand_id = e.brand_id
       AND e.id = (SELECT max(id) FROM entry WHERE id % 5 = :one % 5) AND c.id = (
        SELECT max(id) FROM contact f WHERE f.brand_id = e.brand_id
           AND NOT EXISTS (SELECT FROM entry o WHERE o.contact_id = f.id AND o.campaign_id = e.campaign_id))
    """,
    "UPDATE deed SET state = CASE WHEN state = 'done' THEN 'refused' ELSE 'done' END WHERE id % 3 = :one % 3",
    "UPDATE work SET state = CASE WHEN state = 'published' THEN 'waiting' ELSE 'published' END WHERE id % 2 = :one % 2",
    "UPDATE award SET state = CASE WHEN state = 'earned' THEN 'expired' ELSE 'earned' END WHERE id % 2 = :one % 2",
    "UPDATE click SET kind = CASE WHEN kind = 'human' THEN 'machine' ELSE 'human' END WHERE id % 3 = :one % 3",
    "DELETE FROM click WHERE id % 9 = :one % 9",
    "DELETE FROM deed WHERE id % 9 = :one % 9",
    "DELETE FROM award WHERE id % 9 = :one % 9",
)
KEPT = ("points", "friends", "deeds", "works", "rewards", "clicks", "contests", "clicked_at")


def _kept() -> list[dict[str, Any]]:
    rows = db.session.execute(text(f"SELECT id, {', '.join(KEPT)} FROM contact ORDER BY id"))
    return [dict(row._mapping) | {"contests": sorted(row.contests)} for row in rows]


def test_figures_are_what_the_rows_add_up_to_whatever_changes(people: People) -> None:
    dice = random.Random(3)
    now = clock.now()
    for _time in range(40):
        db.session.execute(text(dice.choice(CHANGES)), {"one": dice.randrange(100)})
        db.session.commit()
    names = KEPT[:6]
    for contact in people.contacts:
        db.session.refresh(contact)
        known = oracle.known(people.catalogue, people.brand, contact, now)
        assert {name: getattr(contact, name) for name in names} == {name: known[name] for name in names}
        assert sorted(map(str, contact.contests)) == known["confirmed"]
        assert (contact.clicked_at is None) == (known["clicked.on"] is None)
    kept = _kept()
    db.session.execute(text("SELECT reckon_everybody()"))
    assert _kept() == kept


def test_what_was_loaded_past_the_triggers_is_reckoned_for_everybody(people: People) -> None:
    kept = _kept()
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE contact SET points = 7, friends = 7, contests = '{7}', clicked_at = now()"))
    db.session.execute(text("SELECT reckon_everybody()"))
    assert _kept() == kept


def test_of_who_is_erased_no_figure_is_left_whatever_comes_later(context: None) -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True, points=7, friends_counted=2)
    deed = make_deed(entry, make_action(campaign))
    click = make_click(make_message(entry), kind=ClickKind.HUMAN)
    db.session.commit()
    before = _kept()[0]
    assert all(before[name] for name in ("points", "friends", "deeds", "clicks", "clicked_at", "contests"))
    contacts.erase(entry.contact_id)
    db.session.commit()
    nothing = dict.fromkeys(KEPT, 0) | {"id": entry.contact_id, "contests": [], "clicked_at": None}
    assert _kept() == [nothing]
    entry.points, deed.state, click.kind = 3, DeedState.REFUSED, ClickKind.MACHINE
    db.session.commit()
    make_deed(entry, make_action(campaign))
    db.session.commit()
    db.session.execute(text("SELECT reckon_everybody()"))
    assert _kept() == [nothing]


def test_two_at_the_same_time_are_both_counted(context: None) -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, confirmed=True)
    deed = make_deed(entry, make_action(campaign))
    db.session.commit()
    again = (
        "INSERT INTO deed (campaign_id, entry_id, action_id, occurrence, begun_at) "
        "SELECT campaign_id, entry_id, action_id, %s, begun_at FROM deed WHERE id = %s"
    )
    url = settings.get().database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(url) as first, psycopg.connect(url, autocommit=True) as second:
        first.execute(again, ["first", deed.id])
        other = threading.Thread(target=second.execute, args=(again, ["second", deed.id]))
        other.start()
        other.join(0.2)
        assert other.is_alive(), "the second waits for the first"
        first.commit()
        other.join(10)
    assert db.session.get_one(Contact, entry.contact_id, populate_existing=True).deeds == 3


def test_confirming_notes_the_contest_and_writes_the_contact_once(context: None) -> None:
    campaign = make_campaign()
    cards.forget()
    entry_id = entering.enter(cards.by_id(campaign.id), filled("anna@mail.example")).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    found = hot.one(
        "SELECT c.contests, c.xmin = e.xmin AND c.cmin = e.cmin AS is_one_command "
        "FROM entry e JOIN contact c ON c.id = e.contact_id WHERE e.id = %(entry)s",
        {"entry": entry_id},
    )
    assert found == {"contests": [campaign.id], "is_one_command": True}
