"""The sequences of a campaign: the list with who is in them, new ones from ready examples, and putting one away."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.accounts.models import Brand
from leadgen.authoring import drafts, examples
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.mail import streams
from leadgen.mail.models import StreamState
from leadgen.nurture import sequences as nurture
from leadgen.nurture import versions, wording
from leadgen.nurture.definition import to_data
from leadgen.nurture.models import Sequence
from leadgen.outcomes import headcounts
from leadgen.segments import fields
from leadgen.segments.catalogue import Catalogue
from leadgen.web import staff
from leadgen.web.admin import sequence_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by


@blueprint.get("/campaigns/<int:campaign_id>/nurture")
@guarded_by(Guard.STAFF)
def sequences(campaign_id: int) -> str:
    """Every sequence with its state, what begins it and who is inside."""
    campaign = campaign_of_mine(campaign_id)
    is_archived = request.args.get("archived") == "1"
    found = nurture.of_campaign(campaign.id, is_archived=is_archived)
    return render_template(
        "admin/sequences.html",
        campaign=campaign,
        is_archived=is_archived,
        sequences=[(one, drafts.definition_of(one), state(one)) for one in found],
        people=headcounts.of_sequences([one.id for one in found]),
        names=wording.names(campaign),
        catalogue=catalogue_of(campaign),
        wording=wording,
        seq=sequence_words,
        examples=examples.ready(),
    )


@blueprint.post("/campaigns/<int:campaign_id>/nurture/new")
@guarded_by(Guard.STAFF)
def sequence_new(campaign_id: int) -> ResponseReturnValue:
    """Begin a draft from an example, or an empty one; nobody gets anything before it is published."""
    campaign = campaign_of_mine(campaign_id)
    example = examples.get(request.form.get("example", ""))
    brand = db.session.get_one(Brand, campaign.brand_id)
    try:
        made = nurture.create(campaign, example.name)
        drafts.save(made, example.data(brand.name), made.revision, staff.name())
    except Invalid as error:
        refuse(str(error))
        return redirect(url_for("admin.sequences", campaign_id=campaign_id), 303)
    tell(_("This is a draft: nobody gets anything before you publish it."))
    return redirect(sequence_words.page(made), 303)


@blueprint.post("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/archive")
@guarded_by(Guard.STAFF)
def sequence_archive(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Put it away: nobody gets anything from it any more."""
    _campaign, found = sequence_of_mine(campaign_id, sequence_id)
    was_on = state(found) in {"on", "changed"}
    nurture.archive(found, staff.name())
    undo = sequence_words.page(found, "restore")
    tell(_("“%(name)s” is archived; its letters stop.") % {"name": found.name}, undo=undo, fields={"on": int(was_on)})
    return redirect(url_for("admin.sequences", campaign_id=campaign_id), 303)


@blueprint.post("/campaigns/<int:campaign_id>/nurture/<int:sequence_id>/restore")
@guarded_by(Guard.STAFF)
def sequence_restore(campaign_id: int, sequence_id: int) -> ResponseReturnValue:
    """Take it out of the archive: paused, or at once as it was before when that is taken back."""
    _campaign, found = sequence_of_mine(campaign_id, sequence_id)
    nurture.restore(found)
    if request.form.get("on") == "1" and not nurture.missing(found):
        nurture.set_active(found, is_active=True, by=staff.name())
    tell(_("“%(name)s” is back.") % {"name": found.name})
    return redirect(sequence_words.page(found), 303)


def sequence_of_mine(campaign_id: int, sequence_id: int) -> tuple[Campaign, Sequence]:
    """The campaign and its sequence, when the signed-in user works for the brand. Raises NotFound."""
    campaign = campaign_of_mine(campaign_id)
    return campaign, nurture.get(campaign.id, sequence_id)


def catalogue_of(campaign: Campaign) -> Catalogue:
    """What conditions of this campaign's sequences may ask for."""
    return fields.of_brand(db.session.get_one(Brand, campaign.brand_id))


def draft_of(sequence: Sequence) -> dict[str, Any]:
    """The draft as JSON, to be changed and saved."""
    return to_data(drafts.definition_of(sequence))


def state(sequence: Sequence) -> str:
    """archived, draft, paused, changed or on."""
    if sequence.archived_at:
        return "archived"
    if sequence.version is None:
        return "draft"
    is_open = streams.get(sequence.stream_id).state is StreamState.OPEN  # a breaker or the sending page may stop it too
    if sequence.paused_at or not sequence.is_active or not is_open:
        return "paused"
    return "changed" if is_changed(sequence) else "on"


def is_changed(sequence: Sequence) -> bool:
    """Whether the draft says something else than what is published."""
    return versions.published(sequence) != drafts.definition_of(sequence)
