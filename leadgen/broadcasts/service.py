"""Broadcasts as the marketer handles them: written, sent or scheduled, paused, resumed, cancelled, looked at."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from leadgen.broadcasts import audiences
from leadgen.broadcasts.audiences import Audience, Size
from leadgen.broadcasts.models import Broadcast, BroadcastStatus
from leadgen.campaigns import cards
from leadgen.campaigns.checking import Problem
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock, i18n, queue
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.letters import checking, writing
from leadgen.letters.checking import Finding
from leadgen.letters.models import Lane
from leadgen.letters.rendering import OwnWords
from leadgen.mail import streams
from leadgen.mail.models import Stream

EDITABLE = frozenset({BroadcastStatus.DRAFT, BroadcastStatus.SCHEDULED})
RUNNING = frozenset({BroadcastStatus.EXPANDING, BroadcastStatus.SENDING})
SENDABLE = frozenset({CampaignStatus.LIVE, CampaignStatus.CLOSING, CampaignStatus.CLOSED})
LONGEST_NAME = 90
FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastInput:
    """A broadcast as the marketer writes it; texts as in nurture.models.Step."""

    name: str
    texts: Mapping[str, Mapping[str, str]]
    audience: Audience


def of_campaign(campaign_id: int) -> Sequence[Broadcast]:
    """The campaign's broadcasts, newest first."""
    return db.session.scalars(
        select(Broadcast).where(Broadcast.campaign_id == campaign_id).order_by(Broadcast.id.desc())
    ).all()


def get(campaign_id: int, broadcast_id: int) -> Broadcast:
    """The campaign's broadcast. Raises NotFound."""
    found = db.session.scalar(select(Broadcast).filter_by(id=broadcast_id, campaign_id=campaign_id))
    if found is None:
        raise NotFound
    return found


def create(campaign: Campaign, written: BroadcastInput, by: str = "") -> Broadcast:
    """A draft. It may have gaps: only sending asks for all texts. Raises Invalid with the field."""
    checked = _checked(campaign.id, written)
    stream = streams.start(campaign.brand_id, campaign.id, Lane.BULK, checked["name"])
    made = Broadcast(brand_id=campaign.brand_id, campaign_id=campaign.id, stream_id=stream.id, **checked)
    made.created_by, made.created_at = by, clock.now()
    db.session.add(made)
    db.session.flush()
    return made


def edit(broadcast: Broadcast, written: BroadcastInput, version: int) -> None:
    """Replace name, texts and audience of what has not begun. `version` is the one that the writer saw.

    A scheduled one must stay complete. Raises Invalid with the field; Conflict when it has begun, or when somebody
    else saved since.
    """
    found = _locked(broadcast)
    if found.status not in EDITABLE:
        raise Conflict(_("This broadcast has begun: its words and its people stay as they are."))
    if found.version != version:
        raise Conflict(_("Somebody else saved this broadcast while you were writing. Look at it, then save again."))
    checked = _checked(found.campaign_id, written)
    for name, value in checked.items():
        setattr(found, name, value)
    if found.status is BroadcastStatus.SCHEDULED and (problems := missing(found)):
        raise Invalid(problems[0].sentence, "texts")
    db.session.get_one(Stream, found.stream_id).name = found.name
    found.version += 1
    db.session.flush()


def duplicate(broadcast: Broadcast, name: str, by: str = "") -> Broadcast:
    """A new draft with the same words to the same kind of people."""
    campaign = db.session.get_one(Campaign, broadcast.campaign_id)
    stream = streams.start(campaign.brand_id, campaign.id, Lane.BULK, name[:LONGEST_NAME])
    made = Broadcast(brand_id=campaign.brand_id, campaign_id=campaign.id, stream_id=stream.id)
    made.name, made.created_by, made.created_at = name[:LONGEST_NAME], by, clock.now()
    made.texts, made.audience = copy.deepcopy(broadcast.texts), copy.deepcopy(broadcast.audience)
    db.session.add(made)
    db.session.flush()
    return made


def delete(broadcast: Broadcast) -> None:
    """Delete a draft for good. Raises Conflict for anything else: what was sent is kept."""
    found = _locked(broadcast)
    if found.status is not BroadcastStatus.DRAFT:
        raise Conflict(_("Only a draft can be deleted."))
    stream = db.session.get_one(Stream, found.stream_id)
    db.session.delete(found)
    db.session.flush()
    db.session.delete(stream)
    db.session.flush()


def audience_size(broadcast: Broadcast) -> Size:
    """How many people would get it now, by language and group of mailboxes."""
    return audiences.size(broadcast.campaign_id, Audience.of(broadcast.audience))


