"""Dates that no contest can have are refused before they break every page that shows them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadgen.campaigns import service as campaigns
from leadgen.core import clock
from leadgen.core.errors import Invalid
from tests.factories import make_brand

GOOD = clock.now().replace(microsecond=0)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "field"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), GOOD, "starts_at"),
        (GOOD, datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "ends_at"),
        (GOOD, datetime(2200, 1, 1, tzinfo=UTC), "ends_at"),
        (GOOD, GOOD, "ends_at"),
    ],
)
def test_a_campaign_lives_within_five_years(context: None, starts_at: datetime, ends_at: datetime, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        campaigns.create_from_template(make_brand(), "milestones", name="Far", starts_at=starts_at, ends_at=ends_at)
    assert refused.value.field == field
