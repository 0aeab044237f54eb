"""Ready-made segments in plain words, taken over in one press: what a newcomer would build first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leadgen.core.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Example:
    """A segment to begin with; `use` says what one does with these people."""

    key: str
    name: Callable[[], str]
    use: Callable[[], str]
    definition: dict[str, Any]


def _is(field: str, value: Any = True, op: str = "eq") -> dict[str, Any]:  # noqa: FBT002 - the value that flags have
    return {"field": field, "op": op, "value": value}


def _all(*parts: dict[str, Any]) -> dict[str, Any]:
    """One group in which all must hold, as the builder draws it."""
    return {"all": [{"all": list(parts)}]}


ALL = (
    Example(
        "awake",
        lambda: _("Willing and awake"),
        lambda: _("Write to them first: they agreed, and were here this month."),
        _all(_is("marketing"), _is("alive.days", 30, "lte")),
    ),
    Example(
        "asleep",
        lambda: _("Willing but asleep"),
        lambda: _("One letter that asks whether they still want yours, then silence."),
        _all(_is("marketing"), _is("alive.days", 180, "gt")),
    ),
    Example(
        "ambassadors",
        lambda: _("Ambassadors"),
        lambda: _("Thank them: they brought friends who confirmed."),
        _all(_is("friends", 3, "gte")),
    ),
    Example(
        "silent",
        lambda: _("Confirmed, brought nobody yet"),
        lambda: _("Remind them of their link and of what it earns."),
        _all(_is("confirmed_address"), _is("friends", 0)),
    ),
    Example(
        "by_a_friend",
        lambda: _("Brought by a friend"),
        lambda: _("Speak of the friend: trust came from there."),
        _all(_is("confirmed_address"), _is("brought")),
    ),
    Example(
        "newcomers",
        lambda: _("Newcomers of the week"),
        lambda: _("Say who you are before you sell anything."),
        _all(_is("confirmed_address"), _is("created.days", 7, "lte")),
    ),
    Example(
        "unknown",
        lambda: _("Willing, and nothing known of them"),
        lambda: _("Ask one question that is worth points."),
        _all(_is("marketing"), _is("answered", 0)),
    ),
    Example(
        "not_asked",
        lambda: _("Plays, but gets no letters"),
        lambda: _("They never agreed to marketing: win them on your pages, not by mail."),
        _all(_is("confirmed_address"), _is("marketing", value=False)),
    ),
    Example(
        "clickers",
        lambda: _("Clicked this month"),
        lambda: _("The offer in your last letter interested them: follow up."),
        _all(_is("marketing"), _is("clicked.days", 30, "lte")),
    ),
    Example(
        "spared",
        lambda: _("Room for a letter"),
        lambda: _("Nobody here got more than one marketing letter in 30 days."),
        _all(_is("marketing"), _is("letters.30", 1, "lte")),
    ),
)


def by_key(key: str) -> Example | None:
    """The example of that key."""
    return next((one for one in ALL if one.key == key), None)
