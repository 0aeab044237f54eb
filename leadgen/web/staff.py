"""Who of the staff is signed in: Flask-Security's store and session, our limits, and how old a session may get."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, g, request, session
from flask_security import Security, SQLAlchemyUserDatastore, current_user, login_user, logout_user
from flask_wtf import CSRFProtect

from leadgen.accounts import service as accounts
from leadgen.accounts.models import Role, User
from leadgen.core import clock, limits
from leadgen.core.db import db
from leadgen.core.errors import TooMany
from leadgen.core.i18n import gettext as _

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600
TRIES_PER_ADDRESS = "20 per 10 minutes"
TRIES_PER_ACCOUNT = "10 per 10 minutes"  # from one network: a stranger elsewhere cannot lock the owner out
_SEEN_EVERY = 60  # seconds between two writings of the cookie
csrf = CSRFProtect()


def wire(app: Flask, secret_key: str) -> None:
    """Give the application Flask-Security's sessions and Flask-WTF's tokens, for /admin alone.

    Both libraries look at the session in every request, which would make public pages vary by cookie. Their
    application-wide hooks are taken out again; the admin door calls what it needs by itself.
    """
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of the algorithm
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={f"argon2__{name}": value for name, value in accounts.PROFILE.items()},
        SECURITY_PASSWORD_SALT=secret_key,
        SECURITY_CLI_USERS_NAME=False,
        SECURITY_CLI_ROLES_NAME=False,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    tables: tuple[Any, ...] = (app.before_request_funcs, app.after_request_funcs, app.template_context_processors)
    kept = [list(table[None]) for table in tables]
    Security(app, SQLAlchemyUserDatastore(db, User, Role), register_blueprint=False)
    csrf.init_app(app)
    for table, functions in zip(tables, kept, strict=True):
        table[None] = functions


def sign_in(email: str, password: str) -> bool:
    """Start a session for the user with this address and password, under a new session id. Raises TooMany."""
    _refuse_guessing(email)
    user = accounts.authenticate(email, password)
    if user is None:
        return False
    start_session(user)
    return True


def start_session(user: User) -> None:
    """Begin a session with nothing of the one before it, so that a planted cookie is worth nothing."""
    session.clear()
    g.pop("csrf_token", None)
    login_user(user)
    session["since"] = session["seen"] = _seconds()


def sign_out() -> None:
    """End this user's sessions on every machine: a copied cookie must not outlive the sign-out."""
    accounts.end_sessions(current())
    logout_user()
    session.clear()


def current() -> User:
    """The member of staff who is signed in; only for views behind Guard.STAFF."""
    return cast(User, current_user._get_current_object())  # noqa: SLF001 - werkzeug's documented way


def name() -> str:
    """What stands beside a deed of who is signed in: the name, or the address of somebody who gave none."""
    return current().name or current().email


def is_signed_in(*, is_background: bool = False) -> bool:
    """Whether the session is alive: started at most 12 h ago and used in the last 30 min.

    A background request (figures that refresh themselves) does not count as use.
    """
    if not current_user.is_authenticated:
        return False
    moment = _seconds()
    if moment - session.get("since", 0) >= LONGEST_SECONDS or moment - session.get("seen", 0) >= IDLE_SECONDS:
        session.clear()
        return False
    if not is_background and moment - session["seen"] >= _SEEN_EVERY:
        session["seen"] = moment
    return True


def _refuse_guessing(email: str) -> None:
    network = limits.network(request.remote_addr or "")
    if limits.allow(TRIES_PER_ADDRESS, "sign-in", network) and limits.allow(
        TRIES_PER_ACCOUNT, "sign-in", network, email.strip().casefold()[:254]
    ):
        return
    raise TooMany(_("Too many tries. Please wait ten minutes and try again."), retry_after=600)


def _seconds() -> int:
    return int(clock.now().timestamp())
