"""What a request shows about how somebody agreed, or took it back: kept as evidence until they are erased."""

from __future__ import annotations

from typing import Any

from flask import request

from leadgen.contacts.evidence import PRIVACY_NOTICE
from leadgen.core import links
from leadgen.web import language

_LONGEST = 300


def of_request(page: str) -> dict[str, Any]:
    """Network address, browser, language and the page's path without its token, which would open it."""
    return {
        "ip": request.remote_addr or "",
        "user_agent": request.headers.get("User-Agent", "")[:_LONGEST],
        "page": links.absolute(page),
        "locale": language.current(),
        "privacy_notice": PRIVACY_NOTICE,
    }
