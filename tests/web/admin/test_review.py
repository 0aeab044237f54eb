"""The review desk in the studio: lists, a case, decisions with a way back, messages, strictness."""

from __future__ import annotations

import re

import pytest
import redis
from flask import Flask

from leadgen.campaigns.models import Campaign, CampaignStatus, FraudPreset
from leadgen.contacts import service as contacts
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import Bell
from leadgen.entries import referrals
from leadgen.entries.models import Entry, ReferralReason, ReferralState, Review
from leadgen.fraud import looks, safelist
from leadgen.fraud.models import Decision, Ruling, Verdict
from tests.factories import fresh, make_entry
from tests.factories_contest import make_appeal, make_sighting, make_signal, make_verdict
from tests.fraud.conftest import work
from tests.web.admin.studio import Staff
from tests.world import World


@pytest.fixture
def friend_id(app: Flask, world: World) -> int:
    """A friend of Ben's whose points wait."""
    with app.app_context():
        campaign, ben = db.session.get_one(Campaign, world.campaign.id), db.session.get_one(Entry, world.ben.id)
        friend = make_entry(campaign, confirmed=True, referrer=ben, first_name="Nina", email="nina@mail.example")
        make_sighting(friend, network=b"n" * 16, address=b"a" * 16)
        for code, points in (("same_device", 22), ("swapped_device", 30)):
            make_signal(friend, code, points=points)
        make_verdict(friend, score=52)
        referrals.hold(friend.id, ReferralReason.RISK)
        db.session.commit()
        return friend.id


def test_the_queue_shows_reasons_and_points_at_stake(ada: Staff, base: str, friend_id: int) -> None:
    page = ada.get(f"{base}/review").text
    assert "Nina" in page
    assert "It came from the same browser" in page
    assert re.search(r'data-label="At stake">\s*5', page)
    for which in ("held", "excluded", "accepted", "all", "nonsense"):
        assert ada.get(f"{base}/review?list={which}").status_code == 200
    assert "Nobody matches" in ada.get(f"{base}/review?text=zzz").text


def test_the_case_explains_itself_and_shows_the_effect(ada: Staff, base: str, world: World, friend_id: int) -> None:
    page = ada.get(f"{base}/review/{friend_id}").text
    assert "It came from the same browser" in page
    assert "What a decision would do" in page
    assert re.search(r"Ben: \d+ points become \d+", page)
    head = ada.get(f"{base}/review/{world.ben.id}").text
    assert '<svg class="group-graph"' in head
    assert "Nina" in head
    assert ada.get(f"{base}/review/987654321").status_code == 404


def test_a_decision_is_applied_and_taken_back(app: Flask, ada: Staff, base: str, friend_id: int) -> None:
    answer = ada.post(f"{base}/review/rule", {"entry": str(friend_id), "deed": "accept", "reason": "my cousin"})
    assert answer.status_code == 303
    with app.app_context():
        assert db.session.get_one(Entry, friend_id).referral_state is ReferralState.COUNTED
        ruling = db.session.query(Ruling).one()
        assert (ruling.deed, ruling.reason) == (Decision.ACCEPTED, "my cousin")
    page = ada.get(f"{base}/review").text
    assert "Accepted: 1 person." in page
    assert "Undo" in page
    log = " ".join(re.sub(r"<[^>]+>", "", ada.get(f"{base}/review/log").text).split())
    assert "Ada accepted Nina n•••@m•••.example." in log
    assert "my cousin" in log
    assert "nina@mail.example" not in log

    assert ada.post(f"{base}/review/rulings/{ruling.id}/undo", {}).status_code == 303
    with app.app_context():
        assert db.session.get_one(Entry, friend_id).referral_state is ReferralState.ON_HOLD


def _deeds(page: str, form: str) -> list[str]:
    """The decisions that the form with this action offers, in order."""
    found = next(part for part in page.split("<form")[1:] if f'action="{form}"' in part.split(">")[0])
    return re.findall(r'name="deed" value="(\w+)"', found.split("</form>")[0])


