"""Whether anybody takes mail at the domain of a new entry: asked in a job, shown on the waiting page, never in the way.

The mail is sent all the same: a name server may be wrong, and only the person knows what they meant to type.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, text

from leadgen.contacts.models import Contact
from leadgen.core import dns, limits, queue
from leadgen.core.db import db
from leadgen.entries.models import Entry, EntryStatus
from leadgen.journal.models import Fact
from leadgen.mail import groups

NO_MX = "no_mx"
# Somebody who makes up a domain for each form must not keep the queue busy with names that nobody answers for.
LOOKUPS = "20 per minute"
_MOST_DOMAINS, _MOST_ENTRIES = 50, 200
# Names that exist for examples only (RFC 2606): asking for them would only disturb.
_NEVER_ASKED = (".example", ".example.com", ".example.net", ".example.org")

_MARK = text("""
UPDATE entry e SET address_problem = :problem FROM contact c
WHERE e.id = ANY(:entries) AND e.status IN ('pending', 'bounced', 'expired') AND c.id = e.contact_id
  AND split_part(lower(c.email), '@', 2) = :domain AND e.address_problem <> :problem
""")


def check(facts: Sequence[Fact]) -> None:
    """Have the domains of new and corrected addresses looked at, one job for each (reaction).

    Without Redis nobody looks, and nobody is warned.
    """
    wanted: dict[str, list[int]] = defaultdict(list)
    for entry_id, email in _addresses([fact.entry_id for fact in facts if fact.entry_id]):
        domain = email.rpartition("@")[2].lower()
        if groups.of(email) == groups.OTHER and not f".{domain}".endswith(_NEVER_ASKED):
            wanted[domain].append(entry_id)
    for entry_ids in list(wanted.values())[:_MOST_DOMAINS]:
        if not queue.offer("leadgen.entries.jobs.check_domain", *entry_ids[:_MOST_ENTRIES]):
            return


def look_at(entry_ids: Sequence[int]) -> None:
    """Ask the domain name system about the one domain of these entries, and note what is wrong with it. Commits.

    An answer is believed for hours, so that a domain is asked about once; no answer changes nothing.
    """
    found = _addresses(entry_ids)
    db.session.commit()  # no transaction stays open while a stranger answers
    if not found:
        return
    domain = found[0][1].rpartition("@")[2].lower()
    if not dns.is_known(domain) and not limits.allow(LOOKUPS, "domains"):
        return
    takes_mail = dns.takes_mail(domain)
    if takes_mail is not None:
        values = {"entries": list(entry_ids), "domain": domain, "problem": "" if takes_mail else NO_MX}
        db.session.execute(_MARK, values)
        db.session.commit()


def _addresses(entry_ids: Sequence[int]) -> list[tuple[int, str]]:
    statement = (
        select(Entry.id, Contact.email)
        .join(Contact, Contact.id == Entry.contact_id)
        .where(Entry.id.in_(entry_ids), Entry.status == EntryStatus.PENDING, Contact.email.is_not(None))
        .order_by(Entry.id)
    )
    return [(entry_id, email or "") for entry_id, email in db.session.execute(statement)]
