"""The words of the page of one's data: what was agreed to and how, what each purpose means, what just happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext


@dataclass(frozen=True, slots=True)
class Act:
    """One act of the person about a purpose, with what proves it."""

    purpose: str
    deed: str
    at: datetime
    way: str
    wording: str
    rules_version: str
    seal: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """What data are used for. `press` is the value that its button sends, empty where a page asks first (`link`)."""

    key: str
    title: str
    words: str
    is_standing: bool
    button: str
    press: str = ""
    link: str = ""


def act(one: Mapping[str, Any]) -> Act:
    """An act of the file in words."""
    evidence = one["evidence"]
    return Act(
        purpose={"rules": _("Rules of the contest"), "marketing": _("News and offers")}.get(one["purpose"], ""),
        deed={
            "given": _("agreed"),
            "refused": _("refused"),
            "confirmed": _("confirmed by the mailbox"),
            "withdrawn": _("withdrawn"),
            "expired": _("not confirmed in time"),
        }.get(one["action"], one["action"]),
        at=datetime.fromisoformat(one["at"]),
        way=_way(one["channel"]),
        wording=str(evidence.get("wording", "")),
        rules_version=str(evidence.get("rules_version", "") or ""),
        seal=(one["seal"] or "")[:12],
    )


def _way(channel: str) -> str:
    return {
        "form": _("on the form"),
        "confirm page": _("on the page behind the mail"),
        "cookie_post": _("on the page behind the mail"),
        "button_post": _("on the page behind the mail"),
        "code": _("by the code of the mail"),
        "my page": _("on your page"),
        "my data page": _("on this page"),
        "unsubscribe page": _("by the link in a mail"),
        "one-click": _("by your mailbox’s own button"),
        "provider": _("through your mailbox provider"),
        "complaint": _("by marking a mail as unwanted"),
        "import": _("by a list that we took over"),
        "refuse page": _("by saying that it was not you"),
        "deadline": _("by the end of the time to confirm"),
        "restore": _("kept through a restore of our tables"),
        "admin": _("by our staff"),
    }.get(channel, channel)


def purposes(held: Mapping[str, Any], answered: int) -> list[Purpose]:
    """What the data are used for, each with the way out."""
    is_subscribed = held["is_subscribed"]
    return [
        Purpose(
            "news",
            _("News and offers by e-mail"),
            _("You agreed to it; you can leave at any time, and stay in the contest.")
            if is_subscribed
            else _("You do not receive them. Nothing else depends on it."),
            is_subscribed,
            _("Stop news and offers") if is_subscribed else _("Receive news and offers"),
            press="no-news" if is_subscribed else "news",
        ),
        Purpose(
            "answers",
            _("Fitting what we send to your answers"),
            ngettext(
                "You gave %(num)s answer. Withdraw this, and it is forgotten at once; points stay.",
                "You gave %(num)s answers. Withdraw this, and all are forgotten at once; points stay.",
                answered,
            )
            % {"num": answered}
            if answered
            else _("You gave no answer, so nothing is fitted to you."),
            bool(answered),
            _("Forget all my answers") if answered else "",
            press="answers",
        ),
        Purpose(
            "contest",
            _("Taking part"),
            _("The contest cannot be run without your address. To end this, erase your data: you leave the contest."),
            is_standing=True,
            button=_("Erase my data"),
            link="erase",
        ),
    ]


def done(said: str) -> str:
    """What just happened, in one sentence; empty for what nothing did."""
    return {
        "corrected": _("Done. What you wrote stands from now on."),
        "same": _("Nothing was different, so nothing was changed."),
        "answer": _("Done. Your answer is corrected; the points that it earned stay."),
        "taken": _("Done. This answer is forgotten; the points that it earned stay."),
        "answers": _("Done. All your answers are forgotten; the points that they earned stay."),
        "news": _("Thank you. You will hear from us."),
        "no-news": _("Done. We send you no more news and offers."),
    }.get(said, "")


def sections(held: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The parts of the file that hold lines, under names that people read; one alone is a list of one."""
    titles = {
        "entries": _("Your entries"),
        "answers": _("Your answers"),
        "consents": _("What you agreed to"),
        "mails": _("Mails that we sent you"),
        "clicks": _("Links that were followed"),
        "not_written_to_because": _("Why we do not write to you"),
        "events": _("What happened"),
        "deeds": _("Actions"),
        "forms": _("Forms"),
        "questions_passed_over": _("Questions passed over"),
        "works": _("Works"),
        "votes_given": _("Votes"),
        "rewards": _("Rewards"),
        "messages_about_checks": _("Messages about checks"),
        "how_you_came": _("How you came in"),
        "checks": _("Fair play"),
        "openings_of_your_links": _("How your links were opened"),
        "scores": _("What your answers and deeds are counted as"),
        "sales": _("What you bought"),
        "value_to_us": _("Your value to us"),
        "sequences": _("Series of letters"),
    }
    parts = {name: [value] if isinstance(value, dict) else value for name, value in held.items() if value}
    return [(titles.get(name, name), lines) for name, lines in parts.items() if isinstance(lines, list)]
