"""The order of a race is total and exact, whatever happened in which order (F7, I08)."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadgen.campaigns import cards
from leadgen.campaigns.models import Campaign, CampaignStatus, Mechanic
from leadgen.core import clock
from leadgen.core.db import db
from leadgen.entries import lately, leaderboard, person, places, points
from leadgen.entries.models import Entry, EntryStatus, LedgerKind, LedgerLine, LedgerPending, Review
from tests.entries.conftest import rows
from tests.factories import fresh, in_one_go, keep, make_campaign, make_entry, make_pending_points

# Everything in the order of the rules, from the ledger alone: what every faster way must equal.
_PLAIN = """
WITH lines AS (
    SELECT l.* FROM ledger l JOIN entry e ON e.id = l.entry_id
    WHERE e.campaign_id = %(campaign)s AND l.proof <> 'declared'
), earned AS (
    SELECT * FROM lines l WHERE points > 0 AND kind <> 'reversal'
       AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.reverses_id = l.id)
)
SELECT e.id, s.points, row_number() OVER (ORDER BY s.points DESC, s.reached_at, e.id) AS place
FROM entry e
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT sum(points) FROM lines WHERE entry_id = e.id), 0)
           - coalesce((SELECT sum(points) FROM earned WHERE entry_id = e.id AND at >= %(moment)s), 0) AS points,
           coalesce((
               SELECT max(at) FROM earned WHERE entry_id = e.id AND at < %(moment)s
           ), e.confirmed_at) AS reached_at
) AS s
WHERE e.campaign_id = %(campaign)s AND e.status = 'confirmed' AND e.review = 'clear'
ORDER BY place
"""
_number = itertools.count(1)
_NEVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


def plain(campaign_id: int, moment: datetime = _NEVER) -> list[dict[str, Any]]:
    return rows(_PLAIN, campaign=campaign_id, moment=moment)


def look_anew() -> None:
    lately.forget()
    points.forget()


@pytest.fixture
def race(context: None) -> Campaign:
    return make_race()


def make_race(**values: Any) -> Campaign:
    return make_campaign(**{"mechanics": [Mechanic.RANK], "entry_points": 1} | values)


def give(entry: Entry, earned: int, at: datetime, **values: Any) -> LedgerLine:
    """A ledger line that waits for the fold."""
    line = {"campaign_id": entry.campaign_id, "entry_id": entry.id, "points": earned, "chances": earned, "at": at}
    line |= {"kind": LedgerKind.REFERRAL} | {key: values.pop(key) for key in ("kind", "proof") if key in values}
    keep(LedgerPending, line)
    return keep(LedgerLine, line, rules_version=1, idempotency_key=f"line:{next(_number)}", **values)


def fold() -> None:
    while points.fold():
        pass


# few points, few moments: ties everywhere
_deed = st.tuples(
    st.sampled_from(["give", "give", "declared", "reverse", "fold", "hold", "exclude", "clear", "erase", "look"]),
    st.integers(0, 7),
    st.integers(1, 3),
    st.sampled_from([0, 0, 1, 59 * 60, 3600, 3601, 7200, 7200 * 5]),
)


@pytest.mark.parametrize("widest", [3, 2_000])
@settings(max_examples=30)
@given(play=st.lists(_deed, max_size=30), freeze_after=st.sampled_from([1, 3600, 7200]))
def test_i08_places_and_board_equal_a_plain_row_number(
    context: None,
    monkeypatch: pytest.MonkeyPatch,
    widest: int,
    play: list[tuple[str, int, int, int]],
    freeze_after: int,
) -> None:
    monkeypatch.setattr(leaderboard, "WIDEST", widest)
    start = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=12)
    with in_one_go():
        campaign = make_race(starts_at=start, ends_at=clock.now() + timedelta(hours=1), board_size=3)
        entries = [_enter(campaign, start) for _ in range(8)]
    given_lines: dict[int, list[LedgerLine]] = {}
    for deed, number, amount, seconds in play:
        _do(entries[number], deed, amount, start + timedelta(seconds=seconds), given_lines)
        if deed == "look":
            _compare_places(campaign, entries)
    _compare_places(campaign, entries)
    fold()
    _compare_places(campaign, entries)
    moment = start + timedelta(seconds=freeze_after)
    _compare_boards(campaign, moment)


def _enter(campaign: Campaign, at: datetime) -> Entry:
    """Confirmed at that moment and not folded yet."""
    entry = make_entry(campaign, status=EntryStatus.CONFIRMED, confirmed_at=at, reached_at=at)
    give(entry, 1, at, kind=LedgerKind.ENTRY)
    return entry


def _do(entry: Entry, deed: str, amount: int, at: datetime, lines: dict[int, list[LedgerLine]]) -> None:
    entry = fresh(entry)
    if entry.status is EntryStatus.ERASED:
        return
    if deed == "give":
        lines.setdefault(entry.id, []).append(give(entry, amount, at))
    elif deed == "declared":
        give(entry, amount, at, kind=LedgerKind.ACTION, proof="declared")
    elif deed == "reverse" and lines.get(entry.id):
        line = lines[entry.id].pop(amount % len(lines[entry.id]))
        give(entry, -line.points, clock.now(), kind=LedgerKind.REVERSAL, reverses_id=line.id)
    elif deed == "fold":
        points.fold()
    elif deed == "erase":
        person.erase(entry.id)
        db.session.commit()
    elif deed in {"hold", "exclude", "clear"}:
        review = {"hold": Review.HELD, "exclude": Review.EXCLUDED, "clear": Review.CLEAR}[deed]
        set_review(entry, review)


def set_review(entry: Entry, review: Review) -> None:
    points.leave_ranking(entry.id)
    entry.review = review
    points.join_ranking(entry.id)
    db.session.commit()


def _compare_places(campaign: Campaign, entries: list[Entry]) -> None:
    """Everybody's own place, each with their own unfolded points and the others' as folded."""
    for entry in entries:
        look_anew()
        found = leaderboard.place_of(entry.id)
        expected = {row["id"]: row for row in _with_own_pending(campaign.id, entry.id)}.get(entry.id)
        if expected is None:
            assert found is None
            continue
        assert found is not None
        assert (found.number, found.points) == (expected["place"], expected["points"])


def _with_own_pending(campaign_id: int, entry_id: int) -> list[dict[str, Any]]:
    """The plain order, in which only one person's lines count before the fold."""
    return rows(
        """
        SELECT id, points, row_number() OVER (ORDER BY points DESC, reached_at, id) AS place FROM (
            SELECT e.id, CASE WHEN e.id = %(entry)s THEN coalesce((
                       SELECT sum(points) FROM ledger WHERE entry_id = e.id AND proof <> 'declared'), 0)
                   ELSE e.rank_points END AS points,
                   CASE WHEN e.id = %(entry)s THEN coalesce((
                       SELECT max(at) FROM ledger l WHERE entry_id = e.id AND proof <> 'declared' AND points > 0
                          AND NOT EXISTS (SELECT 1 FROM ledger r WHERE r.reverses_id = l.id)), e.confirmed_at)
                   ELSE e.reached_at END AS reached_at
            FROM entry e WHERE campaign_id = %(campaign)s AND status = 'confirmed' AND review = 'clear'
        ) AS people
        """,
        campaign=campaign_id,
        entry=entry_id,
    )


