"""A brand's prices, sales, and what one contact is worth now with every line behind the figure.

    V(p) = own(p) + Σ over generations g = 1, 2, … of ⌊ S_g(p) · d^g ⌋

S_g is the sum of the own values of the people whom p brought in generation g, d the discount as a part of one. That is
V(p) = own(p) + d · Σ V(children), rounded down to whole minor units once for each generation, so that the lines of the
explanation add up to the figure exactly and no sum of parts exceeds what the formula gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.contacts import colleagues
from leadgen.contacts import service as contacts
from leadgen.core import clock, hot, queue
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.text import one_line
from leadgen.entries.entering import MOST_GENERATIONS
from leadgen.journal import service as journal
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.worth.counting import BROUGHT_BY_ONE, COUNTED, IS_STAFF, KINDS
from leadgen.worth.models import Prices, Sale, Worth

CURRENCIES = ("EUR", "GBP", "CHF", "CAD", "USD", "DKK", "SEK", "NOK")  # all with two decimals
PRICED = KINDS[:-1]  # a sale is worth what it was
MOST = 10**10  # minor units, of one price or one sale
DISCOUNT = 50  # per cent, where nobody said another
MOST_WALKED = 5_000  # people brought, up to whom the exact figure is reckoned while somebody waits
_LONGEST_REFERENCE = 100

_EXPLAINED = f"""
WITH {BROUGHT_BY_ONE.strip()}, who AS (
    SELECT tree.contact_id, {IS_STAFF} FROM tree JOIN contact c ON c.id = tree.contact_id
), {COUNTED.strip()}, people AS (
    SELECT generation, count(*) AS people FROM tree GROUP BY generation
)
SELECT people.generation, people.people, c.kind, coalesce(c.number, 0)::bigint AS number,
       coalesce(c.value, 0)::bigint AS value
FROM people LEFT JOIN (
    SELECT tree.generation, counted.kind, sum(counted.number) AS number, sum(counted.value) AS value
    FROM tree JOIN counted ON counted.contact_id = tree.contact_id GROUP BY 1, 2
) AS c ON c.generation = people.generation
ORDER BY people.generation, c.kind
"""  # noqa: S608 - constants of worth.counting


_TOP = """
SELECT w.contact_id, coalesce(nullif(c.first_name, ''), c.email, '') AS name, w.own, w.brought, w.people,
       e.id AS entry_id, e.campaign_id
FROM contact_worth w JOIN contact c ON c.id = w.contact_id
LEFT JOIN LATERAL (SELECT id, campaign_id FROM entry WHERE contact_id = c.id ORDER BY id DESC LIMIT 1) e ON true
WHERE w.brand_id = %(brand)s AND w.own + w.brought > 0 ORDER BY w.own + w.brought DESC, w.contact_id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Part:
    """So many deeds of one kind, worth `value` together (minor units)."""

    kind: str
    number: int
    value: int


@dataclass(frozen=True, slots=True)
class Generation:
    """People brought: 1 are those brought directly. `own` is what they are worth by themselves, `value` what counts."""

    number: int
    people: int
    own: int
    value: int


@dataclass(frozen=True, slots=True)
class Explained:
    """What a contact is worth and why, in minor units of `currency`.

    Of somebody who brought thousands the generations are those of the last night, `as_of`; otherwise it is None.
    """

    currency: str
    discount: int
    parts: tuple[Part, ...]
    generations: tuple[Generation, ...]
    as_of: datetime | None = None

    @property
    def own(self) -> int:
        """The value of their own deeds."""
        return sum(part.value for part in self.parts)

    @property
    def brought(self) -> int:
        """The discounted value of the people brought."""
        return sum(one.value for one in self.generations)

    @property
    def total(self) -> int:
        """Both together."""
        return self.own + self.brought


