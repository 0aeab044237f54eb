"""Random names: long enough, of their letters only, every letter as likely at every place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from leadgen.core import ids

NAMES = 4_000


@pytest.mark.parametrize(
    ("draw", "alphabet", "length"),
    [
        (ids.public_id, ids.CROCKFORD, ids.PUBLIC_ID_LENGTH),
        (ids.referral_code, ids.CODE_ALPHABET, ids.CODE_LENGTH),
        (lambda: ids.referral_code(12), ids.CODE_ALPHABET, 12),
    ],
)
def test_every_letter_is_as_likely_at_every_place(draw: Callable[[], str], alphabet: str, length: int) -> None:
    names = [draw() for _ in range(NAMES)]
    assert len(set(names)) == NAMES
    assert {len(name) for name in names} == {length}
    for place in range(length):
        seen = Counter(name[place] for name in names)
        assert set(seen) == set(alphabet)
        # Six standard deviations: a place that prefers letters is far outside, chance is not in a lifetime of runs.
        expected = NAMES / len(alphabet)
        assert max(abs(number - expected) for number in seen.values()) < 6 * expected**0.5
