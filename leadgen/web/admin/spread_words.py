"""The studio's words for how a campaign spreads: names and definitions of figures, states of referrals, spans."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from leadgen.analytics.crowds import Asked, Crowd, Openings
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.entries.models import ReferralState, Review
from leadgen.web.admin import words


def crowd(name: str) -> str:
    """What a group of people is called."""
    return {
        Crowd.ENTRIES: _("Entries"),
        Crowd.CONFIRMED: _("Confirmed people"),
        Crowd.CLEAR: _("Confirmed people without flag"),
        Crowd.REFERRED: _("Referred entries"),
        Crowd.REFERRED_CONFIRMED: _("Referred people who confirmed"),
        Crowd.REFERRED_CLEAR: _("Referred people who confirmed, without flag"),
        Crowd.COUNTED: _("Referrals that count"),
        Crowd.HELD: _("Referrals on hold"),
        Crowd.CHECKED: _("Referrals that wait for a decision"),
        Crowd.QUALITY: _("Referred people of quality"),
        Crowd.CYCLE: _("Friends with their cycle time"),
        Crowd.REFERRERS: _("People who brought somebody"),
        Crowd.SHARERS: _("People who shared"),
        Crowd.SHARERS_CONFIRMED: _("Confirmed people who shared"),
        Crowd.SHARERS_CLEAR: _("Confirmed people without flag who shared"),
    }[Crowd(name)]


def meaning(name: str) -> str:
    """Who exactly belongs to a group."""
    shared = _("Sharing means: a person really opened their link, or they did a share action.")
    return {
        Crowd.ENTRIES: _("Everybody who sent the entry form; one for each person."),
        Crowd.CONFIRMED: _("Entries whose address was confirmed by its owner."),
        Crowd.CLEAR: _("Confirmed people who are neither held nor excluded by the fraud check."),
        Crowd.REFERRED: _("Entries that came through a friend’s link or code."),
        Crowd.REFERRED_CONFIRMED: _("Confirmed people who came through a friend’s link or code."),
        Crowd.REFERRED_CLEAR: _("The same without those whom the fraud check holds or excludes."),
        Crowd.COUNTED: _("Referred people whose referral has the state “counted”: their referrer has the points."),
        Crowd.HELD: _("Referred people whose referral waits: for the delay of the campaign, or for a check."),
        Crowd.CHECKED: _("Referred people whose points wait until somebody decides in the review."),
        Crowd.QUALITY: _(
            "Referred people who confirmed, whose referral counts, whom the fraud check neither holds nor excludes, "
            "and who answered at least one question. Where the campaign asks none, the last is dropped."
        ),
        Crowd.CYCLE: _("Confirmed people whose referrer confirmed too: the time lies between both confirmations."),
        Crowd.REFERRERS: _("People through whose link or code at least one friend entered."),
        Crowd.SHARERS: shared,
        Crowd.SHARERS_CONFIRMED: shared,
        Crowd.SHARERS_CLEAR: shared,
    }[Crowd(name)]


def openings(which: str) -> str:
    """What a set of openings is called."""
    return {
        Openings.HUMAN: _("Links opened by people"),
        Openings.HUMAN_CONFIRMED: _("Links of confirmed people, opened by people"),
        Openings.HUMAN_CLEAR: _("Links of confirmed people without flag, opened by people"),
    }[Openings(which)]


def openings_meaning() -> str:
    """Which openings count."""
    return _(
        "Each time a referral link was opened and the page behind it was really seen. Previews, scanners, prefetches, "
        "repeats within half an hour and the person’s own visits are not counted. Friends who follow the link in one "
        "browser within half an hour share an opening, and a typed code needs none: so friends can outnumber openings."
    )


def narrowed(asked: Asked) -> list[str]:
    """To what a list is narrowed, in words."""
    found = []
    if asked.depth is not None:
        found.append(generation(asked.depth))
    if asked.week is not None:
        found.append(_("entered in the week of %(day)s") % {"day": week(asked.week)})
    if asked.brought_week is not None:
        found.append(_("brought by people who entered in the week of %(day)s") % {"day": week(asked.brought_week)})
    return found


def generation(depth: int) -> str:
    """How far somebody is from a person who came alone."""
    if depth == 0:
        return _("Came alone")
    return _("Generation %(number)s") % {"number": i18n.format_number(depth)}


def level(number: int) -> str:
    """The generations below one person."""
    return {1: _("Friends"), 2: _("Friends of friends"), 3: _("Third generation")}[number]


def week(monday: date) -> str:
    """A week by its first day."""
    return i18n.format_date(monday, style="medium")


def weeks_end(monday: date) -> str:
    """The last day of a week."""
    return week(monday + timedelta(days=6))


def referral_state(name: str) -> str:
    """What a referral's state is called."""
    return {
        ReferralState.NONE: _("Came alone"),
        ReferralState.AWAITING: _("Waits for confirmation"),
        ReferralState.ON_HOLD: _("On hold"),
        ReferralState.COUNTED: _("Counts"),
        ReferralState.NOT_COUNTED: _("Does not count"),
        ReferralState.REVERSED: _("Taken back"),
    }[ReferralState(name)]


def review(name: str) -> str:
    """What the fraud check says of a person; empty when nothing is wrong."""
    return {Review.CLEAR: "", Review.HELD: _("Being checked"), Review.EXCLUDED: _("Excluded")}[Review(name)]


def span(seconds: float | None) -> str:
    """A length of time with its two leading units, as cycle times need them; a dash when there is none."""
    if seconds is None:
        return "–"
    sign = "−" if seconds < 0 else ""
    minutes = round(abs(seconds) / 60)
    if minutes < 60:
        return sign + ngettext("%(number)d min", "%(number)d min", minutes) % {"number": minutes}
    if minutes < 48 * 60:
        return sign + _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}
    hours = round(minutes / 60)
    return sign + _("%(days)d d %(hours)d h") % {"days": hours // 24, "hours": hours % 24}


def fraction(value: Fraction | None, places: int = 2) -> str:
    """A number with so many decimals, in the reader's form; a dash when there is nothing to divide by."""
    return words.ratio(None if value is None else float(round(value, places)))