def _compare_boards(campaign: Campaign, moment: datetime) -> None:
    live = plain(campaign.id)
    for entry in live:
        look_anew()
        place = leaderboard.place_of(entry["id"])
        assert place is not None
        assert place.number == entry["place"]
        shown = leaderboard.around(place)
        expected = live[max(0, place.number - 3) : place.number + 2]
        assert [(line.entry_id, line.number, line.points) for line in shown] == [
            (row["id"], row["place"], row["points"]) for row in expected
        ]
    _compare_board(campaign, live, None)
    campaign = fresh(campaign)
    ends_at = clock.now() + timedelta(minutes=1)
    hours = int((ends_at - moment).total_seconds() // 3600)
    campaign.freeze_hours, campaign.ends_at = hours, moment + timedelta(hours=hours)
    db.session.commit()
    _compare_board(campaign, plain(campaign.id, moment), moment)
    campaign.status = CampaignStatus.CLOSED
    db.session.commit()
    _compare_board(campaign, live, None)


def _compare_board(campaign: Campaign, expected: list[dict[str, Any]], frozen_at: datetime | None) -> None:
    look_anew()
    cards.forget()
    board = leaderboard.board(cards.by_id(campaign.id))
    assert board.frozen_at == frozen_at
    assert [(line.entry_id, line.points) for line in board.lines] == [
        (row["id"], row["points"]) for row in expected if row["points"] > 0
    ][:3]


def test_the_same_points_at_the_same_instant_rank_the_older_entry_first(race: Campaign) -> None:
    moment = clock.now()
    older, newer = (make_entry(race, confirmed=True) for _ in range(2))
    for entry in (newer, older):
        give(entry, 5, moment)
    fold()

    assert [line.entry_id for line in leaderboard.board(cards.by_id(race.id)).lines] == [older.id, newer.id]
    assert [_place(entry) for entry in (older, newer)] == [1, 2]


def test_whoever_reached_the_points_first_is_ahead_also_across_an_hour(race: Campaign) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    late, early, earlier = (make_entry(race, confirmed=True) for _ in range(3))
    at = [hour + timedelta(seconds=seconds) for seconds in (3600 - 1, 3600, 1)]
    for entry, moment in zip((early, late, earlier), at, strict=True):
        give(entry, 5, moment + timedelta(hours=1))
    fold()

    assert [_place(entry) for entry in (earlier, early, late)] == [1, 2, 3]


def _place(entry: Entry) -> int:
    look_anew()
    place = leaderboard.place_of(entry.id)
    assert place is not None
    return place.number


def test_ones_own_place_knows_points_that_are_not_folded(race: Campaign) -> None:
    ben, anna = (make_entry(race, confirmed=True) for _ in range(2))
    assert _place(anna) == 2

    make_pending_points(anna, 5)

    assert points.histogram(race.id).points == [1], "nobody was folded"
    place = leaderboard.place_of(anna.id)
    assert place is not None
    assert (place.number, place.points, place.points_to_next) == (1, 6, None)
    assert _place(ben) == 1, "others count as folded"


@pytest.mark.parametrize(("mine", "theirs", "missing"), [(5, 5, 1), (5, 7, 3), (7, 5, None)])
def test_the_distance_is_what_it_takes_to_pass_the_person_ahead(
    race: Campaign, mine: int, theirs: int, missing: int | None
) -> None:
    """Equal points are not enough: whoever had them first stays ahead."""
    them, me = (make_entry(race, confirmed=True) for _ in range(2))
    give(them, theirs - 1, clock.now())
    fold()
    give(me, mine - 1, clock.now())
    fold()
    place = leaderboard.place_of(me.id)
    assert place is not None
    assert place.points_to_next == missing
    if missing:
        give(me, missing, clock.now())
        assert _place(me) == 1


def test_in_an_hour_in_which_a_crowd_had_the_same_points_places_stay_exact(
    race: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "COUNTED_LIVE", 2)
    monkeypatch.setattr(places, "_PLACE", places._PLACE.replace("LIMIT 500", "LIMIT 2"))
    hour = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    entries = [make_entry(race, confirmed=True) for _ in range(8)]
    for index, entry in enumerate(entries):
        give(entry, 5, hour + timedelta(seconds=index // 3, microseconds=index % 2))
    fold()
    look_anew()
    expected = {row["id"]: row["place"] for row in plain(race.id)}

    def found() -> dict[int, int]:
        return {entry.id: place.number for entry in entries if (place := leaderboard.place_of(entry.id))}

    assert found() == expected
    look_anew()
    assert found() == expected


@pytest.mark.parametrize("deed", ["hold", "exclude", "erase"])
def test_i08_whoever_is_held_excluded_or_erased_is_on_no_board(race: Campaign, deed: str) -> None:
    ben, anna = (make_entry(race, confirmed=True) for _ in range(2))
    fold()
    card = cards.by_id(race.id)
    assert [line.entry_id for line in leaderboard.board(card).lines] == [ben.id, anna.id]

    _do(ben, deed, 1, clock.now(), {})
    look_anew()

    assert [(line.number, line.entry_id) for line in leaderboard.board(card).lines] == [(1, anna.id)]
    assert _place(anna) == 1
    assert leaderboard.place_of(ben.id) is None


def test_a_frozen_board_is_exact_where_thousands_earned_after_the_freeze(
    race: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They fill today's first places; who led at the freeze stands far below, and comes first all the same."""
    moment = clock.now() - timedelta(hours=2)
    monkeypatch.setattr(leaderboard, "WIDEST", 6)
    late = [_enter(race, moment - timedelta(minutes=10 - n)) for n in range(8)]
    leaders = [_enter(race, moment - timedelta(hours=1)) for _ in range(3)]
    for points_then, leader in zip((4, 3, 2), leaders, strict=True):
        give(leader, points_then, moment - timedelta(minutes=30))
    fold()
    for one in late:
        give(one, 50, moment + timedelta(hours=1))
    fold()
    race.ends_at, race.freeze_hours, race.board_size = moment + timedelta(hours=4), 4, 3
    db.session.commit()
    expected = [{"id": leader.id, "points": points + 1} for points, leader in zip((4, 3, 2), leaders, strict=True)]
    _compare_board(race, expected, moment)


def test_a_frozen_board_never_walks_the_whole_contest(race: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    """A freeze before nearly all points: so many people are walked and no more, then one statement; none before."""
    for _ in range(12):
        _enter(race, clock.now() - timedelta(hours=1))
    fold()
    asked: list[int] = []
    read = leaderboard.hot.many

    def noted(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(values.get("most", 0))
        return read(statement, values)

    monkeypatch.setattr(leaderboard.hot, "many", noted)
    monkeypatch.setattr(leaderboard, "WIDEST", 6)
    for hours in (24, 48):
        race.ends_at = clock.now() + timedelta(hours=1)
        race.freeze_hours = hours
        db.session.commit()
        cards.forget()
        _compare_board(race, [], leaderboard.froze_at(cards.by_id(race.id)))
    assert asked
    assert max(asked) <= max(6, race.board_size)
    assert sum(number > 0 for number in asked) == 2
