"""Jobs of the mail room: pumps that empty the outbox, the sweep, and the reading of receipts. All may run twice."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from leadgen.core import queue
from leadgen.core.db import db, retried
from leadgen.core.errors import NotFound
from leadgen.core.queue import Bell, QueueName
from leadgen.letters import rendering
from leadgen.letters.models import Lane
from leadgen.mail import breakers, clicks, deliverability, delivery, gates, ladder, outbox, pulls, speed, tallies
from leadgen.mail.providers.interface import Outcome

# How many mails one claim takes: a small batch is a small loss, a large one costs less for each mail.
BATCHES = {Lane.CONFIRMATION: 100, Lane.SERVICE: 500, Lane.NURTURE: 1000, Lane.BULK: 1000}
_WORK_SECONDS = 2.0
_SMALL = 50
_DRY_SECONDS = 0.2  # how soon to look again when the pace allows nothing at the moment
_INSIST_SECONDS, _INSIST_EVERY_SECONDS = 60.0, 0.5  # well inside the lease of two minutes
_GATHER_SECONDS = 0.075  # a short pause lets rows come together, so that one call serves many


def pump_confirmations() -> None:
    """Send confirmations until none is due or two seconds are over."""
    _pump((Lane.CONFIRMATION,), Bell.CONFIRMATIONS)


def pump_mail() -> None:
    """Send until nothing is due or two seconds are over: in each round confirmations first, and bulk last."""
    _pump(tuple(Lane), Bell.MAIL)


def sweep() -> None:
    """Settle messages that nobody answered for, and stop streams that have earned it."""
    outbox.sweep()
    db.session.commit()
    _judge()


def count_streams() -> None:
    """Count the mails of streams that moved, for the pages that show them."""
    tallies.count_due()
    db.session.commit()


def apply_receipts() -> None:
    """Apply what the provider told until nothing is left or two seconds are over."""
    until = time.monotonic() + _WORK_SECONDS
    is_news = False
    while time.monotonic() < until:
        taken = retried(_apply_batch)
        is_news = is_news or bool(taken)
        if taken is None or (taken == 0 and not ladder.is_any_due()):
            break
    else:
        queue.ring(Bell.RECEIPTS)
    if is_news:
        _judge()


def _apply_batch() -> int | None:
    taken = ladder.apply_waiting()
    db.session.commit()
    return taken


def fold_clicks() -> None:
    """Let humans' clicks count as signs of life."""
    retried(_fold_clicks)


def _fold_clicks() -> None:
    clicks.fold()
    db.session.commit()


def pull_suppressions() -> None:
    """Read the provider's suppression lists; when there was not time enough, go on soon."""
    if any(one.is_late for one in pulls.pull()):
        queue.enqueue("leadgen.mail.jobs.pull_suppressions", name=QueueName.SLOW)


def check_sender(brand_id: int) -> None:
    """Check a brand's sending domain and the settings of the provider; see mail.deliverability."""
    with suppress(NotFound):  # the brand went away meanwhile
        deliverability.check(brand_id)
        db.session.commit()


def check_senders() -> None:
    """Have every sending domain checked."""
    for brand_id in deliverability.all_brand_ids():
        queue.enqueue(deliverability.JOB, brand_id, name=QueueName.SLOW)


def warm() -> None:
    """Load templates and time zones: a worker does it once, and the processes that it forks for jobs have them."""
    rendering.warm()
    gates.zones()


def _judge() -> None:
    breakers.judge()
    db.session.commit()


def _pump(lanes: tuple[Lane, ...], bell: Bell) -> None:
    until = time.monotonic() + _WORK_SECONDS
    while not delivery.pause():
        claims = [_one_pass(lane) for lane in lanes]
        decided = sum(claim.decided for claim in claims)
        is_dry = any(claim.is_dry for claim in claims)
        if not decided and is_dry:
            time.sleep(_DRY_SECONDS)
        if is_dry or time.monotonic() >= until:
            queue.ring(bell)  # other bells have their turn before this one comes again
            return
        if not decided:
            return
        if decided < _SMALL:
            time.sleep(_GATHER_SECONDS)


def _write_down(outcomes: Sequence[Outcome], attempts: Mapping[int, int]) -> None:
    """Settle, and insist while the database is away: nobody else knows what the provider answered.

    A forgotten answer is a mail whose fate is unknown, and a confirmation of unknown fate is sent a second time.
    """
    until = time.monotonic() + _INSIST_SECONDS
    while True:
        try:
            outbox.settle(outcomes, attempts)
            db.session.commit()
        except OperationalError:
            db.session.rollback()
            if time.monotonic() > until:
                raise
            time.sleep(_INSIST_EVERY_SECONDS)
        else:
            return


def _one_pass(lane: Lane) -> outbox.Claim:
    """Claim one batch and send it."""
    claim = outbox.claim(lane, min(BATCHES[lane], delivery.largest()))
    db.session.commit()
    attempts = {person.id: person.attempts for person in claim.recipients}
    for outcomes in delivery.deliver(claim.recipients) if claim.recipients else ():
        _write_down(outcomes, attempts)
        speed.note(lane, claim.recipients, outcomes)
    return claim
