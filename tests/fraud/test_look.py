"""Looking at entries: sightings, signals and bands from the form to the ledger."""

from __future__ import annotations

import pytest

from leadgen import reactions
from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, FraudPreset
from leadgen.contacts import service as contacts
from leadgen.core.db import db
from leadgen.entries import entering
from leadgen.entries.models import Entry, ReferralState, Review
from leadgen.fraud import reading, service, sightings
from leadgen.fraud.models import Sighting, Signal, Verdict
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.factories import fresh, make_entry
from tests.factories_contest import make_sighting, make_signal
from tests.fraud.conftest import look


def _enter(campaign: Campaign, email: str, **values: object) -> Entry:
    found = entering.enter(cards.by_id(campaign.id), filled(email, **values))
    return db.session.get_one(Entry, found.entry_id)


def test_an_entry_leaves_hashes_and_families_never_an_address(campaign: Campaign) -> None:
    entry = _enter(campaign, "zoe@mail.example", ip="192.0.2.77", device="ab12", user_agent="Mozilla Chrome/1 Windows")
    reactions.drain()
    found = db.session.get_one(Sighting, entry.id)
    assert (found.device, found.agent, found.network_kind) == ("ab12", "Chrome Windows", "isp")
    assert found.form_seconds == 12
    text = str(rows("SELECT to_jsonb(s) AS it FROM sighting s")[0])
    assert "192.0.2" not in text
    assert b"192.0.2".hex() not in text


def test_two_addresses_of_a_network_share_its_hash_alone(campaign: Campaign) -> None:
    ids = [_enter(campaign, f"p{n}@mail.example", ip=f"192.0.2.{n}").id for n in (1, 2)]
    reactions.drain()
    one, two = (db.session.get_one(Sighting, entry_id) for entry_id in ids)
    assert one.network == two.network
    assert one.address != two.address


def _crowd_on_one_browser(campaign: Campaign, number: int = 8) -> tuple[Entry, list[Entry]]:
    head = make_entry(campaign, confirmed=True)
    made = []
    for _ in range(number):
        friend = make_entry(campaign, confirmed=True, referrer=head, referral_state=ReferralState.COUNTED)
        make_sighting(friend, device="the-same", network=b"n", address=b"a", form_seconds=2.0)
        made.append(friend)
    return head, made


def test_a_doubtful_referral_waits_and_its_person_stays_in(campaign: Campaign) -> None:
    head, made = _crowd_on_one_browser(campaign)
    look(*(friend.id for friend in made))
    states = {fresh(friend).referral_state for friend in made[1:]}
    assert states == {ReferralState.ON_HOLD}
    assert fresh(head).review is Review.CLEAR
    assert rows("SELECT sum(points) AS sum FROM ledger WHERE entry_id = %(id)s AND kind = 'referral'", id=head.id)


def test_looking_again_changes_nothing(campaign: Campaign) -> None:
    _, made = _crowd_on_one_browser(campaign)
    look(*(friend.id for friend in made))
    before = rows("SELECT id, at, code, points, evidence FROM signal ORDER BY id")
    lines = rows("SELECT count(*) AS n FROM ledger")
    look(*(friend.id for friend in made))
    assert rows("SELECT id, at, code, points, evidence FROM signal ORDER BY id") == before
    assert rows("SELECT count(*) AS n FROM ledger") == lines


def test_the_whole_contest_and_its_pieces_come_to_the_same(campaign: Campaign) -> None:
    _, made = _crowd_on_one_browser(campaign)
    for friend in made:
        look(friend.id)
    pieces = rows("SELECT entry_id, score FROM verdict ORDER BY entry_id")
    service.rescore(campaign.id)
    db.session.commit()
    assert rows("SELECT entry_id, score FROM verdict ORDER BY entry_id") == pieces


def test_relaxed_flags_and_holds_nothing(campaign: Campaign) -> None:
    campaign.fraud_preset = FraudPreset.RELAXED
    db.session.commit()
    _, made = _crowd_on_one_browser(campaign)
    look(*(friend.id for friend in made))
    assert {fresh(friend).referral_state for friend in made} == {ReferralState.COUNTED}
    assert db.session.query(Verdict).count() > 0


def test_a_dry_look_says_who_would_change_and_writes_nothing(campaign: Campaign) -> None:
    _crowd_on_one_browser(campaign)
    changes = service.rescore(campaign.id, is_dry=True)
    assert [change.before for change in changes] == [0] * len(changes)
    assert changes
    assert db.session.query(Signal).count() == 0


def test_erasing_a_person_forgets_how_they_came(campaign: Campaign) -> None:
    _, made = _crowd_on_one_browser(campaign)
    look(*(friend.id for friend in made))
    contacts.erase(made[3].contact_id)
    db.session.commit()
    reactions.drain()
    assert db.session.get(Sighting, made[3].id) is None
    assert rows("SELECT 1 FROM signal WHERE entry_id = %(id)s", id=made[3].id) == []


def test_addresses_are_blanked_after_thirty_days(campaign: Campaign, clock: Clock) -> None:

    entry = _enter(campaign, "zoe@mail.example")
    reactions.drain()
    clock.forward(days=31)
    sightings.age()
    found = rows("SELECT network, address FROM sighting WHERE entry_id = %(id)s", id=entry.id)[0]
    assert bytes(found["address"]) == b""
    assert bytes(found["network"]) != b""


def test_somebody_famous_blinds_nobody(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group too large to read is left to the night; its members' own signals, and everybody else, are scored."""
    famous = make_entry(campaign, confirmed=True)
    friends = [make_entry(campaign, confirmed=True, referrer=famous) for _ in range(6)]
    other = make_entry(campaign, confirmed=True)
    _, crowd = _crowd_on_one_browser(campaign, 4)
    for number, one in enumerate([*friends, other]):
        make_sighting(one, device="", network=bytes([number]), address=b"", is_trapped=True)
    make_signal(friends[0], "lifeless", points=22)
    monkeypatch.setattr(reading, "MOST_AROUND", 6)
    look(friends[0].id, other.id, crowd[1].id)
    scores = {row["entry_id"]: row["score"] for row in rows("SELECT entry_id, score FROM verdict")}
    assert scores[friends[0].id] == 18 + 22
    assert scores[other.id] == 18
    assert scores[crowd[1].id] > 0
    assert friends[1].id not in scores
