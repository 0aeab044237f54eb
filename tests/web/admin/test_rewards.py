"""The studio's pages of rewards: tiers, who earned what, the vault, and the counter."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from leadgen.campaigns.models import Approval, Campaign, Delivery
from leadgen.core import clock as product_clock
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.rewards import jobs, loading, vault
from leadgen.rewards.models import Award
from tests.conftest import Clock
from tests.factories import make_entry
from tests.factories_contest import make_award_address, make_coupon, make_milestone
from tests.rewards.conftest import bring, look
from tests.web.admin.studio import Staff
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/rewards"


def _payload(**values: Any) -> dict[str, Any]:
    given = {"en-title": "A mug", "fr-title": "Un mug", "en-description": "", "fr-description": ""}
    given |= {"metric": "friends", "threshold": "3", "stock": "50", "delivery": "manual", "approval": "semi"}
    given |= {"claim_days": "", "file_url": "", "value": "10", "currency": "EUR", "prize_id": "", "picture": ""}
    given |= {"codes_until": ""}
    return given | values


def _tiers() -> list[dict[str, Any]]:
    return hot.many("SELECT * FROM milestone ORDER BY id", {})


def _campaign(world: World) -> Campaign:
    return db.session.get_one(Campaign, world.campaign.id)


def _earned(app: Flask, world: World, people: int = 1, **values: Any) -> tuple[int, list[int]]:
    """A tier that so many people have earned, and their awards."""
    with app.app_context():
        campaign = _campaign(world)
        tier = make_milestone(campaign, threshold=1, **({"approval": Approval.MANUAL, "stock": None} | values))
        if tier.delivery is Delivery.CODE:
            for number in range(people):
                make_coupon(tier, f"=CODE{number}")
        for _ in range(people):
            entry = make_entry(campaign, confirmed=True, first_name="Ben")
            bring(campaign, entry)
            look(entry)
        return tier.id, [row["id"] for row in hot.many("SELECT id FROM award ORDER BY id", {})]


def _states() -> list[str]:
    return [row["state"] for row in hot.many("SELECT state FROM award ORDER BY id", {})]


def test_a_tier_is_added_changed_moved_and_taken_away(ada: Staff, path: str) -> None:
    assert "No reward yet" in ada.get(path).text
    assert ada.post(f"{path}/new", _payload()).location == path
    ada.post(f"{path}/new", _payload(**{"en-title": "A bag", "threshold": "5", "stock": ""}))
    first, second = _tiers()
    assert (first["threshold"], first["stock"], first["value"], second["stock"]) == (3, 50, 1000, None)

    ada.post(f"{path}/{first['id']}", _payload(threshold="4"))
    assert _tiers()[0]["threshold"] == 4
    ada.post(f"{path}/{second['id']}/move", {"by": "up"})
    assert [row["position"] for row in _tiers()] == [2, 1]
    shown = ada.get(path).text
    assert "for 4 friends who count" in shown
    assert "50 of 50 left" in shown
    ada.post(f"{path}/{first['id']}/remove")
    assert [row["id"] for row in _tiers()] == [second["id"]]


def test_what_is_wrong_is_told_and_kept(ada: Staff, path: str) -> None:
    answer = ada.post(f"{path}/new", _payload(delivery="file", file_url="http://no.example"))
    assert answer.status_code == 422
    assert "beginning with https://" in answer.text
    assert 'value="A mug"' in answer.text
    assert ada.post(f"{path}/new", _payload(delivery="api")).status_code == 422
    assert _tiers() == []


def test_a_prize_sits_in_one_place_and_the_list_says_where(ada: Staff, world: World, base: str, path: str) -> None:
    prize = world.campaign.prizes[0]
    ada.post(f"{path}/new", _payload(prize_id=str(prize.id), stock="1"))
    assert "as a reward" in ada.get(f"{base}/prizes").text

    answer = ada.post(f"{path}/new", _payload(prize_id=str(prize.id), stock="1"))
    assert answer.status_code == 422
    assert "given away by the reward “A mug”" in answer.text


def test_a_tier_with_codes_is_not_taken_away_by_a_slip(app: Flask, ada: Staff, world: World, path: str) -> None:
    with app.app_context():
        tier = make_milestone(_campaign(world), delivery=Delivery.CODE).id
        make_coupon(db.session.get_one(type(make_milestone(_campaign(world))), tier))
    ada.post(f"{path}/{tier}/remove")
    assert tier in [row["id"] for row in _tiers()]
    ada.post(f"{path}/{tier}/remove", {"sure": "yes"})
    assert tier not in [row["id"] for row in _tiers()]


def test_many_are_approved_delivered_and_undone(app: Flask, ada: Staff, world: World, base: str) -> None:
    _tier, awards = _earned(app, world, 3)
    ids = [str(one) for one in awards]
    assert "To approve (3)" in ada.get(f"{base}/awards").text
    ada.post(f"{base}/awards", {"deed": "approve", "award": ids[:2]})
    assert _states() == ["approved", "approved", "earned"]
    ada.post(f"{base}/awards", {"deed": "refuse", "award": ids[2]})
    ada.post(f"{base}/awards", {"deed": "deliver", "award": ids})
    assert _states() == ["delivered", "delivered", "refused"]
    ada.post(f"{base}/awards", {"deed": "undo", "award": ",".join(ids)})
    assert _states() == ["approved", "approved", "earned"]
    assert "Ben" in ada.get(f"{base}/awards?state=approved").text


def test_what_nobody_can_do_changes_nothing(app: Flask, ada: Staff, world: World, base: str) -> None:
    _tier, [award] = _earned(app, world)
    ada.post(f"{base}/awards", {"deed": "approve", "award": str(award)})
    assert ada.post(f"{base}/awards", {"deed": "burn", "award": str(award)}).status_code == 400
    assert ada.post(f"{base}/awards", {"award": str(award)}).status_code == 400
    assert _states() == ["approved"]


def test_the_file_for_fulfilment_is_safe_to_open(app: Flask, ada: Staff, world: World, base: str) -> None:
    _earned(app, world, delivery=Delivery.CODE, approval=Approval.AUTO)
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{base}/awards.csv?state=delivered").text)))
    assert [(row["first_name"], row["state"], row["code"]) for row in rows] == [("Ben", "delivered", "'=CODE0")]


def _upload(ada: Staff, page: str, content: bytes) -> TestResponse:
    return ada.post(page, {"file": (io.BytesIO(content), "codes.csv")}, follow_redirects=True)


def _confirm(ada: Staff, page: str, shown: str) -> TestResponse:
    mark = re.search(r'name="mark" value="(\w+)"', shown)
    assert mark is not None
    return ada.post(f"{page}/confirm", {"do": "load", "mark": mark[1]}, follow_redirects=True)


@pytest.fixture
def vault_page(app: Flask, world: World, path: str) -> str:
    """The page of an empty vault."""
    with app.app_context():
        return f"{path}/{make_milestone(_campaign(world), delivery=Delivery.CODE, stock=None).id}/codes"


def test_codes_are_shown_then_loaded_with_a_report_and_written_out(ada: Staff, vault_page: str) -> None:
    assert "There is no code yet" in ada.get(vault_page).text
    shown = _upload(ada, vault_page, b"ONE\nTWO\nONE\n=1\n").text
    assert "Nothing is loaded yet" in shown
    assert "Load 3 codes" in shown
    assert "Line 3" in shown
    assert "stands twice in the file" in shown
    assert hot.many("SELECT code FROM coupon", {}) == []

    loaded = _confirm(ada, vault_page, shown).text
    assert "3 codes were added." in loaded
    assert "stands twice in the file" in loaded
    assert "Nothing is loaded yet" not in loaded

    ada.post(f"{vault_page}/void", {"code": "TWO"})
    written = list(csv.DictReader(io.StringIO(ada.get(f"{vault_page}.csv").text)))
    assert [(row["code"], row["status"]) for row in written] == [("ONE", "free"), ("TWO", "void"), ("'=1", "free")]
    again = _upload(ada, vault_page, b"TWO\nTHREE\n").text
    assert "is in the vault already" in again
    assert "Load 1 code" in again


def test_the_report_keeps_its_tabs_and_its_address_leads_back_to_the_vault(ada: Staff, vault_page: str) -> None:
    """Whoever changes the language there, or opens the address again, asks for it with GET."""
    vault = ada.get(vault_page).text
    loaded = _confirm(ada, vault_page, _upload(ada, vault_page, b"ONE\n").text).text
    assert "1 code was added." in loaded
    assert loaded.count('aria-current="page"') == vault.count('aria-current="page"') > 0
    again = ada.get(f"{vault_page}/confirm")
    assert (again.status_code, again.location) == (303, vault_page)


def test_what_cannot_be_read_is_refused_and_says_where(ada: Staff, vault_page: str) -> None:
    assert _upload(ada, vault_page, b"\xff\xfe\xff").status_code == 422
    assert ada.post(vault_page, {}).status_code == 422
    wrong = _upload(ada, vault_page, b'ONE\n"TWO\nTHREE\nFOUR\n')
    assert wrong.status_code == 422
    assert "Line 2: a quotation mark is opened there and not closed" in wrong.text


def test_a_file_that_was_looked_at_can_be_left(ada: Staff, vault_page: str) -> None:
    shown = _upload(ada, vault_page, b"ONE\n").text
    assert "Nothing was loaded." in ada.post(f"{vault_page}/confirm", {"do": "drop"}, follow_redirects=True).text
    assert "does not wait any more" in _confirm(ada, vault_page, shown).text
    assert hot.many("SELECT code FROM coupon UNION ALL SELECT name FROM code_file", {}) == []


def test_a_yes_is_said_to_the_file_that_was_seen(ada: Staff, vault_page: str) -> None:
    seen = _upload(ada, vault_page, b"ONE\n").text
    _upload(ada, vault_page, b"OTHER\n")
    assert "does not wait any more" in _confirm(ada, vault_page, seen).text
    assert hot.many("SELECT code FROM coupon", {}) == []


def test_a_file_nobody_loads_goes_after_a_day(app: Flask, ada: Staff, vault_page: str, clock: Clock) -> None:
    shown = _upload(ada, vault_page, b"ONE\n").text
    clock.forward(hours=23)
    with app.app_context():
        jobs.keep_time()
    ada.sign_in()
    assert "Load 1 code" in ada.get(vault_page).text
    clock.forward(hours=2)
    ada.sign_in()
    assert "Load 1 code" not in ada.get(vault_page).text
    assert "does not wait any more" in _confirm(ada, vault_page, shown).text
    assert hot.many("SELECT code FROM coupon", {}) == []
    with app.app_context():
        jobs.keep_time()
    assert hot.many("SELECT name FROM code_file", {}) == []


def test_a_file_that_waits_is_read_once_however_often_it_is_looked_at(
    ada: Staff, vault_page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _upload(ada, vault_page, b"ONE\nONE\n" + b"\0" * 65 + b"\n").text
    monkeypatch.setattr(loading, "_codes", None)
    again = ada.get(vault_page).text
    for said in ("Load 1 code", "Line 2", "stands twice in the file", "Line 3"):
        assert said in shown
        assert said in again


def test_a_file_that_cannot_be_loaded_any_more_says_why_and_waits_on(
    ada: Staff, vault_page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _upload(ada, vault_page, b"ONE\nTWO\nONE\n").text
    monkeypatch.setattr(loading, "MOST_CODES", 1)
    answer = _confirm(ada, vault_page, shown)
    assert answer.status_code == 422
    assert "Load at most 1 codes at once." in answer.text
    assert "stands twice in the file" in answer.text
    assert hot.many("SELECT code FROM coupon", {}) == []


def test_a_large_file_is_taken_here_and_nowhere_else(
    app: Flask, ada: Staff, vault_page: str, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 50_000)
    content = "".join(f"{number:060d}\n" for number in range(2_000)).encode()
    assert "Load 2000 codes" in _upload(ada, vault_page, content).text
    assert ada.post(f"{base}/dates", {"countries": "x" * 100_000}).status_code == 413


def test_a_code_is_honoured_once_at_the_counter(app: Flask, ada: Staff, world: World) -> None:
    tier, _ = _earned(app, world, delivery=Delivery.CODE, approval=Approval.AUTO)
    page = ada.get("/admin/redeem?code=%3Dcode0").text
    assert "Ben" in page
    assert "Mark as used" in page
    coupon = hot.many("SELECT id FROM coupon", {})[0]["id"]
    ada.post(f"/admin/redeem/{coupon}")
    assert "noted by" in ada.get("/admin/redeem?code=%3DCODE0").text
    ada.post(f"/admin/redeem/{coupon}")
    with app.app_context():
        assert vault.counts([tier])[tier].used == 1
    assert "No such code" in ada.get("/admin/redeem?code=NOPE").text


def test_another_brand_s_code_and_tier_do_not_exist(app: Flask, ada: Staff, world: World, path: str) -> None:
    with app.app_context():
        foreign = make_milestone(db.session.get_one(Campaign, world.other_campaign.id))
        tier, coupon = foreign.id, make_coupon(foreign, "SECRET").id
    assert "No such code" in ada.get("/admin/redeem?code=SECRET").text
    assert ada.post(f"/admin/redeem/{coupon}").status_code == 404
    assert ada.get(f"{path}/{tier}").status_code == 404
    assert ada.get(f"{path}/{tier}/codes").status_code == 404
    assert ada.get(f"{path}/{tier}/codes.csv").status_code == 404


def test_addresses_are_shown_exported_and_deleted_once_they_serve_nothing(
    app: Flask, ada: Staff, base: str, path: str, world: World
) -> None:
    tier_id, [sent, waiting] = _earned(app, world, people=2, is_address_asked=True)
    with app.app_context():
        make_award_address(db.session.get_one(Award, sent), street="=1 rue du Port", phone="+33 6 12")
        make_award_address(db.session.get_one(Award, waiting), street="2 quai de la Fosse")
        db.session.commit()
    ada.post(f"{base}/awards", {"award": [sent, waiting], "deed": "approve"})
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{base}/awards.csv").text)))
    assert [row["sent_to_street"] for row in rows] == ["'=1 rue du Port", "2 quai de la Fosse"]
    assert rows[0]["sent_to_phone"] == "'+33 6 12"
    ada.post(f"{base}/awards", {"award": sent, "deed": "deliver"})

    page = ada.get(f"{base}/awards?tier={tier_id}").text
    assert "2 quai de la Fosse" in page
    assert "1 rue du Port" not in page, "nobody needs it any more"
    assert "1 address belongs to a reward that is delivered" in page
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{base}/awards.csv").text)))
    assert [row["sent_to_street"] for row in rows] == ["", "2 quai de la Fosse"]

    ada.post(f"{base}/awards/addresses", {})
    assert len(hot.many("SELECT street FROM award_address", {})) == 2, "nobody said that they are sure"
    ada.post(f"{base}/awards/addresses", {"sure": "yes"})
    assert [row["street"] for row in hot.many("SELECT street FROM award_address", {})] == ["2 quai de la Fosse"]


def test_an_address_is_asked_only_for_what_is_delivered_by_hand(
    app: Flask, ada: Staff, path: str, world: World
) -> None:
    ada.post(f"{path}/new", _payload(is_address_asked="y"))
    ada.post(f"{path}/new", _payload(is_address_asked="y", delivery="code"))
    assert [tier["is_address_asked"] for tier in _tiers()] == [True, False]


def test_codes_are_good_until_a_day_which_the_counter_asks_about(
    app: Flask, ada: Staff, world: World, path: str, clock: Clock
) -> None:
    with app.app_context():
        last_day = product_clock.today(_campaign(world).timezone) + timedelta(days=3)
    tier, _ = _earned(app, world, delivery=Delivery.CODE, approval=Approval.AUTO, codes_until=last_day)
    coupon = hot.many("SELECT id FROM coupon", {})[0]["id"]
    assert f'name="codes_until" type="date" value="{last_day}"' in ada.get(f"{path}/{tier}").text
    page = ada.get("/admin/redeem?code=%3DCODE0").text
    assert "Good until" in page
    assert "even_over" not in page

    clock.forward(days=4)
    ada.sign_in()
    page = ada.get("/admin/redeem?code=%3DCODE0").text
    assert "This code expired on" in page
    assert 'name="even_over"' in page
    ada.post(f"/admin/redeem/{coupon}")
    assert hot.many("SELECT status FROM coupon", {}) == [{"status": "assigned"}]
    ada.post(f"/admin/redeem/{coupon}", {"even_over": "yes"})
    assert hot.many("SELECT status FROM coupon", {}) == [{"status": "used"}]


def test_the_last_day_of_codes_is_of_codes_only_and_not_over(
    app: Flask, ada: Staff, path: str, world: World, clock: Clock
) -> None:
    with app.app_context():
        today = product_clock.today(_campaign(world).timezone)
    assert ada.post(f"{path}/new", _payload(delivery="code", codes_until=f"{today}")).status_code == 303
    assert ada.post(f"{path}/new", _payload(codes_until=f"{today}")).status_code == 303
    assert [tier["codes_until"] for tier in _tiers()] == [today, None]
    for wrong in (f"{today - timedelta(days=1)}", "soon", "0001-01-01"):
        assert ada.post(f"{path}/new", _payload(delivery="code", codes_until=wrong)).status_code == 422, wrong
    clock.forward(days=2)
    ada.sign_in()
    kept = _payload(delivery="code", codes_until=f"{today}", stock="60")
    assert ada.post(f"{path}/{_tiers()[0]['id']}", kept).status_code == 303, "a day that is past already may stay"
