"""What a scorer is measured by: pure functions over labels and plain dictionaries of scores, states and credits.

`scores` are 0 to 100 by entry number, `states` are clear, held or excluded, `credits` say whether a referral's points
count for its referrer. An entry without score has 0, one without state is clear, and one without credit is credited
when it is clear.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bench.fraud import oracle
from bench.fraud.contest import (
    BOMBING,
    HARD_NEGATIVES,
    PRIZES,
    UNDER_CHEAT,
    Contest,
    Label,
    points,
    prize_places,
)

CLEAR, HELD, EXCLUDED = "clear", "held", "excluded"
HOLD_FROM, EXCLUDE_FROM = 40, 80
Labels = Mapping[int, Label]
Scores = Mapping[int, float]


@dataclass(frozen=True)
class Steps:
    """What was decided without a person: the state of entries, and which referrals are credited."""

    states: Mapping[int, str]
    credits: Mapping[int, bool] = field(default_factory=dict)
    is_held_on_board: bool = True  # a held person keeps a place with the points that are credited

    def state(self, number: int) -> str:
        """The state of an entry."""
        return self.states.get(number, CLEAR)

    def is_credited(self, number: int) -> bool:
        """Whether this referral's points count."""
        return self.credits.get(number, self.state(number) == CLEAR)


@dataclass(frozen=True)
class Detection:
    """How well flags meet the truth. A precision without any flag is 1."""

    precision: float
    recall: float
    false_positives: float  # of the honest
    flagged: int


def states_of(scores: Scores, *, hold: float = HOLD_FROM, exclude: float = EXCLUDE_FROM) -> dict[int, str]:
    """The states that scores mean."""
    return {
        number: EXCLUDED if score >= exclude else HELD if score >= hold else CLEAR for number, score in scores.items()
    }


def detection(labels: Labels, scores: Scores, *, threshold: float = HOLD_FROM) -> Detection:
    """Precision, recall and false positive rate of a threshold over all entries."""
    flagged = {number for number in labels if scores.get(number, 0) >= threshold}
    fraud = {number for number, label in labels.items() if label.is_fraud}
    caught = len(flagged & fraud)
    return Detection(
        caught / len(flagged) if flagged else 1.0,
        caught / len(fraud) if fraud else 1.0,
        (len(flagged) - caught) / max(1, len(labels) - len(fraud)),
        len(flagged),
    )


def recall_by_kind(labels: Labels, scores: Scores, *, threshold: float = HOLD_FROM) -> dict[str, float]:
    """Recall of each kind; the bots sent to a rival are a kind of their own here, as is each held-out one."""
    kinds: dict[str, list[bool]] = {}
    for number, label in labels.items():
        if label.is_fraud:
            kind = BOMBING if label.group == BOMBING else label.kind
            kinds.setdefault(kind, []).append(scores.get(number, 0) >= threshold)
    return {kind: sum(caught) / len(caught) for kind, caught in kinds.items()}


def false_positives_by_group(
    labels: Labels,
    scores: Scores,
    *,
    threshold: float = HOLD_FROM,
    groups: Sequence[str] = (*HARD_NEGATIVES, UNDER_CHEAT, ""),
) -> dict[str, float]:
    """The share of each honest group that is flagged wrongly; "" are everyday people."""
    members: dict[str, list[bool]] = {group: [] for group in groups}
    for number, label in labels.items():
        if not label.is_fraud and label.group in members:
            members[label.group].append(scores.get(number, 0) >= threshold)
    return {group: sum(wrong) / max(1, len(wrong)) for group, wrong in members.items()}


def board(contest: Contest, steps: Steps | None = None, *, struck: Collection[int] = ()) -> dict[int, int]:
    """Points of everybody on the board after the automatic steps; `struck` are people whose referrals a person took."""
    steps = steps or Steps({})
    gone = {
        entry.number for entry in contest.entries if not steps.is_credited(entry.number) or entry.referrer in struck
    }
    scored = points(contest.entries, not_credited=frozenset(gone))
    off = {EXCLUDED} if steps.is_held_on_board else {EXCLUDED, HELD}
    return {number: sum_ for number, sum_ in scored.items() if steps.state(number) not in off}


def cheats_in_top(contest: Contest, steps: Steps | None = None, *, places: int = PRIZES) -> int:
    """Cheats on the prize places; without steps, before any was taken."""
    return sum(contest.labels[number].is_fraud for number in prize_places(board(contest, steps), places))


@dataclass(frozen=True)
class Reviewed:
    """What came of a review: who wins, how many of them cheat, and how often the reader was wrong."""

    winners: tuple[int, ...]
    cheats: int
    cases: int
    struck: tuple[int, ...]
    honest_struck: int  # honest people whose referrals the oracle took


def review(
    contest: Contest,
    steps: Steps,
    sentences: Mapping[int, Sequence[str]] | None = None,
    *,
    must_review: Sequence[int] | None = None,
    limit: int = 30,
    places: int = PRIZES,
) -> Reviewed:
    """Let the oracle work the list, `must_review` or the first places and half as many again, then whoever moves up.

    It reads at most `limit` cases; whoever is on a prize place unread when it stops, wins.
    """
    first = must_review or prize_places(board(contest, steps), places + places // 2)
    queue = list(dict.fromkeys(first))[:limit]
    reader = oracle.Reader(
        contest.entries, {entry.number: steps.is_credited(entry.number) for entry in contest.entries}
    )
    read: set[int] = set()
    struck: list[int] = []
    while queue and len(read) < limit:
        number = queue.pop(0)
        read.add(number)
        if oracle.strikes(reader.case(number, (sentences or {}).get(number, ()))):
            struck.append(number)
        if not queue:
            leading = prize_places(board(contest, steps, struck=struck), places)
            queue = [number for number in leading if number not in read]
    winners = prize_places(board(contest, steps, struck=struck), places)
    cheats = sum(contest.labels[number].is_fraud for number in winners)
    wrong = sum(not contest.labels[number].is_fraud for number in struck)
    return Reviewed(tuple(winners), cheats, len(read), tuple(struck), wrong)


@dataclass(frozen=True)
class Bombed:
    """How the honest leader fared whom 200 bots were sent to."""

    leader: int
    state: str
    clean_points: int  # 1 and 5 for each honest confirmed referral that is credited
    clean_points_alone: int  # the same had no bot come: as decided then, or all of them when nobody decided
    bots_credited: int
    is_unharmed: bool  # same clean points, same state as had no bot come


def bombing(contest: Contest, steps: Steps, alone: Steps | None = None) -> Bombed:
    """Whether bombing changed the leader's clean points or state; `alone` was decided on `contest.without(BOMBING)`."""
    bots = set(contest.group(BOMBING))
    known = contest.by_number()
    leader = next(known[number].referrer for number in bots)
    assert leader is not None
    confirmed = [entry for entry in contest.entries if entry.referrer == leader and entry.confirmed_at is not None]
    honest = [entry.number for entry in confirmed if not contest.labels[entry.number].is_fraud]
    alone = alone or Steps({})
    kept = 1 + 5 * sum(steps.is_credited(number) for number in honest)
    due = 1 + 5 * sum(alone.is_credited(number) for number in honest)
    return Bombed(
        leader,
        steps.state(leader),
        kept,
        due,
        sum(steps.is_credited(entry.number) for entry in confirmed if entry.number in bots),
        kept == due and steps.state(leader) == alone.state(leader),
    )
