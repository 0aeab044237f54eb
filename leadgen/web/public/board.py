"""The public leaderboard and one's own place: a page, a part of the landing page, two sections of the person's page."""

from __future__ import annotations

from typing import Any

import psycopg
from flask import Response, g, render_template
from flask.typing import ResponseReturnValue

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import i18n
from leadgen.core.errors import NotFound
from leadgen.entries import leaderboard, waitlist
from leadgen.entries.lately import Lately
from leadgen.entries.person import Standing
from leadgen.web import language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import stages

SHOWN_ON_LANDING = 5
_NO_BOARD: dict[str, Any] = {"board_lines": None}
_NO_LIST: dict[str, Any] = {"is_list": False, "wait": None}
_HEADERS = (("Cache-Control", "no-store"), ("Vary", "Accept-Language"))
_blocks: Lately[str] = Lately(leaderboard.FRESH_SECONDS)


@guarded_by(Guard.ANYONE)
def board_page(slug: str) -> ResponseReturnValue:
    """Who leads, as far as the public may see it. Raises NotFound where there is no board."""
    card = cards.by_slug(slug)
    locale = language.speak(card.locales, card.default_locale)
    stage = stages.stage_of(card)  # a draft is not there yet
    if not leaderboard.has_board(card):
        raise NotFound
    html = render_template(
        "public/board.html",
        card=card,
        texts=lambda key: card.text(key, locale),
        stage=stage,
        board=leaderboard.board(card),
    )
    return Response(html, mimetype="text/html", headers=_HEADERS)


def landing_html(card: CampaignCard) -> str:
    """The first places as a part of the landing page, or nothing; as fresh as the board is."""
    if not leaderboard.has_board(card):
        return ""
    try:
        return _blocks.get((card.id, card.version, i18n.locale()), lambda: _block(card))
    except psycopg.OperationalError:
        return ""  # while the database is away the page stays, as it does without one


def forget() -> None:
    """Write the part of the landing page anew."""
    _blocks.forget()


def section(standing: Standing, card: CampaignCard, _token: str) -> dict[str, Any]:
    """On the person's page: the lines around them. While the board stands still only their own goes on."""
    if not leaderboard.has_board(card):
        return _NO_BOARD
    frozen_at = leaderboard.froze_at(card)
    lines = leaderboard.around(standing.place) if standing.place and not frozen_at else ()
    problem = {"name_problem": g.get("name_problem", ""), "name_typed": g.get("name_typed", "")}
    return {"board_lines": lines, "board_frozen_at": frozen_at, **problem}


def waiting_section(standing: Standing, card: CampaignCard, _token: str) -> dict[str, Any]:
    """On the person's page: the place in the waiting list, which stands there instead of the rank."""
    if not waitlist.has_waitlist(card):
        return _NO_LIST
    if not standing.entry_id:
        return {"is_list": True, "wait": waitlist.WaitPlace(12, 40)}  # the preview's person is nobody
    return {"is_list": True, "wait": waitlist.place(card, standing.entry_id, ranked=standing.place)}


def _block(card: CampaignCard) -> str:
    board = leaderboard.board(card, most=min(SHOWN_ON_LANDING, card.board_size))
    return render_template("public/_board_block.html", card=card, board=board) if board.lines else ""
