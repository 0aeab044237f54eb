"""Whether letters pay: the worth of the goals that would not have been reached without them, against their costs.

Goals are worth what the marketer says; costs are theirs too. Amounts are whole minor units of the brand’s currency.
Fractions are rounded once, at the end, halves to the even one.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.experiments import intervals
from leadgen.experiments.intervals import Interval
from leadgen.nurture.models import Sequence
from leadgen.outcomes import results, trials
from leadgen.outcomes.models import ProgrammeCost
from leadgen.outcomes.results import EVERYBODY, Lift
from leadgen.segments.compiling import Fragment

CURRENCIES = ("EUR", "GBP", "CHF", "CAD", "USD", "DKK", "SEK", "NOK")
LARGEST = 10**11  # minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class CostInput:
    """What somebody enters, in minor units; `value` None: as the goal says, or the costs of the whole brand."""

    per_thousand: int = 0
    fixed: int = 0
    value: int | None = None
    currency: str = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What is reckoned with for one sequence, in minor units: of one goal, a thousand letters, and once."""

    value: int
    per_thousand: int
    fixed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What it brought and cost, in minor units. `extra` goals are those that would not have been reached without it.

    `extra_interval` and `gain_interval` say between which bounds goals and gain lie.
    """

    extra: Fraction
    extra_interval: tuple[float, float]
    gain: int
    gain_interval: tuple[int, int]
    letters: int
    cost: int

    @property
    def net(self) -> int:
        """What is left of the gain after the costs."""
        return self.gain - self.cost

    @property
    def ratio(self) -> Fraction | None:
        """What is left, for each unit that was spent: 3 is three euros for each euro; None where nothing was spent."""
        return Fraction(self.net, self.cost) if self.cost else None

    @property
    def is_sure(self) -> bool:
        """Whether even the worst case pays."""
        return self.gain_interval[0] > self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sequence of a programme: `lift` None has nobody held out or no goal, and is not in the sums."""

    sequence: Sequence
    campaign: Campaign
    lift: Lift | None
    worth: Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """All sequences of a brand or of a contest together: each compared within itself, then added up."""

    parts: tuple[Part, ...]
    interval: Interval
    treated: int
    total: Return
    currency: str

    @property
    def measured(self) -> list[Part]:
        """The sequences that the sums are made of."""
        return [one for one in self.parts if _is_measured(one.lift)]


def costs(brand_id: int) -> dict[int | None, ProgrammeCost]:
    """What was entered, by sequence; under None what holds for the whole brand."""
    rows = db.session.scalars(select(ProgrammeCost).filter_by(brand_id=brand_id))
    return {row.sequence_id: row for row in rows}


def currency(brand_id: int) -> str:
    """The currency that all amounts of the brand are in."""
    entered = costs(brand_id).get(None)
    return entered.currency if entered else "EUR"


def save(brand: Brand, sequence: Sequence | None, entered: CostInput, by: str = "") -> None:
    """Keep the costs of a sequence, or (None) those of the whole brand. Raises Invalid with the field."""
    for name in ("per_thousand", "fixed", "value"):
        amount = getattr(entered, name)
        if amount is not None and not 0 <= amount <= LARGEST:
            raise Invalid(_("Please enter an amount of 0 or more."), name)
    if entered.currency not in CURRENCIES:
        raise Invalid(_("Please choose one of the list."), "currency")
    said = {name: getattr(entered, name) for name in ("per_thousand", "fixed", "value", "currency")}
    said |= {"changed_at": clock.now(), "changed_by": by}
    key = {"brand_id": brand.id, "sequence_id": sequence.id if sequence else None}
    statement = insert(ProgrammeCost).values(**key, **said)
    db.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=said))


def worth(sequence: Sequence, entered: Mapping[int | None, ProgrammeCost]) -> Worth:
    """What a sequence is reckoned with: what was entered for it, else the brand's price and the value of its goal."""
    own, of_brand = entered.get(sequence.id), entered.get(None)
    published = trials.published(sequence)
    goal = published[-1][1].goal if published else None
    value = own.value if own and own.value is not None else goal.value if goal else 0
    price = own or of_brand
    return Worth(value=value, per_thousand=price.per_thousand if price else 0, fixed=own.fixed if own else 0)


def reckon(lift: Lift, worth: Worth) -> Return:
    """The return of one sequence on the people whose time is over."""
    return _together([(lift, worth)], 0)


def programme(brand: Brand, campaign_id: int | None = None, among: Fragment = EVERYBODY) -> Programme:
    """All sequences of the brand, or of one contest; those put away too, for they brought what they brought."""
    entered = costs(brand.id)
    statement = select(Sequence, Campaign).join(Campaign, Campaign.id == Sequence.campaign_id)
    statement = statement.where(Campaign.brand_id == brand.id).order_by(Campaign.id.desc(), Sequence.id)
    if campaign_id is not None:
        statement = statement.where(Campaign.id == campaign_id)
    parts = tuple(
        Part(
            sequence=sequence,
            campaign=campaign,
            lift=results.lift(sequence, among),
            worth=worth(sequence, entered),
        )
        for sequence, campaign in db.session.execute(statement)
    )
    measured = [(one.lift, one.worth) for one in parts if one.lift and _is_measured(one.lift)]
    of_brand = entered.get(None)
    fixed = of_brand.fixed if of_brand and campaign_id is None else 0
    return Programme(
        parts=parts,
        interval=intervals.pooled([(one.treated.people, one.treated, one.held) for one, _worth in measured]),
        treated=sum(one.treated.people for one, _worth in measured),
        total=_together(measured, fixed),
        currency=of_brand.currency if of_brand else "EUR",
    )


def _is_measured(lift: Lift | None) -> bool:
    return lift is not None and lift.treated.people > 0 and lift.held.people > 0


def _together(parts: Many[tuple[Lift, Worth]], fixed: int) -> Return:
    """Extra goals are the difference of the rates times the people treated, exactly; the interval is the pooled one."""
    extras = [(_extra(lift), worth) for lift, worth in parts]
    goals = [(1, lift) for lift, _worth in parts]
    money = [(worth.value, lift) for lift, worth in parts]
    low, high = _bounds(money)
    cost = sum(
        (Fraction(one.letters * worth.per_thousand, 1000) + worth.fixed for one, worth in parts), Fraction(fixed)
    )
    return Return(
        extra=sum((extra for extra, _worth in extras), Fraction(0)),
        extra_interval=_bounds(goals),
        gain=round(sum((extra * worth.value for extra, worth in extras), Fraction(0))),
        gain_interval=(round(low), round(high)),
        letters=sum(lift.letters for lift, _worth in parts),
        cost=round(cost),
    )


def _extra(lift: Lift) -> Fraction:
    """The goals of the treated people less those that they would have reached at the rate of the held out."""
    if not lift.held.people:
        return Fraction(0)
    return lift.treated.reached - Fraction(lift.treated.people * lift.held.reached, lift.held.people)


def _bounds(parts: Many[tuple[int, Lift]]) -> tuple[float, float]:
    """Between which sums the truth lies; each part counts its people times a factor."""
    strata = [(float(factor * lift.treated.people), lift.treated, lift.held) for factor, lift in parts]
    whole = sum(weight for weight, _treated, held in strata if held.people)
    found = intervals.pooled(strata)
    return (found.low * whole, found.high * whole)
