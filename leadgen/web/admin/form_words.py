"""What the form editor calls types, comparisons, faults and changes."""

from __future__ import annotations

from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Op
from leadgen.forms.comparing import Change
from leadgen.forms.definition import FieldType, Pattern, Sensitivity
from leadgen.forms.lint import Fault

T = FieldType


def field_types() -> list[tuple[str, str]]:
    """All types with their names, the usual ones first."""
    return [
        (T.SINGLE.value, _("One choice")),
        (T.MULTI.value, _("Several choices")),
        (T.YES_NO.value, _("Yes or no")),
        (T.TEXT.value, _("Text")),
        (T.LONG_TEXT.value, _("Long text")),
        (T.NUMBER.value, _("Number")),
        (T.RANGE.value, _("Number within a range")),
        (T.DATE.value, _("Date")),
        (T.AGE_BAND.value, _("Age band")),
        (T.RATING.value, _("Rating from 1 to 5")),
        (T.NPS.value, _("Recommendation from 0 to 10 (NPS)")),
        (T.RANKING.value, _("Ranking")),
        (T.PICTURE.value, _("Choice of pictures")),
        (T.EMAIL.value, _("E-mail address")),
        (T.PHONE.value, _("Telephone number")),
        (T.COUNTRY.value, _("Country")),
        (T.REGION.value, _("Region")),
        (T.POSTCODE.value, _("Postcode")),
        (T.ADDRESS.value, _("Postal address")),
        (T.CONSENT.value, _("Consent to news and offers")),
        (T.HIDDEN.value, _("Hidden: where the person came from")),
        (T.STATEMENT.value, _("Words without a question")),
    ]


def field_type(kind: FieldType) -> str:
    """What one type is called."""
    return dict(field_types())[kind.value]


def ops() -> list[tuple[str, str]]:
    """The ways to compare."""
    return [
        (Op.EQ.value, _("is")),
        (Op.NE.value, _("is not")),
        (Op.CONTAINS.value, _("contains")),
        (Op.IN.value, _("is one of")),
        (Op.GT.value, _("is more than")),
        (Op.GTE.value, _("is at least")),
        (Op.LT.value, _("is less than")),
        (Op.LTE.value, _("is at most")),
        (Op.EMPTY.value, _("is not answered")),
    ]


def modes() -> list[tuple[str, str]]:
    """How several comparisons are taken together."""
    return [
        ("", _("always")),
        ("all", _("when all of these are true")),
        ("any", _("when one of these is true")),
        ("none", _("when none of these is true")),
    ]


def patterns() -> list[tuple[str, str]]:
    """What a text may consist of."""
    return [
        (Pattern.ANY.value, _("Anything")),
        (Pattern.LETTERS.value, _("Letters only")),
        (Pattern.DIGITS.value, _("Digits only")),
        (Pattern.WEB.value, _("A web address")),
    ]


def sensitivities() -> list[tuple[str, str]]:
    """How careful one has to be."""
    return [
        (Sensitivity.ORDINARY.value, _("Ordinary")),
        (Sensitivity.PERSONAL.value, _("Personal")),
        (Sensitivity.SPECIAL.value, _("Special category (health, beliefs, origin …)")),
    ]


def parameters() -> list[tuple[str, str]]:
    """What a hidden field may remember."""
    return [
        ("utm_source", _("Source (utm_source)")),
        ("utm_medium", _("Medium (utm_medium)")),
        ("utm_campaign", _("Campaign (utm_campaign)")),
        ("utm_content", _("Content (utm_content)")),
        ("utm_term", _("Term (utm_term)")),
        ("host", _("The site that sent the person")),
    ]


def fault(kind: Fault) -> str:
    """What a kind of fault is called."""
    return {
        Fault.UNREACHABLE: _("Never reached"),
        Fault.LOOP: _("Loop"),
        Fault.CONTRADICTION: _("Contradiction"),
        Fault.MISSING: _("Not complete"),
        Fault.REFERENCE: _("Condition"),
        Fault.CARE: _("Sensitive data"),
    }[kind]


def change(kind: Change) -> str:
    """What a kind of change is called."""
    return {
        Change.ADDED: _("new"),
        Change.REMOVED: _("not asked any more"),
        Change.WORDS: _("other words"),
        Change.CHOICES: _("other choices"),
        Change.CONDITIONS: _("other conditions"),
        Change.NEEDED: _("needed or not"),
        Change.POINTS: _("other points"),
        Change.LIMITS: _("other settings"),
        Change.ORDER: _("The order of the questions"),
        Change.JUMPS: _("other jumps"),
    }[kind]
