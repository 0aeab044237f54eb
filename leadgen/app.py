"""Builds the application: settings, database, doors, and the one place where a request commits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

import config
from leadgen.core import clock, hot, settings
from leadgen.core.db import db
from leadgen.core.settings import Settings
from leadgen.mail import outbox
from leadgen.nurture import judging
from leadgen.web import doors, staff

ROOT = __file__.rsplit("/", 2)[0]


def create_app(chosen: Settings | None = None) -> Flask:
    """A ready application. `chosen` replaces what the environment says (tests)."""
    current = chosen or config.load()
    settings.use(current)
    clock.use_shift_file(current.clock_file)
    app = Flask("leadgen", root_path=f"{ROOT}/leadgen", template_folder=f"{ROOT}/templates", static_folder="web/static")
    # Flask asks of each function at each request whether it is a coroutine; none is.
    app.ensure_sync = _as_it_is  # type: ignore[assignment, method-assign]
    app.config.update(_flask_settings(current))
    if current.trusted_proxies:
        hops = current.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    db.init_app(app)
    app.after_request(_commit)
    # Mail stands below the sequences, and asks them in the transaction that claims a letter whether it still leaves.
    outbox.judge_with(judging.judge)
    staff.wire(app, current.secret_keys[0])
    doors.open_all(app)
    return app


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _flask_settings(current: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": current.secret_keys[0],
        "SECRET_KEY_FALLBACKS": list(current.secret_keys[1:]),
        "SQLALCHEMY_DATABASE_URI": current.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_pre_ping": True,
            "pool_size": 8,
            "max_overflow": 8,
            # A claim prepared while the outbox was empty kept a plan of 966 ms.
            "connect_args": {"prepare_threshold": None, "options": "-c jit=off"},
        },
        "SESSION_COOKIE_NAME": "__Host-staff" if current.is_https else "staff",
        "SESSION_COOKIE_SECURE": current.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "TESTING": current.environment is settings.Environment.TEST,
    }


def _commit(response: Response) -> Response:
    """One commit for each request, here: an answer that is not an error keeps what was written, any other undoes it."""
    if db.session.registry.has():
        if response.status_code < 400:
            db.session.commit()
        else:
            db.session.rollback()
    return response


def forget_connections() -> None:
    """Drop this process's database connections: call it in a fork before it does anything."""
    db.engine.dispose(close=False)
    hot.forget()
