"""Rule 7: the product never writes to a friend's address; people pass their link on from their own apps."""

from __future__ import annotations

from flask import Flask

from leadgen.letters import kinds
from tests.house.source import ROOT

_WORDS = ("invite", "remind", "friend")


def test_rule_7_no_route_takes_a_message_to_a_friend(app: Flask) -> None:
    writing = [rule for rule in app.url_map.iter_rules() if (rule.methods or set()) & {"POST", "PUT", "PATCH"}]
    public = [rule.rule for rule in writing if not rule.rule.startswith("/admin")]
    assert public
    assert [rule for rule in public if any(word in rule for word in _WORDS)] == []


def test_rule_7_reminders_open_the_person_s_own_apps() -> None:
    page = (ROOT / "templates" / "public" / "me" / "_friends.html").read_text()
    assert "<form" not in page
    code = (ROOT / "leadgen" / "web" / "public" / "friends.py").read_text()
    assert all(app in code for app in ("https://wa.me/?text=", "mailto:?subject=", "sms:?&body="))


def test_rule_7_the_letter_about_friends_goes_to_the_referrer() -> None:
    assert not kinds.ALL["friend_counted"].is_marketing
