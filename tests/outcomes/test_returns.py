"""Return on investment in whole minor units, of one sequence and of a programme (outcomes.returns)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadgen.accounts.models import Brand
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.experiments import balance, intervals
from leadgen.experiments.intervals import Arm
from leadgen.nurture.models import Sequence
from leadgen.outcomes import returns
from leadgen.outcomes.results import Lift
from leadgen.outcomes.returns import CostInput, Worth
from tests.factories import make_brand, make_campaign
from tests.nurture.audience import Deeds, make_tested, people


def _lift(treated: Arm, held: Arm, letters: int = 0) -> Lift:
    split = balance.likelihood([treated.people, held.people], [95, 5])
    interval = intervals.difference(treated, held)
    return Lift(treated=treated, held=held, young=0, interval=interval, split=split, letters=letters, written_to=0)


def test_the_reckoning_is_exact() -> None:
    """9,500 people of whom 950 bought, 10 % where the held out had 8 %: 190 more at 50.00, for 19,000 letters."""
    lift = _lift(Arm(9_500, 950), Arm(500, 40), letters=19_001)
    found = returns.reckon(lift, Worth(value=5_000, per_thousand=150, fixed=20_000))
    assert found.extra == 190
    assert found.gain == 950_000
    assert found.cost == 22_850  # 2,850.15 for letters, and once 20,000
    assert found.net == 927_150
    assert found.ratio == Fraction(927_150, 22_850)
    low, high = found.gain_interval
    assert low < found.gain < high
    assert (low, high) == (round(9_500 * 5_000 * lift.interval.low), round(9_500 * 5_000 * lift.interval.high))


@given(
    people=st.integers(1, 10**7),
    held=st.integers(1, 10**6),
    value=st.integers(0, 10**9),
    letters=st.integers(0, 10**8),
    price=st.integers(0, 10**6),
    rates=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_no_amount_is_lost_to_floating_point(
    people: int, held: int, value: int, letters: int, price: int, rates: tuple[float, float]
) -> None:
    treated, others = Arm(people, int(people * rates[0])), Arm(held, int(held * rates[1]))
    found = returns.reckon(_lift(treated, others, letters), Worth(value=value, per_thousand=price, fixed=7))
    assert abs(2 * (found.gain * held - value * (treated.reached * held - people * others.reached))) <= held
    assert abs(2 * ((found.cost - 7) * 1000 - letters * price)) <= 1000
    assert found.net == found.gain - found.cost


def test_nothing_spent_has_no_ratio() -> None:
    found = returns.reckon(_lift(Arm(100, 20), Arm(100, 10)), Worth(value=100, per_thousand=0, fixed=0))
    assert (found.ratio, found.gain) == (None, 1_000)


def test_it_is_sure_when_the_worst_case_pays() -> None:
    lift = _lift(Arm(20_000, 4_000), Arm(2_000, 200), letters=20_000)
    assert returns.reckon(lift, Worth(value=1_000, per_thousand=1_000, fixed=0)).is_sure
    assert not returns.reckon(lift, Worth(value=1_000, per_thousand=10**6, fixed=0)).is_sure


@pytest.mark.usefixtures("context")
class TestProgramme:
    def _two(self) -> tuple[Brand, Sequence, Sequence]:
        brand = make_brand()
        campaign, other = make_campaign(brand), make_campaign(brand)
        first = make_tested("a", campaign=campaign, holdout=10)
        people(first, 40, Deeds(goal=5))
        people(first, 40, Deeds())
        people(first, 2, Deeds(goal=5, is_held=True))
        people(first, 8, Deeds(is_held=True))
        second = make_tested("a", campaign=other, holdout=20)
        people(second, 10, Deeds(goal=5))
        people(second, 10, Deeds())
        people(second, 1, Deeds(goal=5, is_held=True))
        people(second, 4, Deeds(is_held=True))
        people(make_tested("a", campaign=other, key="open"), 50, Deeds(goal=5))  # nobody is held out
        return brand, first, second

    def test_each_sequence_is_compared_within_itself_and_then_added(self) -> None:
        brand, first, second = self._two()
        found = returns.programme(brand)
        assert [one.sequence.id for one in found.measured] == [second.id, first.id]
        assert len(found.parts) == 3
        assert found.treated == 100
        assert found.total.extra == 80 * (Fraction(1, 2) - Fraction(1, 5)) + 20 * (Fraction(1, 2) - Fraction(1, 5))
        assert found.interval.middle == pytest.approx(0.3)
        assert found.total.gain == 30 * 5_000
        assert found.total.letters == 100

    def test_of_one_contest_only_its_own_sequences(self) -> None:
        brand, first, _ = self._two()
        found = returns.programme(brand, first.campaign_id)
        assert (found.treated, found.total.extra) == (80, 24)

    def test_own_costs_come_before_those_of_the_brand(self) -> None:
        brand, first, second = self._two()
        returns.save(brand, None, CostInput(per_thousand=1_000, fixed=300, currency="GBP"), "Ada")
        returns.save(brand, first, CostInput(per_thousand=2_000, fixed=50, value=100), "Ada")
        returns.save(brand, first, CostInput(per_thousand=4_000, fixed=50, value=100), "Ada")
        db.session.commit()
        entered = returns.costs(brand.id)
        assert returns.worth(first, entered) == Worth(value=100, per_thousand=4_000, fixed=50)
        assert returns.worth(second, entered) == Worth(value=5_000, per_thousand=1_000, fixed=0)
        found = returns.programme(brand)
        assert found.currency == returns.currency(brand.id) == "GBP"
        assert found.total.cost == 80 * 4 + 50 + 20 * 1 + 300
        assert found.total.gain == 24 * 100 + 6 * 5_000

    def test_nobody_held_out_is_nothing_measured(self) -> None:
        brand = make_brand()
        people(make_tested("a", campaign=make_campaign(brand)), 5, Deeds(goal=5))
        found = returns.programme(brand)
        assert (found.measured, found.treated, found.total.gain, found.total.extra) == ([], 0, 0, 0)

    @pytest.mark.parametrize(
        ("entered", "field"),
        [
            (CostInput(per_thousand=-1), "per_thousand"),
            (CostInput(fixed=10**12), "fixed"),
            (CostInput(value=-5), "value"),
            (CostInput(currency="ZZZ"), "currency"),
        ],
    )
    def test_what_is_no_amount_is_refused(self, entered: CostInput, field: str) -> None:
        with pytest.raises(Invalid) as refused:
            returns.save(make_brand(), None, entered)
        assert refused.value.field == field
