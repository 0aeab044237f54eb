"""How a campaign spreads: each figure against a plain count over the rows, in random worlds (F16, I34)."""

import csv
import io
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from leadgen.actions.models import Deed, DeedState
from leadgen.analytics import cohorts, crowds, headcounts, sheets, trees
from leadgen.analytics import virality as spreading
from leadgen.analytics.crowds import Asked, Crowd, Openings
from leadgen.analytics.virality import Product
from leadgen.campaigns.models import Action, ActionKind, Campaign
from leadgen.contacts.models import Answer
from leadgen.core.db import db
from leadgen.core.errors import NotFound
from leadgen.entries.models import Entry, EntryStatus, ReferralReason, ReferralState, Review
from leadgen.visits.models import Visit, VisitKind
from tests import factories, factories_contest
from tests.analytics.spreading import make_random_spread

SEEDS = range(1, 4)
ZONE = "Europe/Paris"


@pytest.fixture
def campaign(context: None) -> Campaign:
    return factories.make_campaign()


class Plain:
    """The rows of a campaign, counted one by one in Python: no statement of the product is used here."""

    def __init__(self, campaign: Campaign) -> None:
        self.entries = {one.id: one for one in db.session.scalars(select(Entry).filter_by(campaign_id=campaign.id))}
        humans = select(Visit).filter_by(campaign_id=campaign.id, kind=VisitKind.HUMAN)
        self.visits = list(db.session.scalars(humans))
        self.answered = {one.entry_id for one in db.session.scalars(select(Answer))}
        shares = {one.id for one in db.session.scalars(select(Action).filter_by(kind=ActionKind.SHARE))}
        self.shared = {
            one.entry_id
            for one in db.session.scalars(select(Deed).filter_by(campaign_id=campaign.id))
            if one.action_id in shares and one.state is DeedState.DONE
        } | {one.entry_id for one in self.visits}
        self.has_questions = any(question.is_active for question in campaign.questions)

    def tells(self, crowd: Crowd) -> Callable[[Entry], bool]:
        """Whether one entry belongs to a crowd."""

        def is_confirmed(e: Entry) -> bool:
            return e.status is EntryStatus.CONFIRMED

        def is_clear(e: Entry) -> bool:
            return is_confirmed(e) and e.review is Review.CLEAR

        def is_good(e: Entry) -> bool:
            has_answered = e.id in self.answered or not self.has_questions
            return bool(e.referrer_id) and is_clear(e) and e.referral_state is ReferralState.COUNTED and has_answered

        def has_pair(e: Entry) -> bool:
            return is_confirmed(e) and e.referrer_id is not None and bool(self.entries[e.referrer_id].confirmed_at)

        return {
            Crowd.ENTRIES: lambda e: True,
            Crowd.CONFIRMED: is_confirmed,
            Crowd.CLEAR: is_clear,
            Crowd.REFERRED: lambda e: e.referrer_id is not None,
            Crowd.REFERRED_CONFIRMED: lambda e: e.referrer_id is not None and is_confirmed(e),
            Crowd.REFERRED_CLEAR: lambda e: e.referrer_id is not None and is_clear(e),
            Crowd.COUNTED: lambda e: e.referral_state is ReferralState.COUNTED,
            Crowd.HELD: lambda e: e.referral_state is ReferralState.ON_HOLD,
            Crowd.CHECKED: lambda e: (
                (e.referral_state, e.referral_reason) == (ReferralState.ON_HOLD, ReferralReason.RISK)
            ),
            Crowd.QUALITY: is_good,
            Crowd.CYCLE: has_pair,
            Crowd.REFERRERS: lambda e: any(one.referrer_id == e.id for one in self.entries.values()),
            Crowd.SHARERS: lambda e: e.id in self.shared,
            Crowd.SHARERS_CONFIRMED: lambda e: e.id in self.shared and is_confirmed(e),
            Crowd.SHARERS_CLEAR: lambda e: e.id in self.shared and is_clear(e),
        }[crowd]

    def of(self, crowd: Crowd) -> list[Entry]:
        """Everybody in a crowd."""
        return [one for one in self.entries.values() if self.tells(crowd)(one)]

    def opened(self, *, is_clear: bool | None = None) -> int:
        """Human openings; of confirmed people when asked (False), of those without flag (True)."""
        if is_clear is None:
            return len(self.visits)
        which = self.tells(Crowd.CLEAR if is_clear else Crowd.CONFIRMED)
        return sum(which(self.entries[one.entry_id]) for one in self.visits)


def _monday(moment: datetime) -> date:
    local = moment.astimezone(ZoneInfo(ZONE)).date()
    return local - timedelta(days=local.weekday())


