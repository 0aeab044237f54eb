"""Who puts a segment or a question away is told which sequences rest on it."""

import pytest

from leadgen.accounts.models import Brand
from leadgen.campaigns.models import Campaign
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.nurture import jobs, looking, uses
from leadgen.nurture.definition import from_data
from leadgen.nurture.models import Enrolment
from leadgen.segments import service as segments
from tests.factories import letter_data, make_entry, make_segment, make_sequence
from tests.nurture.conftest import change, contact_of

SEA = {"all": [{"field": "answer.question_1", "op": "eq", "value": "sea"}]}
ANSWERED = {"on": "answered", "of": "question_1"}


@pytest.mark.parametrize(
    "rests",
    [
        {"who": SEA},
        {"exits": [{"when": SEA}]},
        {"goal": {"on": ANSWERED}},
        {"steps": [letter_data(1, when=SEA)]},
        {"steps": [letter_data(1, wait={"until": "event", "seconds": 9, "event": ANSWERED})]},
        {"steps": [{"kind": "branch", "key": "fork", "when": SEA, "yes": [letter_data(1)]}]},
    ],
)  # fmt: skip
def test_a_question_is_used_wherever_it_stands(campaign: Campaign, rests: dict[str, object]) -> None:
    make_sequence(campaign, definition=rests, name="Welcome")
    make_sequence(campaign, key="other", name="Other")

    assert uses.of_question(campaign.id, "question_1") == ["Welcome"]
    assert uses.of_question(campaign.id, "question_2") == []


def test_a_segment_that_is_put_away_begins_nothing(campaign: Campaign) -> None:
    brand = db.session.get_one(Brand, campaign.brand_id)
    segment = make_segment(brand, {"all": []})
    joined = {"trigger": {"on": "segment_joined", "of": str(segment.id)}, "steps": [letter_data(1)]}
    sequence = make_sequence(campaign, definition=joined, name="By segment")
    make_entry(campaign, confirmed=True, marketing=True)

    assert uses.of_segment(brand.id, segment.id) == ["By segment"]
    assert looking.would_begin(campaign.id, sequence.id, from_data(joined)) == 1
    segments.archive(segment)
    assert looking.would_begin(campaign.id, sequence.id, from_data(joined)) == 0
    jobs.look()
    assert db.session.query(Enrolment).count() == 0


def test_what_the_clock_begins_is_counted_before_it_is_published(campaign: Campaign) -> None:
    silent = {"trigger": {"on": "inactive", "days": 1}, "steps": [letter_data(1)]}
    sequence = make_sequence(campaign, definition={"steps": [letter_data(1)]})
    entry = make_entry(campaign, confirmed=True, marketing=True)
    change(contact_of(entry), last_inbound_at=product_clock.now().replace(year=2020))

    assert looking.would_begin(campaign.id, sequence.id, from_data(silent)) == 1
    assert looking.would_begin(campaign.id, sequence.id, from_data({"trigger": {"on": "confirmed"}})) is None
