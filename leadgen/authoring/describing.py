"""What the steps of a sequence are called where several stand beside each other: by number, kind and subject.

Events, waits and conditions have their words in nurture.wording.
"""

from __future__ import annotations

from leadgen.core.i18n import gettext as _
from leadgen.nurture import wording
from leadgen.nurture.definition import Branch, Definition, Letter, Step

_LONGEST_NAME = 60


def names(definition: Definition) -> dict[str, str]:
    """What each step is called, by its key: its number on the way down, and the subject of a letter."""
    return {step.key: name(step, number) for number, step in enumerate(definition.walk(), 1)}


def name(step: Step, number: int) -> str:
    """“Step 2 “Welcome””, in the current language; a letter without a subject is only numbered."""
    words = {"number": number}
    if isinstance(step, Branch):
        return _("Step %(number)d (branch)") % words
    if not isinstance(step, Letter):
        return _("Step %(number)d (end)") % words
    if title := wording.letter_name(step)[:_LONGEST_NAME]:
        return _("Step %(number)d “%(subject)s”") % (words | {"subject": title})
    return _("Step %(number)d") % words
