"""The sequences of a campaign as the marketer edits them. Edits to a running one apply to letters not yet sent."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards, catalogue
from leadgen.campaigns.checking import Problem, language
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.journal.models import Fact
from leadgen.letters import checking, writing
from leadgen.letters.checking import Finding
from leadgen.letters.models import Lane
from leadgen.letters.rendering import OwnWords
from leadgen.mail import streams
from leadgen.nurture.models import Sequence, Step

LONGEST_DELAY = 365 * 86400
STEPS_LIMIT = 30
# Lane and stream lead to ix_message_due: nothing lists messages by step, and the table may hold millions.
_CANCEL = """
UPDATE message SET status = 'cancelled', reason = 'step_removed'
WHERE lane = 'nurture' AND stream_id = :stream AND step_id = :step AND status = 'scheduled'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput:
    """A step as the marketer writes it; texts, condition and delay as in nurture.models.Step."""

    texts: Mapping[str, Mapping[str, str]]
    delay_seconds: int
    condition: Mapping[str, Any] | None = None


def sequence_of(campaign_id: int) -> Sequence | None:
    """The campaign's sequence with its steps (removed ones included, `is_active` tells), or None."""
    return db.session.scalar(select(Sequence).filter_by(campaign_id=campaign_id).order_by(Sequence.id).limit(1))


def set_up_created(facts: Many[Fact]) -> None:
    """Give new campaigns the sequence of their template, copies the one of their original (reaction)."""
    for fact in facts:
        campaign = db.session.get(Campaign, fact.campaign_id)
        if campaign is not None:
            set_up(campaign, copied_from=fact.data.get("copied_from"))


def set_up(campaign: Campaign, *, copied_from: int | None = None) -> Sequence:
    """The campaign's sequence, made from its template or from another campaign's when there is none yet."""
    if found := sequence_of(campaign.id):
        return found
    original = sequence_of(copied_from) if copied_from else None
    made = (
        _copied(original, campaign) if original else from_data(campaign, catalogue.read(campaign.template)["sequence"])
    )
    db.session.add(made)
    db.session.flush()
    return made


def from_data(campaign: Campaign, data: Mapping[str, Any]) -> Sequence:
    """A sequence written as in the `sequence` part of a campaign template."""
    brand = db.session.get_one(Brand, campaign.brand_id)
    filled = catalogue.filled(data, brand.name)
    steps = [Step(position=number, **step) for number, step in enumerate(filled["steps"], 1)]
    return _made(campaign, key=data["key"], name=filled["names"][brand.locale], is_active=True, steps=steps)


def _copied(original: Sequence, campaign: Campaign) -> Sequence:
    same = ("position", "key", "delay_seconds", "condition", "texts")
    steps = [Step(**{k: copy.deepcopy(getattr(s, k)) for k in same}) for s in original.steps if s.is_active]
    return _made(campaign, key=original.key, name=original.name, is_active=original.is_active, steps=steps)


def _made(campaign: Campaign, *, key: str, name: str, is_active: bool, steps: list[Step]) -> Sequence:
    stream = streams.start(campaign.brand_id, campaign.id, Lane.NURTURE, name, is_open=is_active)
    return Sequence(campaign_id=campaign.id, stream_id=stream.id, key=key, name=name, is_active=is_active, steps=steps)


def of_stream(stream_id: int) -> Sequence | None:
    """The sequence whose letters a stream carries, or None when it is a broadcast's."""
    return db.session.scalar(select(Sequence).where(Sequence.stream_id == stream_id))


def set_active(sequence: Sequence, *, is_active: bool, by: str = "") -> None:
    """Start or pause a sequence; `by` is the name of the member of staff.

    Nobody is lost in a pause: who is enrolled goes on afterwards, late by at most 48 h.
    Raises Invalid when a step is not complete or has an error (letters.checking).
    """
    if is_active and (problems := [*missing(sequence), *_faulty(sequence)]):
        raise Invalid(problems[0].sentence, "steps")
    sequence.is_active = is_active
    if is_active:
        streams.resume(sequence.stream_id, by)
    else:
        streams.pause(sequence.stream_id, by)


