"""The two scores of people, their bands, and how an address answers to letters. Each field is one entry of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Kind
from leadgen.scores import rules as documents
from leadgen.scores import service as scores
from leadgen.scores import sql, words
from leadgen.scores.reckoning import Reactivity
from leadgen.scores.rules import Band
from leadgen.segments.catalogue import Group, Spec
from leadgen.segments.sources import Number, Over, Rows, Source, Words

_SCORES = Rows("contact_score s", sql.STANDING, "s.contact_id")


def scores_of(brand_id: int) -> Iterator[Spec]:
    """As the brand's rules in force reckon them; unknown of people who are not scored."""
    yield _number(
        "score.fit",
        Over(_SCORES, "max(s.fit)", Number(), none=None),
        _("Fit, 0 to 100"),
        _("whose fit is %(what)s"),
        _("Fit is at least 60: what they told makes them the people you look for."),
    )
    yield _number(
        "score.engagement",
        Over(_SCORES, f"max({sql.ENGAGEMENT})", Number(), none=None),
        _("Engagement, 0 to 100"),
        _("whose engagement is %(what)s"),
        _("Engagement is at least 40, as of now: it decays by itself."),
    )
    yield from _bands(brand_id)
    yield _choice(
        "reactivity",
        _one_of(f"max({sql.REACTIVITY})"),
        _("Reactivity of the address"),
        _("whose address %(what)s"),
        _("Reactivity is silent: no reaction to any letter of 90 days, and no sign of life in 180."),
        options={word.value: words.reactivity(word) for word in Reactivity},
    )


def _bands(brand_id: int) -> Iterator[Spec]:
    version = scores.standing(brand_id)
    rules = documents.read(version.definition if version else documents.default())
    fit, engagement = _named(rules.fit_bands), _named(rules.engagement_bands)
    grades = {one + other: f"{one}{other}" for one in fit for other in engagement}
    yield _choice(
        "score.grade",
        _one_of("max(s.fit_band || s.engagement_band)"),
        _("Grade"),
        _("whose grade %(what)s"),
        _("Grade is A1 or A2: they fit, and they are here now."),
        options=grades,
    )
    yield _choice(
        "score.fit_band",
        _one_of("max(s.fit_band)"),
        _("Band of fit"),
        _("whose band of fit %(what)s"),
        _("Band of fit is A, however engaged they are."),
        options=fit,
    )
    yield _choice(
        "score.band",
        _one_of("max(s.engagement_band)"),
        _("Band of engagement"),
        _("whose band of engagement %(what)s"),
        _("Band of engagement is 4: they did not do much lately."),
        options=engagement,
    )


def _named(bands: Sequence[Band]) -> dict[str, str]:
    return {one.key: words.band(one) for one in bands}


def _one_of(figure: str) -> Source:
    return Over(_SCORES, figure, Words(), none=None)


def _number(key: str, source: Source, word: str, says: str, example: str) -> Spec:
    return Spec(
        key=key, group=Group.SCORES, word=lambda: word, kind=Kind.NUMBER, source=source, says=lambda _n: says,
        lacking=_unscored, having=_scored, example=lambda: example,
    )  # fmt: skip


def _choice(key: str, source: Source, word: str, says: str, example: str, *, options: Mapping[str, str]) -> Spec:
    return Spec(
        key=key, group=Group.SCORES, word=lambda: word, kind=Kind.CHOICE, source=source, says=lambda _n: says,
        lacking=_unscored, having=_scored, example=lambda: example, options=lambda: options,
    )  # fmt: skip


def _unscored() -> str:
    return _("who have no score")


def _scored() -> str:
    return _("who have a score")
