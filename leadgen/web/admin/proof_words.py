"""The words of a proof file: acts, the ways they came, what their evidence holds, and what can be wrong with a seal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from leadgen.contacts.evidence import Act
from leadgen.contacts.models import ConsentAction, ConsentPurpose
from leadgen.contacts.reach import CONFIRMATION, MARKETING, SERVICE, Way
from leadgen.core import i18n
from leadgen.core.i18n import gettext as _
from leadgen.web.admin import words


def purpose(name: str) -> str:
    """What somebody agrees to."""
    return {
        ConsentPurpose.RULES: _("Rules of the contest"),
        ConsentPurpose.MARKETING: _("News and offers by e-mail"),
    }[ConsentPurpose(name)]


def action(name: str) -> str:
    """What they did about it."""
    return {
        ConsentAction.GIVEN: _("Agreed"),
        ConsentAction.REFUSED: _("Did not agree"),
        ConsentAction.CONFIRMED: _("Confirmed"),
        ConsentAction.WITHDRAWN: _("Withdrew"),
        ConsentAction.EXPIRED: _("Let the deadline pass"),
    }[ConsentAction(name)]


def action_tone(name: str) -> str:
    """The colour of an act."""
    return {ConsentAction.GIVEN: "accent", ConsentAction.CONFIRMED: "success", ConsentAction.WITHDRAWN: "warning"}.get(
        ConsentAction(name), ""
    )


def channel(name: str) -> str:
    """The way an act came; an unknown one keeps its name."""
    return {
        "form": _("Entry form"),
        "confirm page": _("Confirmation page"),
        "cookie_post": _("Confirmation page, same browser"),
        "button_post": _("Confirmation page"),
        "code": _("Code from the mail"),
        "one-click": _("One click in the mail program"),
        "unsubscribe page": _("Unsubscribe page"),
        "my page": _("The person’s own page"),
        "my data page": _("The person’s page of their data"),
        "import": _("A file that was taken in"),
        "refuse page": _("“It was not me” page"),
        "complaint": _("Reported as spam"),
        "provider": _("Told by the mail provider"),
        "deadline": _("Deadline of the confirmation"),
        "restore": _("Kept through a restore"),
        "admin": _("Staff"),
    }.get(name, name)


def mail_purpose(name: str) -> str:
    """Kinds of mail, as far as consent and suppression tell them apart."""
    return {
        CONFIRMATION: _("Confirmation mails"),
        SERVICE: _("Mails about the own entry"),
        MARKETING: _("News and offers"),
    }[name]


def way(found: Way, *, is_agreed: bool) -> str:
    """Whether a kind of mail may go."""
    if found is Way.BLOCKED:
        return _("blocked")
    if found is Way.WHEN_ASKED:
        return _("only after a new form")
    return _("may be sent") if is_agreed else _("not agreed")


def fault(sentence: str) -> str:
    """What is wrong with a seal, in the reader's language."""
    return {
        "its act was changed": _("The act was changed after it was sealed."),
        "what identifies the person was changed": _("What identifies the person was changed after it was sealed."),
        "it does not hold on to the link before it": _("It does not hold on to the act before it."),
        "the link after it does not hold on to it": _("The act after it does not hold on to it."),
        "its act belongs to another brand": _("The act was moved to another brand."),
    }.get(sentence, sentence)


def evidence(act: Act) -> Iterable[tuple[str, Any, bool]]:
    """(label, value, is it code?) of what an act left, in the order in which one reads it; the wording stands apart."""
    labels = _labels()
    known = [key for key in labels if act.evidence.get(key) not in (None, "", {})]
    for key in [*known, *sorted(act.evidence.keys() - labels.keys() - {"wording"})]:
        yield labels.get(key, key), _value(key, act.evidence[key]), key in _CODE


def _value(key: str, value: Any) -> Any:
    """What the evidence holds, as a reader wants it: moments as such, our own words in their language."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in sorted(value.items()))
    if key.endswith("_at"):
        with contextlib.suppress(ValueError, TypeError):
            return datetime.fromisoformat(value)
    own = {
        "control": {"box, unticked by default": _("box, not ticked beforehand"), "button": _("button")},
        "method": {
            "cookie_post": channel("cookie_post"),
            "button_post": channel("button_post"),
            "code": channel("code"),
        },
        "form": {"entry": _("Entry form")},
        "locale": {code: words.language_title(code) for code in i18n.LOCALES},
    }
    return own.get(key, {}).get(value, value)


_CODE = frozenset({"wording_sha256", "email_hash", "doi_message", "ip", "user_agent", "page"})


def _labels() -> dict[str, str]:
    return {
        "wording_sha256": _("SHA-256 of the words"),
        "control": _("Control"),
        "rules_version": _("Version of the rules"),
        "privacy_notice": _("Version of the privacy page"),
        "form": _("Form"),
        "page_version": _("Version of the page"),
        "locale": _("Language"),
        "email": _("Address"),
        "email_hash": _("Keyed hash of the address"),
        "page": _("Page"),
        "source": _("Source"),
        "seconds": _("Seconds on the form"),
        "ip": _("Network address"),
        "user_agent": _("Browser"),
        "method": _("How it was confirmed"),
        "generation": _("Generation of the link"),
        "asked_at": _("Entered"),
        "doi_message": _("Confirmation mail"),
        "doi_sent_at": _("Mail sent"),
        "doi_delivered_at": _("Mail delivered"),
        "carried_from": _("Carried over from act"),
        "operator": _("Member of staff"),
        "note": _("Reason"),
    }