def missing(sequence: Sequence) -> list[Problem]:
    """What keeps the sequence from being active, in the current language."""
    return [
        Problem(
            "sequence",
            _("Step %(number)d is not complete in %(language)s.") % {"number": n, "language": language(locale)},
        )
        for n, step in enumerate((s for s in sequence.steps if s.is_active), 1)
        for locale in i18n.LOCALES
        if writing.gaps(step.texts, locale)
    ]


def hints(sequence: Sequence, texts: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """What is to be mended in the words of a step, errors first, in the current language."""
    own = {locale: OwnWords.of(words) for locale, words in texts.items()}
    return checking.warnings(cards.by_id(sequence.campaign_id), "sequence", own)


def _faulty(sequence: Sequence) -> list[Problem]:
    return [
        Problem("sequence", _("Step %(number)d. %(what)s") % {"number": number, "what": error.sentence})
        for number, step in enumerate((s for s in sequence.steps if s.is_active), 1)
        for error in checking.errors(hints(sequence, step.texts))
    ]


def add_step(sequence: Sequence, step: StepInput) -> Step:
    """Put a step at the end: for people who have not finished the sequence yet. Raises Invalid."""
    if sum(s.is_active for s in sequence.steps) >= STEPS_LIMIT:
        raise Invalid(_("Keep to %(limit)d steps at most.") % {"limit": STEPS_LIMIT}, "steps")
    position = max((s.position for s in sequence.steps), default=0) + 1
    added = Step(position=position, key=f"step-{position}", is_active=True, **_checked(sequence, step))
    sequence.steps.append(added)
    db.session.flush()
    return added


def edit_step(sequence: Sequence, step_id: int, step: StepInput) -> Step:
    """Replace a step's words, delay and condition. Raises NotFound, Invalid.

    Words reach everybody whose letter is not sent yet. A new delay is counted for people who reach the step from now
    on; who waits for it already keeps the date. The condition holds for letters planned
    from now on. A letter that somebody received is never sent to that person again.
    """
    found = _find(sequence, step_id)
    checked = _checked(sequence, step)
    if any(getattr(found, key) != value for key, value in checked.items()):
        for key, value in checked.items():
            setattr(found, key, value)
        found.version += 1
        db.session.flush()
    return found


def remove_step(sequence: Sequence, step_id: int) -> None:
    """Send a step to nobody any more: people who wait for it go on to the next, what is planned is cancelled."""
    found = _find(sequence, step_id)
    found.is_active = False
    db.session.flush()
    db.session.execute(text(_CANCEL), {"step": found.id, "stream": sequence.stream_id})


def _find(sequence: Sequence, step_id: int) -> Step:
    found = next((step for step in sequence.steps if step.id == step_id and step.is_active), None)
    if found is None:
        raise NotFound
    return found


def _checked(sequence: Sequence, step: StepInput) -> dict[str, Any]:
    if not 0 <= step.delay_seconds <= LONGEST_DELAY:
        raise Invalid(_("Choose a delay of one year at most."), "delay")
    texts = {locale: writing.checked(locale, words, "sequence") for locale, words in step.texts.items()}
    for locale in i18n.LOCALES if sequence.is_active else ():
        for key in writing.gaps(texts, locale):
            sentence = _("An active sequence needs this text in %(language)s.") % {"language": language(locale)}
            raise Invalid(sentence, f"{locale}-{key}")
    if sequence.is_active and (found := checking.errors(hints(sequence, texts))):
        raise Invalid(found[0].sentence, f"{found[0].locale}-{found[0].field}")
    return {"delay_seconds": step.delay_seconds, "texts": texts, "condition": _condition(sequence, step.condition)}


def _condition(sequence: Sequence, condition: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A condition that can be judged: a question that is asked, and one of its choices."""
    if not condition:
        return None
    question = writing.question(sequence.campaign_id, condition.get("question"))
    operators = [op for op in ("is", "is_not") if op in condition]
    if len(operators) != 1:
        raise Invalid(_("Say whether the answer must be this one or must not be."), "condition")
    value = condition[operators[0]]
    if not writing.is_answer(question, value):
        raise Invalid(_("Choose one of the answers that this question can have."), "condition")
    return {"question": question.key, operators[0]: value}
