"""Opens the doors: every blueprint of the product, the error pages and the headers, in one list."""

from __future__ import annotations

from flask import Flask

from leadgen.core import settings
from leadgen.web import dev, errors, headers, health, hooks, inbound, pages
from leadgen.web.admin import routes as admin
from leadgen.web.public import routes as public
from leadgen.web.sessions import StaffSessions


def open_all(app: Flask) -> None:
    """Register all doors on the application."""
    pages.prepare(app)
    headers.register(app)
    app.session_interface = StaffSessions()
    errors.register(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(public.blueprint)
    app.register_blueprint(admin.blueprint)
    app.register_blueprint(inbound.blueprint)
    app.register_blueprint(hooks.blueprint)
    if not settings.get().is_production:
        app.register_blueprint(dev.blueprint)
