"""One entrant: what is known, who brought whom, and everything that happened, with every mail."""

from __future__ import annotations

from flask import render_template, request

from leadgen.accounts import service as accounts
from leadgen.analytics import people, trees
from leadgen.campaigns.models import Campaign, Question
from leadgen.contacts.models import Contact
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.scores import explaining
from leadgen.scores import words as score_words
from leadgen.segments import service as segments
from leadgen.segments.models import Segment
from leadgen.visits import service as visits
from leadgen.web import staff
from leadgen.web.admin import moments, proof, spread_words, worth_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.guards import Guard, guarded_by
from leadgen.worth import service as contact_worth


@blueprint.get("/campaigns/<int:campaign_id>/entrants/<int:entry_id>")
@guarded_by(Guard.STAFF)
def entrant(campaign_id: int, entry_id: int) -> str:
    """The whole page."""
    campaign = campaign_of_mine(campaign_id)
    found = people.dossier(campaign.id, entry_id)
    return render_template(
        "admin/entrant.html",
        campaign=campaign,
        person=found,
        told=told,
        consent=proof.standing(found.contact),
        **moments.shown(found, campaign.timezone, request.args.get("show", ""), request.args.get("sequence", "")),
        openings=visits.openings(found.entry.id),
        levels=trees.levels(found.entry.id),
        spread_words=spread_words,
        segments=_segments(campaign, found.contact),
        score=explaining.explained(found.contact),
        score_words=score_words,
        worth=contact_worth.explained(found.contact.id, campaign.brand_id),
        has_prices=contact_worth.prices_of(campaign.brand_id) is not None,
        worth_words=worth_words,
    )


def _segments(campaign: Campaign, contact: Contact) -> list[Segment]:
    brand = next(one for one in accounts.brands_of(staff.current()) if one.id == campaign.brand_id)
    return segments.of_contact(brand, contact)


def told(question: Question, value: object) -> str:
    """A typed answer in words."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float):
        return i18n.format_number(value)
    values = value if isinstance(value, list) else [value]
    labels = {option["id"]: option["texts"] for option in question.options}
    return ", ".join(_label(labels.get(one), one) for one in values)


def _label(texts: dict[str, str] | None, value: object) -> str:
    if not texts:
        return str(value)
    return texts.get(i18n.locale()) or next((text for text in texts.values() if text), str(value))
