"""What the pages of sequences say about states and kinds, and where something that is missing can be put right."""

from __future__ import annotations

from typing import Any

from flask import url_for

from leadgen.authoring.drafts import Problem
from leadgen.authoring.publishing import ChangeKind
from leadgen.core.i18n import gettext as _
from leadgen.nurture.models import Sequence

# What a problem calls its place, and the page that holds it.
PARTS = {
    "trigger": "trigger", "who": "trigger", "exits": "goal", "goal": "goal", "again": "settings",
    "holdout": "settings", "priority": "settings",
}  # fmt: skip
_TONES = {"draft": "", "paused": "warning", "changed": "accent", "on": "success", "archived": ""}


def state(found: str) -> str:
    """What a state is called."""
    return {
        "archived": _("Archived"),
        "draft": _("Draft"),
        "paused": _("Paused"),
        "changed": _("On, with changes to publish"),
        "on": _("On"),
    }[found]


def tone(found: str) -> str:
    """The colour of a state; the word beside it says the same."""
    return _TONES[found]


def kind(found: str) -> str:
    """What a kind of step is called."""
    return {"letter": _("Letter"), "branch": _("Branch"), "end": _("End")}[found]


def explained(found: str) -> str:
    """What a kind of step does, for whoever chooses one."""
    return {
        "letter": _("A wait, then a letter."),
        "branch": _("Two ways, by what is known of the person."),
        "end": _("Nothing more for whoever gets here."),
    }[found]


def change(found: str) -> str:
    """The icon of a change."""
    icons = {ChangeKind.ADDED: "plus", ChangeKind.REMOVED: "trash", ChangeKind.WORDS: "mail", ChangeKind.MOVED: "down"}
    is_time = found in {ChangeKind.SHORTER, ChangeKind.LONGER, ChangeKind.TIME, ChangeKind.CATCH_UP}
    return icons.get(ChangeKind(found), "clock" if is_time else "check")


def page(sequence: Sequence, name: str = "", **more: Any) -> str:
    """The address of the sequence's editor, or of another of its pages."""
    endpoint = f"admin.sequence_{name}" if name else "admin.sequence"
    return url_for(endpoint, campaign_id=sequence.campaign_id, sequence_id=sequence.id, **more)


def address(sequence: Sequence, problem: Problem) -> str:
    """The page and the field where a problem can be put right."""
    where, field = problem.where, problem.field
    if where == "steps":
        return page(sequence, _anchor="flow")
    if where in PARTS:
        return page(sequence, "part", part=PARTS[where], _anchor=_PLACES.get((where, field)) or _exit(field) or field)
    if field in {"key", "yes"}:  # where it stands is at fault, or what it holds
        return page(sequence, _anchor=f"step-{where}")
    variant, _dash, text = field.partition("-")
    if not text:
        return page(sequence, "step", step_key=where, _anchor=_WAITS.get(field, field))
    anchor = f"weight_{variant}" if text == "weight" else text
    return page(sequence, "step", step_key=where, variant=variant, _anchor=anchor)


def _exit(field: str) -> str:
    return f"exit_{field.partition('-')[2]}" if field.startswith("exits-") else ""


# The ids that fields have on their pages, where they differ from what a problem calls them.
_PLACES = {
    ("trigger", "on"): "begins-what",
    ("trigger", "of"): "begins-what",
    ("trigger", "days"): "begins-days",
    ("who", "when"): "segment-rows",
    ("goal", "on"): "goal",
    ("goal", "of"): "goal",
    ("again", "days"): "again_days",
}
_WAITS = {
    "wait": "wait-amount",
    "at": "wait-at",
    "weekdays": "wait-weekdays",
    "event": "wait-what",
    "when": "segment-rows",
    "variants": "words-title",
}
