"""Where the links of previews and test letters lead: the pages as people see them, with nobody behind them."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import address
from leadgen.contacts.models import Contact
from leadgen.core import clock, i18n, tokens
from leadgen.core.errors import NotFound, TokenInvalid
from leadgen.core.tokens import Purpose
from leadgen.entries.confirming import ConfirmView, Outcome
from leadgen.entries.models import EntryStatus, Review
from leadgen.entries.person import Standing
from leadgen.entries.places import Place
from leadgen.web import language, preview
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import confirm, me, unsubscribe

PAGES = ("confirm", "refuse", "me", "unsubscribe", "r")
_LIFE_SECONDS = 30 * 24 * 3600  # a test letter may lie in a mailbox for a while
_EMAIL = "anna@example.com"


@guarded_by(Guard.SIGNED_LINK)
def sample_page(page: str, token: str, deeper: str = "") -> ResponseReturnValue:
    """Show what a person would see behind this link of the letter."""
    return _show(page, token, deeper, is_pressed=False)


@guarded_by(Guard.SIGNED_LINK)
def sample_press(page: str, token: str, deeper: str = "") -> ResponseReturnValue:
    """Show what would come next. Nothing is recorded; a mailbox's one-click gets its 200 as always."""
    return _show(page, token, deeper, is_pressed=True)


def _show(page: str, token: str, deeper: str, *, is_pressed: bool) -> ResponseReturnValue:
    if page not in PAGES:
        raise NotFound
    try:
        payload = tokens.read(Purpose.SAMPLE, token, max_age=_LIFE_SECONDS)
    except TokenInvalid:
        raise NotFound from None
    card = cards.by_id(int(payload["c"]))
    if page == "r":
        return redirect(preview.address(card.id), 303)
    if "lang" in request.args:
        language.speak(card.locales, card.default_locale)
    else:
        language.use(str(payload["l"]))
    g.sample = "pressed" if is_pressed else "seen"
    # Links and forms within the page stay among the samples.
    return _kept_among_samples(_answer(page, token, card, deeper, is_pressed=is_pressed), token)


def _answer(page: str, token: str, card: CampaignCard, deeper: str, *, is_pressed: bool) -> Response:
    if page == "unsubscribe":
        return unsubscribe._show("left" if is_pressed else "ask", token, _contact(card))  # noqa: SLF001 - the real page
    if page == "refuse":
        view = _view(card)
        return confirm._page("public/refuse.html", view, token=token, is_done=is_pressed)  # noqa: SLF001 - the real page
    if page == "confirm" and not is_pressed:
        view = _view(card)
        return confirm._page(  # noqa: SLF001 - the real page
            "public/confirm.html", view, token=token, is_submitting=False, page_of_person="", is_sent=False, problem=""
        )
    if deeper == "erase" and not is_pressed:
        return me.page("public/erase.html", token=token, card=card, standing=_standing(card))
    return me.shown(token, _standing(card), card)


def _kept_among_samples(answer: Response, token: str) -> Response:
    html = answer.get_data(as_text=True)
    for page in PAGES:
        html = html.replace(f'"/{page}/{token}', f'"/sample/{page}/{token}')
    answer.set_data(html)
    return make_response(answer)


def _contact(card: CampaignCard) -> Contact:
    """Nobody: an object that is in no session and gets into no table."""
    return Contact(brand_id=card.brand.id, email=_EMAIL, locale=i18n.locale())


def _view(card: CampaignCard) -> ConfirmView:
    return ConfirmView(
        outcome=Outcome.READY,
        entry_id=0,
        campaign_id=card.id,
        locale=i18n.locale(),
        first_name="Anna",
        masked=address.mask(_EMAIL),
        access_version=0,
        expires_at=clock.now() + timedelta(days=7),
        closes_at=card.ends_at,
    )


def _standing(card: CampaignCard) -> Standing:
    """Anna with the points of her own entry and nobody invited yet, somewhere in the middle of a small crowd."""
    return Standing(
        entry_id=0,
        campaign_id=card.id,
        contact_id=0,
        public_id="SAMPLE0000",
        code="ANNA2026",
        status=EntryStatus.CONFIRMED,
        locale=i18n.locale(),
        first_name="Anna",
        masked=address.mask(_EMAIL),
        email=_EMAIL,
        is_subscribed=True,
        confirmed_at=clock.now(),
        points=card.entry_points,
        rank_points=card.entry_points,
        chances=card.entry_points,
        place=Place(
            entry_id=0,
            campaign_id=card.id,
            number=12,
            entrants=40,
            points=card.entry_points,
            reached_at=clock.now(),
            points_to_next=3,
        ),
        review=Review.CLEAR,
        display_name="",
        is_on_board=True,
        is_name_on_card=False,
        friends=(),
        friends_counted=0,
        friends_waiting=0,
        friends_provisional=0,
        answers={},
    )
