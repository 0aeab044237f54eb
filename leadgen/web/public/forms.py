"""The entry form: three fields at most, two boxes, and a signed token in place of a session."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any

from flask import request
from wtforms import BooleanField, Form, StringField
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.validators import ValidationError

from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.contacts.address import Address
from leadgen.core import clock, settings, tokens
from leadgen.core.errors import Invalid, TokenInvalid
from leadgen.core.i18n import gettext as _
from leadgen.core.text import undirected
from leadgen.core.tokens import Purpose

TOKEN_SECONDS = 24 * 3600
FASTEST_SECONDS = 1.0
_SHARED_MS = 250


def new_token(campaign_id: int, host: str = "") -> str:
    """A form token for this campaign: who asks for the page gets one, who only forges a POST does not.

    `host` is the origin of the page that shows the form in a frame; it is good in that frame only.

    It belongs to no visitor, so everybody who comes within a quarter of a second gets the same: signing one for each
    was a fifth of a landing view.
    """
    issued_ms = int(clock.now().timestamp() * 1000) // _SHARED_MS * _SHARED_MS
    return _token(campaign_id, host, issued_ms, settings.get().secret_keys)


@lru_cache(maxsize=256)
def _token(campaign_id: int, host: str, issued_ms: int, _keys: tuple[str, ...]) -> str:
    return tokens.sign(Purpose.FORM, [campaign_id, issued_ms, secrets.token_urlsafe(6), *([host] if host else [])])


class FormToken(CSRF):
    """WTForms' CSRF hook without a session: the token is signed for the campaign and good for 24 h."""

    place: tuple[int, str] = (0, "")

    def setup_form(self, form: Any) -> Any:
        """Take the campaign, and the page around the frame, from the form's meta."""
        self.place = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002 - WTForms' signature
        """Nothing: the page's token is filled in when it is sent (`new_token`), not each time a form is read."""
        return ""

    def validate_csrf_token(self, form: Any, field: CSRFTokenField) -> None:
        """Refuse a token that is foreign or too old, and a form that another site sent."""
        try:
            campaign_id, issued_ms, _random, *host = tokens.read(
                Purpose.FORM, str(field.data or ""), max_age=TOKEN_SECONDS
            )
        except (TokenInvalid, TypeError, ValueError):
            campaign_id, issued_ms, host = 0, 0, []
        if (campaign_id, "".join(host)) != self.place or request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise ValidationError(_("This page was open for a long time. Please press the button again."))
        form.age = clock.now().timestamp() - issued_ms / 1000


class EntryForm(Form):
    """What a person fills in to enter. `address` is set once the e-mail address is understood."""

    class Meta:
        """A form token in place of a session."""

        csrf = True
        csrf_class = FormToken

    email = StringField()
    first_name = StringField()
    invited_by = StringField()  # a friend's code; what is none does no harm
    consent_rules = BooleanField()
    consent_marketing = BooleanField()
    address: Address | None = None
    suggestion: str | None = None
    age: float | None = None  # seconds since the form's token was signed; None: not a token of ours

    def validate_email(self, field: StringField) -> None:
        """Understand the address; offer what was probably meant; refuse throw-away mailboxes softly."""
        try:
            self.address = address.parse(field.data or "")
        except Invalid as error:
            raise ValidationError(str(error)) from None
        if request.form.get("keep") != self.address.email:
            self.suggestion = address.suggestion(self.address.email)
            if self.suggestion:
                raise ValidationError(_("Did you mean %(address)s?") % {"address": self.suggestion})
        try:
            address.refuse_disposable(self.address.email)
        except Invalid as error:
            raise ValidationError(str(error)) from None

    def validate_first_name(self, field: StringField) -> None:
        """Ask for a name that fits on a page and holds no address or link."""
        try:
            field.data = contacts.first_name(field.data or "")
        except Invalid as error:
            field.data = " ".join(undirected(field.data or "").split())
            raise ValidationError(str(error)) from None

    def validate_consent_rules(self, field: BooleanField) -> None:
        """The rules are the one box that entering needs; marketing never is (rule 1)."""
        if not field.data:
            raise ValidationError(_("Accept the rules to enter."))


def read(campaign_id: int, host: str = "") -> EntryForm:
    """The form as it was sent; pressing “use this address” takes the suggestion.

    `host` is the origin of the page around the frame that it was sent from, where there is one.
    """
    sent = request.form
    if use := sent.get("use"):
        sent = sent.copy()  # type: ignore[assignment]
        sent["email"] = use
    return EntryForm(sent, meta={"csrf_context": (campaign_id, host)})