def test_only_decisions_that_change_something_are_offered(app: Flask, ada: Staff, base: str, friend_id: int) -> None:
    rule, case = f"{base}/review/rule", f"{base}/review/{friend_id}"
    page = ada.get(case).text
    assert _deeds(page, rule) == ["accept", "hold", "reject"]
    assert "They count for the friend who invited them." in page
    assert "Leaves board and draw until somebody decides." in page
    assert "Leaves board and draw." in page

    ada.post(rule, {"entry": str(friend_id), "deed": "accept", "reason": "x"})
    page = ada.get(case).text
    assert _deeds(page, rule) == ["hold", "reject", "open"]
    assert "Leave to the score" in page
    assert "The points of the friend who invited them wait." in page, "fifty-two points hold when nobody decides"
    assert _deeds(ada.get(f"{base}/review?list=accepted").text, rule) == ["hold", "reject", "open"]

    ada.post(rule, {"entry": str(friend_id), "deed": "open", "reason": "let it be"})
    with app.app_context():
        assert db.session.get_one(Entry, friend_id).referral_state is ReferralState.ON_HOLD
    assert _deeds(ada.get(f"{base}/review").text, rule) == ["accept", "hold", "reject"]


def test_who_gives_no_doubt_is_not_offered_what_changes_nothing(ada: Staff, base: str, world: World) -> None:
    assert _deeds(ada.get(f"{base}/review/{world.ben.id}").text, f"{base}/review/rule") == ["hold", "reject"]


def test_a_final_list_is_not_decided_about(app: Flask, ada: Staff, base: str, friend_id: int) -> None:
    with app.app_context():
        campaign = db.session.get_one(Entry, friend_id).campaign_id
        db.session.get_one(Campaign, campaign).status = CampaignStatus.DRAWING
        db.session.commit()
    page = ada.get(f"{base}/review/{friend_id}").text
    assert "The list of entrants is final" in page
    assert 'name="deed"' not in page


def test_the_log_tells_of_erased_people_without_their_names(app: Flask, ada: Staff, base: str, friend_id: int) -> None:
    ada.post(f"{base}/review/rule", {"entry": str(friend_id), "deed": "accept", "reason": "my cousin"})
    with app.app_context():
        contacts.erase(db.session.get_one(Entry, friend_id).contact_id)
        db.session.commit()
    page = ada.get(f"{base}/review/log").text
    assert "somebody erased" in page
    assert "Nina" not in page


def test_excluding_takes_the_points_and_not_the_referrer(
    app: Flask, ada: Staff, base: str, world: World, friend_id: int
) -> None:
    ada.post(f"{base}/review/rule", {"entry": str(friend_id), "deed": "reject", "reason": "made by a script"})
    with app.app_context():
        assert db.session.get_one(Entry, friend_id).review == "excluded"
        assert db.session.get_one(Entry, world.ben.id).review == "clear"


@pytest.mark.parametrize("form", [{"deed": "accept", "reason": "x"}, {"entry": "1", "deed": "burn", "reason": "x"}])
def test_half_a_decision_is_refused_with_a_sentence(
    ada: Staff, base: str, friend_id: int, form: dict[str, str]
) -> None:
    assert ada.post(f"{base}/review/rule", form).status_code == 303
    assert "Tick at least one person" in ada.get(f"{base}/review").text


def test_a_decision_without_a_reason_changes_nothing(app: Flask, ada: Staff, base: str, friend_id: int) -> None:
    ada.post(f"{base}/review/rule", {"entry": str(friend_id), "deed": "reject", "reason": " "})
    assert "Say why" in ada.get(f"{base}/review").text
    with app.app_context():
        assert db.session.get_one(Verdict, friend_id).decision is Decision.NONE


def test_people_of_another_brand_are_not_touched(app: Flask, ada: Staff, base: str, world: World) -> None:
    with app.app_context():
        stranger = make_entry(db.session.get_one(Campaign, world.other_campaign.id), confirmed=True)
        make_verdict(stranger, score=90)
        stranger_id = stranger.id
    ada.post(f"{base}/review/rule", {"entry": str(stranger_id), "deed": "reject", "reason": "x"})
    assert ada.get(f"{base}/review/{stranger_id}").status_code == 404
    with app.app_context():
        assert db.session.get_one(Verdict, stranger_id).decision is Decision.NONE


