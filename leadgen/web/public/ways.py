"""Ways to earn points on the person's page: a card for each action, and what is told about the last deed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import after_this_request, g, request

from leadgen.actions import ways as reading
from leadgen.actions.service import Outcome, Result
from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.campaigns.models import ActionKind
from leadgen.entries.person import Standing
from leadgen.web import headers
from leadgen.web.public import stages, way_words
from leadgen.web.public.stages import Stage


@dataclass(frozen=True, slots=True)
class Said:
    """What the person is told about the deed that they have just done."""

    action_id: int
    sentence: str
    is_good: bool


def section(standing: Standing, card: CampaignCard, _token: str) -> dict[str, Any]:
    """Costs nothing where the marketer chose no action; one statement where there are some."""
    if not card.actions:
        return {"ways": None}
    _let_play(card)
    said = g.get("way_said") or _said(card)
    return {
        "ways": reading.of(standing.entry_id, card),
        "way_words": way_words,
        "way_said": said,
        "may_act": stages.stage_of(card) is Stage.OPEN,
    }


def _let_play(card: CampaignCard) -> None:
    """A film comes from its own host, which the page's policy must name; nothing is loaded before it is played."""
    sources = {_origin(action) for action in card.actions if action.kind is ActionKind.VIDEO}
    if sources:
        after_this_request(lambda response: headers.playing(response, sorted(sources)))


def _origin(action: ActionCard) -> str:
    parts = urlsplit(str(action.settings["url"]))
    return f"{parts.scheme}://{parts.netloc}"


def _said(card: CampaignCard) -> Said | None:
    """What the address of the page tells about the last deed: words of ours, numbers, and nothing else."""
    number, outcome = request.args.get("act", ""), request.args.get("said", "")
    action = next((action for action in card.actions if str(action.id) == number), None)
    if action is None or outcome not in set(Outcome):
        return None
    points, seconds = (request.args.get(name, "0")[:6] for name in ("points", "wait"))
    result = Result(Outcome(outcome), *(int(n) if n.isdecimal() else 0 for n in (points, seconds)))
    return Said(action.id, way_words.result(action, result), outcome in way_words.GOOD)
