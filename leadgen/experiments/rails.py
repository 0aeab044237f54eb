"""Whether a variant does harm that is too rare for a comparison of rates: complaints and unsubscribes.

As long as variants do equally much harm, each harm falls to a variant by its share of the people, whatever the rate is
and however it moves. Against that stands the same variant doing so many times as much. The likelihood ratio of the two,
averaged over a few such multiples, is an e-process: the probability that it ever reaches 1 / alpha is at most alpha
(Ville's inequality), so it may be looked at after every letter. The conditioning on harms is that of Lindon and Malek,
“Anytime-valid inference for multinomial count data” (2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

ALPHA = 0.05  # of a whole test, all its variants and all kinds of harm together
MULTIPLES = (1.5, 2.0, 3.0, 5.0, 10.0)
LEAST = 3  # one or two people may always press the wrong button


def evidence(harms: int, of_all: int, share: float) -> float:
    """How many times likelier the counts are if the variant does more harm than the others than if it does not.

    `harms` of the variant `of_all` of the test; `share` of the people who got the variant, between 0 and 1.
    """
    if not 0 < share < 1:
        return 1.0
    ratios = (harms * log(times) - of_all * log(1 + (times - 1) * share) for times in MULTIPLES)
    return sum(exp(min(ratio, 700.0)) for ratio in ratios) / len(MULTIPLES)


def culprits(harms: Sequence[int], people: Sequence[int], weights: Sequence[int], tests: int = 1) -> list[int]:
    """The places of the variants that do more harm than the others together for sure; `tests` kinds of it are watched.

    The share of a variant is the larger one of what it was meant to have and of what it has: more people than meant
    are no evidence against it.
    """
    total, whole, got = sum(harms), sum(weights), sum(people)
    bound = tests * len(harms) / ALPHA
    found = []
    for place, number in enumerate(harms):
        share = max(weights[place] / whole if whole else 0.0, people[place] / got if got else 0.0)
        if number >= LEAST and evidence(number, total, share) >= bound:
            found.append(place)
    return found
