"""The product's scorer on the synthetic set."""

from __future__ import annotations

from collections import Counter

from bench.fraud.contest import ENDS_AT, GRACE, Contest, Entry
from leadgen.fraud.observations import Moment, Observation


def observe(entry: Entry, openings: int = 0) -> Observation:
    """What the product would have of this entry; country, language and mail host it does not look at.

    `openings` are the human visits of the person's own link. The set knows those of networks from which somebody
    entered, so there are at least so many.
    """
    local, _, domain = entry.email.lower().partition("@")
    return Observation(
        entry_id=entry.number,
        referrer_id=entry.referrer,
        local=local,
        domain=domain,
        created_at=entry.created_at,
        confirmed_at=entry.confirmed_at,
        form_seconds=entry.form_seconds,
        has_script=entry.has_script,
        is_trapped=entry.honeypot,
        network=entry.network,
        address=entry.address_hash,
        network_kind="datacentre" if entry.network_kind == "datacentre" else "isp",
        device=entry.device,
        agent=entry.agent,
        timezone=entry.timezone,
        landing_host=entry.landing_host,
        openings=openings,
        returns=len({at // 86400 for at in entry.came_back}),
        answers=entry.answered,
        deeds=entry.shares,
        is_bounced=entry.bounced,
    )


def observed(contest: Contest) -> tuple[list[Observation], Moment]:
    """The contest as the product would see it when the grace is over."""
    openings: Counter[int] = Counter()
    for entry in contest.entries:
        if entry.referrer is not None:
            openings[entry.referrer] += len(entry.visits)
    people = [observe(entry, openings[entry.number]) for entry in contest.entries]
    return people, Moment(ENDS_AT + GRACE, ENDS_AT)
