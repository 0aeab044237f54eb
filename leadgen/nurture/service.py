"""What sequences call their letters, and why somebody left."""

from __future__ import annotations

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.nurture.models import Step


def step_name(step: Step) -> str:
    """What a step is called in lists: the subject of its letter, in the current language if it has one there."""
    subjects = {locale: str(texts["subject"]) for locale, texts in step.texts.items() if texts.get("subject")}
    return subjects.get(i18n.locale()) or next(iter(subjects.values()), step.key)


def exit_reason(word: str) -> str:
    """Why somebody left a sequence, in the current language."""
    return {
        "withdrawn": _("consent withdrawn"),
        "unsubscribe": _("unsubscribed"),
        "hard_bounce": _("the address does not exist"),
        "complaint": _("reported as spam"),
        "refused": _("did not enter the contest"),
        "manual": _("suppressed by hand"),
        "erased": _("data erased"),
        "goal": _("the goal is reached"),
        "exit_event": _("something happened that ends it"),
        "exit_condition": _("a condition that ends it holds"),
        "letter_condition": _("the condition of a letter does not hold"),
        "left_audience": _("no longer one of those it is for"),
        "disqualified": _("excluded from the contest"),
    }.get(word, word)
