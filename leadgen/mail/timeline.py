"""The story of each mail to a contact: why it was wanted, what put it off, what became of it, and one sentence on why.

Everything is read from what the outbox, the provider and readers left in the tables; nothing is guessed.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.letters import kinds
from leadgen.mail import pauses
from leadgen.mail.models import (
    Click,
    ClickKind,
    LaneStop,
    MailLink,
    Message,
    MessageMove,
    MessageStatus,
    ProviderEvent,
    Stream,
    StreamState,
)
from leadgen.mail.reasons import machine_in_words, reason_in_words

LONGEST_LIST = 200
_NEVER_LEFT = {
    MessageStatus.SUPPRESSED,
    MessageStatus.SKIPPED,
    MessageStatus.EXPIRED,
    MessageStatus.CANCELLED,
    MessageStatus.FAILED,
}
# Opens are never shown: what a person opens is nobody's business (rule 9), and clicks come by our own links.
_HIDDEN = ("open", "click")

_USUAL = ("processed", "deferred", "delivered", "bounce", "dropped", "spamreport")


class Line(NamedTuple):
    """One thing that happened to a mail; `words` are the provider's own."""

    at: datetime
    kind: str  # wanted, moved, sent, told, clicked, machine, ended
    sentence: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A mail from wish to end. `answer` says in a sentence why this person got it, or did not, or not yet."""

    message: Message
    at: datetime
    title: str
    answer: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the mails of one contact have to do with, read in a few statements."""

    zone: str
    streams: dict[int, Stream]
    campaigns: dict[int, Campaign]
    stopped: frozenset[str]
    moves: dict[int, list[MessageMove]]
    events: dict[uuid.UUID | None, list[ProviderEvent]]
    clicks: dict[int, list[tuple[Click, str | None]]]

    def when(self, moment: datetime) -> str:
        """The moment in words, in the time zone of the page."""
        return i18n.format_datetime(moment, self.zone, "medium")


def stories(contact_id: int, zone: str) -> list[Story]:
    """The mails of a contact, newest first, in the current language; times within sentences are those of `zone`."""
    newest = select(Message).filter_by(contact_id=contact_id).order_by(Message.id.desc()).limit(LONGEST_LIST)
    messages = db.session.scalars(newest).all()
    known = _known(messages, zone)
    return [_story(message, known) for message in messages]


def _known(messages: Sequence[Message], zone: str) -> _Known:
    ids = [message.id for message in messages]
    streams = db.session.scalars(select(Stream).where(Stream.id.in_({message.stream_id for message in messages})))
    campaigns = db.session.scalars(select(Campaign).where(Campaign.id.in_({m.campaign_id for m in messages})))
    moves = db.session.scalars(select(MessageMove).where(MessageMove.message_id.in_(ids)).order_by(MessageMove.id))
    events = db.session.scalars(
        select(ProviderEvent)
        .where(ProviderEvent.opaque_id.in_([message.opaque_id for message in messages]))
        .where(ProviderEvent.kind.not_in(_HIDDEN))
        .order_by(ProviderEvent.id)
        .limit(10 * LONGEST_LIST)
    )
    found = (
        select(Click, MailLink.url).outerjoin(MailLink, MailLink.id == Click.link_id).where(Click.message_id.in_(ids))
    )
    clicks = db.session.execute(found.order_by(Click.id).limit(10 * LONGEST_LIST)).all()
    return _Known(
        zone=zone,
        streams={stream.id: stream for stream in streams},
        campaigns={campaign.id: campaign for campaign in campaigns},
        stopped=frozenset(db.session.scalars(select(LaneStop.lane))),
        moves=_by(moves, lambda move: move.message_id),
        events=_by(events, lambda event: event.opaque_id),
        clicks=_by([(click, url) for click, url in clicks], lambda pair: pair[0].message_id),
    )


