"""What a contact is worth, by plain rows and plain recursion: what the statements must agree with."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sqlalchemy import select

from leadgen.actions.models import Deed, DeedState
from leadgen.campaigns.models import Action, ActionKind
from leadgen.contacts.models import Answer, Contact
from leadgen.core.db import db
from leadgen.entries.models import Entry, EntryStatus, ReferralState, Review
from leadgen.forms.models import Submission
from leadgen.worth.models import Prices, Sale


def own(contact: Contact, prices: Prices) -> int:
    """Their deeds at the brand's prices."""
    if contact.erased_at is not None:
        return 0
    confirmed = [one for one in _all(Entry, contact_id=contact.id) if one.status is EntryStatus.CONFIRMED]
    sound = {one.id for one in confirmed if one.review is not Review.EXCLUDED}
    is_fraud = bool(confirmed) and not sound
    agreed = contact.email_verified_at is not None and contact.marketing_at is not None and not is_fraud
    total = prices.consent * agreed + prices.entry * len(sound)
    for entry_id in sound:
        total += prices.form * sum(one.finished_at is not None for one in _all(Submission, entry_id=entry_id))
        total += prices.answer * len(_all(Answer, entry_id=entry_id))
        done = [one for one in _all(Deed, entry_id=entry_id) if one.state is DeedState.DONE]
        total += prices.goal * sum(
            db.session.get_one(Action, one.action_id).kind is ActionKind.EXTERNAL for one in done
        )
    return total + sum(sale.amount for sale in _all(Sale, contact_id=contact.id))


def parent(contact: Contact) -> int | None:
    """Who brought them to the brand."""
    first = _first(contact.id)
    if first is None or first.referrer_id is None or first.referral_state is not ReferralState.COUNTED:
        return None
    above = db.session.get_one(Entry, first.referrer_id)
    if EntryStatus.CONFIRMED is not above.status or Review.EXCLUDED in {first.review, above.review}:
        return None
    oldest = _first(above.contact_id)
    return above.contact_id if oldest is not None and oldest.id < first.id else None


def values(contacts: list[Contact], prices: Prices) -> dict[int, tuple[int, int]]:
    """(own, brought) of each."""
    children: dict[int, list[int]] = {}
    for one in contacts:
        if (above := parent(one)) is not None:
            children.setdefault(above, []).append(one.id)
    owns = {one.id: own(one, prices) for one in contacts}
    share = Fraction(prices.discount, 100)

    def brought(contact_id: int) -> int:
        total, generation, below = 0, 1, children.get(contact_id, [])
        while below:
            total += int(sum(owns[one] for one in below) * share**generation)
            generation, below = generation + 1, [two for one in below for two in children.get(one, [])]
        return total

    return {one.id: (owns[one.id], brought(one.id)) for one in contacts}


def _first(contact_id: int) -> Entry | None:
    confirmed = [one for one in _all(Entry, contact_id=contact_id) if one.status is EntryStatus.CONFIRMED]
    return min(confirmed, key=lambda one: one.id, default=None)


def _all(model: Any, **values: Any) -> list[Any]:
    return list(db.session.scalars(select(model).filter_by(**values)))
