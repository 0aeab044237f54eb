"""Setting paces and warm-up plans by hand, with refusals in words."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.mail import pacing, steering
from leadgen.mail.models import Pace, WarmUp
from leadgen.mail.steering import Plan
from tests.conftest import Clock

OWN = {"brand.example"}


@pytest.fixture(autouse=True)
def _fresh_limits(context: None) -> None:
    pacing.forget()


@pytest.mark.parametrize("bucket", ["provider", "lane:bulk", "group:gmail"])
def test_a_pace_holds_at_once_and_can_be_taken_away(bucket: str) -> None:
    steering.set_pace(bucket, 30, "Ada")
    steering.set_pace(bucket, 20, "Bob")
    db.session.commit()
    assert pacing.limits().per_second == {bucket: 20}
    assert db.session.scalars(select(Pace.changed_by)).one() == "Bob"
    steering.clear_pace(bucket)
    db.session.commit()
    assert pacing.limits().per_second == {}


@pytest.mark.parametrize(("bucket", "pace", "field"), [("provider", 0, "pace"), ("group:nobody", 5, "bucket")])
def test_what_is_no_pace_is_refused(bucket: str, pace: int, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        steering.set_pace(bucket, pace, "Ada")
    assert refusal.value.field == field


def test_a_plan_begins_today_and_a_change_keeps_its_first_day(clock: Clock) -> None:
    steering.set_plan(Plan("brand.example", 100, 50, 1_000), OWN, "Ada")
    db.session.commit()
    began = db.session.scalars(select(WarmUp)).one().started_on
    clock.forward(days=2)
    steering.set_plan(Plan("brand.example", 200, 50, 5_000), OWN, "Bob")
    db.session.commit()
    plan = pacing.limits().plans["brand.example"]
    assert (plan.started_on, plan.first_day, plan.changed_by) == (began, 200, "Bob")
    steering.clear_plan("brand.example", OWN)
    db.session.commit()
    assert pacing.limits().plans == {}


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan("other.example", 100, 50, 1_000), "domain"),
        (Plan("brand.example", 0, 50, 1_000), "first_day"),
        (Plan("brand.example", 100, 0, 1_000), "growth"),
        (Plan("brand.example", 100, 301, 1_000), "growth"),
        (Plan("brand.example", 100, 50, 99), "ceiling"),
    ],
)
def test_what_is_no_plan_is_refused_beside_its_field(plan: Plan, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        steering.set_plan(plan, OWN, "Ada")
    assert refusal.value.field == field
    assert db.session.scalars(select(WarmUp)).all() == []


def test_anothers_plan_is_not_mine_to_end() -> None:
    db.session.add(WarmUp(domain="other.example", started_on=clock.now().date(), first_day=1, growth=1, ceiling=2))
    db.session.commit()
    with pytest.raises(Invalid):
        steering.clear_plan("other.example", OWN)
