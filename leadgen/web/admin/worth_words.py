"""The words of what contacts are worth."""

from __future__ import annotations

from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext


def part(kind: str, number: int) -> str:
    """So many deeds of one kind."""
    if kind == "consent":
        return _("Agrees to marketing, address confirmed")
    told = {
        "entry": lambda: ngettext("%(num)s contest confirmed", "%(num)s contests confirmed", number),
        "form": lambda: ngettext("%(num)s form finished", "%(num)s forms finished", number),
        "answer": lambda: ngettext("%(num)s question answered", "%(num)s questions answered", number),
        "goal": lambda: ngettext("%(num)s goal reached", "%(num)s goals reached", number),
        "sale": lambda: ngettext("%(num)s sale", "%(num)s sales", number),
    }
    return told[kind]() % {"num": number}


def generation(number: int) -> str:
    """Who stands so many generations below."""
    return {1: _("Friends brought"), 2: _("Friends of friends")}.get(number) or _("Generation %(number)s") % {
        "number": number
    }
