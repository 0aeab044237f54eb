"""Pages that stand still: rules with their versions, privacy, and the home page."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards, rules
from leadgen.campaigns.cards import CampaignCard
from leadgen.web import language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import stages


@guarded_by(Guard.ANYONE)
def home() -> ResponseReturnValue:
    """The contests that take entries now."""
    locale = language.speak()
    return render_template(
        "public/home.html", cards=cards.live(), locale_code=locale, left_in_words=stages.left_in_words
    )


@guarded_by(Guard.ANYONE)
def rules_page(slug: str) -> ResponseReturnValue:
    """The rules as they stand, their fingerprint, and what changed since they were published."""
    card, locale = _card(slug)
    return render_template(
        "public/rules.html", card=card, texts=lambda key: card.text(key, locale), versions=rules.versions(card.id)
    )


@guarded_by(Guard.ANYONE)
def privacy(slug: str) -> ResponseReturnValue:
    """What is held about people who enter, why, for how long, and how they get rid of it."""
    card, locale = _card(slug)
    return render_template("public/privacy.html", card=card, texts=lambda key: card.text(key, locale))


def _card(slug: str) -> tuple[CampaignCard, str]:
    card = cards.by_slug(slug)
    stages.stage_of(card)  # a draft is not there yet
    return card, language.speak(card.locales, card.default_locale)
