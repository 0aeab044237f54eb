"""Domain error → page, in one table. A page never shows a trace: it has a reference that the log knows too."""

from __future__ import annotations

import logging
import secrets

import psycopg
import sqlalchemy.exc
from flask import Flask, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from leadgen.core import errors
from leadgen.core.db import db
from leadgen.web import headers, language

log = logging.getLogger(__name__)
STATUS: dict[type[errors.LeadgenError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.Invalid: 400,
    errors.Conflict: 409,
    errors.TooMany: 429,
    errors.TokenInvalid: 404,
    errors.ProviderTemporary: 503,
}
# What is raised when PostgreSQL is away, restarts, or has no connection left.
DATABASE_AWAY = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.TimeoutError)
# What is raised for a value that PostgreSQL cannot hold: a NUL in a text, an id beyond 64 bits, a day before year 1.
IMPOSSIBLE_VALUE = (psycopg.DataError, sqlalchemy.exc.DataError)
RETRY_SECONDS = 20
_WITH_A_PAGE = {400, 403, 404, 405, 409, 413, 429, 500, 503}


def register(app: Flask) -> None:
    """Answer every error of the application with a page in our look."""
    app.register_error_handler(errors.LeadgenError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    for away in DATABASE_AWAY:
        app.register_error_handler(away, _database_away)
    for impossible in IMPOSSIBLE_VALUE:
        app.register_error_handler(impossible, _impossible_value)


def page(status: int, *, message: str = "", retry_after: int = 0) -> ResponseReturnValue:
    """The page of an error. `message` is written for the person; `retry_after` is in seconds."""
    language.speak()
    template = status if status in _WITH_A_PAGE else (500 if status >= 500 else 400)
    reference = secrets.token_hex(4)
    log.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "%s answered %s, reference %s",
        request.url_rule or ascii(request.path[:200]),  # never a good link: it would let readers of the log in
        status,
        reference,
    )
    html = render_template(f"errors/{template}.html", message=message, reference=reference, retry_after=retry_after)
    response = headers.as_page(headers.private(make_response(html, status)), *g.get("framed_by", ()))
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _domain_error(error: Exception) -> ResponseReturnValue:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    is_worded = isinstance(error, errors.Invalid | errors.Conflict | errors.TooMany | errors.NotAllowed)
    return page(status, message=str(error) if is_worded else "", retry_after=getattr(error, "retry_after", 0))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    answer = make_response(page(code))
    if valid := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(valid)
    return answer


def _impossible_value(error: Exception) -> ResponseReturnValue:
    """Nothing can stand under such an address, and nobody can mean such an input."""
    log.info("a value that cannot be stored: %s", error)
    db.session.rollback()
    return page(404 if request.method in {"GET", "HEAD"} else 400)


def _database_away(error: Exception) -> ResponseReturnValue:
    log.error("the database is away: %s", error)
    return page(503, retry_after=RETRY_SECONDS)
