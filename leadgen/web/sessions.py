"""Sessions exist for staff only: everywhere else there is none, so no cookie can be set or read by accident."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

_STAFF = "/admin"


class StaffSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, under /admin alone."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of a member of staff; None, which nothing can be written to, for everybody else."""
        return super().open_session(app, request) if request.path.startswith(_STAFF) else None
