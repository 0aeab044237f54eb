"""Rules by version, what each gave whom and for what, the two numbers, and who waits to be scored anew."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Double, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from leadgen.core.db import Model, word


class RulesState(StrEnum):
    """The life of a version: written, published and being reckoned for everybody, in force, replaced."""

    DRAFT = "draft"
    COMPUTING = "computing"
    STANDING = "standing"
    PAST = "past"


class ContributionKind(StrEnum):
    """To which of the two numbers something contributes."""

    FIT = "fit"
    ENGAGEMENT = "engagement"


class ScoreRules(Model):
    """A version of a brand's rules (scores.rules); only a draft's definition changes.

    `reached_id` is set while a round over all contacts runs: the last of whom it has seen, `done` of `of`.
    """

    __tablename__ = "score_rules"
    __table_args__ = (
        Index("ix_score_rules_draft", "brand_id", unique=True, postgresql_where=text("state = 'draft'")),
        Index("ix_score_rules_standing", "brand_id", unique=True, postgresql_where=text("state = 'standing'")),
    )

    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[RulesState] = mapped_column(word(RulesState))
    definition: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(server_default=text("1"))  # grows with each saving of a draft
    based_on: Mapped[int | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(server_default="")
    published_at: Mapped[datetime | None]  # a past one without it is a draft that was put away
    published_by: Mapped[str] = mapped_column(server_default="")
    stood_at: Mapped[datetime | None]
    reached_id: Mapped[int | None] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    of: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    is_swept: Mapped[bool] = mapped_column(server_default=text("false"))  # of a past one: its scores are deleted


class ContactScore(Model):
    """The two numbers of a contact by a version of the rules.

    Engagement is `worth` at `worth_at`, from which every reading decays it; the bands are those of the last look.
    """

    __tablename__ = "contact_score"
    __table_args__ = (Index("ix_contact_score_brand_id", "brand_id", "number"),)

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(BigInteger)
    fit: Mapped[int]  # 0 to 100
    disqualified_by: Mapped[str] = mapped_column(server_default="")  # key of the rule
    worth: Mapped[float] = mapped_column(Double)
    worth_at: Mapped[datetime]
    alive_at: Mapped[datetime]  # last sign of life, as of scored_at
    fit_band: Mapped[str]
    engagement_band: Mapped[str]
    letters: Mapped[int]  # marketing letters of the last reckoning.LETTER_DAYS, as of scored_at
    reactions: Mapped[int]  # those of them that the person clicked in, or gave an answer soon after
    scored_at: Mapped[datetime]


class ScoreContribution(Model):
    """What one event, or a person's answers, gave by one rule of one version: once, however often it is heard of.

    No foreign key: a million people have five million of these, and they go with the row of ContactScore.
    """

    __tablename__ = "score_contribution"

    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    # f: fact, d: deed, w: work, m: message clicked in, s: suppression; empty: answers
    event: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[ContributionKind] = mapped_column(word(ContributionKind))
    points: Mapped[int]
    at: Mapped[datetime]


class ScoreWanted(Model):
    """A contact of whom something new is known; the row goes when they are scored.

    Each row has a number of its own, so that whoever writes one never waits for who is scoring the same contact.
    """

    __tablename__ = "score_wanted"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    contact_id: Mapped[int] = mapped_column(BigInteger)
