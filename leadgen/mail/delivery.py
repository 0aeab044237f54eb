"""From claimed messages to the provider: grouped by letter, rendered late, handed over with no transaction open."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from leadgen.campaigns import cards
from leadgen.campaigns.cards import CampaignCard
from leadgen.core import links, notes
from leadgen.core.db import db
from leadgen.letters import rendering, tracking, values
from leadgen.letters.rendering import Compiled
from leadgen.letters.texts import Texts
from leadgen.letters.values import Recipient
from leadgen.mail import clicks, outbox, pauses, streams
from leadgen.mail.providers.chosen import provider
from leadgen.mail.providers.interface import BUDGET_SECONDS, Answer, Batch, Outcome, Parcel, Result, out_of_time

log = logging.getLogger(__name__)
PAUSED = pauses.PAUSED
# Each wait is a quarter of an hour at most (outbox.backoff), so that nothing is tried for longer than three days.
_MOST_ATTEMPTS = 72 * 4
_NEXT_LOOK_SECONDS = 2.0  # while another process probes
_UNCHECKED_SECONDS = 30.0  # after the database could not say whether a letter still leaves
_Group = tuple[int, int, str, int | None, str]


def pause() -> notes.Note | None:
    """Why no process should call the provider now (`rate_limited`, `sender_refused`, `provider_away`), or None."""
    return pauses.current()


def largest() -> int:
    """How many mails the provider takes in one call."""
    return provider().largest


def deliver(recipients: Sequence[Recipient]) -> Iterator[list[Outcome]]:
    """Send to these people, one call for each letter and language; yields the outcomes of each call as it is answered.

    One person's broken data fails that one mail, one broken letter fails that letter. The caller settles each list
    before asking for the next, so that a crash leaves one call unsettled at most. What a slow provider leaves no time
    for comes back untouched: its lease must not end before its call does.
    """
    until = time.monotonic() + BUDGET_SECONDS
    groups = _grouped(recipients)
    texts = Texts(
        {group[0] for group in groups},
        {group[3] for group in groups if group[3] is not None},
        {group[1] for group in groups if group[1]},
    )
    db.session.commit()  # reading is over: no transaction stays open while a stranger answers
    for group, members in groups.items():
        try:
            card, letter = _letter(group, texts)
        except Exception as error:
            log.exception("letter %s of campaign %s cannot be rendered", group[2], group[0])
            yield [Outcome(member.id, Result.FAILED, _named(error)) for member in members]
            continue
        parcels, failed = _parcels(members, letter, card)
        parcels, stayed = _still_open(parcels, letter)
        yield failed + stayed
        if parcels:
            stop = _stopped(group[1])
            if stop:
                yield _held(parcels, stop)
            else:
                yield from _handed_over(Batch(letter, parcels, until))


def _still_open(parcels: list[Parcel], letter: Compiled) -> tuple[list[Parcel], list[Outcome]]:
    """Ask once more of marketing, right before the call: somebody may have unsubscribed since the claim.

    Where there is no answer nothing was handed over: all go back, for a lease that runs out would lose them.
    """
    if not parcels or not letter.letter.is_marketing:
        return parcels, []
    try:
        closed = outbox.closed([parcel.message_id for parcel in parcels], letter.letter.lane)
        db.session.commit()
    except Exception:
        db.session.rollback()
        log.exception("%d letters could not be checked once more", len(parcels))
        return [], _held(parcels, notes.Note("not_checked", _UNCHECKED_SECONDS))
    stayed = [
        Outcome(number, Result(status), reason, is_free=True, delay=outbox.NOT_JUDGED_SECONDS)
        for number, (status, reason) in closed.items()
    ]
    return [parcel for parcel in parcels if parcel.message_id not in closed], stayed


def _handed_over(batch: Batch) -> Iterator[list[Outcome]]:
    """Call the provider, unless it is to be left in peace; after trouble one mail goes first, by one process."""
    if batch.is_late:
        yield out_of_time(batch.parcels)
    elif note := pause():
        yield _held(batch.parcels, note)
    elif not pauses.is_in_trouble():
        yield _send(batch, was_in_trouble=False)
    elif not pauses.may_probe():
        yield _held(batch.parcels, notes.Note("provider_away", _NEXT_LOOK_SECONDS))
    else:
        yield _send(replace(batch, parcels=batch.parcels[:1]), was_in_trouble=True)
        if rest := batch.parcels[1:]:
            yield from _handed_over(replace(batch, parcels=rest))


def _stopped(stream_id: int) -> notes.Note | None:
    """A stream that was paused since these were claimed: only the call that is under way goes on."""
    return None if streams.is_open(stream_id) else notes.Note("stream_paused", 0.0)


def _grouped(recipients: Sequence[Recipient]) -> dict[_Group, list[Recipient]]:
    groups: dict[_Group, list[Recipient]] = {}
    for person in recipients:
        key = (person.campaign_id, person.stream_id, person.letter, person.step_id, person.locale)
        groups.setdefault(key, []).append(person)
    return groups


def _letter(group: _Group, texts: Texts) -> tuple[CampaignCard, Compiled]:
    campaign_id, stream_id, letter, step_id, locale = group
    card = cards.by_id(campaign_id)
    if letter == "broadcast":
        own = texts.of_broadcast(stream_id, locale, card.default_locale)
    else:
        own = texts.of(campaign_id, letter, locale, step_id=step_id, default_locale=card.default_locale)
    compiled = rendering.compiled(card, letter, locale, own, step_id or 0)
    if compiled.letter.is_marketing and card.brand.is_tracking_clicks:
        compiled = tracking.tracked(compiled, clicks.numbers_of(card.id, tracking.addresses(own)))
    return card, compiled


def _parcels(members: Sequence[Recipient], letter: Compiled, card: CampaignCard) -> tuple[list[Parcel], list[Outcome]]:
    parcels, failed = [], []
    for person in members:
        try:
            parcels.append(parcel(person, letter, card))
        except Exception as error:  # noqa: BLE001 - a poison row fails alone
            log.warning("message %s cannot be rendered: %s", person.id, error)
            failed.append(Outcome(person.id, Result.FAILED, _named(error)))
    return parcels, failed


def parcel(person: Recipient, letter: Compiled, card: CampaignCard) -> Parcel:
    """One person's share: the values of the markers, and the address for one-click unsubscribing of marketing."""
    filled = values.fill(letter.markers, person, card, letter.locale)
    unsubscribe = ""
    if letter.letter.is_marketing:
        unsubscribe = filled.get("unsubscribe_link") or links.unsubscribe(person.contact_id, person.id)
    return Parcel(person.id, person.opaque_id, person.email, person.attempts, filled, unsubscribe)


