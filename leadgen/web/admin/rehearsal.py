"""Rehearsing a sequence: travel in time with a contact, somebody made up or a segment, before anything leaves.

Everything asked for stands in the address, so that a rehearsal can be passed on; nothing is written.
"""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request, url_for

from leadgen.authoring import drafts, publishing
from leadgen.campaigns.models import Campaign
from leadgen.core.errors import NotFound
from leadgen.nurture import versions, wording
from leadgen.nurture.definition import Definition, Letter
from leadgen.nurture.models import Sequence
from leadgen.rehearsals import outlook, subjects
from leadgen.rehearsals import service as rehearsals
from leadgen.rehearsals.outlook import Outlook
from leadgen.rehearsals.plots import Kind, Line, Met, possible
from leadgen.rehearsals.service import Rehearsal
from leadgen.segments import service as segments
from leadgen.web.admin import rehearsal_asked, rehearsal_charts, rehearsal_words, sequence_edit
from leadgen.web.admin.dates import zones
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.letters import framed
from leadgen.web.admin.rehearsal_asked import Asked
from leadgen.web.admin.rehearsal_words import Speaking
from leadgen.web.admin.sequences import catalogue_of, sequence_of_mine
from leadgen.web.guards import Guard, guarded_by

_PAGE = "/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/rehearsal"
# What a draft may hold while it is being written, and nobody can go through.
_UNPLAYABLE = (KeyError, ValueError, TypeError, AttributeError, LookupError, OverflowError)


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def sequence_rehearsal(campaign_id: int, sequence_id: int) -> str:
    """Whom, from when on and what if above; what would happen below."""
    campaign, sequence = sequence_of_mine(campaign_id, sequence_id)
    asked = rehearsal_asked.read(request.args, campaign)
    definition = _definition(sequence, asked)
    speaking = Speaking(definition, wording.names(campaign), catalogue_of(campaign), campaign.timezone)
    return render_template(
        "admin/rehearsal.html",
        **sequence_edit.standing(campaign, sequence) | {"definition": definition},
        asked=asked,
        told=rehearsal_words,
        speaking=speaking,
        zones=zones(),
        versions=publishing.versions(sequence),
        segments=segments.of_brand(campaign.brand_id),
        link=_link,
        as_it_stands=_link(**{name: None for name in request.args if name[:2] in {"h_", "d_"}}),
        **_played(campaign, sequence, definition, asked, speaking),
    )


@blueprint.get(f"{_PAGE}/letter/<step_key>")
@guarded_by(Guard.STAFF)
def sequence_rehearsal_letter(campaign_id: int, sequence_id: int, step_key: str) -> Response:
    """A letter as the rehearsed person would read it."""
    campaign, sequence = sequence_of_mine(campaign_id, sequence_id)
    asked = rehearsal_asked.read(request.args, campaign)
    letter = _definition(sequence, asked).step(step_key)
    if not isinstance(letter, Letter) or not letter.variants:
        raise NotFound(step_key)
    person = next(iter(subjects.read(sequence, campaign, [asked.contact or 0])), None)
    wanted = request.args.get("variant", "")
    variant = next((one for one in letter.variants if one.key == wanted), letter.variants[0])
    locale = person.locale if person else asked.made_up.locale
    rendered = rehearsals.letter(campaign.id, variant.texts, locale, person.first_name if person else "")
    return framed(rendered.html, "html")


def _definition(sequence: Sequence, asked: Asked) -> Definition:
    """The draft, or the version that is asked for. Raises NotFound for one that there is not."""
    if asked.version is None:
        return drafts.definition_of(sequence)
    key = (sequence.id, asked.version)
    found = versions.definitions([key]).get(key)
    if found is None:
        raise NotFound(asked.version)
    return found


def _link(**changes: Any) -> str:
    """The same rehearsal with something changed; None takes it out."""
    given: dict[str, Any] = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in given.items() if value not in (None, "")}
    return url_for("admin.sequence_rehearsal", **(request.view_args or {}), **kept)


