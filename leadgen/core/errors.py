"""The one tree of errors that rooms raise and doors translate; imports nothing of the product.

LeadgenError
├── NotFound            the thing is absent, or belongs to another brand
├── NotAllowed          the person may not do this
├── Invalid             the input breaks a rule; `field` says where
├── Conflict            the state does not allow it (any more)
├── TooMany             a limit is reached; `retry_after` in seconds
├── TokenInvalid        a signed link that we did not sign for this purpose
│   └── TokenExpired    one that we signed, but too long ago; `payload` is what it says
└── ProviderTemporary   the mail provider could not be asked now
"""

from __future__ import annotations

from typing import Any


class LeadgenError(Exception):
    """Base of all errors that a door knows how to show."""


class NotFound(LeadgenError):
    """The thing is absent, or belongs to another brand (which must look the same)."""


class NotAllowed(LeadgenError):
    """The person may not do this."""


class Invalid(LeadgenError):
    """The input breaks a rule. The message is written for the person; `field` names the form field."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(LeadgenError):
    """The state of the thing does not allow the deed (any more). The message is written for the person."""


class TooMany(LeadgenError):
    """A limit is reached; trying again makes sense after `retry_after` seconds."""

    def __init__(self, message: str = "", retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TokenInvalid(LeadgenError):
    """A signed link that was not signed by us for this purpose."""


class TokenExpired(TokenInvalid):
    """A link that we signed for this purpose, but too long ago. `payload` is what it says."""

    def __init__(self, payload: Any) -> None:
        super().__init__("expired")
        self.payload = payload


class ProviderTemporary(LeadgenError):
    """The provider gave no good answer; asking again later makes sense."""