def _send(batch: Batch, *, was_in_trouble: bool) -> list[Outcome]:
    """Call the provider; a pause that it asks for is left as a note for all workers."""
    try:
        answer: Answer = provider().send(batch)
    except Exception:
        # A provider promises not to raise. If it does, we do not know how far it came, and nobody waits for a lease.
        log.exception("the mail provider's code failed")
        lost = [Outcome(parcel.message_id, Result.UNCERTAIN, "no_answer") for parcel in batch.parcels]
        answer = Answer(lost, is_trouble=True)
    seconds = pauses.after(answer, was_in_trouble=was_in_trouble)
    attempts = {parcel.message_id: parcel.attempt for parcel in batch.parcels}
    return [_timed(outcome, attempts, seconds) for outcome in answer.outcomes]


def _timed(outcome: Outcome, attempts: Mapping[int, int], pause_seconds: float) -> Outcome:
    if outcome.result is not Result.TEMPORARY or outcome.delay is not None:
        return outcome
    if not outcome.is_free and attempts[outcome.message_id] >= _MOST_ATTEMPTS:
        return replace(outcome, result=Result.FAILED, reason=f"tried_too_long: {outcome.reason}")
    # A pause spares the provider by itself; backing off on top of it would only make people wait.
    return replace(outcome, delay=pause_seconds or outbox.backoff(attempts[outcome.message_id]))


def _held(parcels: Sequence[Parcel], note: notes.Note) -> list[Outcome]:
    """Put these back untouched: something that came up since they were claimed keeps them for now."""
    return [
        Outcome(parcel.message_id, Result.TEMPORARY, note.text, is_free=True, delay=note.seconds) for parcel in parcels
    ]


def _named(error: Exception) -> str:
    return f"cannot_render: {type(error).__name__} {error}"[:200]
