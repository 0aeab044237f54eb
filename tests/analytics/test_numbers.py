"""What a campaign has brought: counts, K, curves, channels."""

from datetime import UTC, datetime, timedelta

import pytest

from leadgen.analytics import people
from leadgen.analytics import service as analytics
from leadgen.campaigns.models import Campaign
from leadgen.core import clock
from leadgen.core.errors import NotFound
from leadgen.entries.models import EntryStatus
from leadgen.journal.vocabulary import CounterName
from leadgen.mail.models import MessageStatus
from tests import factories


@pytest.fixture
def campaign(context: None) -> Campaign:
    return factories.make_campaign()


def test_nothing_yet_has_no_k(campaign: Campaign) -> None:
    numbers = analytics.numbers(campaign.id)
    assert (numbers.visits, numbers.entries, numbers.mails_wanted) == (0, 0, 0)
    assert (numbers.k_raw, numbers.k_confirmed, numbers.confirmation_rate) == (None, None, None)


def test_k_is_raw_and_confirmed(campaign: Campaign) -> None:
    """K raw = referred sign-ups / entries; K confirmed = referred confirmed / confirmed entries."""
    ben = factories.make_entry(campaign, confirmed=True)
    factories.make_entry(campaign, confirmed=True, referrer=ben)
    factories.make_entry(campaign, referrer=ben)
    factories.make_entry(campaign, status=EntryStatus.BOUNCED)
    factories.make_entry(factories.make_campaign(), confirmed=True)
    numbers = analytics.numbers(campaign.id)
    assert (numbers.entries, numbers.confirmed, numbers.pending) == (4, 2, 1)
    assert (numbers.referred, numbers.referred_confirmed) == (2, 1)
    assert (numbers.referrers, numbers.referrers_confirmed) == (1, 1)
    assert (numbers.k_raw, numbers.k_confirmed, numbers.confirmation_rate) == (0.5, 0.5, 0.5)


def test_counters_and_mails_are_summed(campaign: Campaign) -> None:
    factories.make_counter(campaign, number=3)
    factories.make_counter(campaign, number=4, hour=clock.now() - timedelta(hours=5))
    factories.make_counter(campaign, name=CounterName.REFERRAL_VISIT, number=2)
    entry = factories.make_entry(campaign)
    for status in (MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.SCHEDULED):
        factories.make_message(entry, status=status)
    factories.make_message(entry, status=MessageStatus.FAILED)
    numbers = analytics.numbers(campaign.id)
    assert (numbers.visits, numbers.referral_visits) == (7, 2)
    assert (numbers.mails_wanted, numbers.mails_sent, numbers.mails_delivered) == (5, 3, 1)
    assert (numbers.mails_bounced, numbers.mails_waiting, numbers.mails_failed) == (1, 1, 1)


def test_glances_are_per_campaign(campaign: Campaign) -> None:
    ben = factories.make_entry(campaign, confirmed=True)
    factories.make_entry(campaign, confirmed=True, referrer=ben)
    empty = factories.make_campaign()
    found = analytics.glances([campaign.id, empty.id])
    assert (found[campaign.id].entries, found[campaign.id].k_confirmed) == (2, 0.5)
    assert (found[empty.id].entries, found[empty.id].k_confirmed) == (0, None)
    assert analytics.glances([]) == {}


def test_hours_without_anything_are_there_too(campaign: Campaign) -> None:
    start = datetime(2026, 6, 1, 10, 20, tzinfo=UTC)
    factories.make_entry(campaign, created_at=start + timedelta(minutes=5))
    factories.make_entry(campaign, created_at=start + timedelta(hours=2))
    slots = analytics.by_hour(campaign.id, start, start + timedelta(hours=3), "Europe/Paris")
    assert [slot.at.hour for slot in slots] == [10, 11, 12, 13]
    assert [slot.entries for slot in slots] == [1, 0, 1, 0]


def test_a_day_is_the_day_of_the_campaigns_time_zone(campaign: Campaign) -> None:
    late = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)  # half past midnight in Paris: the second of June
    factories.make_entry(campaign, created_at=late, confirmed_at=late + timedelta(minutes=1))
    since = datetime(2026, 5, 31, 22, 0, tzinfo=UTC)
    slots = analytics.by_day(campaign.id, since, since + timedelta(days=2), "Europe/Paris")
    assert [slot.entries for slot in slots] == [0, 1, 0]
    assert [slot.confirmed for slot in slots] == [0, 1, 0]


