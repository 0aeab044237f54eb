"""What a person may change about themselves on the page of their data."""

from __future__ import annotations

from zoneinfo import available_timezones

from leadgen.contacts import service as contacts
from leadgen.core import i18n
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.entries import person


def correct(contact_id: int, *, first_name: str, locale: str, timezone: str) -> bool:
    """Put right name, language and time zone, as typed; whether anything was different.

    The name passes the same check as in the entry form. Raises Invalid with the field, NotFound.
    """
    name = contacts.first_name(first_name)
    if locale not in i18n.LOCALES:
        raise Invalid(_("Choose one of the languages offered."), "language")
    zone = timezone.strip()
    if zone and zone not in available_timezones():
        raise Invalid(_("Choose a time zone from the list, or leave it empty."), "timezone")
    person.hold(contact_id)
    changed = contacts.correct(contact_id, first_name=name, locale=locale, timezone=zone)
    if "locale" in changed:
        person.speak(contact_id, locale)
    return bool(changed)