def findings(broadcast: Broadcast, size: Size | None = None) -> list[Finding]:
    """What is wrong with the letter in the languages of its audience, errors first, in the current language."""
    found = size or audience_size(broadcast)
    spoken = [locale for locale in i18n.LOCALES if found.by_locale.get(locale)]
    own = {
        locale: OwnWords(**{key: str(words.get(key) or "") for key in writing.LIMITS})
        for locale, words in broadcast.texts.items()
    }
    return checking.warnings(cards.by_id(broadcast.campaign_id), "broadcast", own, spoken or i18n.LOCALES)


def missing(broadcast: Broadcast, size: Size | None = None) -> list[Problem]:
    """What keeps the broadcast from being sent, in the current language."""
    found = size or audience_size(broadcast)
    problems = [Problem("broadcast", error.sentence) for error in checking.errors(findings(broadcast, found))]
    if not found.people:
        problems.append(Problem("broadcast", _("Nobody would get it: no confirmed, willing person fits.")))
    return problems


def send(broadcast: Broadcast, *, at: datetime | None = None, by: str = "") -> bool:
    """Send it now, or at `at`; answers False when it has begun already, so that a second click starts nothing.

    Raises Invalid for what is missing and for a time that is past or more than a year away; Conflict when the contest
    is not public or is paused.
    """
    found = _locked(broadcast)
    if found.status not in EDITABLE:
        return False
    now = clock.now()
    if at is not None and not now < at <= now + FARTHEST:
        raise Invalid(_("Choose a time in the future, within a year."), "send_at")
    _check_campaign(found.campaign_id)
    size = audience_size(found)
    if problems := missing(found, size):
        raise Invalid(problems[0].sentence, "texts")
    found.audience_size = size.people
    found.send_at = at or now
    found.started_at = None if at else now
    found.status = BroadcastStatus.SCHEDULED if at else BroadcastStatus.EXPANDING
    streams.resume(found.stream_id, by)
    db.session.flush()
    queue.ring_after_commit(db.session(), Bell.BROADCASTS)
    return True


def unschedule(broadcast: Broadcast) -> None:
    """Make a scheduled broadcast a draft again. Raises Conflict when it is not scheduled (any more)."""
    found = _locked(broadcast)
    if found.status is not BroadcastStatus.SCHEDULED:
        raise Conflict(_("This broadcast is not waiting for its time any more."))
    found.status, found.send_at = BroadcastStatus.DRAFT, None
    db.session.flush()


def pause(broadcast: Broadcast, by: str) -> None:
    """Write and hand over nothing more; what is with the provider stays there. Raises Conflict."""
    found = _running(broadcast)
    streams.pause(found.stream_id, by)


def resume(broadcast: Broadcast, by: str) -> None:
    """Go on where it stopped; nobody gets it twice. Raises Conflict."""
    found = _running(broadcast)
    streams.resume(found.stream_id, by)
    queue.ring_after_commit(db.session(), Bell.BROADCASTS)


def cancel(broadcast: Broadcast, by: str) -> None:
    """Stop for good: at once nothing more leaves, and a job cancels what waits. Raises Conflict.

    What was handed to the provider cannot be called back.
    """
    found = _running(broadcast)
    found.status, found.finished_at = BroadcastStatus.CANCELLED, clock.now()
    streams.pause(found.stream_id, by, "cancelled")
    db.session.flush()
    queue.ring_after_commit(db.session(), Bell.BROADCASTS)


def _running(broadcast: Broadcast) -> Broadcast:
    found = _locked(broadcast)
    if found.status not in RUNNING:
        raise Conflict(_("This broadcast is not being sent."))
    return found


def _locked(broadcast: Broadcast) -> Broadcast:
    """The broadcast as it is now, locked until the transaction ends: two clicks come one after the other."""
    return db.session.scalars(
        select(Broadcast).filter_by(id=broadcast.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _check_campaign(campaign_id: int) -> None:
    status = db.session.get_one(Campaign, campaign_id).status
    if status is CampaignStatus.PAUSED:
        raise Conflict(_("The contest is paused. Resume it, then send."))
    if status not in SENDABLE:
        raise Conflict(_("Only a contest that is public has people to write to."))


def _checked(campaign_id: int, written: BroadcastInput) -> dict[str, Any]:
    name = " ".join(written.name.split())
    if not name:
        raise Invalid(_("Give the broadcast a name."), "name")
    if len(name) > LONGEST_NAME:
        raise Invalid(_("Use %(limit)d characters at most.") % {"limit": LONGEST_NAME}, "name")
    texts = {code: writing.checked(code, words, "broadcast") for code, words in written.texts.items()}
    return {"name": name, "texts": texts, "audience": audiences.checked(campaign_id, written.audience).data()}
