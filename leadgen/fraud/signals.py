"""Each signal as a sentence with its numbers, in the reader's language; stored are only code and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from leadgen.core.i18n import format_number
from leadgen.core.i18n import gettext as _
from leadgen.fraud import weights


class HasEvidence(Protocol):
    """A stored signal (models.Signal) or a found one (observations.Found)."""

    @property
    def code(self) -> str:
        """Which signal."""

    @property
    def evidence(self) -> Mapping[str, Any]:
        """The numbers of its sentence."""


def sentence(signal: HasEvidence) -> str:
    """What was seen, as a sentence that a member of staff can check; for a code that is no longer known, the code."""
    word = _SENTENCES.get(signal.code)
    return word() % _Numbers(signal.evidence) if word else signal.code


def others(signal: HasEvidence) -> list[int]:
    """The entries that the sentence speaks of besides its own."""
    return list(signal.evidence.get("others", ()))


class _Numbers(dict[str, Any]):
    """Evidence as it is written; a number that an older version did not store shows as “?”."""

    def __init__(self, evidence: Mapping[str, Any]) -> None:
        super().__init__({name: _written(value) for name, value in evidence.items()})

    def __missing__(self, name: str) -> str:
        return "?"


def _written(value: Any) -> str:
    return format_number(value) if isinstance(value, (int, float)) else str(value)


_SENTENCES: Mapping[str, Callable[[], str]] = {
    "bounced": lambda: _("Mail to this address comes back, although it was confirmed once."),
    "trapped": lambda: _("A field that people do not see was filled in."),
    "instant_form": lambda: _("The form was sent after %(seconds)s s, faster than a browser fills it in."),
    "fast_form": lambda: _("The form was sent after %(seconds)s s."),
    "no_script": lambda: _("The form was sent without the page's script running."),
    "datacentre": lambda: _("The entry came from a data centre, as through a tunnel or from a program."),
    "odd_name": lambda: _("The name in front of the @ looks made up by a machine."),
    "role_address": lambda: _("The address belongs to a function rather than to a person."),
    "same_device": lambda: _("It came from the same browser as the referrer's own entry."),
    "same_address": lambda: _("It came over the same private line as the referrer's own entry."),
    "same_hand": lambda: _("Same line and same kind of browser as the referrer, with another cookie."),
    "alike_address": lambda: _("The address differs from the referrer's by little more than a number."),
    "swapped_device": lambda: _("The browser belongs to somebody else of the same circle, who was not the referrer."),
    "swapped_address": lambda: _("The line belongs to somebody else of the same circle, who was not the referrer."),
    "second_mailboxes": lambda: _(
        "%(number)s second mailboxes came through friends in a circle of %(of)s; one or more from this person."
    ),
    "own_mailboxes": lambda: _(
        "%(number)s friends entered at this person's own browser or line, and %(alive)s of them came back,"
        " answered or shared."
    ),
    "circle": lambda: _("Its referrer belongs to %(of)s people who brought %(number)s second mailboxes of each other."),
    "crowded_device": lambda: _("%(of)s entries came from this one browser."),
    "lifeless": lambda: _("%(alive)s of %(of)s came back, answered or shared; %(usual)s in 100 usually do."),
    "lifeless_many": lambda: _("Only %(alive)s of %(of)s came back, answered or shared; %(usual)s in 100 usually do."),
    "lifeless_all": lambda: _(
        "No more than %(alive)s of %(of)s ever came back, answered or shared; usual is %(usual)s in 100."
    ),
    "lifeless_alike": lambda: _("Of %(of)s friends who are alike, %(alive)s came back, answered or shared."),
    "lifeless_line": lambda: _(
        "%(of)s people confirmed over this one line, and %(alive)s of them came back, answered or shared."
    ),
    "lifeless_host": lambda: _(
        "%(of)s people came from %(host)s, and %(alive)s of them came back, answered or shared."
    ),
    "lifeless_domain": lambda: _(
        "%(of)s people have mailboxes at %(domain)s, and %(alive)s of them came back, answered or shared."
    ),
    "one_line": lambda: _("%(number)s of the %(of)s friends of whoever invited entered over one line."),
    "from_datacentres": lambda: _("%(number)s of the %(of)s friends of whoever invited came from data centres."),
    "one_domain": lambda: _("%(number)s of the %(of)s friends of whoever invited have mailboxes at %(domain)s."),
    "one_stem": lambda: _(
        "The addresses of %(number)s of %(of)s friends differ only by numbers or by what follows a plus sign."
    ),
    "one_provider": lambda: _("%(number)s of %(of)s friends use %(word)s; %(usual)s in 100 usually do."),
    "one_agent": lambda: _("%(number)s of %(of)s friends use %(word)s; among all it is %(usual)s in 100."),
    "own_agent": lambda: _("%(word)s is also what the referrer uses."),
    "fast_forms": lambda: _("%(number)s of %(of)s forms were sent within %(seconds)s s."),
    "one_rhythm": lambda: _("%(number)s forms over one line were filled in nearly the same time, about %(seconds)s s."),
    "confirmed_at_once": lambda: _("%(number)s of %(of)s confirmed within %(minutes)s min, far more than usual."),
    "clockwork": lambda: _("%(number)s friends arrived at even distances of about %(seconds)s s."),
    "elsewhere": lambda: _("The browsers of %(number)s of %(of)s friends are set to time zones that are rare here."),
    "unopened": lambda: _("%(of)s friends entered, but the link was opened by people %(openings)s times."),
    "last_hours": lambda: _("%(number)s of %(of)s friends entered or confirmed in the last three hours."),
    "sleepers": lambda: _("%(number)s old entries were all confirmed at the very end."),
    "scripted_pile": lambda: _("%(number)s of %(of)s forms that were sent within an hour show signs of a program."),
    "company": lambda: _("%(number)s of the %(of)s friends who came within the same hours are being checked."),
    "midst": lambda: _(
        "It came in the midst of %(number)s friends of the same person who are being checked, and did nothing since."
    ),
    "without_script": lambda: _("%(number)s of %(of)s forms were sent without the page's script running."),
}
CODES = frozenset(_SENTENCES)
assert weights.POINTS.keys() <= CODES, "each signal has a sentence"