def discounted(own: int, discount: int, generation: int) -> int:
    """What the own values of a generation's people count for who brought them: rounded down, minor units."""
    return int(own * discount**generation // 100**generation)


def prices_of(brand_id: int) -> Prices | None:
    """The brand's prices; None where nobody has set any."""
    return db.session.get(Prices, brand_id)


def currency_of(brand_id: int) -> str:
    """The currency of the brand's values."""
    found = prices_of(brand_id)
    return found.currency if found else CURRENCIES[0]


def set_prices(brand_id: int, currency: str, prices: Mapping[str, int], discount: int) -> None:
    """Say what one of each kind (PRICED) is worth, in minor units; everybody's value is worked out anew at once.

    `discount` is in per cent. Raises Invalid with the field.
    """
    if currency not in CURRENCIES:
        raise Invalid(_("Please choose one of the list."), "currency")
    for kind in PRICED:
        if not 0 <= prices[kind] <= MOST:
            raise Invalid(_("Write an amount from zero to a hundred million."), kind)
    if not 0 <= discount <= 100:
        raise Invalid(_("Write a share from 0 to 100 per cent."), "discount")
    values: dict[str, Any] = {kind: prices[kind] for kind in PRICED}
    values |= {"currency": currency, "discount": discount, "changed_at": clock.now()}
    made = insert(Prices).values(brand_id=brand_id, **values)
    db.session.execute(made.on_conflict_do_update(index_elements=["brand_id"], set_=values))
    queue.offer_after_commit(db.session(), "leadgen.worth.jobs.work_out", brand_id)


def record_sale(contact_id: int, *, reference: str, amount: int, at: datetime) -> bool:
    """Note what a contact bought: `amount` in minor units of the brand's currency, `reference` the shop's own number.

    Once for each reference of a brand: False when it is known already, also for somebody else. Raises Invalid and
    NotFound.
    """
    tidy = one_line(reference, _LONGEST_REFERENCE + 1)
    if not tidy or len(tidy) > _LONGEST_REFERENCE:
        raise Invalid(_("Give the number under which your shop knows this sale."), "reference")
    if not 0 < amount <= MOST:
        raise Invalid(_("Write an amount above zero, to a hundred million."), "amount")
    contact = contacts.get(contact_id)
    sale = {"brand_id": contact.brand_id, "contact_id": contact_id, "reference": tidy, "amount": amount, "at": at}
    made = insert(Sale).values(sale).on_conflict_do_nothing().returning(Sale.id)
    if (sale_id := db.session.scalar(made)) is None:
        return False
    journal.record(FactName.SALE_RECORDED, brand_id=contact.brand_id, contact_id=contact_id, sale=sale_id)
    return True


def explained(contact_id: int, brand_id: int) -> Explained:
    """What a contact is worth at this moment, with every line behind it; of an unknown or erased one nothing."""
    prices = prices_of(brand_id)
    discount = prices.discount if prices else DISCOUNT
    kept = db.session.get(Worth, contact_id, populate_existing=True)
    is_famous = kept is not None and kept.people > MOST_WALKED
    values = {
        "contact": contact_id,
        "most": 0 if is_famous else MOST_GENERATIONS,
        "staff": colleagues.mailbox_keys(brand_id),
        **price_values(prices),
    }
    parts: list[Part] = []
    below: dict[int, list[int]] = {}
    for row in hot.many(_EXPLAINED, values):
        if row["generation"] == 0:
            parts += [Part(row["kind"], row["number"], row["value"])] if row["number"] else []
        else:
            found = below.setdefault(row["generation"], [row["people"], 0])
            found[1] += row["value"]
    if kept is not None and is_famous:
        pairs = zip(kept.below_people, kept.below_own, strict=True)
        below = {number: [people, own] for number, (people, own) in enumerate(pairs, 1)}
    generations = (
        Generation(number, people, own, discounted(own, discount, number))
        for number, (people, own) in sorted(below.items())
    )
    ordered = sorted(parts, key=lambda part: KINDS.index(part.kind))
    as_of = prices.worked_out_at if prices and is_famous else None
    return Explained(currency_of(brand_id), discount, tuple(ordered), tuple(generations), as_of)


def price_values(prices: Prices | None) -> dict[str, int]:
    """The prices as the statements take them."""
    return {kind: getattr(prices, kind) if prices else 0 for kind in PRICED}


@dataclass(frozen=True, slots=True)
class Summary:
    """What all contacts of a brand are worth by themselves, as last worked out; `people` are worth anything."""

    own: int
    people: int
    at: datetime | None


def summary(brand_id: int) -> Summary:
    """The sum of all own values: that of the people brought is part of it already."""
    row = db.session.execute(
        select(func.coalesce(func.sum(Worth.own), 0), func.count()).where(
            Worth.brand_id == brand_id, Worth.own + Worth.brought > 0
        )
    ).one()
    prices = prices_of(brand_id)
    return Summary(int(row[0]), int(row[1]), prices.worked_out_at if prices else None)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the most valuable contacts; the entry is their latest."""

    contact_id: int
    name: str
    own: int
    brought: int
    people: int
    entry_id: int | None
    campaign_id: int | None


def top(brand_id: int, limit: int = 10) -> list[Ranked]:
    """The contacts that are worth most, as last worked out."""
    return [Ranked(**row) for row in hot.many(_TOP, {"brand": brand_id, "limit": limit})]


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: what they bought and were worth goes (reaction, may run twice)."""
    contact_ids = [fact.contact_id for fact in facts if fact.contact_id]
    for table in (Sale, Worth):
        db.session.execute(delete(table).where(table.contact_id.in_(contact_ids)))


def held(contact_id: int) -> dict[str, Any]:
    """What a person bought and is reckoned to be worth, for the file that they may download."""
    contact = contacts.get(contact_id)
    sales = db.session.scalars(select(Sale).filter_by(contact_id=contact_id).order_by(Sale.at, Sale.id))
    found = explained(contact_id, contact.brand_id)
    told = [
        {"reference": one.reference, "amount": one.amount, "currency": found.currency, "at": one.at.isoformat()}
        for one in sales
    ]
    value = {
        "currency": found.currency,
        "own": found.own,
        "through_people_brought": found.brought,
        "made_of": [{"kind": part.kind, "number": part.number, "value": part.value} for part in found.parts],
    }
    return {"sales": told, "value_to_us": [value] if found.total else []}
