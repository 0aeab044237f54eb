"""People who were seen, and one observation with believable defaults."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis
from rq.job import Job

from leadgen.campaigns.models import Campaign
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import QueueName
from leadgen.fraud import jobs, looks, scoring, service
from leadgen.fraud.observations import Moment, Observation, SafeList, Usual
from tests.factories import make_campaign

DAY = 86400.0
MOMENT = Moment(at=30 * DAY, ends_at=21 * DAY)
USUAL = Usual(
    alive=0.5,
    quick=0.3,
    scripted=0.99,
    agents={"Chrome Android": 0.3, "Safari iOS": 0.3},
    providers={"gmail.com": 0.4, "orange.fr": 0.1, "gmx.fr": 0.02},
    timezones={"Europe/Paris": 0.9},
)
_agents = itertools.cycle(("Chrome Android", "Safari iOS", "Chrome Windows", "Firefox Linux", "Safari macOS"))
_providers = itertools.cycle(("gmail.com", "orange.fr", "free.fr", "hotmail.fr", "yahoo.fr"))


@pytest.fixture(autouse=True)
def _forget() -> None:
    service.forget()


@pytest.fixture
def campaign(context: None) -> Campaign:
    return make_campaign()


def look(*entry_ids: int) -> None:
    """Want a look at these entries and serve whatever is wanted, as the worker does."""
    looks.want(entry_ids)
    db.session.commit()
    serve()


def serve() -> None:
    """Serve whatever is wanted, until nothing is."""
    for campaign_id in looks.waiting():
        while not looks.serve(campaign_id):
            pass


def put(client: redis.Redis, name: QueueName) -> list[Job]:
    """The looks at contests that wait in this queue."""
    return [job for job in queue.queue(name, client).jobs if job.func_name == jobs.LOOK_AT]


def work(client: redis.Redis) -> None:
    """Answer the bell of the looks, and do what that puts on the queues, as the worker does."""
    jobs.look()
    for name in QueueName:
        for job in put(client, name):
            queue.queue(name, client).remove(job)
            client.delete(queue.rung_key(jobs.LOOK_AT, *job.args))
            job.func(*job.args)


def seen(number: int, referrer: int | None = None, **values: Any) -> Observation:
    """Somebody on a line and browser of their own, who came back once; friends arrive at odd distances."""
    created = DAY + number * number * 613.0
    defaults: dict[str, Any] = {
        "entry_id": number,
        "referrer_id": referrer,
        "local": f"{number}.someone",
        "domain": next(_providers),
        "created_at": created,
        "confirmed_at": values.get("created_at", created) + 400 + 37 * number,
        "form_seconds": 15.0 + number,
        "network": f"n{number}",
        "address": f"a{number}",
        "device": f"d{number}",
        "agent": next(_agents),
        "timezone": "Europe/Paris",
        "openings": 50,
        "returns": 1,
    }
    return Observation(**(defaults | values))


def friends(number: int, **values: Any) -> list[Observation]:
    """Person 1 and so many friends of theirs, who all have these values."""
    return [seen(1), *(seen(n, 1, **values) for n in range(2, number + 2))]


def spaced(people: Sequence[Observation], step: float = 3600.0) -> list[Observation]:
    """The same people at odd distances of about `step` seconds."""
    return [
        replace(one, created_at=DAY + n * step + 97 * n * n, confirmed_at=DAY + n * step + 97 * n * n + 700)
        for n, one in enumerate(people)
    ]


def codes_of(people: Sequence[Observation], entry_id: int, safe: SafeList | None = None) -> set[str]:
    """Which signals an entry has among these people, in a contest of usual people."""
    found = scoring.score(people, MOMENT, usual=USUAL, safe=safe)
    return {one.code for one in found.get(entry_id, scoring.CLEAN).found}