def _all(asked: Asked) -> list[int]:
    """The whole list, page by page."""
    found: list[int] = []
    while page := crowds.people(asked, before_id=found[-1] if found else None, limit=7):
        found += [one.id for one in page]
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("questions", [0, 1])
def test_every_crowd_is_listed_as_it_is_counted(context: None, seed: int, questions: int) -> None:
    """I34: the count, the list and a count by hand are the same people, whatever the crowd."""
    campaign = factories.make_campaign(questions=questions)
    make_random_spread(campaign, seed=seed, people=25)
    make_random_spread(factories.make_campaign(), seed=seed, people=5)
    plain = Plain(campaign)
    for crowd in Crowd:
        asked = Asked(campaign.id, ZONE, crowd)
        expected = sorted((one.id for one in plain.of(crowd)), reverse=True)
        assert _all(asked) == expected, crowd
        assert crowds.how_many(asked) == len(expected), crowd


@pytest.mark.parametrize("seed", SEEDS)
def test_each_k_is_a_plain_count_and_the_product_of_its_parts(campaign: Campaign, seed: int) -> None:
    make_random_spread(campaign, seed=seed, people=30)
    plain, found = Plain(campaign), spreading.spread(campaign.id, ZONE)

    def counted(people: Crowd, sharers: Crowd, friends: Crowd, *, is_clear: bool | None) -> Product:
        numbers = [len(plain.of(crowd)) for crowd in (people, sharers, friends)]
        return Product(numbers[0], numbers[1], plain.opened(is_clear=is_clear), numbers[2])

    sharing = Crowd.SHARERS_CONFIRMED
    assert found.raw == counted(Crowd.ENTRIES, Crowd.SHARERS, Crowd.REFERRED, is_clear=None)
    assert found.confirmed == counted(Crowd.CONFIRMED, sharing, Crowd.REFERRED_CONFIRMED, is_clear=False)
    assert found.clear == counted(Crowd.CLEAR, Crowd.SHARERS_CLEAR, Crowd.REFERRED_CLEAR, is_clear=True)
    assert found.quality == counted(Crowd.CONFIRMED, sharing, Crowd.QUALITY, is_clear=False)
    for one in (found.raw, found.confirmed, found.clear, found.quality):
        if one.share_rate and one.visits_per_sharer and one.conversion is not None:
            assert one.share_rate * one.visits_per_sharer * one.conversion == one.k == Fraction(one.friends, one.people)
    assert (found.counted, found.held) == (len(plain.of(Crowd.COUNTED)), len(plain.of(Crowd.HELD)))
    assert found.referrers == len(plain.of(Crowd.REFERRERS))


@pytest.mark.parametrize("seed", SEEDS)
def test_openings_are_listed_as_they_are_counted(campaign: Campaign, seed: int) -> None:
    make_random_spread(campaign, seed=seed, people=25)
    plain = Plain(campaign)
    for which, is_clear in ((Openings.HUMAN, None), (Openings.HUMAN_CONFIRMED, False), (Openings.HUMAN_CLEAR, True)):
        found: list[int] = []
        while page := crowds.openings(campaign.id, which, before_id=found[-1] if found else None, limit=4):
            found += [one.id for one in page]
        assert len(set(found)) == crowds.how_many_openings(campaign.id, which) == plain.opened(is_clear=is_clear)


@pytest.mark.parametrize("seed", SEEDS)
def test_generations_are_plain_counts(campaign: Campaign, seed: int) -> None:
    """F16: depth, people, % of all, K at depth."""
    make_random_spread(campaign, seed=seed, people=30)
    plain, found = Plain(campaign), spreading.spread(campaign.id, ZONE)
    confirmed = plain.of(Crowd.CONFIRMED)
    for one in found.generations:
        people = [e for e in plain.entries.values() if e.depth == one.depth]
        now, following = (sum(e.depth == depth for e in confirmed) for depth in (one.depth, one.depth + 1))
        assert (one.people, one.confirmed) == (len(people), now)
        assert one.share == Fraction(len(people), len(plain.entries))
        assert one.k == (Fraction(following, now) if now else None)
        assert _all(Asked(campaign.id, ZONE, depth=one.depth)) == sorted((e.id for e in people), reverse=True)
    assert sum(one.people for one in found.generations) == len(plain.entries)


