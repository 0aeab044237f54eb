"""One famous referrer: a thousand friends confirm over fifty connections, each twice, each counts once (M6)."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Sequence
from unittest import mock

from bench.figures import say, show
from bench.stack import Stack
from leadgen.app import create_app
from leadgen.campaigns import cards
from leadgen.contacts import address
from leadgen.core import clock, hot, ids
from leadgen.entries import auditing, confirming, entering, points
from leadgen.entries.entering import EntryRequest

FRIENDS = 1_000
CONNECTIONS = 50
GOAL_SECONDS = 2.0


def measure(stack: Stack, slug: str) -> None:
    """Enter, confirm at once from all sides, fold, and compare with a plain count."""
    with mock.patch.dict(os.environ, stack.environment):
        app = create_app()
    with app.app_context():
        card = cards.by_slug(slug)
        ben = _enter(card, "")
        confirming.confirm(ben, 1, "button_post")
        [row] = hot.many("SELECT code FROM entry WHERE id = %(id)s", {"id": ben})
        friends = [_enter(card, row["code"]) for _number in range(FRIENDS)]
        say(f"{FRIENDS} friends of one referrer confirm over {CONNECTIONS} connections, each twice")
        seconds, total = _confirm_all(friends * 2)
        while points.fold():
            pass
        [ours] = hot.many("SELECT points, friends_counted FROM entry WHERE id = %(id)s", {"id": ben})
        is_exact = ours["friends_counted"] == FRIENDS
        is_exact &= ours["points"] == card.entry_points + FRIENDS * card.referral_points
        wrong = auditing.audit()
        hot.forget()
    p99 = seconds[int(len(seconds) * 0.99)]
    show(figure="crediting one referrer, p99", friends=FRIENDS, connections=CONNECTIONS, unit="seconds",
         value=p99, middle=seconds[len(seconds) // 2], slowest=seconds[-1], per_second=len(seconds) / total,
         goal=GOAL_SECONDS, met=p99 <= GOAL_SECONDS)  # fmt: skip
    show(figure="crediting one referrer, exact", friends=ours["friends_counted"], points=ours["points"],
         differences=wrong, goal=True, met=is_exact and not wrong)  # fmt: skip


def _confirm_all(entry_ids: Sequence[int]) -> tuple[list[float], float]:
    """How long each confirmation took, sorted, and all together; in seconds."""
    left, seconds = list(entry_ids), list[float]()
    random.shuffle(left)
    barrier = threading.Barrier(CONNECTIONS + 1)

    def work() -> None:
        hot.one("SELECT 1 AS one", {})  # the connection is open before the race begins
        barrier.wait()
        while left:
            try:
                entry_id = left.pop()
            except IndexError:
                break
            began = time.perf_counter()
            confirming.confirm(entry_id, 1, "button_post")
            seconds.append(time.perf_counter() - began)
        hot.forget()

    threads = [threading.Thread(target=work) for _number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return sorted(seconds), time.perf_counter() - began


def _enter(card: cards.CampaignCard, code: str) -> int:
    form = EntryRequest(
        address=address.parse(f"fan{ids.public_id().lower()}@mail.example"),
        first_name="Camille",
        wants_marketing=False,
        referral_code=code,
        channel="wa",
        source={},
        locale="fr",
        timezone="Europe/Paris",
        ip="192.0.2.1",
        user_agent="A browser",
        page=f"http://localhost/c/{card.slug}",
        seconds=20.0,
    )
    assert card.is_open(clock.now())
    return entering.enter(card, form).entry_id
