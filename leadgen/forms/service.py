"""The forms room's face for the studio: the draft of a campaign's form, saving it, publishing it, its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.campaigns import service as campaigns
from leadgen.campaigns.editing import lock
from leadgen.campaigns.models import Campaign, CampaignStatus, Question
from leadgen.core import clock, logic
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.forms import definition as documents
from leadgen.forms import lint, projecting
from leadgen.forms.checking import check_whole
from leadgen.forms.definition import Definition
from leadgen.forms.lint import Finding
from leadgen.forms.models import Form, FormVersion
from leadgen.journal.models import Fact


@dataclass(frozen=True, slots=True)
class Draft:
    """The form as it is being edited. `revision` names this state of it; `number` is the version that people see.

    `is_changed`: it differs from that version.
    """

    definition: Definition
    revision: int
    number: int
    is_changed: bool


def draft_of(campaign: Campaign) -> Draft:
    """The draft; of a campaign whose form nobody has edited, what its questions say."""
    form = db.session.get(Form, campaign.id)
    newest = _newest(campaign.id)
    published = documents.from_data(newest.definition) if newest else None
    if form is not None:
        definition = documents.from_data(form.draft)
    else:
        definition = published or projecting.derived(asked(campaign))
    number = newest.number if newest else 0
    return Draft(definition, form.revision if form else 0, number, published is not None and definition != published)


def published(campaign: Campaign) -> Definition:
    """The form that people see: the newest version, else what the questions say."""
    newest = _newest(campaign.id)
    return documents.from_data(newest.definition) if newest else projecting.derived(asked(campaign))


def asked(campaign: Campaign) -> list[Question]:
    """The questions of a campaign that are asked, in their order."""
    return [question for question in campaign.questions if question.is_active]


def save(campaign: Campaign, definition: Definition, revision: int) -> int:
    """Keep the draft; answers its new revision. Before the campaign is published its questions follow at once.

    Raises Conflict when somebody saved it since `revision`, or when there is too much of something; Invalid.
    """
    check_whole(definition)
    lock(campaign)
    form = db.session.get(Form, campaign.id)
    if (form.revision if form else 0) != revision:
        raise Conflict(_("Somebody else changed this form while you were writing. Look at it again, then repeat."))
    if form is None:
        if campaign.status is not CampaignStatus.DRAFT:
            launch(campaign)  # what people see stays what it is until this draft is published
        form = Form(campaign_id=campaign.id, draft={}, revision=0)
        db.session.add(form)
    form.draft, form.revision, form.saved_at = documents.to_data(definition), revision + 1, clock.now()
    if campaign.status is CampaignStatus.DRAFT:
        campaigns.ask(campaign, projecting.projected(definition))
    db.session.flush()
    return form.revision


def findings(campaign: Campaign, definition: Definition) -> list[Finding]:
    """What keeps this form from being published, in the current language."""
    return lint.findings(definition, known_fields(campaign, definition))


def publish(campaign: Campaign, by: str) -> FormVersion:
    """Make the draft what people see from now on: a new version, and the questions that follow from it.

    Whoever is in the middle of the version before finishes that one. Raises Invalid with the first sentence of what is
    wrong, Conflict when there is nothing new, when the contest is over, or when it is not published itself.
    """
    if campaign.status is CampaignStatus.DRAFT:
        raise Conflict(_("The form is published together with the campaign."))
    lock(campaign)
    draft = draft_of(campaign)
    if draft.number and not draft.is_changed:
        raise Conflict(_("There is nothing new to publish."))
    if found := findings(campaign, draft.definition):
        raise Invalid(found[0].sentence, found[0].key)
    campaigns.ask(campaign, projecting.projected(draft.definition))
    newest = _newest(campaign.id)
    version = FormVersion(
        campaign_id=campaign.id,
        number=(newest.number if newest else 0) + 1,
        definition=documents.to_data(draft.definition),
        published_at=clock.now(),
        published_by=by,
    )
    db.session.add(version)
    db.session.flush()
    return version


def launch(campaign: Campaign) -> None:
    """Version 1: the questions of a published campaign as they are asked, where there is no version yet."""
    form = db.session.get(Form, campaign.id)
    definition = documents.from_data(form.draft) if form else projecting.derived(asked(campaign))
    values = {"campaign_id": campaign.id, "number": 1, "definition": documents.to_data(definition)}
    values["published_at"] = campaign.published_at or clock.now()
    db.session.execute(insert(FormVersion).values(values).on_conflict_do_nothing())


def launched(facts: Sequence[Fact]) -> None:
    """A campaign was published: so is its form (reaction, may run twice)."""
    for campaign in _campaigns(facts):
        launch(campaign)


def copied(facts: Sequence[Fact]) -> None:
    """A campaign was made as a copy: it gets the other one's form as its draft (reaction, may run twice)."""
    for fact in facts:
        origin = db.session.get(Campaign, fact.data.get("copied_from") or 0)
        campaign = db.session.get(Campaign, fact.campaign_id)
        if origin is None or campaign is None or db.session.get(Form, campaign.id) is not None:
            continue
        draft = draft_of(origin)
        if draft.revision or draft.number:
            newest = _newest(origin.id)
            save(campaign, documents.from_data(newest.definition) if newest else draft.definition, 0)


def _campaigns(facts: Sequence[Fact]) -> list[Campaign]:
    ids = sorted({fact.campaign_id for fact in facts if fact.campaign_id})
    return list(db.session.scalars(select(Campaign).where(Campaign.id.in_(ids)).order_by(Campaign.id)))


def versions(campaign_id: int) -> list[FormVersion]:
    """Every published version, newest first."""
    statement = select(FormVersion).filter_by(campaign_id=campaign_id).order_by(FormVersion.number.desc())
    return list(db.session.scalars(statement))


def _newest(campaign_id: int) -> FormVersion | None:
    highest = select(func.max(FormVersion.number)).where(FormVersion.campaign_id == campaign_id).scalar_subquery()
    return db.session.scalar(
        select(FormVersion).filter_by(campaign_id=campaign_id).where(FormVersion.number == highest)
    )


def known_fields(campaign: Campaign, definition: Definition) -> Mapping[str, logic.Field]:
    """What may be known of a person beyond this form: answers to questions of all contests of the brand."""
    statement = select(Question).join(Campaign, Campaign.id == Question.campaign_id)
    rows = db.session.scalars(statement.where(Campaign.brand_id == campaign.brand_id).order_by(Question.id))
    own = {one.key: one.as_logic() for one in definition.fields if one.has_answer}
    found: dict[str, Any] = {}
    for row in rows:
        ids = frozenset(str(option["id"]) for option in row.options)
        before = found.get(row.key)
        kind = next(iter(projecting.derived([row]).fields)).as_logic().kind
        found[row.key] = logic.Field(kind, ids | (before.options if before and before.kind is kind else frozenset()))
    return found | {key: of for key, of in own.items() if key not in found}