@pytest.mark.parametrize("seed", SEEDS)
def test_weeks_are_plain_counts(campaign: Campaign, seed: int) -> None:
    """F16: cohorts by entry week in the campaign's zone; friends belong to the week of who brought them."""
    make_random_spread(campaign, seed=seed, people=30)
    plain, found = Plain(campaign), spreading.spread(campaign.id, ZONE)
    weeks = {one.id: _monday(one.created_at) for one in plain.entries.values()}
    assert [one.week for one in found.cohorts] == sorted(set(weeks.values()))
    for one in found.cohorts:
        people = [e for e in plain.entries.values() if weeks[e.id] == one.week]
        friends = [e for e in plain.of(Crowd.REFERRED) if weeks[e.referrer_id or 0] == one.week]
        assert (one.entries, one.confirmed) == (len(people), sum(e.status == "confirmed" for e in people))
        assert (one.friends, one.friends_confirmed) == (len(friends), sum(e.status == "confirmed" for e in friends))
        assert one.median_seconds == _approximately(_quarters(plain, friends)[1])
        asked = Asked(campaign.id, ZONE, week=one.week)
        assert _all(asked) == sorted((e.id for e in people), reverse=True)
        brought = Asked(campaign.id, ZONE, Crowd.REFERRED, brought_week=one.week)
        assert _all(brought) == sorted((e.id for e in friends), reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_cycle_times_are_plain_quartiles(campaign: Campaign, seed: int) -> None:
    """F16: median of (friend's confirm − referrer's confirm), P25 and P75."""
    make_random_spread(campaign, seed=seed, people=30)
    plain, found = Plain(campaign), spreading.spread(campaign.id, ZONE).cycle
    expected = _quarters(plain, list(plain.entries.values()))
    assert found.pairs == len(plain.of(Crowd.CYCLE))
    assert [found.first_quarter, found.median, found.third_quarter] == [_approximately(one) for one in expected]
    listed = {one.id: one.cycle_seconds for one in crowds.people(Asked(campaign.id, ZONE, Crowd.CYCLE), limit=99)}
    assert sorted(listed.values()) == pytest.approx(sorted(_seconds(plain, list(plain.entries.values()))))


def _seconds(plain: Plain, friends: Sequence[Entry]) -> list[float]:
    pairs = [one for one in friends if plain.tells(Crowd.CYCLE)(one)]
    return [
        (one.confirmed_at - before).total_seconds()
        for one in pairs
        if one.confirmed_at and (before := plain.entries[one.referrer_id or 0].confirmed_at)
    ]


def _quarters(plain: Plain, friends: Sequence[Entry]) -> list[float | None]:
    seconds = _seconds(plain, friends)
    if len(seconds) < 2:
        return [*seconds * 3] or [None] * 3
    return [*statistics.quantiles(seconds, n=4, method="inclusive")]


def _approximately(value: float | None) -> object:
    return None if value is None else pytest.approx(value)


@pytest.mark.parametrize("seed", SEEDS)
def test_influencers_are_plain_counts(campaign: Campaign, seed: int) -> None:
    """F16: top influencers with their own tree; raw beside without flagged people."""
    make_random_spread(campaign, seed=seed, people=40)
    plain, found = Plain(campaign), spreading.spread(campaign.id, ZONE).influencers
    expected = []
    for one in plain.of(Crowd.REFERRERS):
        friends = [e for e in plain.entries.values() if e.referrer_id == one.id]
        rank = (-sum(map(plain.tells(Crowd.CONFIRMED), friends)), -len(friends), one.id)
        numbers = [len(friends)]
        numbers += [sum(getattr(e, name) == one.id for e in plain.entries.values()) for name in ("ref2_id", "ref3_id")]
        for crowd in (Crowd.CONFIRMED, Crowd.CLEAR, Crowd.COUNTED, Crowd.HELD, Crowd.QUALITY):
            numbers.append(sum(map(plain.tells(crowd), friends)))
        expected.append((rank, one.id, numbers))
    shown = [
        (one.id, [one.direct, one.second, one.third, one.confirmed, one.clear, one.counted, one.held, one.quality])
        for one in found
    ]
    assert shown == [(number, numbers) for _rank, number, numbers in sorted(expected)][: headcounts.MOST_INFLUENCERS]
    rows = list(csv.DictReader(io.StringIO(b"".join(sheets.influencers(campaign.id)).decode())))
    assert len(rows) == len(expected)
    columns = ("direct", "second_generation", "third_generation", "confirmed", "without_flag", "counted", "on_hold",
               "quality")  # fmt: skip
    assert [[int(row[name]) for name in columns] for row in rows] == [numbers for *_rest, numbers in sorted(expected)]
    assert not [row for row in rows if row["first_name"].startswith("=")]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tree_has_everybody_three_steps_below(campaign: Campaign, seed: int) -> None:
    made = make_random_spread(campaign, seed=seed, people=40)
    plain = Plain(campaign)
    for root in made:
        found = trees.tree(campaign.id, root.id)
        for level, name in zip(found.levels, ("referrer_id", "ref2_id", "ref3_id"), strict=True):
            people = [e for e in plain.entries.values() if getattr(e, name) == root.id]
            confirmed = sum(map(plain.tells(Crowd.CONFIRMED), people))
            assert (level.people, level.confirmed) == (len(people), confirmed)
            asked = Asked(campaign.id, ZONE, root_id=root.id, level=level.number)
            assert _all(asked) == sorted((e.id for e in people), reverse=True)
        sizes = [one.friends for one in found.root.shown]
        assert sizes == sorted(sizes, reverse=True)
        for one in found.root.shown:
            assert one.friends == sum(e.referrer_id == one.id for e in plain.entries.values())


def test_pages_of_a_tree_hold_each_friend_once(campaign: Campaign) -> None:
    root = factories.make_entry(campaign, confirmed=True)
    friends = {factories.make_entry(campaign, referrer=root).id for _number in range(trees.PAGE * 2 + 3)}
    start: int | None = 0
    seen: list[int] = []
    while start is not None:
        page = trees.tree(campaign.id, root.id, start=start)
        seen += [one.id for one in page.root.shown]
        start = page.following
    assert (len(seen), set(seen)) == (len(friends), friends)


def test_a_tree_of_another_campaign_is_absent(campaign: Campaign) -> None:
    with pytest.raises(NotFound):
        trees.tree(campaign.id, factories.make_entry(factories.make_campaign()).id)


def test_nothing_yet_has_no_figures(campaign: Campaign) -> None:
    found = spreading.spread(campaign.id, ZONE)
    assert (found.raw, found.raw.k, found.amplification) == (Product(0, 0, 0, 0), None, None)
    assert (found.generations, found.cohorts, found.influencers, found.referrers) == ([], [], [], 0)
    assert (found.cycle.pairs, found.cycle.median) == (0, None)


def test_amplification_ends_where_everybody_was_brought(campaign: Campaign) -> None:
    """F16: 1/(1−K) when K < 1; at K of 1 it grows without limit."""
    ben = factories.make_entry(campaign, confirmed=True)
    anna = factories.make_entry(campaign, confirmed=True, referrer=ben)
    assert spreading.spread(campaign.id, ZONE).amplification == 2
    ben.status = EntryStatus.ERASED
    db.session.commit()
    assert spreading.spread(campaign.id, ZONE).confirmed.k == 1
    assert spreading.spread(campaign.id, ZONE).amplification is None
    assert anna.referrer_id == ben.id


def test_machines_and_the_person_themselves_make_no_sharer(campaign: Campaign) -> None:
    for kind in VisitKind:
        factories_contest.make_visit(factories.make_entry(campaign, confirmed=True), kind=kind)
    found = spreading.spread(campaign.id, ZONE).raw
    assert (found.people, found.sharers, found.visits) == (len(VisitKind), 1, 1)


def test_a_week_is_young_until_seven_days_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """F16: right-censored cohorts are greyed until 7 days old, midnight being the campaign's."""
    week = date(2026, 6, 1)
    ripe = datetime(2026, 6, 14, 22, 0, tzinfo=UTC)  # midnight in Paris
    for moment, expected in ((ripe - timedelta(seconds=1), False), (ripe, True)):
        monkeypatch.setattr(cohorts.clock, "now", lambda moment=moment: moment)
        assert cohorts.is_ripe(week, ZONE) is expected


def test_the_week_is_that_of_the_campaigns_zone(campaign: Campaign) -> None:
    late = datetime(2026, 6, 7, 22, 30, tzinfo=UTC)  # Monday the eighth in Paris
    factories.make_entry(campaign, created_at=late)
    assert [one.week for one in spreading.spread(campaign.id, ZONE).cohorts] == [date(2026, 6, 8)]
    assert [one.week for one in spreading.spread(campaign.id, "UTC").cohorts] == [date(2026, 6, 1)]


def test_weeks_as_a_sheet(campaign: Campaign) -> None:
    make_random_spread(campaign, seed=3, people=25)
    found = spreading.spread(campaign.id, ZONE).cohorts
    rows = list(csv.DictReader(io.StringIO(sheets.cohorts(found).decode())))
    assert [row["week_from"] for row in rows] == [one.week.isoformat() for one in found]
    assert [int(row["friends_confirmed"]) for row in rows] == [one.friends_confirmed for one in found]
    assert {row["is_ripe"] for row in rows} == {"yes", "no"}
