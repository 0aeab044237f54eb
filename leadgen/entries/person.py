"""The person's page: where they stand, whom they brought, what they earned; and being forgotten."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from leadgen.contacts import address
from leadgen.contacts import service as contacts
from leadgen.core import hot, text
from leadgen.core.db import db
from leadgen.core.errors import Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.entries import leaderboard, places, points, referrals
from leadgen.entries.models import Entry, EntryStatus, Review
from leadgen.entries.places import Place
from leadgen.mail import bounds, forgetting

NAME_LIMIT = 24
FRIENDS_SHOWN = 50
FRIENDS_READ = 200
REFERRER_SECONDS = 60.0
_FORGET_ABOVE = 50_000

_STANDING = f"""
SELECT {places.OWN_COLUMNS}, e.contact_id, e.public_id, e.code, e.locale, e.confirmed_at, e.access_version,
       e.display_name, e.is_on_board, e.is_name_on_card,
       p.email, p.first_name, p.marketing_at IS NOT NULL AS is_subscribed, p.answers,
       e.points + coalesce(pending.points, 0) AS points, e.chances + coalesce(pending.chances, 0) AS chances,
       coalesce(friends.shown, '[]') AS friends, coalesce(friends.waiting, 0) AS waiting,
       coalesce(friends.provisional, 0) AS provisional, e.friends_counted + coalesce(pending.friends, 0) AS counted
FROM entry e
JOIN contact p ON p.id = e.contact_id
{places.OWN}
LEFT JOIN LATERAL (
    -- The newest only: a famous person looks at this page most, and must not count fifty thousand friends each time.
    SELECT jsonb_agg(to_jsonb(f) ORDER BY f.id DESC) FILTER (WHERE f.place <= {FRIENDS_SHOWN}) AS shown,
           count(*) FILTER (WHERE f.status <> 'confirmed') AS waiting,
           count(*) FILTER (WHERE f.referral_state = 'on_hold' OR f.status = 'pending') AS provisional
    FROM (
        SELECT f.id, f.status, f.referral_state, f.created_at, f.confirmed_at, c.first_name,
               row_number() OVER (ORDER BY f.id DESC) AS place
        FROM entry f JOIN contact c ON c.id = f.contact_id
        WHERE f.referrer_id = e.id AND f.status <> 'erased' ORDER BY f.id DESC LIMIT {FRIENDS_READ}
    ) AS f
) AS friends ON true
WHERE e.id = %(entry)s AND e.status <> 'erased'
"""  # noqa: S608 - the only values put in by Python are constants of this module

_REFERRER = """
SELECT e.id, e.campaign_id, c.slug, p.first_name, e.is_name_on_card, e.locale FROM entry e
JOIN campaign c ON c.id = e.campaign_id JOIN contact p ON p.id = e.contact_id
WHERE e.code = %(code)s AND e.status = 'confirmed'
"""


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody who entered through the person's link. `first_name` is empty until they confirmed."""

    first_name: str
    status: EntryStatus
    entered_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that the person's page shows. Points and chances include what is not folded yet."""

    entry_id: int
    campaign_id: int
    contact_id: int
    public_id: str
    code: str
    status: EntryStatus
    locale: str
    first_name: str
    masked: str
    email: str
    is_subscribed: bool
    confirmed_at: datetime | None
    points: int
    rank_points: int  # without what only the person vouches for
    chances: int
    place: Place | None  # None for whoever is not ranked: not confirmed, or held by a check
    review: Review
    display_name: str  # as the person chose it; empty: the first name
    is_on_board: bool
    is_name_on_card: bool
    friends: tuple[Friend, ...]
    friends_counted: int
    friends_waiting: int  # among the newest FRIENDS_READ, as are the next
    friends_provisional: int  # who may still count: not confirmed yet, or being checked
    answers: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReferrerCard:
    """Whose link it is. `first_name` is empty when it is not fit to be shown.

    `name_on_card` is that name for pictures of the link, empty for whoever did not agree to it.
    """

    entry_id: int
    campaign_id: int
    campaign_slug: str
    code: str
    first_name: str
    name_on_card: str = ""
    locale: str = ""  # what the person speaks: previews of the link are drawn by machines that ask for no language


def standing(entry_id: int, access_version: int) -> Standing:
    """Where a confirmed or waiting person stands. Raises NotFound for erased people and links of an older version."""
    row = hot.one(_STANDING, {"entry": entry_id})
    if row is None or row["access_version"] != access_version:
        raise NotFound
    return Standing(
        entry_id=row["id"],
        campaign_id=row["campaign_id"],
        contact_id=row["contact_id"],
        public_id=row["public_id"],
        code=row["code"],
        status=EntryStatus(row["status"]),
        locale=row["locale"],
        first_name=text.shown_name(row["first_name"]),
        masked=address.mask(row["email"] or ""),
        email=row["email"] or "",
        is_subscribed=row["is_subscribed"],
        confirmed_at=row["confirmed_at"],
        points=int(row["points"]),
        rank_points=int(row["rank_points"]),
        chances=int(row["chances"]),
        place=places.placed(row),
        review=Review(row["review"]),
        display_name=row["display_name"],
        is_on_board=row["is_on_board"],
        is_name_on_card=row["is_name_on_card"],
        friends=tuple(_friend(friend) for friend in row["friends"]),
        friends_counted=row["counted"],
        friends_waiting=row["waiting"],
        friends_provisional=row["provisional"],
        answers=row["answers"],
    )


