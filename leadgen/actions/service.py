"""The actions room's face: a person does something for points; staff and other systems vouch for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadgen.actions import codes, deeds, quizzes, rules, watching
from leadgen.actions.deeds import Doer, Outcome, Result, action_of
from leadgen.actions.models import DeedState
from leadgen.actions.rules import Way
from leadgen.campaigns.cards import ActionCard
from leadgen.campaigns.models import ActionKind, Repeat
from leadgen.core import text as words
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _

__all__ = ["Outcome", "Result", "Shown", "action_of", "credit_done", "do", "withdraw"]
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """What comes with a deed: a network, a code, answers, a note, the number of the deed, seconds on the page."""

    network: str = ""
    code: str = ""
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    note: str = ""
    number: int | None = None
    seconds: float = 0.0
    is_back: bool = False  # from the site that was visited


def do(entry_id: int, action: ActionCard, shown: Shown | None = None) -> Result:
    """A person does an action of their campaign's page, inside the running transaction.

    Credits its points once for each occurrence (I10): a repeated call answers “already”. Nothing happens before the
    address is confirmed, outside the contest's own window, in grace or while paused. Held and excluded people may act.
    Raises NotFound (absent or erased person, foreign action, a kind that is not done on the page), Invalid (field).
    """
    who = deeds.doer(entry_id)
    action_of(who.card, action.id)
    way = who.way(action)
    deed = _ON_THE_PAGE.get(action.kind)
    if deed is None:
        raise NotFound
    return who.refusal(way) or deed(who, way, shown or Shown())


def _share(who: Doer, way: Way, shown: Shown) -> Result:
    if shown.network not in way.action.settings.get("networks", ()):
        raise Invalid(_("Choose one of the networks."), "network")
    if shown.network in way.names:
        return Result(Outcome.ALREADY)
    return deeds.finish(who, way.action, rules.occurrence(way, who.now, who.card.timezone, name=shown.network))


def _plain(who: Doer, way: Way, shown: Shown) -> Result:
    return deeds.finish(who, way.action, rules.occurrence(way, who.now, who.card.timezone, number=shown.number))


def _custom(who: Doer, way: Way, shown: Shown) -> Result:
    """Credited at once on the person's word, or waiting until staff has looked."""
    settings = way.action.settings
    note = words.one_line(shown.note, LONGEST_NOTE)
    if settings.get("asks") and not note:
        raise Invalid(_("Tell us in a few words, or give the address of a page that shows it."), "note")
    name = rules.occurrence(way, who.now, who.card.timezone, number=shown.number)
    data = {"note": note} if note else {}
    if not settings.get("approval"):
        return deeds.finish(who, way.action, name, data=data)
    tries = int(way.deed.data.get("tries", 0)) if way.deed else 0
    if not deeds.write(who, way.action, name, DeedState.WAITING, data | {"tries": tries + 1}):
        return Result(Outcome.ALREADY)
    return Result(Outcome.WAITING)


_Deed = Callable[[Doer, Way, Shown], Result]
_ON_THE_PAGE: dict[ActionKind, _Deed] = {
    ActionKind.SHARE: _share,
    ActionKind.VISIT: lambda who, way, shown: watching.visit(who, way, is_back=shown.is_back),
    ActionKind.VIDEO: lambda who, way, _shown: watching.report(who, way),
    ActionKind.QUIZ: lambda who, way, shown: quizzes.hand_in(who, way, shown.answers, seconds=shown.seconds),
    ActionKind.CODE: lambda who, way, shown: codes.enter(who, way, shown.code),
    ActionKind.DAILY: _plain,
    ActionKind.FOLLOW: _plain,
    ActionKind.CUSTOM: _custom,
}


def credit_done(
    entry_id: int, action_id: int, occurrence: str, data: Mapping[str, Any], *, at: datetime | None = None
) -> Result:
    """Credit a deed that another room or a signed call vouches for, such as an upload that was published.

    `occurrence` names what may happen once where the action may be done many times, else the action's own rule says.
    `at` is when the person did it (default: now), which is what the contest's window is compared with; a contest that
    is paused or in grace still credits what was done before. Raises NotFound (person or action).
    """
    who = deeds.doer(entry_id, at=at)
    action = action_of(who.card, action_id)
    return credit_by(who, action, occurrence, data, is_late=at is not None)


def credit_by(who: Doer, action: ActionCard, source: str, data: Mapping[str, Any], *, is_late: bool = False) -> Result:
    """The same for a person who is locked already; `is_late` when it was done before now."""
    way = who.way(action)
    if any(deed.data.get("source") == source and deed.state is DeedState.DONE for deed in who.of(action)):
        return Result(Outcome.ALREADY)
    refused = who.refusal(way)
    if refused is not None and not (is_late and refused.outcome is Outcome.CLOSED and who.was_within and way.is_open):
        return refused
    is_many = action.repeat is Repeat.UNLIMITED
    name = source if is_many else rules.occurrence(way, who.now, who.card.timezone)
    return deeds.finish(who, action, name, data={**data, "source": source})


def withdraw(entry_id: int, action_id: int, occurrence: str, *, reason: str) -> bool:
    """Take back what `credit_done` gave, such as for a work that was published and then refused; False when nothing.

    Nothing either once the contest is closed: its points are settled, for taking as for giving. Raises NotFound.
    """
    who = deeds.doer(entry_id)
    if not who.is_unsettled:
        return False
    for deed in who.deeds:
        if deed.action_id == action_id and deed.data.get("source") == occurrence and deed.state is DeedState.DONE:
            deeds.refuse(who, deed, reason)
            return True
    return False
