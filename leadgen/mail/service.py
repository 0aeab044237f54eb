"""The mail room's verbs: want a mail, look at one beforehand, change its words, see what became of it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from leadgen.accounts import service as accounts
from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import clock, limits, queue
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.core.queue import Bell
from leadgen.letters import kinds, rendering, samples
from leadgen.letters.kinds import Letter
from leadgen.letters.models import Lane
from leadgen.letters.rendering import Compiled, OwnWords, Rendered
from leadgen.letters.texts import Texts
from leadgen.mail import delivery, outbox
from leadgen.mail.models import MessageStatus
from leadgen.mail.providers.chosen import provider
from leadgen.mail.providers.compose import compose
from leadgen.mail.providers.interface import Batch, Outcome

_SAME = (
    "intent", "letter", "brand_id", "campaign_id", "contact_id", "entry_id", "locale", "step_id", "status", "reason",
)  # fmt: skip
TESTS = "20 per hour"  # test letters to one member of staff of one brand


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mail to one entrant. `intent` makes it unique; `context` holds the numbers that its links are made from.

    With a `status` other than scheduled it is only noted, so that its page can say why it never went (`reason`).
    """

    intent: str
    letter: str
    brand_id: int
    campaign_id: int
    contact_id: int
    entry_id: int
    locale: str
    context: Mapping[str, int | str]
    due_at: datetime | None = None
    expires_at: datetime | None = None
    step_id: int | None = None
    status: MessageStatus = MessageStatus.SCHEDULED
    reason: str = ""


def want(wanted: Wanted) -> bool:
    """Want a mail in the running transaction; False when its intent is there already, which is no error.

    It goes out after the commit if every gate is open then (mail.gates). Raises NotFound for an unknown letter.
    """
    letter = _letter(wanted.letter)
    due_at = wanted.due_at or clock.now()
    values = {name: getattr(wanted, name) for name in _SAME} | {
        "lane": letter.lane.value,
        "purpose": letter.purpose.value,
        "context": json.dumps(dict(wanted.context)),
        "due_at": due_at,
        "expires_at": wanted.expires_at or due_at + letter.lifetime,
    }
    is_new = outbox.want(values)
    queue.ring_after_commit(db.session(), Bell.CONFIRMATIONS if letter.lane is Lane.CONFIRMATION else Bell.MAIL)
    return is_new


def preview(
    campaign_id: int,
    letter: str,
    locale: str,
    *,
    stream_id: int = 0,
    own: OwnWords | None = None,
) -> Rendered:
    """The letter as a made-up person would get it, with `own` words or those that stand now.

    `stream_id` is the stream of a broadcast. Its links lead to sample pages, which record nothing.
    Raises NotFound.
    """
    card, compiled = _compiled(campaign_id, letter, locale, stream_id, own=own)
    return rendering.render(compiled, card, samples.person(card, letter, locale, stream_id))


def preview_headers(
    campaign_id: int,
    letter: str,
    locale: str,
    *,
    stream_id: int = 0,
    own: OwnWords | None = None,
) -> list[tuple[str, str]]:
    """The headers of the letter as it would leave, those of one-click unsubscribing included. Raises NotFound."""
    card, compiled = _compiled(campaign_id, letter, locale, stream_id, own=own)
    person = replace(samples.person(card, letter, locale, stream_id), opaque_id=str(uuid.uuid4()))
    parcel = delivery.parcel(person, compiled, card)
    return [(name, str(value)) for name, value in compose(Batch(compiled, []), parcel).items()]


def subject(campaign_id: int, letter: str, locale: str, first_name: str) -> str:
    """The subject line as this person reads it, for pages that say what to look for; at most a minute old.

    Raises NotFound.
    """
    card = cards.by_id(campaign_id)
    compiled = _compiled_lately((card.slug, card.version, int(time.time() // 60)), campaign_id, letter, locale)
    return rendering.render(
        compiled, card, replace(samples.person(card, letter, locale), first_name=first_name)
    ).subject


def send_test(
    campaign_id: int,
    letter: str,
    locale: str,
    to: str,
    *,
    stream_id: int = 0,
    own: OwnWords | None = None,
) -> Outcome:
    """Hand the preview to the provider, past the outbox, for a member of staff; answers what became of it.

    It concerns no contact, so no gate is asked. Only whoever works for the brand may get one, at most TESTS each: this
    is no way to mail strangers. `stream_id` and `own` as in `preview`. It ends the running transaction, because a
    stranger is waited for. Raises NotFound, Invalid(field="to"), TooMany.
    """
    card, compiled = _compiled(campaign_id, letter, locale, stream_id, own=own)
    receiver = to.strip().casefold()
    if receiver not in accounts.member_emails(card.brand.id):
        raise Invalid(_("Tests go to people who work for this brand only."), "to")
    if not limits.allow(TESTS, "letter-test", str(card.brand.id), receiver):
        raise TooMany(_("That was many tests for one hour. Please try again later."), 3600)
    compiled = replace(compiled, subject=f"[Test] {compiled.subject}")
    person = samples.person(card, letter, locale, stream_id)
    parcel = delivery.parcel(replace(person, email=receiver, opaque_id=str(uuid.uuid4())), compiled, card)
    db.session.commit()  # reading is over: no transaction stays open while a stranger answers
    return provider().send(Batch(compiled, [parcel])).outcomes[0]


def _letter(name: str) -> Letter:
    if name not in kinds.ALL:
        raise NotFound(name)
    return kinds.ALL[name]


def _compiled(
    campaign_id: int, letter: str, locale: str, stream_id: int = 0, *, own: OwnWords | None = None
) -> tuple[CampaignCard, Compiled]:
    _letter(letter)
    card = cards.by_id(campaign_id)
    if own is not None:
        return card, rendering.compiled(card, letter, locale, own)
    texts = Texts({campaign_id}, (), {stream_id} if stream_id else ())
    if letter == "broadcast":
        own = texts.of_broadcast(stream_id, locale, card.default_locale)
    else:
        own = texts.of(campaign_id, letter, locale, step_id=None, default_locale=card.default_locale)
    return card, rendering.compiled(card, letter, locale, own)


@lru_cache(maxsize=256)
def _compiled_lately(_state: tuple[str, int, int], campaign_id: int, letter: str, locale: str) -> Compiled:
    return _compiled(campaign_id, letter, locale)[1]