def _friend(row: dict[str, Any]) -> Friend:
    status = EntryStatus(row["status"])
    return Friend(
        first_name=text.shown_name(row["first_name"]) if status is EntryStatus.CONFIRMED else "",
        status=status,
        entered_at=datetime.fromisoformat(row["created_at"]),
        confirmed_at=datetime.fromisoformat(row["confirmed_at"]) if row["confirmed_at"] else None,
    )


_referrers: dict[str, tuple[float, ReferrerCard | None]] = {}


def referrer(code: str) -> ReferrerCard | None:
    """Whose link a code is, at most a minute old in each process; None for an unknown or not (yet) counting one."""
    code = code.strip().upper()
    moment = time.monotonic()
    found = _referrers.get(code)
    if found is None or moment - found[0] >= REFERRER_SECONDS:
        row = hot.one(_REFERRER, {"code": code})
        card = row and _referrer_card(row, code)
        if len(_referrers) > _FORGET_ABOVE:
            _referrers.clear()
        # A code that is not known yet may be confirmed in a second: only what was found is remembered.
        found = (moment, card or None)
        if card:
            _referrers[code] = found
    return found[1]


def _referrer_card(row: dict[str, Any], code: str) -> ReferrerCard:
    name = text.shown_name(row["first_name"])
    shown = name if row["is_name_on_card"] else ""
    return ReferrerCard(row["id"], row["campaign_id"], row["slug"], code, name, shown, row["locale"])


def forget() -> None:
    """Read every referrer anew (tests)."""
    _referrers.clear()


def renew_access(entry_id: int) -> None:
    """Make all links to this person's page inert. Raises NotFound."""
    entry = db.session.get(Entry, entry_id)
    if entry is None:
        raise NotFound
    entry.access_version += 1


def show_as(entry_id: int, *, display_name: str, is_on_board: bool, is_name_on_card: bool) -> None:
    """How the person wants to be seen: under which name on the board or under none, and on the shared picture.

    An empty `display_name` means the first name. Raises NotFound; Invalid for a name that is not fit to be shown.
    """
    tidy = " ".join(text.undirected(display_name).split())
    if len(tidy) > NAME_LIMIT or text.shown_name(tidy) != tidy:
        limit = {"limit": NAME_LIMIT}
        raise Invalid(_("Use at most %(limit)d letters: no digits, no address, no link.") % limit, "display_name")
    # In one statement: read first and written later, the name would come back to somebody erased in between.
    there = update(Entry).where(Entry.id == entry_id, Entry.status != EntryStatus.ERASED)
    wish = {"display_name": tidy, "is_on_board": is_on_board, "is_name_on_card": is_name_on_card}
    if db.session.scalar(there.values(wish).returning(Entry.id)) is None:
        raise NotFound
    leaderboard.forget()


def hold(contact_id: int) -> None:
    """Hold all entries of the person to the end of the transaction. Whoever changes the contact as well begins here.

    Somebody is confirmed and erased in this order: entries first.
    """
    theirs = select(Entry.id).where(Entry.contact_id == contact_id).order_by(Entry.id)
    db.session.execute(theirs.with_for_update(key_share=True)).all()


def speak(contact_id: int, locale: str) -> None:
    """From now on pages and letters of all the person's entries speak this language."""
    theirs = update(Entry).where(Entry.contact_id == contact_id, Entry.status != EntryStatus.ERASED)
    db.session.execute(theirs.values(locale=locale))
    leaderboard.forget()


def erase(entry_id: int, *, is_remembered: bool = True) -> None:
    """Forget the person behind this entry in all contests of the brand, at once. Raises NotFound.

    Other people's points, counts and draws stay as they are: the entries remain as empty shells. What `is_remembered`
    means says contacts.erase.
    """
    entry = db.session.get(Entry, entry_id)
    if entry is None or entry.status is EntryStatus.ERASED:
        raise NotFound
    points.alone()
    # For ourselves alone: whoever writes words of the person holds a share of the entry, so theirs go too.
    theirs = select(Entry.id).where(Entry.contact_id == entry.contact_id).order_by(Entry.id).with_for_update()
    entry_ids = db.session.scalars(theirs).all()
    referrals.forget(entry_ids)
    for one in entry_ids:
        points.leave_ranking(one)
    db.session.execute(
        update(Entry)
        .where(Entry.id.in_(entry_ids))
        .values(status=EntryStatus.ERASED, access_version=Entry.access_version + 1, source={}, display_name="")
    )
    leaderboard.forget()
    bounds.remember(entry.contact_id)
    forgetting.forget(entry.contact_id)
    contacts.erase(entry.contact_id, is_remembered=is_remembered)
