"""For machines that watch us: is the process there, is it ready, and how does it do."""

from __future__ import annotations

from flask import Blueprint

from leadgen.web.guards import Guard, guarded_by

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@guarded_by(Guard.ANYONE)
def healthz() -> tuple[str, int]:
    """The process answers."""
    return "ok\n", 200
