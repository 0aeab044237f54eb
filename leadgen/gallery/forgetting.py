"""What the gallery holds about a person, and how it forgets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from leadgen.campaigns.titles import public_title
from leadgen.core import hot, links, tokens
from leadgen.core.db import db
from leadgen.core.tokens import Purpose
from leadgen.entries import owners
from leadgen.entries.models import Entry
from leadgen.gallery import votes
from leadgen.gallery.models import Work, WorkState
from leadgen.journal.models import Fact
from leadgen.pictures.models import Picture

_WORKS = f"""
SELECT {public_title("m")} AS contest, w.public_id, w.title, w.body AS text, w.state, w.reason, w.rights AS agreed_to,
       w.votes, w.created_at AS handed_in_at, w.picture_id IS NOT NULL AS has_picture
FROM work w JOIN entry e ON e.id = w.entry_id JOIN campaign m ON m.id = w.campaign_id
WHERE e.contact_id = %(contact)s ORDER BY w.id
"""  # noqa: S608 - the only value put in by Python is a constant
_VOTES = f"""
SELECT {public_title("m")} AS contest, w.public_id AS work, v.at, v.is_counted
FROM vote v JOIN entry e ON e.id = v.entry_id JOIN work w ON w.id = v.work_id JOIN campaign m ON m.id = v.campaign_id
WHERE e.contact_id = %(contact)s ORDER BY v.id
"""  # noqa: S608 - the only value put in by Python is a constant


def forget(facts: Sequence[Fact]) -> None:
    """Somebody is erased: their works and pictures go, votes stay as counts (reaction, may run twice)."""
    contact_ids = [fact.contact_id for fact in facts if fact.contact_id]
    entry_ids = list(db.session.scalars(select(Entry.id).where(Entry.contact_id.in_(contact_ids))))
    votes.forget_voter(entry_ids)
    theirs = select(Work).where(Work.entry_id.in_(entry_ids)).order_by(Work.id).with_for_update()
    works = db.session.scalars(theirs).all()
    owners.hold([work.entry_id for work in works])
    for work in works:
        picture_id, work.picture_id = work.picture_id, None
        work.state = WorkState.WITHDRAWN
        work.title = work.body = work.rights = work.reason = ""
        work.network = b""
        db.session.flush()
        db.session.execute(delete(Picture).where(Picture.id == picture_id))


def held(contact_id: int) -> dict[str, Any]:
    """Works and votes of a person, for the file that they may download; pictures as links that are good for a month."""
    values = {"contact": contact_id}
    return {
        "works": [_work(row) for row in hot.many(_WORKS, values)],
        "votes_given": [row | {"at": row["at"].isoformat()} for row in hot.many(_VOTES, values)],
    }


def _work(row: hot.Row) -> dict[str, Any]:
    has_picture = row.pop("has_picture")
    row["handed_in_at"] = row["handed_in_at"].isoformat()
    return row | {"picture": links.absolute(picture_path(row["public_id"], "large")) if has_picture else None}


def picture_path(public_id: str, size: str) -> str:
    """The path of a picture that not everybody may see (yet), for its maker and for staff."""
    return f"/works/{public_id}/{size}.webp?s={tokens.sign(Purpose.PICTURE, public_id)}"
