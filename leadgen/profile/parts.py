"""What is held about a person besides name and answers, told part by part: what it is, why it is held, how long.

Every part is made from the file that the person may download (`entries.held.data` and what other rooms add to it), so
that the page cannot show less than the file, nor something else.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext

Held = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is held: what it is, and what is kept of it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """A subject. `why` is the purpose and its ground, `kept` how long; without lines `nothing` says so."""

    key: str
    title: str
    why: str
    kept: str
    lines: tuple[Line, ...]
    nothing: str


def of(held: Held) -> list[Part]:
    """All parts in their order, in the current language, with moments in the person's own time zone."""
    return [part(held) for part in PARTS]


def zone_of(held: Held) -> str:
    """The person's time zone as their browser or they said it; UTC where it is not known."""
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(held["timezone"]).key
    return "UTC"


def entries(held: Held) -> Part:
    """Which contests they are in, and where they stand."""
    return Part(
        "entries",
        _("Your entries"),
        _("To run the contest that you entered, and to tell you if you win (performance of the contest rules)."),
        _("Until you erase it, and three years after your last sign of life at the longest."),
        tuple(Line(one["contest"], _entry(one, zone_of(held))) for one in held["entries"]),
        _("You take part in nothing."),
    )


def friends(held: Held) -> Part:
    """Who brought them and whom they brought: numbers only, for the others are other people."""
    lines = []
    for one in held["entries"]:
        told = [
            ngettext("%(num)s friend confirmed", "%(num)s friends confirmed", one["friends_confirmed"])
            % {"num": i18n.format_number(one["friends_confirmed"])},
        ]
        told += [_("a friend invited you")] if one["is_invited"] else []
        lines.append(Line(one["contest"], " · ".join(told)))
    return Part(
        "friends",
        _("Friends"),
        _("To count points and places: who invited you, and whom you invited (performance of the contest rules)."),
        _("As long as your entry. If you erase your data, your friends stay in."),
        tuple(lines),
        _("You invited nobody, and nobody invited you."),
    )


def rewards(held: Held) -> Part:
    """What they won, and where it was sent."""
    lines = [Line(_title(one["reward"]), _reward(one, zone_of(held))) for one in held["rewards"]]
    return Part(
        "rewards",
        _("Rewards"),
        _("To give you what you earned (performance of the contest rules)."),
        _("As long as your entry; an address for sending is deleted 30 days after delivery."),
        tuple(lines),
        _("No reward yet."),
    )


def letters(held: Held) -> Part:
    """How many mails left, by contest and purpose, and the last one."""
    purposes = {"confirmation": _("confirmation"), "service": _("about the contest"), "marketing": _("news and offers")}
    sent = [one for one in held["mails"] if one["sent_at"]]
    kinds = Counter((one["contest"], one["purpose"]) for one in sent)
    lines = []
    for (contest, purpose), number in kinds.items():
        last = max(one["sent_at"] for one in sent if (one["contest"], one["purpose"]) == (contest, purpose))
        said = ngettext("%(num)s mail, the last on %(day)s", "%(num)s mails, the last on %(day)s", number)
        value = said % {"num": i18n.format_number(number), "day": _moment(last, zone_of(held))}
        lines.append(Line(f"{contest} · {purposes.get(purpose, purpose)}", value))
    clicks = len(held["clicks"])
    if clicks:
        lines.append(Line(_("Links that were followed"), i18n.format_number(clicks)))
    return Part(
        "letters",
        _("Mails that we sent you"),
        _("To know what you already heard, and to prove what we sent. Whether you open a mail is not tracked."),
        _("As long as your entry."),
        tuple(lines),
        _("We have sent you nothing."),
    )


def fairness(held: Held) -> Part:
    """What is kept to keep the contest fair: how much of it, with the details in the file."""
    seen, points = len(held["how_you_came"]), sum(one["score"] for one in held["checks"])
    numbers = ((_("How you came in"), seen), (_("Points of doubt"), points))
    return Part(
        "fairness",
        _("Fair play"),
        _("To keep the contest fair: keyed hashes of your network, the kind of your browser (our interest in that)."),
        _("The network is blanked after 30 days, all of it 30 days after the contest is over."),
        tuple(Line(label, i18n.format_number(number)) for label, number in numbers if number),
        _("Nothing is kept."),
    )


