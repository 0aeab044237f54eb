"""How many mails left in the last minutes, by lane, campaign and stream: for pages and forecasts, kept an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from leadgen.core import rates
from leadgen.letters.models import Lane
from leadgen.letters.values import Recipient
from leadgen.mail.providers.interface import Outcome, Result

_NAME = "sent"
_TAKEN = frozenset({Result.ACCEPTED, Result.DELIVERED})
# The speed “now” is that of the last finished minutes and the present one together.
_NOW_MINUTES = 3


@dataclass(frozen=True, slots=True)
class Speeds:
    """Mails that were taken by the provider: in the last hour, and a minute at present."""

    hour_by_lane: Counter[str] = field(default_factory=Counter)
    minute_by_lane: dict[str, float] = field(default_factory=dict)
    minute_by_stream: dict[int, float] = field(default_factory=dict)


def note(lane: Lane, recipients: Sequence[Recipient], outcomes: Sequence[Outcome]) -> None:
    """Count what the provider took of one call."""
    campaigns = {person.id: person.campaign_id for person in recipients}
    taken = Counter(campaigns[outcome.message_id] for outcome in outcomes if outcome.result in _TAKEN)
    stream_id = recipients[0].stream_id if recipients else 0
    rates.note(_NAME, {f"{lane.value}:{campaign}:{stream_id}": mails for campaign, mails in taken.items()})


def of_campaigns(campaign_ids: Collection[int]) -> Speeds:
    """The speeds of these campaigns' mails."""
    found = Speeds()
    streams: Counter[int] = Counter()
    lanes: Counter[str] = Counter()
    minutes = rates.read(_NAME)
    for ago, minute in enumerate(minutes):
        for lane, campaign_id, stream_id, mails in _read(minute):
            if campaign_id in campaign_ids:
                found.hour_by_lane[lane] += mails
                if ago < _NOW_MINUTES:
                    lanes[lane] += mails
                    streams[stream_id] += mails
    covered = _NOW_MINUTES - 1 + rates.seconds_into_minute() / 60
    found.minute_by_lane.update({lane: mails / covered for lane, mails in lanes.items()})
    found.minute_by_stream.update({stream: mails / covered for stream, mails in streams.items() if stream})
    return found


def _read(minute: dict[str, int]) -> Iterator[tuple[str, int, int, int]]:
    for what, mails in minute.items():
        lane, campaign_id, stream_id = what.split(":")
        yield lane, int(campaign_id), int(stream_id), mails
