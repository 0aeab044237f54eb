"""The sequences of a campaign: made, copied, named, started, paused, put away."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from collections.abc import Sequence as Many
from typing import Any

from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards, catalogue
from leadgen.campaigns.checking import Problem, language
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition
from leadgen.journal.models import Fact
from leadgen.letters import checking, writing
from leadgen.letters.checking import Finding
from leadgen.letters.models import Lane
from leadgen.letters.rendering import OwnWords
from leadgen.mail import streams
from leadgen.nurture import versions
from leadgen.nurture.definition import Definition, to_data
from leadgen.nurture.definition import from_data as definition_from
from leadgen.nurture.models import Sequence, Step

LONGEST_NAME = 90


def of_campaign(campaign_id: int, *, is_archived: bool = False) -> Many[Sequence]:
    """The campaign's sequences, oldest first: those in use, or those that were put away."""
    away = Sequence.archived_at.is_not(None) if is_archived else Sequence.archived_at.is_(None)
    return db.session.scalars(
        select(Sequence).filter_by(campaign_id=campaign_id).where(away).order_by(Sequence.id)
    ).all()


def sequence_of(campaign_id: int) -> Sequence | None:
    """The campaign's first sequence that is not put away (its removed letters included, `is_active` tells), or None."""
    return next(iter(of_campaign(campaign_id)), None)


def get(campaign_id: int, sequence_id: int) -> Sequence:
    """The campaign's sequence, put away or not. Raises NotFound."""
    found = db.session.scalar(select(Sequence).filter_by(id=sequence_id, campaign_id=campaign_id))
    if found is None:
        raise NotFound
    return found


def of_step(campaign_id: int, step_id: int) -> tuple[Sequence, Step]:
    """A letter's row, in use or not, and its sequence. Raises NotFound."""
    row = db.session.get(Step, step_id)
    if row is None:
        raise NotFound
    return get(campaign_id, row.sequence_id), row


def create(campaign: Campaign, name: str) -> Sequence:
    """A new sequence with an empty draft: switched off, nothing of it published. Raises Invalid (`name`)."""
    made = _made(campaign, key=_free_key(campaign.id), name=_name(name), is_active=False)
    made.draft = to_data(Definition())
    db.session.flush()
    return made


def rename(sequence: Sequence, name: str) -> None:
    """Call it differently; only staff see the name. Raises Invalid (`name`)."""
    sequence.name = _name(name)
    streams.rename(sequence.stream_id, sequence.name)
    db.session.flush()


def archive(sequence: Sequence, by: str = "") -> None:
    """Put it away: nobody enters any more, who is inside waits, and what is planned stays unsent. Twice is once."""
    if sequence.archived_at is None:
        sequence.archived_at = clock.now()
        streams.pause(sequence.stream_id, by)


def restore(sequence: Sequence) -> None:
    """Take it out again, switched off."""
    sequence.archived_at = None
    sequence.is_active = False
    db.session.flush()


def _name(given: str) -> str:
    name = " ".join(given.split())
    if not name:
        raise Invalid(_("Give the sequence a name."), "name")
    if len(name) > LONGEST_NAME:
        raise Invalid(_("Use %(limit)d characters at most.") % {"limit": LONGEST_NAME}, "name")
    return name


def _free_key(campaign_id: int) -> str:
    taken = set(db.session.scalars(select(Sequence.key).filter_by(campaign_id=campaign_id)))
    return next(key for number in range(1, len(taken) + 2) if (key := f"sequence-{number}") not in taken)


def set_up_created(facts: Many[Fact]) -> None:
    """Give new campaigns the sequence of their template, copies those of their original (reaction)."""
    for fact in facts:
        campaign = db.session.get(Campaign, fact.campaign_id)
        if campaign is not None:
            set_up(campaign, copied_from=fact.data.get("copied_from"))


def set_up(campaign: Campaign, *, copied_from: int | None = None) -> Sequence:
    """The campaign's first sequence; made from its template, or from another campaign's, when there is none yet."""
    if found := sequence_of(campaign.id):
        return found
    originals = of_campaign(copied_from) if copied_from else ()
    if originals:
        first, *_others = [_copied(one, campaign) for one in originals]
        return first
    return from_data(campaign, catalogue.read(campaign.template)["sequence"])


def from_data(campaign: Campaign, data: Mapping[str, Any]) -> Sequence:
    """A sequence written as in the `sequence` part of a campaign template, published as its first version.

    Its `steps` are either those of nurture.definition, or short: {"key", "delay_seconds", "condition", "texts"}, where
    `condition` is {"question": key, "is" or "is_not": answer}.
    """
    brand = db.session.get_one(Brand, campaign.brand_id)
    filled = catalogue.filled(data, brand.name)
    made = _made(campaign, key=data["key"], name=filled["names"][brand.locale], is_active=True)
    same = {name: value for name, value in filled.items() if name not in {"key", "names", "steps"}}
    steps = [step if "kind" in step else _in_full(campaign, step) for step in filled["steps"]]
    definition = definition_from({"trigger": {"on": "confirmed"}, **same, "steps": steps})
    return _with(made, definition)


