"""What people are worth, as it was last worked out. Each field is one entry of a table.

Amounts are asked for in whole units of the brand's currency (12.5 is 12 euros 50) and kept in hundredths.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadgen.core.i18n import gettext as _
from leadgen.core.logic import Kind
from leadgen.segments.catalogue import Group, Spec, Words
from leadgen.segments.sources import Number, Over, Rows

_WORTH = Rows("contact_worth w", "w.brand_id = {brand}", "w.contact_id")


def worth(currency: str) -> Iterator[Spec]:
    """The value of a contact: all of it, their own deeds', and that through the people they brought."""
    named = {"currency": currency}
    yield _figure(
        "worth",
        "w.own + w.brought",
        word=lambda: _("Contact value, in %(currency)s") % named,
        says=lambda: _("whose contact value in %(currency)s is %%(what)s") % named,
        example=lambda: _("Contact value is at least 20: whom to treat best."),
    )
    yield _figure(
        "worth_own",
        "w.own",
        word=lambda: _("Value of their own deeds, in %(currency)s") % named,
        says=lambda: _("whose own value in %(currency)s is %%(what)s") % named,
        example=lambda: _("Value of their own deeds is exactly 0: they brought others and did nothing else."),
    )
    yield _figure(
        "worth_brought",
        "w.brought",
        word=lambda: _("Value through people brought, in %(currency)s") % named,
        says=lambda: _("whose value through people brought in %(currency)s is %%(what)s") % named,
        example=lambda: _("Value through people brought is at least 10: your best ambassadors."),
    )


def _figure(key: str, sql: str, *, word: Words, says: Words, example: Words) -> Spec:
    return Spec(
        key=key,
        group=Group.VALUE,
        word=word,
        kind=Kind.NUMBER,
        source=Over(_WORTH, f"(max({sql}) / 100.0)", Number()),
        says=lambda _n: says(),
        example=example,
        may_lack=False,
    )