def _played(
    campaign: Campaign, sequence: Sequence, definition: Definition, asked: Asked, speaking: Speaking
) -> dict[str, Any]:
    """What was found out, by the names that the template knows; of a draft that nobody can go through nothing."""
    shown: dict[str, Any] = {"found": [], "rehearsal": None, "many": None, "met": (), "is_unplayable": False}
    try:
        if asked.mode == "audience":
            return shown | _of_many(sequence, definition, campaign, asked)
        if asked.mode == "person" and asked.contact is None:
            return shown | {"found": subjects.search(campaign, asked.typed) if asked.typed else []}
        who = asked.made_up if asked.mode == "made-up" else asked.contact or 0
        rehearsal = rehearsals.rehearse(sequence, definition, who, starts_at=asked.begin, suppose=asked.suppose)
    except _UNPLAYABLE:
        return shown | {"is_unplayable": True}
    zone = rehearsal.subject.person.zone.key
    there = Speaking(definition, speaking.names, speaking.catalogue, zone)
    lines = [
        (line, _address(campaign, sequence, asked, line), speaking.wait(line) if is_due else "")
        for line, is_due in _told(rehearsal)
    ]
    return shown | {"rehearsal": rehearsal, "lines": lines, "zone": zone, "there": there, "met": rehearsal.played.met}


def _of_many(sequence: Sequence, definition: Definition, campaign: Campaign, asked: Asked) -> dict[str, Any]:
    segment = segments.get(campaign.brand_id, asked.segment).definition if asked.segment else None
    many: Outlook = outlook.look(sequence, definition, segment, starts_at=asked.begin, suppose=asked.suppose)
    charts = [rehearsal_charts.daily(many.days, width) for width in rehearsal_charts.WIDTHS] if many.days else []
    return {"many": many, "charts": charts, "met": _supposed(definition, asked)}


def _supposed(definition: Definition, asked: Asked) -> tuple[Met, ...]:
    """What may be assumed of many, with what is."""
    holds, days = asked.suppose.holds, asked.suppose.days
    return tuple(
        Met(
            key=one.key,
            step_key=one.step_key,
            condition=one.condition,
            happening=one.happening,
            supposed=days.get(one.key) if one.happening else holds.get(one.key),
        )
        for one in possible(definition)
    )


def _told(rehearsal: Rehearsal) -> list[tuple[Line, bool]]:
    """The lines, and whether a step's wait ends there.

    A letter that leaves, or does not, at the very moment when it is due is told there, and once.
    """
    outcomes = {Kind.SENT, Kind.SKIPPED, Kind.EXPIRED}
    lines = rehearsal.played.lines
    at_once = {(line.step_key, line.at): line for line in lines if line.kind in outcomes}
    told: list[tuple[Line, bool]] = []
    for line in lines:
        is_due = line.kind in {Kind.PLANNED, Kind.BRANCHED}
        shown = at_once.get((line.step_key, line.at), line) if line.kind is Kind.PLANNED else line
        if all(shown is not before for before, _is_due in told):
            told.append((shown, is_due))
    return told


def _address(campaign: Campaign, sequence: Sequence, asked: Asked, line: Line) -> str:
    """Where the letter of a line can be read; empty for a line of none."""
    if line.kind not in {Kind.PLANNED, Kind.SENT, Kind.MOVED, Kind.SKIPPED, Kind.EXPIRED, Kind.CANCELLED}:
        return ""
    if not line.step_key:
        return ""
    wanted: dict[str, Any] = {"contact": asked.contact, "version": asked.version, "variant": line.variant or None}
    wanted |= {"locale": asked.made_up.locale} if asked.mode == "made-up" else {}
    place: dict[str, Any] = {"campaign_id": campaign.id, "sequence_id": sequence.id, "step_key": line.step_key}
    return url_for("admin.sequence_rehearsal_letter", **place, **wanted)
