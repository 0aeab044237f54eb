"""A file of codes between its upload and somebody's yes: kept, looked at, loaded or thrown away."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from leadgen.core import clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.rewards import loading
from leadgen.rewards.loading import Loaded, Preview
from leadgen.rewards.models import CodeFile

KEPT = timedelta(days=1)
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Staged:
    """The file that waits at a tier, and what loading it would do now."""

    name: str
    mark: str
    by: str
    at: datetime
    preview: Preview


def stage(milestone_id: int, file: IO[bytes], name: str, by: str) -> None:
    """Keep the file for a look before it is loaded, in place of an earlier one. Raises Invalid as loading does."""
    loading.preview(milestone_id, file)
    file.seek(0)
    content = file.read()
    values = {"name": name[:_LONGEST_NAME], "content": content, "by": by, "at": clock.now()}
    values["mark"] = hashlib.sha256(content).hexdigest()[:16]
    statement = insert(CodeFile).values(milestone_id=milestone_id, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=[CodeFile.milestone_id], set_=values))


def waiting(milestone_id: int) -> Staged | None:
    """The file that waits at this tier, if any."""
    found = db.session.get(CodeFile, milestone_id, populate_existing=True)
    if found is None or clock.now() - found.at > KEPT:
        return None
    try:
        preview = loading.preview(milestone_id, io.BytesIO(found.content))
    except Invalid:
        return None  # it was read once; whatever reads it otherwise today lets nothing wait
    return Staged(found.name, found.mark, found.by, found.at, preview)


def load(milestone_id: int, mark: str) -> Loaded:
    """Load the file that waits. Raises Conflict when it is another one by now, or none."""
    found = db.session.get(CodeFile, milestone_id, with_for_update=True, populate_existing=True)
    if found is None or found.mark != mark:
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