def _by(rows: Any, key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _story(message: Message, known: _Known) -> Story:
    stream = known.streams.get(message.stream_id)
    title = kinds.title(message.letter) if message.letter in kinds.ALL else message.letter
    lines = [
        Line(message.created_at, "wanted", _wish(message, stream)),
        *(_move(move, known) for move in known.moves.get(message.id, ())),
        *_handed_over(message),
        *(_told(event, message) for event in sorted(known.events.get(message.opaque_id, ()), key=_usual_place)),
        *(_click(click, url) for click, url in known.clicks.get(message.id, ())),
        *_end(message),
    ]
    return Story(
        message=message,
        at=_place(message),
        title=f"{title} – {stream.name}" if stream else title,
        answer=_answer(message, known),
        lines=sorted(lines, key=lambda line: line.at),
    )


def _wish(message: Message, stream: Stream | None) -> str:
    name = {"name": stream.name if stream else ""}
    return {
        "confirm": _("Wanted, because the entry form was sent"),
        "reminder": _("Wanted, because the entry had not been confirmed after a day"),
        "welcome": _("Wanted, because the entry was confirmed"),
        "page_link": _("Wanted, because the link to the page was asked for"),
        "reward_ready": _("Wanted, because a reward was approved"),
        "reward_code": _("Wanted, because a code was given"),
        "reward_expiring": _("Wanted, because a reward was not claimed yet"),
        "work_decided": _("Wanted, because a work was accepted or refused"),
        "appeal_answer": _("Wanted, because a message was answered"),
        "sequence": _("Wanted by the sequence “%(name)s”") % name,
        "broadcast": _("Wanted by the broadcast “%(name)s”") % name,
    }.get(message.letter, _("Wanted"))


def _move(move: MessageMove, known: _Known) -> Line:
    said = {"time": known.when(move.until), "reason": reason_in_words(move.reason)}
    sentence = _("Put off until %(time)s: %(reason)s") if move.until > move.at else _("To be sent again: %(reason)s")
    return Line(move.at, "moved", sentence % said)


def _handed_over(message: Message) -> list[Line]:
    if message.sent_at is None or not message.attempts:
        return []
    sentence = _("Handed to the provider")
    if message.attempts > 1:
        sentence = _("Handed to the provider, attempt %(number)d") % {"number": message.attempts}
    return [Line(message.sent_at, "sent", sentence)]


def _usual_place(event: ProviderEvent) -> int:
    """Providers count in whole seconds: within one, events stand as they usually come."""
    return _USUAL.index(event.kind) if event.kind in _USUAL else len(_USUAL)


def _told(event: ProviderEvent, message: Message) -> Line:
    payload = event.payload
    is_blocked = event.kind == "bounce" and payload.get("type") == "blocked"
    sentence = {
        "processed": _("The provider took it"),
        "deferred": _("The mailbox asked the provider to come back later"),
        "delivered": _("It arrived at the mailbox"),
        "bounce": _("The mailbox refused it for now") if is_blocked else _("The mailbox refused it for good"),
        "dropped": _("The provider dropped it"),
        "spamreport": _("The person reported it as spam"),
        "unsubscribe": _("The person unsubscribed at the provider"),
        "group_unsubscribe": _("The person unsubscribed at the provider"),
    }.get(event.kind, _("The provider told: %(kind)s") % {"kind": event.kind})
    words = payload.get("reason") or payload.get("response") or ""
    at = _moment(payload.get("timestamp"), event.received_at)
    if message.attempts == 1 and message.sent_at:  # nothing is told of a mail before it is handed over
        at = max(at, message.sent_at)
    return Line(at, "told", sentence, str(words)[:500])


def _moment(stamp: object, received_at: datetime) -> datetime:
    """When it happened by the provider's clock, unless that says something impossible."""
    if isinstance(stamp, int) and 1_000_000_000 < stamp <= received_at.timestamp() + 3600:
        return datetime.fromtimestamp(stamp, UTC)
    return received_at


def _click(click: Click, url: str | None) -> Line:
    where = url or _("the person’s page")
    if click.kind is ClickKind.HUMAN:
        return Line(click.at, "clicked", _("Clicked, to %(where)s") % {"where": where})
    said = {"where": where, "reason": machine_in_words(click.reason)}
    return Line(click.at, "machine", _("A machine opened the link to %(where)s (%(reason)s): not counted") % said)


def _place(message: Message) -> datetime:
    """Where the mail stands in time. When one was given up is not noted: at its turn, or before."""
    if message.sent_at or message.status not in _NEVER_LEFT:
        return message.sent_at or message.due_at
    return max(message.created_at, min(message.due_at, clock.now()))


def _end(message: Message) -> list[Line]:
    if message.status not in _NEVER_LEFT:
        return []
    said = {"reason": reason_in_words(message.reason)}
    sentence = _("Given up: %(reason)s") if message.sent_at else _("Not sent: %(reason)s")
    return [Line(_place(message), "ended", sentence % said)]


def _answer(message: Message, known: _Known) -> str:
    if message.status is MessageStatus.SCHEDULED:
        return _waits(message, known)
    said = {"reason": reason_in_words(message.reason), "time": known.when(message.sent_at or message.due_at)}
    match (message.status, message.reason):
        case (MessageStatus.SENDING, _reason):
            sentence = _("It is being handed to the provider.")
        case (MessageStatus.ACCEPTED, _reason):
            sentence = _("Sent on %(time)s. The provider took it and has not said yet that it arrived.")
        case (MessageStatus.DELIVERED, "complaint"):
            sentence = _("It arrived, and the person reported it as spam.")
        case (MessageStatus.DELIVERED, _reason):
            sentence = _("It arrived: sent on %(time)s.")
        case (MessageStatus.UNCERTAIN, _reason):
            sentence = _("Nobody knows yet whether it left: %(reason)s. The provider’s events may still tell.")
        case (MessageStatus.BOUNCED, _reason):
            sentence = _("It did not arrive: %(reason)s.")
        case (MessageStatus.FAILED, "no_answer"):
            sentence = _("Nobody knows whether it left: %(reason)s. It is not sent again by itself.")
        case _:
            sentence = _("The person did not get it: %(reason)s.")
    return sentence % said


def _waits(message: Message, known: _Known) -> str:
    """Why a mail that is planned has not left, the first thing that stands in its way."""
    if obstacle := _obstacle(message, known):
        return obstacle
    said = {"time": known.when(message.due_at), "reason": reason_in_words(message.reason)}
    if message.due_at > clock.now():
        if message.reason:
            return _("It waits until %(time)s: %(reason)s.") % said
        return _("It is planned for %(time)s.") % said
    return _("It is its turn: it leaves as fast as the pace allows.")


def _obstacle(message: Message, known: _Known) -> str:
    campaign, stream = known.campaigns.get(message.campaign_id), known.streams.get(message.stream_id)
    if message.lane in known.stopped:
        return _("It waits: all mails of its kind are stopped.")
    if stream is not None and campaign is not None and campaign.status is CampaignStatus.PAUSED:
        return _("It waits: the contest is paused.")
    if stream is not None and stream.state is StreamState.PAUSED:
        return _("It waits: “%(name)s” is paused.") % {"name": stream.name}
    if stream is not None and stream.state is StreamState.STOPPED:
        return _("It waits: “%(name)s” was stopped, because something is wrong.") % {"name": stream.name}
    if note := pauses.current() if message.due_at <= clock.now() else None:
        return _("It waits: %(reason)s.") % {"reason": reason_in_words(note.text)}
    return ""