def value(held: Held) -> Part:
    """What they bought, and what they are reckoned to be worth."""
    lines = [Line(one["reference"], _sale(one, zone_of(held))) for one in held["sales"]]
    for one in held["value_to_us"]:
        for label, key in ((_("By what you did"), "own"), (_("Through people you brought"), "through_people_brought")):
            lines.append(Line(label, i18n.format_money(one[key], one["currency"])))
    return Part(
        "value",
        _("What you bought, and your value to us"),
        _("To choose whom to thank and write to first (our interest). Nothing is decided about you by it alone."),
        _("Until you erase it, and three years after your last sign of life at the longest."),
        tuple(lines),
        _("We know of nothing that you bought, and reckon no value."),
    )


def scores(held: Held) -> Part:
    """How well they fit and how engaged they are, and the points that make each number."""
    found = held["scores"] or {}
    lines = []
    for name, label in (("fit", _("How well our offers fit you")), ("engagement", _("How much you take part"))):
        if told := found.get(name):
            lines.append(Line(label, i18n.format_number(told["number"])))
            lines += [Line(one["reason"], i18n.format_number(one["points"])) for one in told["because_of"]]
    return Part(
        "scores",
        _("What your answers and deeds are counted as"),
        _("To send what fits you, and less of what does not (our interest). Nothing is decided about you by it alone."),
        _("Reckoned anew with everything you answer or do; gone with your data."),
        tuple(lines),
        _("Nothing is counted yet."),
    )


def series(held: Held) -> Part:
    """Which series of letters they are or were in."""
    return Part(
        "series",
        _("Series of letters"),
        _("To send you letters that fit what you did and answered, one after the other (your consent to news)."),
        _("As long as your entry; which way you took in them goes as soon as you erase your data."),
        tuple(Line(one["contest"], _one_series(one, zone_of(held))) for one in held["sequences"]),
        _("You are in no series of letters."),
    )


# The order of the page. Whoever holds something more adds it to the file (web.public.sections.HELD), and here one
# function that tells it.
PARTS: Sequence[Callable[[Held], Part]] = (entries, friends, rewards, letters, series, fairness, scores, value)


def _entry(one: Mapping[str, Any], zone: str) -> str:
    told = [_("entered on %(day)s") % {"day": _moment(one["entered_at"], zone)}]
    if one["confirmed_at"]:
        told.append(_("confirmed on %(day)s") % {"day": _moment(one["confirmed_at"], zone)})
    points = one["points"]
    told.append(ngettext("%(num)s point", "%(num)s points", points) % {"num": i18n.format_number(points)})
    told.append(_("number %(number)s") % {"number": one["public_id"]})
    if one["display_name"]:
        told.append(_("shown as “%(name)s”") % {"name": one["display_name"]})
    return " · ".join(told)


def _reward(one: Mapping[str, Any], zone: str) -> str:
    told = [_("earned on %(day)s") % {"day": _moment(one["earned_at"], zone)}]
    if one["delivered_at"]:
        told.append(_("delivered on %(day)s") % {"day": _moment(one["delivered_at"], zone)})
    if one["sent_to"]:
        told.append(_("sent to %(city)s") % {"city": one["sent_to"]["city"]})
    return " · ".join(told)


def _one_series(one: Mapping[str, Any], zone: str) -> str:
    began = _("since %(day)s") % {"day": _moment(one["began_at"], zone)}
    state = {
        "active": _("goes on"),
        "finished": _("went to its end"),
        "exited": _("ended early"),
        "held_out": _("nothing is sent, for comparison"),
    }.get(one["status"], one["status"])
    return f"{began} · {state}"


def _sale(one: Mapping[str, Any], zone: str) -> str:
    return f"{i18n.format_money(one['amount'], one['currency'])} · {_moment(one['at'], zone)}"


def _title(words: Mapping[str, str]) -> str:
    return words.get(i18n.locale()) or next((found for found in words.values() if found), _("Reward"))


def _moment(written: str, zone: str) -> str:
    return i18n.format_date(datetime.fromisoformat(written), zone)
