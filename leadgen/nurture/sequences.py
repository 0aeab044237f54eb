"""The sequences of a campaign: made, copied, named, put away; and the thin verbs of the first editor.

The thin verbs change the draft and publish it at once, for everybody who is inside too.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update

from leadgen.accounts.models import Brand
from leadgen.campaigns import cards, catalogue
from leadgen.campaigns.checking import Problem, language
from leadgen.campaigns.models import Campaign, Question, QuestionKind
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Condition
from leadgen.journal.models import Fact
from leadgen.letters import checking, writing
from leadgen.letters.checking import Finding
from leadgen.letters.models import Lane
from leadgen.letters.rendering import OwnWords
from leadgen.mail import streams
from leadgen.nurture import versions
from leadgen.nurture.definition import Definition, Letter, Variant, Wait, to_data
from leadgen.nurture.definition import from_data as definition_from
from leadgen.nurture.models import Enrolment, EnrolmentStatus, Sequence, Step

LONGEST_DELAY = 365 * 86400
LONGEST_NAME = 90
STEPS_LIMIT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput:
    """A letter as the marketer writes it; `condition` is {"question": key, "is" or "is_not": answer}."""

    texts: Mapping[str, Mapping[str, str]]
    delay_seconds: int
    condition: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterShown:
    """A letter of a sequence that stands in one row, for pages that know no branches; `condition` as in StepInput."""

    id: int
    key: str
    position: int
    delay_seconds: int
    condition: Mapping[str, Any] | None
    texts: Mapping[str, Mapping[str, str]]
    is_active: bool = True


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
    `condition` is as in StepInput.
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


def _copied(original: Sequence, campaign: Campaign) -> Sequence:
    """The same for another campaign: what is published, and the draft with what is not."""
    made = _made(campaign, key=original.key, name=original.name, is_active=original.is_active)
    published = versions.published(original)
    if published is not None:
        _with(made, published)
    made.draft = copy.deepcopy(original.draft)
    db.session.flush()
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


def shown(sequence: Sequence) -> list[LetterShown]:
    """The letters that are sent, with what stands before each on its row."""
    definition = versions.published(sequence) or Definition()
    known = {step.key: step for step in sequence.steps if step.is_active}
    return [
        LetterShown(
            id=known[letter.key].id,
            key=letter.key,
            position=position,
            delay_seconds=letter.wait.seconds,
            condition=_told(letter.when),
            texts=known[letter.key].texts,
        )
        for position, letter in enumerate(definition.letters(), 1)
        if letter.key in known
    ]


def add_step(sequence: Sequence, step: StepInput) -> Step:
    """Put a letter at the end: for people who have not finished the sequence yet. Raises Invalid."""
    definition = versions.published(sequence) or Definition()
    if sum(1 for _letter in definition.letters()) >= STEPS_LIMIT:
        raise Invalid(_("Keep to %(limit)d steps at most.") % {"limit": STEPS_LIMIT}, "steps")
    key = f"step-{max((one.position for one in sequence.steps), default=0) + 1}"
    taken = {one.key for one in sequence.steps}
    while key in taken:  # a letter is sent once for each key, for ever
        key = f"step-{int(key.removeprefix('step-')) + 1}"
    letter = _letter(sequence, key, _checked(sequence, step))
    _publish(sequence, replace(definition, steps=(*definition.steps, letter)))
    return next(one for one in sequence.steps if one.key == key)


def edit_step(sequence: Sequence, step_id: int, step: StepInput) -> Step:
    """Replace a letter's words, delay and condition. Raises NotFound, Invalid.

    Words reach everybody whose letter is not sent yet, and so does the condition. A new delay is counted for people who
    reach the letter from now on; who waits for it already keeps the date. A letter that somebody received is never sent
    to that person again.
    """
    found = _find(sequence, step_id)
    letter = _letter(sequence, found.key, _checked(sequence, step))
    definition = versions.published(sequence) or Definition()
    changed = replace(definition, steps=tuple(letter if one.key == found.key else one for one in definition.steps))
    if to_data(changed) != to_data(definition):
        _publish(sequence, changed)
    return found


def remove_step(sequence: Sequence, step_id: int) -> None:
    """Send a letter to nobody any more: people who wait for it go on to the next, what is planned is cancelled."""
    found = _find(sequence, step_id)
    definition = versions.published(sequence) or Definition()
    following = definition.after(found.key)
    _publish(sequence, replace(definition, steps=tuple(one for one in definition.steps if one.key != found.key)))
    waiting = (Enrolment.sequence_id == sequence.id, Enrolment.status == EnrolmentStatus.ACTIVE)
    moved = update(Enrolment).where(*waiting, Enrolment.step_key == found.key)
    db.session.execute(moved.values(step_key=following.key if following else ""))


def _publish(sequence: Sequence, definition: Definition) -> None:
    """The next version, for everybody inside as well: their next letter keeps its key and its date."""
    sequence.draft = to_data(definition)
    sequence.revision = (sequence.revision or 1) + 1
    made = versions.store(sequence, definition)
    inside = update(Enrolment).where(Enrolment.sequence_id == sequence.id, Enrolment.status == EnrolmentStatus.ACTIVE)
    db.session.execute(inside.values(version=made.number))


def _letter(sequence: Sequence, key: str, checked: Mapping[str, Any]) -> Letter:
    return Letter(
        key=key,
        wait=Wait(seconds=checked["delay_seconds"]),
        when=_asked(sequence.campaign_id, checked["condition"]),
        variants=(Variant(key="a", texts=checked["texts"]),),
    )


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


def _told(condition: Condition | None) -> Mapping[str, Any] | None:
    """The way back of `_asked`; None for everything that says more."""
    if condition is None:
        return None
    inner = condition.get("not", condition)
    if not str(inner.get("field", "")).startswith("answer.") or inner.get("op") not in {"eq", "ne", "contains"}:
        return None
    is_wanted = inner["op"] != "ne" and inner is condition
    return {"question": inner["field"].removeprefix("answer."), "is" if is_wanted else "is_not": inner["value"]}


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
