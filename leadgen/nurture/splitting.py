"""Who gets which wording, and who is held out: drawn once from the person and the experiment, and the same for ever.

SHA-256 of the experiment's name and the contact's id, read as a number: no table is kept, no order of arrival matters,
two experiments share nobody's draw, and the share of each is as exact as chance allows.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

_BITS = 64


def variant_of(experiment: str, weights: Sequence[int], contact_id: int) -> int:
    """The place, from 0, of the contact's variant among those with these weights.

    Sticky: it changes only with `experiment`, the contact or the weights. Raises ValueError when no weight is above 0.
    """
    bounds = list(accumulate(weights))
    if not bounds or bounds[-1] <= 0 or min(weights) < 0:
        raise ValueError(weights)
    return bisect_right(bounds, _drawn(f"variant:{experiment}", contact_id, bounds[-1]))


def is_held_out(sequence_id: int, per_cent: int, contact_id: int) -> bool:
    """Whether the contact is one of the `per_cent` of a sequence's people who get nothing, to be compared with."""
    return _drawn(f"holdout:{sequence_id}", contact_id, 100) < per_cent


def _drawn(name: str, contact_id: int, below: int) -> int:
    """A whole number from 0 to `below` - 1, each as likely (to 1 in 2^57)."""
    digest = hashlib.sha256(f"{name}:{contact_id}".encode()).digest()
    return int.from_bytes(digest[: _BITS // 8]) * below >> _BITS
