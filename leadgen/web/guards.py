"""Who may come in: every route declares one of these, and a test in tests/house proves it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Guard(StrEnum):
    """Why a request may come in, and what makes an unsafe one genuine."""

    ANYONE = "anyone"  # reading only
    FORM_TOKEN = "form token"  # noqa: S105 - the name of a guard; public form: signed token for this campaign, no session
    SIGNED_LINK = "signed link"  # the address itself is the credential
    SIGNATURE = "signature"  # a provider signs the raw body
    STAFF = "staff"  # signed in, member of the brand; CSRF by Flask-WTF
    SESSION_TOKEN = "session token"  # noqa: S105 - the name of a guard; nobody is signed in yet, CSRF by Flask-WTF
    DEVELOPMENT = "development"  # absent in production


def guarded_by(guard: Guard, *, is_for_counter: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the guard of a view. The declaration is what the house test reads; STAFF and others also enforce it.

    `is_for_counter`: also for staff who may do nothing but honour codes.
    """

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        marked: Any = view
        marked.guard, marked.is_for_counter = guard, is_for_counter
        return view

    return declare
