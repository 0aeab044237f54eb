"""The questions on the person's page: the next one, passing it over, and the way into the whole form."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from leadgen.campaigns.cards import CampaignCard, QuestionCard
from leadgen.core.errors import Invalid, NotFound
from leadgen.entries import answers
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing
from leadgen.forms import places, values
from leadgen.forms import queue as asking
from leadgen.forms.definition import Field, FieldType
from leadgen.web import field_words
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me


def section(standing: Standing, card: CampaignCard, _token: str) -> dict[str, Any]:
    """What is asked of this person now; nothing of whoever has not confirmed."""
    if standing.status is not EntryStatus.CONFIRMED:
        return {"queue": None, "question": None, "form": None}
    form = places.read(standing.entry_id, card) if standing.entry_id else places.nobody(card)
    queue = asking.queue(form, card.timezone, most=99)
    ids = {question.key: question.id for question in card.questions}
    first = next((one for one in queue.asked if one.key in ids), None)
    return {
        "queue": queue,
        "form": form,
        "question": first,
        "question_id": ids[first.key] if first else 0,
        "choices_of": field_words.choices_of,
        "countries": field_words.countries() if first and first.type is FieldType.COUNTRY else (),
    }


@guarded_by(Guard.SIGNED_LINK)
def me_answer(token: str, question_id: int) -> ResponseReturnValue:
    """Take the answer to one question; points once."""
    person, card = me.opened(token)
    question, one = _asked(person, card, question_id)
    typed = request.form.getlist(one.key)
    try:
        value = values.understand(one, typed)
    except Invalid as error:
        problem = {"message": str(error), "typed": typed}
        return me.shown(token, person, card, status=400, problem=problem, question=one, question_id=question.id)
    return me.back(token, "question", earned=answers.store(person.entry_id, one.key, value))


@guarded_by(Guard.SIGNED_LINK)
def me_skip(token: str, question_id: int) -> ResponseReturnValue:
    """Pass a question over: it comes again in a week, after the second time in a month."""
    person, card = me.opened(token)
    _question, one = _asked(person, card, question_id)
    asking.skip(places.read(person.entry_id, card), one.key)
    return me.back(token, "question")


def _asked(person: Standing, card: CampaignCard, question_id: int) -> tuple[QuestionCard, Field]:
    """The question and its field in the form as it is published. Raises NotFound."""
    question = next((one for one in card.questions if one.id == question_id), None)
    form = places.read(person.entry_id, card)
    one = form.current.field(question.key) if question else None
    if question is None or one is None:
        raise NotFound
    return question, one
