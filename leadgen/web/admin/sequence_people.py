"""The people of a sequence: how many are where, and behind each number the list of who that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, request, url_for

from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.mail.reasons import reason_in_words
from leadgen.nurture import service as nurture
from leadgen.nurture import versions, whereabouts, wording
from leadgen.nurture.definition import Definition
from leadgen.nurture.models import Sequence
from leadgen.nurture.whereabouts import PAGE, Somebody, State
from leadgen.segments.catalogue import Catalogue
from leadgen.web.admin import sequence_edit
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.sequences import sequence_of_mine
from leadgen.web.guards import Guard, guarded_by

_LARGEST = 2**63 - 1
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which list is open."""

    state: State
    step: str
    reason: str

    def is_it(self, state: str, step: str = "", reason: str = "") -> bool:
        """Whether a number is that whose list is open."""
        return (self.state, self.step, self.reason) == (state, step, reason)


@blueprint.get("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/people")
@guarded_by(Guard.STAFF)
def sequence_people(campaign_id: int, sequence_id: int) -> str:
    """The numbers above, the list of one of them below."""
    campaign, sequence = sequence_of_mine(campaign_id, sequence_id)
    chosen = _chosen()
    before = request.args.get("before", type=int)
    place = None if before is None else max(0, min(before, _LARGEST))
    rows = whereabouts.people(sequence, chosen.state, step_key=chosen.step, reason=chosen.reason, before_id=place)
    shown = sequence_edit.standing(campaign, sequence)
    return render_template(
        "admin/sequence_people.html",
        **shown,
        counted=whereabouts.counted(sequence),
        steps=_steps(sequence, shown["catalogue"]),
        chosen=chosen,
        title=_title(chosen, sequence, shown["catalogue"]),
        rows=[(one, _told(one, chosen, sequence, shown["catalogue"], campaign.timezone)) for one in rows[:PAGE]],
        following=rows[PAGE - 1].id if len(rows) > PAGE else None,
        link=_link,
        exit_reason=nurture.exit_reason,
        mail_reason=reason_in_words,
    )


def _chosen() -> Chosen:
    asked = request.args.get("state", "")
    step, reason = (request.args.get(name, "").replace("\x00", "")[:_LONGEST] for name in ("step", "reason"))
    return Chosen(State(asked) if asked in set(State) else State.INSIDE, step, reason)


def _link(state: str, step: str = "", reason: str = "", before: int | None = None) -> str:
    """The address of a list."""
    wanted: dict[str, Any] = {"state": state, "step": step or None, "reason": reason or None, "before": before}
    place: dict[str, Any] = dict(request.view_args or {})
    return url_for("admin.sequence_people", **place, **wanted, _anchor="people-title")


def _steps(sequence: Sequence, catalogue: Catalogue) -> list[tuple[str, str]]:
    """(key, words) of the steps that are published, in their order."""
    definition = versions.published(sequence) or Definition()
    return [(step.key, wording.step_name(step, catalogue)) for step in definition.walk()]


def _name(key: str, sequence: Sequence, catalogue: Catalogue) -> str:
    """A step by its words: of the published version, else as its letter is called, else its key."""
    known = dict(_steps(sequence, catalogue))
    letters = {step.key: nurture.step_name(step) for step in sequence.steps}
    return known.get(key) or letters.get(key, key)


def _title(chosen: Chosen, sequence: Sequence, catalogue: Catalogue) -> str:
    said = {
        "step": _name(chosen.step, sequence, catalogue),
        "why": nurture.exit_reason(chosen.reason),
        "reason": reason_in_words(chosen.reason),
    }
    return {
        State.INSIDE: _("On their way"),
        State.WAITING: _("Waiting for “%(step)s”"),
        State.FINISHED: _("Went through to the end"),
        State.EXITED: _("Left early: %(why)s") if chosen.reason else _("Left early"),
        State.HELD_OUT: _("Held out, to be compared with"),
        State.GOAL: _("Reached the goal"),
        State.PLANNED: _("“%(step)s” is due or put off"),
        State.LEFT: _("“%(step)s” was sent"),
        State.UNSENT: _("“%(step)s” was not sent: %(reason)s") if chosen.reason else _("“%(step)s” was not sent"),
    }[chosen.state] % said


def _told(one: Somebody, chosen: Chosen, sequence: Sequence, catalogue: Catalogue, zone: str) -> str:
    """How this person stands, in a sentence."""

    def when(moment: datetime | None) -> str:
        return i18n.format_datetime(moment, zone, "medium") if moment else "–"

    if chosen.state is State.UNSENT:
        return reason_in_words(one.mail_reason)
    if chosen.state in {State.PLANNED, State.LEFT}:
        reason = reason_in_words(one.mail_reason) if chosen.state is State.PLANNED else ""
        return f"{when(one.mail_at)}: {reason}" if reason else when(one.mail_at)
    if chosen.state is State.GOAL:
        return _("on %(time)s") % {"time": when(one.goal_at)}
    said = {"step": _name(one.step_key, sequence, catalogue), "time": when(one.next_run_at), "end": when(one.ended_at)}
    return {
        "active": _("“%(step)s” is next, on %(time)s"),
        "finished": _("on %(end)s"),
        "exited": _("on %(end)s: %(why)s"),
    }.get(one.status, _("gets nothing")) % (said | {"why": nurture.exit_reason(one.exit_reason)})
