"""Secret codes: compared in constant time, each used as often as it may be, and ten wrong tries an hour (F6)."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from leadgen.actions.deeds import Doer, Outcome, Result, finish
from leadgen.actions.rules import Way, occurrence
from leadgen.campaigns.models import Repeat
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _

WRONG_TRIES = 10
WINDOW = timedelta(hours=1)
LONGEST = 64
MOST_CODES = 10_000
MOST_USES = 1_000_000

# Every code of the action is hashed with a salt of this very request, and all of them are: neither how far the letters
# agree nor where the code stands shows in the time that it takes.
_FIND = text("""
SELECT max(id) FILTER (WHERE sha256(CAST(:salt AS bytea) || convert_to(code, 'UTF8')) = :digest) AS id
FROM secret_code WHERE action_id = :action
""")
_TAKE = text("""
UPDATE secret_code SET uses = uses + 1 WHERE id = :code AND (most_uses IS NULL OR uses < most_uses) RETURNING code
""")
_WRONG = text("""
INSERT INTO code_tries (entry_id, wrong, since) VALUES (:entry, 1, :now)
ON CONFLICT (entry_id) DO UPDATE SET
    wrong = CASE WHEN code_tries.since <= :before THEN 1 ELSE code_tries.wrong + 1 END,
    since = CASE WHEN code_tries.since <= :before THEN :now ELSE code_tries.since END
RETURNING wrong
""")
_PAUSE = text("UPDATE code_tries SET paused_until = :until, wrong = 0, since = :until WHERE entry_id = :entry")
_PAUSED = text("SELECT paused_until FROM code_tries WHERE entry_id = :entry AND paused_until > :now")
_ADD = text("""
INSERT INTO secret_code (action_id, code, most_uses)
SELECT :action, code, :most_uses FROM unnest(CAST(:codes AS text[])) AS code
ON CONFLICT (action_id, code) DO NOTHING RETURNING id
""")
_LIST = text("""
SELECT id, code, most_uses, uses FROM secret_code WHERE action_id = :action ORDER BY id LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Import:
    """What became of a list of codes: how many are new, how many were there before, and lines that are no code."""

    added: int
    known: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A code as the studio lists it; `most_uses` None is without limit."""

    id: int
    code: str
    most_uses: int | None
    uses: int


def tidy(typed: str) -> str:
    """A code as it is compared: NFKC, upper case, no blanks and no dashes of any kind."""
    code = typed[: LONGEST * 4]
    while (tidied := _tidied(code)) != code:  # what a dash stood between may join anew
        code = tidied
    return code


def _tidied(code: str) -> str:
    folded = unicodedata.normalize("NFKC", code).upper()
    return "".join(c for c in folded if c.isprintable() and not c.isspace() and unicodedata.category(c) != "Pd")


def enter(who: Doer, way: Way, typed: str) -> Result:
    """A person typed a code. A wrong one is counted, the tenth in an hour is followed by an hour's pause."""
    paused = db.session.execute(_PAUSED, {"entry": who.entry_id, "now": who.now}).scalar()
    if paused is not None:
        return Result(Outcome.RESTING, seconds=max(1, int((paused - who.now).total_seconds())))
    code = tidy(typed)
    if not code:
        return Result(Outcome.WRONG)  # an empty field is a slip, no guess
    code_id = _find(way.action.id, code)
    if code_id is None:
        return _wrong(who)
    return _use(who, way, code_id)


def _find(action_id: int, code: str) -> int | None:
    salt = secrets.token_bytes(16)
    digest = hashlib.sha256(salt + code.encode()).digest()
    found = db.session.execute(_FIND, {"salt": salt, "digest": digest, "action": action_id}).scalar()
    return None if found is None else int(found)


def _wrong(who: Doer) -> Result:
    values = {"entry": who.entry_id, "now": who.now, "before": who.now - WINDOW}
    if db.session.execute(_WRONG, values).scalar_one() < WRONG_TRIES:
        return Result(Outcome.WRONG)
    db.session.execute(_PAUSE, {"entry": who.entry_id, "until": who.now + WINDOW})
    return Result(Outcome.RESTING, seconds=int(WINDOW.total_seconds()))


def _use(who: Doer, way: Way, code_id: int) -> Result:
    """One use of the code, unless this person used it before or it is used up."""
    if any(deed.data.get("code") == code_id for deed in who.deeds if deed.action_id == way.action.id):
        return Result(Outcome.ALREADY)
    if db.session.execute(_TAKE, {"code": code_id}).one_or_none() is None:
        return Result(Outcome.USED_UP)
    is_many = way.action.repeat is Repeat.UNLIMITED
    name = f"code-{code_id}" if is_many else occurrence(way, who.now, who.card.timezone)
    return finish(who, way.action, name, data={"code": code_id})


def add(action_id: int, lines: Iterable[str], *, most_uses: int | None = None) -> Import:
    """Keep codes, one a line; what is there already stays as it is. Raises Invalid (uses, too many)."""
    if most_uses is not None and not 1 <= most_uses <= MOST_USES:
        raise Invalid(_("Say how often each code may be used: 1 or more, or leave it empty."), "most_uses")
    typed = [line.strip() for line in lines if line.strip()]
    tidied = {line: tidy(line) for line in typed}
    refused = tuple(line for line in typed if not 3 <= len(tidied[line]) <= LONGEST)
    codes = list(dict.fromkeys(tidied[line] for line in typed if line not in set(refused)))
    if len(codes) + count(action_id) > MOST_CODES:
        raise Invalid(_("Keep to %(limit)d codes for one action.") % {"limit": MOST_CODES}, "codes")
    added = db.session.execute(_ADD, {"action": action_id, "codes": codes, "most_uses": most_uses}).all()
    return Import(added=len(added), known=len(codes) - len(added), refused=refused)


def count(action_id: int) -> int:
    """How many codes an action has."""
    counted = text("SELECT count(*) FROM secret_code WHERE action_id = :action")
    return int(db.session.execute(counted, {"action": action_id}).scalar_one())


def listed(action_id: int, most: int = 200) -> list[CodeLine]:
    """The codes of an action in the order in which they were added, with their uses."""
    rows = db.session.execute(_LIST, {"action": action_id, "most": most}).mappings()
    return [CodeLine(**row) for row in rows]


def remove(action_id: int, code_id: int) -> None:
    """Take a code away; points that it brought stay. Absent ones are no matter."""
    gone = text("DELETE FROM secret_code WHERE id = :code AND action_id = :action")
    db.session.execute(gone, {"code": code_id, "action": action_id})
