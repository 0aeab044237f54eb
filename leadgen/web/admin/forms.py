"""What the studio's forms share: our languages, our rules for a field, and lists that grow without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from wtforms import Field, Form, IntegerField, StringField, TextAreaField, ValidationError
from wtforms.fields import DateField, DateTimeLocalField
from wtforms.meta import DefaultMeta
from wtforms.validators import StopValidation

from leadgen.core import i18n
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

Validator = Callable[[Form, Field], None]
YEARS = range(2000, 2100)


class _Translations:
    """WTForms' own sentences through our catalogue."""

    def gettext(self, message: str) -> str:
        return i18n.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return i18n.ngettext(singular, plural, number)


class StudioForm(Form):
    """A form of the studio. CSRF is checked at the door for every request, not here."""

    class Meta(DefaultMeta):
        """Says what is wrong in the reader's language."""

        def get_translations(self, form: Any) -> Any:  # noqa: ARG002 - WTForms' signature
            """Our catalogue instead of WTForms'."""
            return _Translations()

    def blame(self, error: Invalid) -> None:
        """Show a room's refusal beside the field that it names, else above the form."""
        field = self._fields.get(error.field)
        if field is None:
            self.form_errors.append(str(error))
        else:
            field.errors = [*field.errors, str(error)]

    def part(self, name: str) -> Any:
        """The form within this one, such as that of one language."""
        field: Any = self._fields[name]
        return field.form

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to tell the person."""
        return bool(self.errors or self.form_errors)


def sent() -> Any:
    """The form data of a POST, else None, as WTForms wants it."""
    return request.form if request.method == "POST" else None


def is_stale(form: StudioForm, version: int) -> bool:
    """Whether somebody saved the same campaign since this form was shown; if so the form says it.

    What was typed stays, and saving once more keeps it: the person decides knowingly.
    """
    if request.form.get("version", "") in {"", str(version)}:
        return False
    form.form_errors.append(
        _("Somebody else saved this campaign while you were writing. Check what they changed, then save again.")
    )
    return True


def trimmed(value: str | None) -> str:
    """Text as people mean it: without blanks around and with one kind of line end."""
    return (value or "").replace("\r\n", "\n").strip()


def needed(_form: Form, field: Field) -> None:
    """The field must be filled in."""
    if field.errors:
        raise StopValidation  # what cannot be read has told its own error already
    if field.data in (None, "", []):
        raise StopValidation(_("Please fill this in."))


def at_most(characters: int) -> Validator:
    """The text must not be longer than this."""

    def check(_form: Form, field: Field) -> None:
        if len(field.data or "") > characters:
            raise ValidationError(
                _("Please use at most %(most)s characters; these are %(are)s.")
                % {"most": characters, "are": len(field.data)}
            )

    return check


def between(least: int, most: int) -> Validator:
    """The number must lie within these bounds, both included."""

    def check(_form: Form, field: Field) -> None:
        if field.data is not None and not least <= field.data <= most:
            raise ValidationError(
                _("Please choose a number from %(least)s to %(most)s.") % {"least": least, "most": most}
            )

    return check


def line(*validators: Validator, longest: int = 200) -> Any:
    """One line of text."""
    return StringField(filters=[trimmed], validators=[*validators, at_most(longest)])


def lines(*validators: Validator, longest: int = 5000) -> Any:
    """Paragraphs."""
    return TextAreaField(filters=[trimmed], validators=[*validators, at_most(longest)])


class WholeField(IntegerField):
    """A whole number; blanks between thousands do not matter."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it, or say in plain words that it is none."""
        text = "".join(valuelist[0].split()) if valuelist else ""
        if not valuelist:
            return
        self.data = None
        if text:
            try:
                self.data = int(text)
            except ValueError:
                raise ValueError(_("Please write a whole number.")) from None


def whole(least: int, most: int) -> Any:
    """A whole number within bounds."""
    return WholeField(validators=[needed, between(least, most)])


class MoneyField(Field):
    """An amount typed in major units (“1 250,50”), kept in minor ones."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        major, minor = divmod(self.data, 100)
        return f"{major}.{minor:02d}" if minor else str(major)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read both decimal signs and any blanks between thousands."""
        self.data = None
        text = "".join(valuelist[0].split()).replace(",", ".") if valuelist else ""
        if not text:
            return
        try:
            amount = Decimal(text)
        except InvalidOperation:
            raise ValueError(_("Please write an amount such as 1250 or 19.90.")) from None
        if not amount.is_finite() or not 0 <= amount <= 10**9:
            raise ValueError(_("Please write an amount such as 1250 or 19.90."))
        self.data = int((amount * 100).to_integral_value())


class MomentField(DateTimeLocalField):
    """Day and time on the wall of the campaign's time zone; `aware` makes it a moment."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what the browser sends; say in plain words when it cannot be read."""
        if not any(valuelist):
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Please write day and time, such as 2027-01-31T18:00.")) from None
        if self.data is not None and self.data.year not in YEARS:
            # Such a day is a slip of the keyboard, and at the ends of the calendar no time zone can be reckoned.
            self.data = None
            raise ValueError(
                _("Please choose a year from %(first)s to %(last)s.") % {"first": YEARS[0], "last": YEARS[-1]}
            )


class DayField(DateField):
    """A day on the calendar of the campaign's time zone, or none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what the browser sends; say in plain words when it cannot be read."""
        self.data = None
        if not any(valuelist):
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Please write a day, such as 2027-01-31.")) from None
        if self.data is not None and self.data.year not in YEARS:
            self.data = None
            raise ValueError(
                _("Please choose a year from %(first)s to %(last)s.") % {"first": YEARS[0], "last": YEARS[-1]}
            )


def one_of(*values: str) -> Any:
    """One of these words."""

    def check(_form: Form, field: Field) -> None:
        if field.data not in values:
            raise ValidationError(_("Please choose one of the list."))

    return StringField(validators=[check])


def on_the_clock() -> Any:
    """Day and time, needed."""
    return MomentField(format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], validators=[needed])


def aware(local: datetime, zone: str) -> datetime:
    """The moment at which the wall clock of `zone` shows `local`; of a repeated hour, the first."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0)


def on_the_wall(moment: datetime, zone: str) -> datetime:
    """What the wall clock of `zone` shows at this moment, for a form field."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)


def moved(order: list[Any], place: int, step: int) -> list[Any]:
    """The list with the thing at `place` one step up (-1) or down (1); at the edge it stays."""
    target = place + step
    if 0 <= place < len(order) and 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]
    return order


def errors_of(form: Form) -> Iterable[tuple[str, str]]:
    """(field id, sentence) of everything that is wrong, for the summary above the form."""
    for field in form:
        yield from _errors(field)
    for sentence in form.form_errors:
        yield "", str(sentence)


def _errors(field: Any) -> Iterable[tuple[str, str]]:
    children = list(field) if hasattr(field, "entries") or hasattr(field, "form") else []
    if children:
        for child in children:
            yield from _errors(child)
        return
    for sentence in field.errors:
        if sentence:
            yield field.id, str(sentence)
