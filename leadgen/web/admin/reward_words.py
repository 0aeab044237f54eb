"""What rewards, their states and the reasons of refused codes are called in the studio, in the reader's language."""

from __future__ import annotations

from leadgen.campaigns.models import Approval, Delivery, Mechanic, Metric, Milestone
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.rewards import news
from leadgen.rewards.models import AwardState, CouponStatus


def title(milestone: Milestone) -> str:
    """A tier's name."""
    return news.title(milestone, i18n.locale()) or _("Without a name")


def needs(milestone: Milestone) -> str:
    """What a tier takes, in a few words."""
    if milestone.metric is Metric.ENTRY:
        return _("for everybody who confirms")
    number = {"num": i18n.format_number(milestone.threshold)}
    if milestone.metric is Metric.FRIENDS:
        sentence = ngettext("for %(num)s friend who counts", "for %(num)s friends who count", milestone.threshold)
    else:
        sentence = ngettext("for %(num)s point", "for %(num)s points", milestone.threshold)
    return sentence % number


def metric(value: Metric) -> str:
    """What a tier counts."""
    return {
        Metric.FRIENDS: _("Friends who count"),
        Metric.POINTS: _("Points"),
        Metric.ENTRY: _("The confirmed entry"),
    }[value]


def delivery(value: Delivery) -> str:
    """How a reward reaches its owner."""
    return {
        Delivery.CODE: _("A code from the vault"),
        Delivery.FILE: _("A file to download"),
        Delivery.MANUAL: _("You send it"),
        Delivery.API: _("Another system sends it"),
    }[value]


def approval(value: Approval) -> str:
    """Who says that it may go out."""
    return {
        Approval.AUTO: _("Nobody: it goes out at once"),
        Approval.SEMI: _("You, while a friend who supports it is being checked"),
        Approval.MANUAL: _("You, each time"),
    }[value]


def state(value: AwardState) -> str:
    """How an award stands."""
    return {
        AwardState.EARNED: _("To approve"),
        AwardState.RESERVE: _("On the reserve list"),
        AwardState.APPROVED: _("To deliver or claim"),
        AwardState.DELIVERED: _("Delivered"),
        AwardState.REVIEW: _("To review"),
        AwardState.REFUSED: _("Refused"),
        AwardState.RECLAIMED: _("Taken back"),
        AwardState.EXPIRED: _("Expired"),
    }[value]


def tone(value: AwardState) -> str:
    """The colour of its badge."""
    return {
        AwardState.EARNED: "warning",
        AwardState.REVIEW: "danger",
        AwardState.DELIVERED: "success",
        AwardState.APPROVED: "accent",
    }.get(value, "")


def coupon(value: CouponStatus) -> str:
    """Where a code is."""
    return {
        CouponStatus.FREE: _("free"),
        CouponStatus.ASSIGNED: _("handed out"),
        CouponStatus.USED: _("used"),
        CouponStatus.VOID: _("void"),
    }[value]


def reject(reason: str) -> str:
    """Why a line of an import was not taken."""
    return {
        "twice": _("stands twice in the file"),
        "known": _("is in the vault already"),
        "long": _("is longer than 64 characters"),
        "unreadable": _("holds signs that do not print"),
    }[reason]


def mechanic(value: Mechanic) -> str:
    """What gives a prize away."""
    return {
        Mechanic.DRAW: _("by the draw"),
        Mechanic.RANK: _("by rank"),
        Mechanic.MILESTONES: _("as a reward"),
        Mechanic.CODES: _("as a code for everybody"),
        Mechanic.WAITLIST: _("by the waiting list"),
        Mechanic.QUIZ: _("by the quiz"),
        Mechanic.VOTES: _("by votes"),
    }[value]


def options_of(what: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """The choices of a field: `what` is metric, delivery or approval."""
    if what == "metric":
        return [(value, metric(Metric(value))) for value in values]
    if what == "delivery":
        return [(value, delivery(Delivery(value))) for value in values]
    return [(value, approval(Approval(value))) for value in values]
