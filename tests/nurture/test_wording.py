"""Events and waits of a sequence in words (nurture.wording)."""

import pytest

from leadgen.core import i18n
from leadgen.nurture import wording
from leadgen.nurture.definition import DAY, HOUR, Event, Happening, Until, Wait
from leadgen.nurture.wording import Names


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 minutes"),
        (90, "1 minute and 30 seconds"),
        (2 * DAY, "2 days"),
        (36 * HOUR, "1 day and 12 hours"),
        (DAY + HOUR + 61, "1 day, 1 hour, 1 minute and 1 second"),
    ],
)
def test_a_span_is_told_in_full(seconds: int, told: str) -> None:
    assert wording.span(seconds) == told


def test_the_end_of_the_contest_needs_no_span() -> None:
    assert wording.wait(Wait(until=Until.BEFORE_END), Names()) == "At the end of the contest"
    assert wording.wait(Wait(until=Until.BEFORE_END, seconds=DAY), Names()) == "1 day before the contest ends"


@pytest.mark.parametrize("event", Event)
def test_every_event_has_words_with_and_without_a_name(event: Event) -> None:
    named, unnamed = Happening(on=event, of="thing", days=7), Happening(on=event, days=7)
    for one in (named, unnamed):
        english = wording.happening(one, Names())
        with i18n.speaking("fr"):
            french = wording.happening(one, Names())
        assert english != french
        assert "“”" not in english
