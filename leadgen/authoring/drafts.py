"""The draft of a sequence: kept unfinished, saved by one at a time, and what keeps it from being published."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from leadgen.authoring import faults, ways
from leadgen.authoring.faults import Ground, Problem
from leadgen.campaigns.models import Campaign
from leadgen.core import i18n, logic
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.letters import writing
from leadgen.nurture import versions
from leadgen.nurture.definition import Branch, Definition, Letter, Variant, from_data, to_data
from leadgen.nurture.definition import Step as AnyStep
from leadgen.nurture.models import Sequence

__all__ = ["Problem", "definition_of", "locked", "problems", "read", "save"]

LARGEST = 1_000_000  # characters of JSON
_DEEPEST = 10  # forks in forks that can be kept; the editor and `problems` allow fewer


def save(sequence: Sequence, data: Mapping[str, Any], revision: int, by: str) -> list[Problem]:
    """Keep the draft as it is, and answer what is still to be mended in it.

    `revision` is the one that was read before editing; `sequence.revision` is one more afterwards. Raises Conflict
    when somebody else saved in between, and Invalid for what is no definition at all. `by` is the name of the member of
    staff.
    """
    definition = read(data)
    if locked(sequence).revision != revision:
        raise Conflict(_("Somebody else saved this sequence while you were writing. Look at it, then save again."))
    keep(sequence, definition, by)
    return problems(sequence)


def keep(sequence: Sequence, definition: Definition, by: str) -> None:
    """Put the definition in the draft's place; the caller holds the lock."""
    sequence.draft = to_data(_with_experiments(sequence, definition))
    sequence.revision += 1
    db.session.flush()
    note(sequence, FactName.SEQUENCE_CHANGED, by)


def note(sequence: Sequence, name: FactName, by: str, **data: Any) -> None:
    """Record what a member of staff did with the sequence."""
    campaign = db.session.get_one(Campaign, sequence.campaign_id)
    journal.record(name, brand_id=campaign.brand_id, campaign_id=campaign.id, sequence=sequence.id, by=by, **data)


def locked(sequence: Sequence) -> Sequence:
    """The sequence as it stands now, held until the transaction ends; who enrols in it or plans goes on meanwhile."""
    asked = select(Sequence).filter_by(id=sequence.id).with_for_update(key_share=True, of=Sequence)
    db.session.execute(asked.execution_options(populate_existing=True)).unique().one()
    return sequence


def read(data: Mapping[str, Any]) -> Definition:
    """The definition in such data, its texts as they are kept. Raises Invalid when there is none in it."""
    sentence = _("This is no sequence: something in it has the wrong form.")
    try:
        written = json.dumps(data, allow_nan=False, ensure_ascii=False)
        definition = from_data(_whole(data))
        _check_conditions(definition)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise Invalid(sentence, "draft") from None
    if "\\u0000" in written or not _is_text(written):
        raise Invalid(_("The sequence holds a sign that is no text."), "draft")
    if len(written) > LARGEST or _levels(definition.steps) > _DEEPEST or not _is_sound(definition):
        raise Invalid(sentence, "draft")
    return with_steps(definition, _tidied)


def _whole(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A fork whose condition is not chosen yet has an empty one; a sequence without a beginning the usual one."""

    def step(one: Mapping[str, Any]) -> dict[str, Any]:
        sides = {side: [step(inner) for inner in one[side]] for side in ("yes", "no") if one.get(side)}
        return {**one} | sides | ({"when": one.get("when") or {"all": []}} if one["kind"] == "branch" else {})

    steps = [step(one) for one in data.get("steps") or ()]
    return {"trigger": {"on": "confirmed"}} | {**data} | {"steps": steps}


def _is_text(written: str) -> bool:
    try:
        written.encode()
    except UnicodeEncodeError:
        return False
    return True


def _levels(steps: tuple[AnyStep, ...]) -> int:
    return max((1 + max(_levels(one.yes), _levels(one.no)) for one in steps if isinstance(one, Branch)), default=0)


def _check_conditions(definition: Definition) -> None:
    """Each condition has the form of one; whether its fields are there comes later. Raises Invalid."""
    conditions = [definition.who, *(one.when for one in definition.exits)]
    conditions += [one.when for one in definition.walk() if isinstance(one, (Letter, Branch))]
    try:
        for one in conditions:
            if one is not None and one != {}:
                logic.check_shape(one)
    except Invalid as error:
        raise Invalid(str(error), "draft") from None


def _is_sound(definition: Definition) -> bool:
    """Keys and texts are words, so that nothing that reads them stumbles; what they say comes later."""
    variants = [variant for letter in definition.letters() for variant in letter.variants]
    return all(isinstance(one.key, str) for one in (*definition.walk(), *variants)) and all(
        isinstance(texts, Mapping) for one in variants for texts in one.texts.values()
    )


def _tidied(step: AnyStep) -> AnyStep:
    """A letter with the texts that letters have, in the languages that there are; spaces at the ends stay for now."""
    if not isinstance(step, Letter):
        return step
    return replace(step, variants=tuple(replace(one, texts=_texts(one)) for one in step.variants))


def _texts(variant: Variant) -> dict[str, dict[str, str]]:
    return {
        locale: {key: str(given[key]).replace("\r\n", "\n") for key in writing.LIMITS if given.get(key)}
        for locale, given in variant.texts.items()
        if locale in i18n.LOCALES
    }


def definition_of(sequence: Sequence) -> Definition:
    """The draft; where nobody edited yet, what is published; where nothing is, an empty definition."""
    if sequence.draft:
        return from_data(sequence.draft)
    return versions.published(sequence) or Definition()


def problems(sequence: Sequence) -> list[Problem]:
    """What keeps the draft from being published, in the order of the steps, in the current language."""
    definition, ground = definition_of(sequence), Ground.of_campaign(sequence.campaign_id)
    return [*faults.of_frame(definition, ground), *ways.of_steps(definition, ground)]


def _with_experiments(sequence: Sequence, definition: Definition) -> Definition:
    """Each A/B test has its seed: the one it had while versions and shares stay the same, else a new one.

    Whoever turns back before publishing has the old seed again, so that everybody keeps the wording they began with.
    """
    known: dict[tuple[object, ...], str] = {}
    for before in (versions.published(sequence), from_data(sequence.draft) if sequence.draft else None):
        for letter in before.letters() if before else ():
            if letter.experiment:
                known.setdefault(_test_of(letter), letter.experiment)

    def seeded(step: AnyStep) -> AnyStep:
        if not isinstance(step, Letter):
            return step
        is_test = len(step.variants) > 1
        return replace(step, experiment=known.get(_test_of(step)) or secrets.token_hex(8) if is_test else "")

    return with_steps(definition, seeded)


def _test_of(letter: Letter) -> tuple[object, ...]:
    return letter.key, tuple((variant.key, variant.weight) for variant in letter.variants)


def with_steps(definition: Definition, changed: Callable[[AnyStep], AnyStep]) -> Definition:
    """The definition with each of its steps changed, however deep."""

    def each(steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
        return tuple(
            changed(replace(one, yes=each(one.yes), no=each(one.no)) if isinstance(one, Branch) else one)
            for one in steps
        )

    return replace(definition, steps=each(definition.steps))
