"""The friends on the person's page: each with its state, in words that teach no evasion, and a way to remind them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import request

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, links
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.entries import friends
from leadgen.entries.friends import Family, FriendState
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing

_MARKS = {Family.COUNTED: ("success", "check"), Family.UNCONFIRMED: ("warning", "clock"), Family.WAITING: ("", "clock")}


class FriendLine(NamedTuple):
    """One friend as the page shows them; `tone` and `icon` are of the badge, `can_be_reminded` while they wait."""

    name: str
    friend: FriendState
    words: str
    tone: str
    icon: str
    can_be_reminded: bool


def section(standing: Standing, card: CampaignCard, token: str) -> dict[str, Any]:
    """The newest fifty friends, or those after the one that the address names; and the reminder's three ways."""
    del token
    if standing.status is not EntryStatus.CONFIRMED or not (standing.friends or "friends" in request.args):
        return {"friend_lines": [], "friends_after": None, "reminders": []}
    typed = request.args.get("friends", "")
    before = int(typed) if typed.isdecimal() and len(typed) < 19 else None
    found = friends.states_of(standing.entry_id, before_id=before, limit=friends.PAGE + 1)
    shown = found[: friends.PAGE]
    return {
        "friend_lines": [_line(friend) for friend in shown],
        "friends_after": shown[-1].entry_id if len(found) > friends.PAGE else None,
        "reminders": _reminders(card, standing),
    }


def _line(friend: FriendState) -> FriendLine:
    tone, icon = _MARKS.get(friend.family, ("", ""))
    is_open = friend.confirmed_at is None and friend.family is Family.UNCONFIRMED and friend.reason == ""
    return FriendLine(friend.first_name or _("A friend"), friend, _words(friend), tone, icon, is_open)


def _words(friend: FriendState) -> str:
    """What the person reads: a family of reasons, never the rule behind it."""
    if friend.family is Family.WAITING and friend.held_until is not None:
        days = math.ceil((friend.held_until - clock.now()).total_seconds() / 86400)
        if days > 0:
            return ngettext("counts in %(num)s day", "counts in %(num)s days", days) % {"num": days}
    return {
        Family.COUNTED: _("counted"),
        Family.UNCONFIRMED: _("not confirmed yet") if friend.reason == "" else _("not confirmed in time"),
        Family.CHECKED: _("being checked"),
        Family.WAITING: _("counts in a moment"),
        Family.MAILBOX_USED: _("mailbox already used"),
        Family.OVER_LIMIT: _("over the limit of this contest"),
        Family.NOT_POSSIBLE: _("could not be counted"),
    }[friend.family]


def _reminders(card: CampaignCard, standing: Standing) -> list[tuple[str, str]]:
    """Name and address of the person's own apps with our words; who receives them is between friends (rule 7)."""
    words = _("Have you confirmed your entry in “%(contest)s” yet? Look for the mail of %(brand)s, also in spam.") % {
        "contest": card.text("title", standing.locale),
        "brand": card.brand.sender_name or card.brand.name,
    }
    title, text = quote(card.text("title", standing.locale), safe=""), quote(words, safe="")
    link = quote(" " + links.referral(standing.code), safe="")
    return [
        ("WhatsApp", f"https://wa.me/?text={text}{link}%3Fch%3Dwa"),
        (_("E-mail"), f"mailto:?subject={title}&body={text}{link}%3Fch%3Dem"),
        ("SMS", f"sms:?&body={text}{link}%3Fch%3Dsms"),
    ]
