"""The scorer: observations in, sentences' numbers and sums out. Pure, and blind to the order in which things came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from leadgen.fraud import crowd, entry_signals, group_signals, heaps, life_signals, pair_signals, piles, weights
from leadgen.fraud.crowd import Crowd, Marks
from leadgen.fraud.observations import Found, Moment, Observation, SafeList, Usual
from leadgen.fraud.weights import Weights


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of an entry's signals, 0 to 100, and the signals, heaviest first."""

    points: int
    found: tuple[Found, ...] = ()


CLEAN = Score(0)


def score(
    observations: Iterable[Observation],
    moment: Moment,
    *,
    usual: Usual | None = None,
    safe: SafeList | None = None,
    chosen: Weights = weights.CURRENT,
    without: frozenset[weights.Layer] = frozenset(),
) -> dict[int, Score]:
    """The score of each entry that has any signal.

    `usual` says how the contest's people are; it is reckoned from the observations when it is not given, which is right
    only when these are the whole contest. `without` leaves layers out, to show what each is worth.
    """
    people = crowd.gather(observations, moment, usual=usual, safe=safe or SafeList(), chosen=chosen)
    looks = [look for layer, look in LOOKS if layer not in without]
    found: Marks = {}
    for look in looks:
        for entry_id, signal in look(people, found):
            known = found.setdefault(entry_id, {})
            # A component may say the same of an entry twice: the larger number stands, whichever came first.
            if signal.code not in known or _rank(signal) > _rank(known[signal.code]):
                known[signal.code] = signal
    return {entry_id: total(signals.values()) for entry_id, signals in found.items()}


def total(found: Iterable[Found]) -> Score:
    """min(100, Σ): signals of nothing are left out."""
    ordered = sorted((one for one in found if one.points), key=lambda one: (-one.points, one.code))
    return Score(min(weights.MOST, sum(one.points for one in ordered)), tuple(ordered))


def _rank(signal: Found) -> tuple[int, str]:
    return signal.points, repr(sorted(signal.evidence.items()))


def reweigh(codes: Mapping[int, Iterable[str]], chosen: Weights) -> dict[int, int]:
    """The sums of stored signals by other points, without looking at anything."""
    return {
        entry_id: min(weights.MOST, sum(chosen.of(code) for code in set(of_entry)))
        for entry_id, of_entry in codes.items()
    }


_Look = Callable[[Crowd, Marks], Iterator[tuple[int, Found]]]
# In this order: who lives is asked last, with those apart whom other signals mark.
LOOKS: tuple[tuple[weights.Layer, _Look], ...] = (
    (weights.Layer.ENTRY, entry_signals.look),
    (weights.Layer.PAIR, pair_signals.look),
    (weights.Layer.GROUP, group_signals.look),
    (weights.Layer.GROUP, piles.scripted),
    (weights.Layer.GROUP, heaps.look),
    (weights.Layer.GROUP, life_signals.look),
    (weights.Layer.GROUP, piles.company),
)