def test_a_message_is_answered_once_and_what_was_typed_stays(app: Flask, ada: Staff, base: str, world: World) -> None:
    with app.app_context():
        make_appeal(db.session.get_one(Entry, world.ben.id))
    page = ada.get(f"{base}/review/messages")
    assert "These are my cousins." in page.text
    wrong = ada.post(f"{base}/review/messages", {"entry": str(world.ben.id), "answer": "x" * 1001})
    assert wrong.status_code == 422
    assert "x" * 1001 in wrong.text
    assert ada.post(f"{base}/review/messages", {"entry": str(world.ben.id), "answer": "They count."}).status_code == 303
    assert "They count." in ada.get(f"{base}/review/messages").text


def test_strictness_shows_who_would_change_before_it_is_used(
    app: Flask, ada: Staff, base: str, world: World, friend_id: int
) -> None:
    page = ada.get(f"{base}/review/strictness?preset=strict").text
    assert "Nina" in page
    assert "leaves board and draw for now" in page
    with app.app_context():
        assert db.session.get_one(Campaign, world.campaign.id).fraud_preset is FraudPreset.BALANCED
    assert ada.post(f"{base}/review/strictness", {"preset": "strict"}).status_code == 303
    with app.app_context():
        assert db.session.get_one(Campaign, world.campaign.id).fraud_preset is FraudPreset.STRICT


def test_a_new_strictness_is_applied_soon_after_it_is_saved(
    app: Flask,
    ada: Staff,
    base: str,
    friend_id: int,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung: list[Bell] = []
    monkeypatch.setattr(queue, "ring", rung.append)
    monkeypatch.setattr(queue, "ring_after_commit", lambda _session, bell: rung.append(bell))
    assert ada.post(f"{base}/review/strictness", {"preset": "strict"}).status_code == 303
    assert Bell.LOOKS in rung
    with app.app_context():
        assert db.session.get_one(Entry, friend_id).review is Review.CLEAR
        work(redis_client)
        assert fresh(db.session.get_one(Entry, friend_id)).review is Review.HELD


def test_what_is_safe_is_looked_at_after_the_commit(app: Flask, world: World, friend_id: int) -> None:
    with app.app_context():
        brand_id = db.session.get_one(Campaign, world.campaign.id).brand_id
        safelist.add(brand_id, "domain", "school.example", by="Ada")
        db.session.rollback()
        assert looks.waiting() == []
        safelist.add(brand_id, "domain", "school.example", by="Ada")
        db.session.commit()
        assert looks.waiting() == [world.campaign.id]


def test_an_empty_desk_teaches(ada: Staff, base: str) -> None:
    assert "Nothing to decide" in ada.get(f"{base}/review").text
    assert "No decisions yet" in ada.get(f"{base}/review/log").text
    assert "No messages" in ada.get(f"{base}/review/messages").text


def test_what_is_safe_is_added_removed_and_refused_with_a_sentence(ada: Staff, base: str, friend_id: int) -> None:
    wrong = ada.post(f"{base}/review/safe", {"kind": "domain", "value": "no domain"})
    assert wrong.status_code == 422
    assert "no domain" in wrong.text
    assert ada.post(f"{base}/review/safe", {"kind": "domain", "value": "school.example"}).status_code == 303
    assert ada.post(f"{base}/review/safe", {"kind": "household", "entry": str(friend_id)}).status_code == 303
    page = ada.get(f"{base}/review/safe?by=host").text
    assert "school.example" in page
    assert "Household" in page
    number = re.search(r'name="remove" value="(\d+)"', page)
    assert number
    assert ada.post(f"{base}/review/safe", {"remove": number[1]}).status_code == 303
    assert ada.post(f"{base}/review/safe", {"remove": "987654321"}).status_code == 404
    for kind in ("source", "host", "channel", "network", "nonsense"):
        assert ada.get(f"{base}/review/safe?by={kind}").status_code == 200
