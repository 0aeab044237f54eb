"""A file of codes between its upload and somebody's yes: kept, looked at, loaded or thrown away."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict
from leadgen.core.i18n import gettext as _
from leadgen.rewards import loading
from leadgen.rewards.loading import Loaded, Preview, Reject
from leadgen.rewards.models import CodeFile

KEPT = timedelta(days=1)
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Staged:
    """The file that waits at a tier, and what loading it would have done when it was chosen."""

    name: str
    mark: str
    by: str
    at: datetime
    preview: Preview


def stage(milestone_id: int, file: IO[bytes], name: str, by: str) -> None:
    """Keep the file for a look before it is loaded, in place of an earlier one. Raises Invalid as loading does."""
    preview = loading.preview(milestone_id, file)
    file.seek(0)
    content = file.read()
    values: dict[str, Any] = {"name": name[:_LONGEST_NAME], "content": content, "by": by, "at": clock.now()}
    values |= {"mark": hashlib.sha256(content).hexdigest()[:16], "preview": asdict(preview)}
    statement = insert(CodeFile).values(milestone_id=milestone_id, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=[CodeFile.milestone_id], set_=values))


def waiting(milestone_id: int) -> Staged | None:
    """The file that waits at this tier, if any."""
    shown = (CodeFile.name, CodeFile.mark, CodeFile.by, CodeFile.at, CodeFile.preview)  # the content may be large
    found = db.session.execute(select(*shown).where(CodeFile.milestone_id == milestone_id)).one_or_none()
    if found is None or _is_old(found.at):
        return None
    return Staged(found.name, found.mark, found.by, found.at, _read(found.preview))


def _is_old(at: datetime) -> bool:
    return clock.now() - at > KEPT


def _read(kept: dict[str, Any]) -> Preview:
    first = [(line, code) for line, code in kept["first"]]
    rejects = [Reject(**one) for one in kept["rejects"]]
    return Preview(added=kept["added"], first=first, rejected=kept["rejected"], rejects=rejects)


def load(milestone_id: int, mark: str) -> Loaded:
    """Load the file that waits. Raises Conflict when it is another one by now, or none, or waits for too long.

    Raises Invalid as loading does.
    """
    found = db.session.get(CodeFile, milestone_id, with_for_update=True, populate_existing=True)
    if found is None or found.mark != mark or _is_old(found.at):
        raise Conflict(_("This file does not wait any more: it was loaded, thrown away or replaced."))
    loaded = loading.load(milestone_id, io.BytesIO(found.content))
    db.session.delete(found)
    return loaded


def throw_away(milestone_id: int) -> None:
    """Load nothing."""
    db.session.execute(delete(CodeFile).where(CodeFile.milestone_id == milestone_id))


def clear() -> None:
    """Throw away what nobody said yes to for a day."""
    db.session.execute(delete(CodeFile).where(CodeFile.at < clock.now() - KEPT))
    db.session.commit()
