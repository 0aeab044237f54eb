"""Opens the doors: every blueprint of the product, the error pages and the headers, in one list."""

from __future__ import annotations

from flask import Flask

from leadgen.web import errors, headers, health, pages
from leadgen.web.admin import routes as admin
from leadgen.web.public import routes as public


def open_all(app: Flask) -> None:
    """Register all doors on the application."""
    pages.prepare(app)
    headers.register(app)
    errors.register(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(public.blueprint)
    app.register_blueprint(admin.blueprint)