@pytest.mark.parametrize("night", [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)])
def test_a_night_of_23_or_25_hours_makes_one_day(campaign: Campaign, night: datetime) -> None:
    slots = analytics.by_day(campaign.id, night, night + timedelta(days=3), "Europe/Paris")
    factories.make_entry(campaign, created_at=night + timedelta(days=2, hours=12))
    assert len({slot.at for slot in slots}) == len(slots) == 4
    found = analytics.by_day(campaign.id, night, night + timedelta(days=3), "Europe/Paris")
    assert sum(slot.entries for slot in found) == 1


def test_three_days_are_hours_and_more_are_days(campaign: Campaign) -> None:
    now = clock.now()
    assert analytics.curve(campaign.id, now - timedelta(days=3), now, "UTC")[0] == "hour"
    assert analytics.curve(campaign.id, now - timedelta(days=4), now, "UTC")[0] == "day"


def test_channels_join_visits_and_entries(campaign: Campaign) -> None:
    ben = factories.make_entry(campaign, confirmed=True)
    factories.make_entry(campaign, referrer=ben, channel="wa", confirmed=True)
    factories.make_entry(campaign, referrer=ben, channel="qr")
    factories.make_counter(campaign, name=CounterName.REFERRAL_VISIT, number=9, channel="wa")
    factories.make_counter(campaign, name=CounterName.REFERRAL_VISIT, number=1, channel="fb")
    found = {one.name: (one.visits, one.entries, one.confirmed) for one in analytics.channels(campaign.id)}
    assert found == {"wa": (9, 1, 1), "qr": (0, 1, 0), "fb": (1, 0, 0)}


def test_sources_are_of_people_who_came_alone(campaign: Campaign) -> None:
    ben = factories.make_entry(campaign, source={"utm_source": "newsletter", "host": "mail.example"})
    factories.make_entry(campaign, source={"host": "blog.example"})
    factories.make_entry(campaign)
    factories.make_entry(campaign, referrer=ben, source={"host": "chat.example"})
    assert {one.name for one in analytics.sources(campaign.id)} == {"newsletter", "blog.example", ""}


def test_channels_and_sources_add_up_to_all_entries(campaign: Campaign) -> None:
    """Also who came by a link that names no channel, by a typed code, at a stand, or from the ninth source."""
    ben = factories.make_entry(campaign, confirmed=True)
    factories.make_entry(campaign, referrer=ben, channel="wa", confirmed=True)
    factories.make_entry(campaign, referrer=ben, channel="", confirmed=True)
    factories.make_entry(campaign, referrer=ben, channel="kiosk")
    factories.make_entry(campaign, channel="kiosk")
    for number in range(10):
        factories.make_entry(campaign, source={"utm_source": f"source{number}"}, confirmed=number % 2 == 0)
    channels, sources = analytics.channels(campaign.id), analytics.sources(campaign.id)
    counted = analytics.numbers(campaign.id)
    assert {one.name: one.entries for one in channels} == {"wa": 1, "": 1, "kiosk": 1}
    assert sum(one.entries for one in channels) == counted.referred
    assert (len(sources), sources[-1].name, sources[-1].entries) == (9, analytics.REST, 4)
    assert sum(one.entries for one in [*channels, *sources]) == counted.entries
    assert sum(one.confirmed for one in [*channels, *sources]) == counted.confirmed


def test_a_dossier_is_of_its_own_campaign_alone(campaign: Campaign) -> None:
    ben = factories.make_entry(campaign, confirmed=True, first_name="Ben")
    anna = factories.make_entry(campaign, referrer=ben, first_name="Anna")
    found = people.dossier(campaign.id, anna.id)
    assert found.referrer is not None
    assert found.referrer.first_name == "Ben"
    assert [friend.first_name for friend in people.dossier(campaign.id, ben.id).friends] == ["Anna"]
    with pytest.raises(NotFound):
        people.dossier(factories.make_campaign().id, anna.id)


def test_dear_figures_are_shown_again_and_cheap_ones_counted_anew(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def entries() -> int:
        now = clock.now()
        return analytics.figures(campaign.id, now - timedelta(days=1), now, "UTC").numbers.entries

    assert entries() == 0
    factories.make_entry(campaign)
    assert entries() == 1
    monkeypatch.setattr(analytics, "_kept", {})
    monkeypatch.setattr(analytics, "DEAR_SECONDS", -1)
    ticks = iter([0.0, 60.0, 61.0, 700.0, 760.0])
    monkeypatch.setattr(analytics.time, "monotonic", lambda: next(ticks))
    assert entries() == 1
    factories.make_entry(campaign)
    assert entries() == 1
    assert entries() == 2
