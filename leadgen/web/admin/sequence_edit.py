"""The editor of one sequence: its steps as a flow, what is missing beside it, and the buttons that arrange them."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from leadgen.authoring import arranging, drafts
from leadgen.authoring.arranging import Data, Place
from leadgen.authoring.drafts import Problem
from leadgen.campaigns.models import Campaign
from leadgen.core import notes
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.nurture import wording
from leadgen.nurture.definition import MOST_STEPS, Definition, Wait
from leadgen.nurture.models import Sequence
from leadgen.outcomes import headcounts, results
from leadgen.web import staff
from leadgen.web.admin import result_words, sequence_words
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.sequences import catalogue_of, draft_of, sequence_of_mine, state
from leadgen.web.guards import Guard, guarded_by

UNDO_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Done:
    """What a button made of the draft: the step to show, whether its form opens, and what is told with which undo."""

    data: Data
    key: str
    opens: bool = False
    told: str = ""
    undo: str = ""


@blueprint.get("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>")
@guarded_by(Guard.STAFF)
def sequence(campaign_id: int, sequence_id: int) -> str:
    """The whole of it, drawn."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    return render_template("admin/sequence.html", **_drawn(campaign, found))


@blueprint.post("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/change")
@guarded_by(Guard.STAFF)
def sequence_change(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Do what a button asks for, and save the draft."""
    campaign, found = sequence_of_mine(campaign_id, sequence_id)
    is_background = request.headers.get("X-Background") == "1"
    try:
        done = _done(found, draft_of(found), request.form.get("do", ""))
        drafts.save(found, done.data, _revision(found), staff.name())
    except (Invalid, Conflict, NotFound) as error:
        refuse(str(error) if not isinstance(error, NotFound) else _("This step is there no more."))
        if is_background:
            return make_response("", 409)  # the page is drawn anew, and tells it
        return redirect(sequence_words.page(found, _anchor="flow"), 303)
    if is_background and not done.told and not done.opens:
        return render_template("admin/_sequence_flow.html", **_drawn(campaign, found))
    _tell(found, done)
    if done.opens:
        return redirect(sequence_words.page(found, "step", step_key=done.key), 303)
    return redirect(sequence_words.page(found, _anchor=f"step-{done.key}" if done.key else "flow"), 303)


def standing(campaign: Campaign, found: Sequence) -> dict[str, Any]:
    """What every page of a sequence shows: its state, what is missing, and the words for both."""
    return {
        "campaign": campaign,
        "sequence": found,
        "definition": drafts.definition_of(found),
        "state": state(found),
        "problems": drafts.problems(found),
        "seq": sequence_words,
        "wording": wording,
        "names": wording.names(campaign),
        "catalogue": catalogue_of(campaign),
        "no_wait": Wait(),
        "numbers": numbered(drafts.definition_of(found)),
    }


def _drawn(campaign: Campaign, found: Sequence) -> dict[str, Any]:
    shown = standing(campaign, found)
    faults: dict[str, list[Problem]] = defaultdict(list)
    for problem in shown["problems"]:
        faults[problem.where].append(problem)
    steps, exits = shown["definition"].steps, shown["definition"].exits
    return shown | {
        "faults": faults,
        "waiting": headcounts.waiting(found.id),
        "people": headcounts.of_sequences([found.id])[found.id],
        "stops": results.stops(found),
        "result_words": result_words,
        "first": steps[0].key if steps else "",
        "last": steps[-1].key if steps else "",
        "is_full": sum(1 for _one in shown["definition"].walk()) >= MOST_STEPS,
        "exit_lines": [_exit_line(wording.ends(one, shown["names"], shown["catalogue"])) for one in exits],
    }


def numbered(definition: Definition) -> dict[str, int]:
    """The number of each step on the way down, by which everything calls it."""
    return {step.key: number for number, step in enumerate(definition.walk(), 1)}


def _exit_line(told: str) -> str:
    return _("It ends early %(when)s") % {"when": told}


def _done(found: Sequence, data: Data, deed: str) -> Done:
    """What the draft becomes. Raises NotFound for a deed or a step that there is not, Invalid."""
    name, _colon, rest = deed.partition(":")
    if name == "add":
        kind, index, side, branch = (*rest.split(":", 3), "", "", "")[:4]
        step = arranging.fresh(data, kind)
        place = Place(branch, side, int(index) if index.isdecimal() and len(index) < 4 else 0)
        return Done(arranging.inserted(data, place, step), step["key"], opens=kind != "end")
    if name in {"up", "down"}:
        return Done(arranging.moved(data, rest, 1 if name == "down" else -1), rest)
    if name == "duplicate":
        made, twin = arranging.duplicated(data, rest)
        return Done(made, twin)
    if name == "remove":
        return _removed(found, data, rest)
    if name == "restore":
        return _restored(found, data)
    raise NotFound(deed)


def _removed(found: Sequence, data: Data, key: str) -> Done:
    """Taken out, and kept for a day for whoever wants it back."""
    place, step = arranging.place_of(data, key), arranging.find(data, key)
    kept = {"step": step, "branch": place.branch, "side": place.side, "index": place.index}
    undo = secrets.token_urlsafe(9)
    notes.leave(_note(found, undo), json.dumps(kept), UNDO_SECONDS)
    return Done(arranging.removed(data, key), "", told=_("The step is taken out of the draft."), undo=undo)


def _restored(found: Sequence, data: Data) -> Done:
    note = notes.read(_note(found, request.form.get("key", "")))
    if note is None:
        raise Conflict(_("That was too long ago to be taken back."))
    kept = json.loads(note.text)
    step = kept.pop("step")
    if any(one["key"] == step["key"] for one in arranging.walk(list(data.get("steps") or []))):
        raise Conflict(_("The step is back already."))
    return Done(arranging.inserted(data, Place(**kept), step), step["key"], told=_("The step is back."))


def _tell(found: Sequence, done: Done) -> None:
    if done.undo:
        undo = sequence_words.page(found, "change")
        tell(done.told, undo=undo, fields={"do": "restore", "key": done.undo})
    elif done.told:
        tell(done.told)


def _revision(found: Sequence) -> int:
    """The draft that the page showed; an undo is done to whatever stands now."""
    return request.form.get("revision", found.revision, type=int)


def _note(found: Sequence, key: str) -> str:
    return f"sequence-step:{found.id}:{key}"
