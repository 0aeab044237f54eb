"""A marketer's own words, as they stand when a letter goes out: of a campaign's letters and of steps of sequences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, text

from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.journal.models import Fact
from leadgen.letters.models import LetterText
from leadgen.letters.rendering import OwnWords

# Sequences and broadcasts stand above mail and own these tables; a message names the step or the stream whose words it
# carries (docs: mail and receipts), and this is the one place that reads them.
_STEPS = text("SELECT id, texts FROM step WHERE id = ANY(:ids)")
_BROADCASTS = text("SELECT stream_id, texts FROM broadcast WHERE stream_id = ANY(:ids)")
_COPY = text("""
INSERT INTO letter_text (campaign_id, letter, locale, subject, heading, body, button)
SELECT :copy, letter, locale, subject, heading, body, button FROM letter_text WHERE campaign_id = :original
ON CONFLICT (campaign_id, letter, locale) DO NOTHING
""")


class Texts:
    """The words that the letters of one batch of messages need, read in a few statements."""

    def __init__(
        self, campaign_ids: Collection[int], step_ids: Collection[int], stream_ids: Collection[int] = ()
    ) -> None:
        self._broadcasts: dict[int, dict[str, Any]] = {}
        if stream_ids:
            rows = db.session.execute(_BROADCASTS, {"ids": list(stream_ids)}).all()
            self._broadcasts = {row.stream_id: row.texts for row in rows}
        self._steps: dict[int, dict[str, Any]] = {}
        if step_ids:
            rows = db.session.execute(_STEPS, {"ids": list(step_ids)}).all()
            self._steps = {row.id: row.texts for row in rows}
        found = db.session.scalars(select(LetterText).where(LetterText.campaign_id.in_(campaign_ids)))
        self._letters = {
            (row.campaign_id, row.letter, row.locale): OwnWords(
                subject=row.subject, heading=row.heading, body=row.body, button=row.button
            )
            for row in found
        }

    def of(self, campaign_id: int, letter: str, locale: str, *, step_id: int | None, default_locale: str) -> OwnWords:
        """The words for one letter in one language; a step falls back to the campaign's language. Raises NotFound."""
        if step_id is None:
            return self._letters.get((campaign_id, letter, locale), OwnWords())
        return _chosen("step", self._steps.get(step_id, {}), locale, default_locale)

    def of_broadcast(self, stream_id: int, locale: str, default_locale: str) -> OwnWords:
        """The words of a broadcast in one language, else in the campaign's. Raises NotFound."""
        return _chosen("broadcast", self._broadcasts.get(stream_id, {}), locale, default_locale)


def _chosen(of: str, texts: dict[str, Any], locale: str, default_locale: str) -> OwnWords:
    words = texts.get(locale) or texts.get(default_locale)
    if not words:
        raise NotFound(of)
    return OwnWords.of(words)


def copy_letters(facts: Sequence[Fact]) -> None:
    """Give a duplicated campaign the words of its original's letters (reaction; words that it has already stay)."""
    for fact in facts:
        if original := fact.data.get("copied_from"):
            db.session.execute(_COPY, {"copy": fact.campaign_id, "original": original})
