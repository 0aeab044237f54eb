"""Opens the doors: every blueprint of the product, the error pages and the headers, in one list."""

from __future__ import annotations

from flask import Flask

from leadgen.web import health


def open_all(app: Flask) -> None:
    """Register all doors on the application."""
    app.register_blueprint(health.blueprint)
