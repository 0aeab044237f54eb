"""What a request shows of who sent it: as evidence of how somebody agreed, and to tell people from machines."""

from __future__ import annotations

from typing import Any

from flask import request

from leadgen.contacts.evidence import PRIVACY_NOTICE
from leadgen.core import limits, links
from leadgen.visits import service as visits
from leadgen.visits.models import VisitKind
from leadgen.visits.service import Visitor
from leadgen.web import language

_LONGEST = 300
_LOOKS_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")  # how browsers say that nobody asked for the page yet


def of_request(page: str) -> dict[str, Any]:
    """Network address, browser, language and the page's path without its token, which would open it."""
    return {
        "ip": request.remote_addr or "",
        "user_agent": agent(),
        "page": links.absolute(page),
        "locale": language.current(),
        "privacy_notice": PRIVACY_NOTICE,
    }


def agent() -> str:
    """The browser's name for itself, cut to what we keep."""
    return request.headers.get("User-Agent", "")[:_LONGEST]


def visitor() -> Visitor:
    """Who asks, as a hash that lasts a day; nothing is kept on their device."""
    return visits.visitor_of(limits.network(request.remote_addr or ""), agent())


def is_machine() -> bool:
    """Whether a preview machine or scanner asks: by its name, without one, or only for the head."""
    kind = visits.kind_of(agent(), is_head=request.method == "HEAD")
    return kind in {VisitKind.PREVIEW, VisitKind.SCANNER}


def is_prefetch() -> bool:
    """Whether a browser or app loads the page before anybody asked to see it."""
    said = " ".join(request.headers.get(name, "") for name in _LOOKS_AHEAD).lower()
    return "prefetch" in said or "preview" in said
