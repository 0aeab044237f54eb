"""What fit rules may ask for: how many answers there are, and each question that the brand has ever asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from leadgen.campaigns.models import Action, Campaign, Question, QuestionKind
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Field, Kind

ANSWERED = "answered"
KINDS = {
    QuestionKind.TEXT: Kind.TEXT,
    QuestionKind.CHOICE: Kind.CHOICE,
    QuestionKind.MANY: Kind.MANY,
    QuestionKind.NUMBER: Kind.NUMBER,
    QuestionKind.DATE: Kind.DATE,
    QuestionKind.YES_NO: Kind.FLAG,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of fit rules with its words in the current language."""

    name: str
    kind: Kind
    word: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The question's own key."""
        return self.name.removeprefix("answer.")


def fields(brand_id: int) -> dict[str, Asked]:
    """By name; of questions that share a key the newest contest's decides the words and the kind."""
    found = {ANSWERED: Asked(ANSWERED, Kind.NUMBER, _("Questions answered"))}
    questions = db.session.scalars(
        select(Question).join(Campaign, Campaign.id == Question.campaign_id).where(Campaign.brand_id == brand_id)
        .order_by(Question.campaign_id.desc(), Question.position)
    ).all()  # fmt: skip
    for question in questions:
        name = f"answer.{question.key}"
        if name not in found:
            options = {one["id"]: _spoken(one["texts"], one["id"]) for one in question.options}
            word = next((text["label"] for text in _ordered(question.texts) if text.get("label")), question.key)
            found[name] = Asked(name, KINDS[question.kind], word, options)
    return found


def actions(brand_id: int) -> dict[str, str]:
    """The title of each action that the brand has, by key."""
    rows = db.session.scalars(
        select(Action).join(Campaign, Campaign.id == Action.campaign_id).where(Campaign.brand_id == brand_id)
        .order_by(Action.campaign_id, Action.position)
    )  # fmt: skip
    return {
        one.key: next((text["title"] for text in _ordered(one.texts) if text.get("title")), one.key) for one in rows
    }


def contests(brand_id: int) -> dict[int, str]:
    """The house's name of each contest of the brand, newest first; the public never sees it."""
    return {one.id: one.name for one in _contests(brand_id)}


def names(brand_id: int, *, is_public: bool = False) -> dict[int | str, str]:
    """What rules about deeds name: contests by id, by their public titles for people outside; actions by key."""
    found: dict[int | str, str] = {}
    for contest in _contests(brand_id):
        found[contest.id] = _title(contest) if is_public else contest.name
    found.update(actions(brand_id))
    return found


def _contests(brand_id: int) -> Sequence[Campaign]:
    found = select(Campaign).where(Campaign.brand_id == brand_id)
    return db.session.scalars(found.order_by(Campaign.id.desc())).all()


def _title(contest: Campaign) -> str:
    ways = (contest.texts.get(code, {}).get("title") for code in (i18n.locale(), contest.default_locale))
    return next((title for title in ways if title), contest.slug)


def plain(known: Mapping[str, Asked]) -> dict[str, Field]:
    """As core.logic checks conditions against; an option that was taken out of a question may go on being meant."""
    return {name: Field(one.kind) for name, one in known.items()}


def _ordered(texts: Mapping[str, Mapping[str, str]]) -> list[Mapping[str, str]]:
    return [texts.get(i18n.locale(), {}), *texts.values()]


def _spoken(texts: Mapping[str, str], otherwise: str) -> str:
    return texts.get(i18n.locale()) or next((text for text in texts.values() if text), otherwise)
