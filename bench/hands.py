"""A process that does jobs when told to, one line each, so that their cost can be measured alone.

A line is a dotted job name; or `floor <first id> <last id>`: those messages, each as one RQ job of a SimpleWorker; or
`broadcast <slug>`: send the first letter of the campaign's sequence to everybody who wants letters.
"""

from __future__ import annotations

import sys

from rq import SimpleWorker
from rq.serializers import JSONSerializer
from rq.utils import import_attribute
from sqlalchemy import select

from leadgen.app import create_app
from leadgen.broadcasts import service as broadcasts
from leadgen.broadcasts.audiences import Audience
from leadgen.broadcasts.service import BroadcastInput
from leadgen.campaigns.models import Campaign
from leadgen.core import queue
from leadgen.core.db import db
from leadgen.core.queue import QueueName
from leadgen.nurture.models import Step


def main() -> None:
    """Work until standard input ends."""
    application = create_app()
    for line in sys.stdin:
        words = line.split()
        with application.app_context():
            if words[0] == "floor":
                _one_job_per_mail(int(words[1]), int(words[2]))
            elif words[0] == "broadcast":
                _send_broadcast(words[1])
            else:
                import_attribute(words[0])()
        sys.stdout.write("done\n")
        sys.stdout.flush()


def _one_job_per_mail(first: int, last: int) -> None:
    client = queue.connection(seconds=None)
    jobs = queue.queue(QueueName.SLOW, client)
    jobs.empty()  # type: ignore[no-untyped-call]
    for number in range(first, last + 1):
        jobs.enqueue("bench.floors.send_one", number, result_ttl=0)
    SimpleWorker([jobs], connection=client, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")


def _send_broadcast(slug: str) -> None:
    campaign = db.session.scalars(select(Campaign).filter_by(slug=slug)).one()
    texts = next(step.texts for step in db.session.scalars(select(Step).order_by(Step.id)))
    written = BroadcastInput(name="Blast", texts=texts, audience=Audience())
    broadcasts.send(broadcasts.create(campaign, written))
    db.session.commit()


if __name__ == "__main__":
    main()