def _in_full(campaign: Campaign, short: Mapping[str, Any]) -> dict[str, Any]:
    variants = [{"key": "a", "texts": short["texts"]}]
    full = {"kind": "letter", "key": short["key"], "wait": {"seconds": short["delay_seconds"]}, "variants": variants}
    return full | {"when": _asked(campaign.id, short.get("condition"))}


def _asked(campaign_id: int, condition: Mapping[str, Any] | None) -> Condition | None:
    """The condition on an answer as segments have it. Of a question with several answers one of them must be there."""
    if not condition:
        return None
    question = db.session.scalar(select(Question).filter_by(campaign_id=campaign_id, key=condition["question"]))
    is_many = question is not None and question.kind is QuestionKind.MANY
    is_wanted = "is" in condition
    field, value = f"answer.{condition['question']}", condition["is" if is_wanted else "is_not"]
    if is_many:
        holds = {"field": field, "op": "contains", "value": value}
        return holds if is_wanted else {"not": holds}
    return {"field": field, "op": "eq" if is_wanted else "ne", "value": value}


def _copied(original: Sequence, campaign: Campaign) -> Sequence:
    """The same for another campaign: what is published, and the draft with what is not, paused if the original is.

    Its tests draw anew: their seeds are drawn from their old ones, so that the draft is as published where it was.
    """
    made = _made(campaign, key=original.key, name=original.name, is_active=original.is_active)
    if original.paused_at is not None:
        made.paused_at = clock.now()
        streams.pause(made.stream_id, "")
    published = versions.published(original)
    if published is not None:
        _with(made, definition_from(_drawn_anew(to_data(published), made.id)))
    made.draft = _drawn_anew(copy.deepcopy(original.draft), made.id)
    db.session.flush()
    return made


def _drawn_anew(data: Any, sequence_id: int) -> Any:
    """This part of a definition, each seed of a test in it replaced."""
    if isinstance(data, list):
        return [_drawn_anew(one, sequence_id) for one in data]
    if not isinstance(data, dict):
        return data
    made = {name: _drawn_anew(one, sequence_id) for name, one in data.items()}
    if data.get("kind") == "letter" and data.get("experiment"):
        made["experiment"] = hashlib.sha256(f"{sequence_id}:{data['experiment']}".encode()).hexdigest()[:16]
    return made


def _with(sequence: Sequence, definition: Definition) -> Sequence:
    sequence.draft = to_data(definition)
    versions.store(sequence, definition)
    return sequence


def _made(campaign: Campaign, *, key: str, name: str, is_active: bool) -> Sequence:
    stream = streams.start(campaign.brand_id, campaign.id, Lane.NURTURE, name, is_open=is_active)
    made = Sequence(campaign_id=campaign.id, stream_id=stream.id, key=key, name=name, is_active=is_active, steps=[])
    db.session.add(made)
    db.session.flush()
    return made


def of_stream(stream_id: int) -> Sequence | None:
    """The sequence whose letters a stream carries, or None when it is a broadcast's."""
    return db.session.scalar(select(Sequence).where(Sequence.stream_id == stream_id))


def set_active(sequence: Sequence, *, is_active: bool, by: str = "") -> None:
    """Start or pause a sequence; `by` is the name of the member of staff.

    Nobody is lost in a pause: who is enrolled goes on afterwards, late by at most 48 h.
    Raises Conflict when it is archived, Invalid when a step is not complete or has an error (letters.checking).
    """
    refuse_archived(sequence)
    if is_active:
        switch_on(sequence)
        streams.resume(sequence.stream_id, by)
    else:
        sequence.is_active = False
        streams.pause(sequence.stream_id, by)


def switch_on(sequence: Sequence) -> None:
    """Let people in, and leave its stream as it is. Raises Invalid when a step is not complete or has an error."""
    if problems := [*missing(sequence), *_faulty(sequence)]:
        raise Invalid(problems[0].sentence, "steps")
    sequence.is_active = True


def refuse_archived(sequence: Sequence) -> None:
    """Raises Conflict when the sequence is put away: none of its letters may leave."""
    if sequence.archived_at is not None:
        raise Conflict(_("This sequence is archived; bring it back first."))


def missing(sequence: Sequence) -> list[Problem]:
    """What keeps the sequence from being active, in the current language; words are needed in the contest's own."""
    return [
        Problem(
            "sequence",
            _("Step %(number)d is not complete in %(language)s.") % {"number": n, "language": language(locale)},
        )
        for n, step in enumerate((s for s in sequence.steps if s.is_active), 1)
        for locale in cards.by_id(sequence.campaign_id).locales
        if writing.gaps(step.texts, locale)
    ]


def _faulty(sequence: Sequence) -> list[Problem]:
    return [
        Problem("sequence", _("Step %(number)d. %(what)s") % {"number": number, "what": error.sentence})
        for number, step in enumerate((s for s in sequence.steps if s.is_active), 1)
        for error in checking.errors(_hints(sequence, step.texts))
    ]


def _hints(sequence: Sequence, texts: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    own = {locale: OwnWords.of(words) for locale, words in texts.items()}
    card = cards.by_id(sequence.campaign_id)
    return checking.warnings(card, "sequence", own, card.locales)
