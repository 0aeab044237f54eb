"""The contest with a form of three pages."""

from __future__ import annotations

from tests.forms.conftest import _context, anna, campaign, card

__all__ = ["_context", "anna", "campaign", "card"]
