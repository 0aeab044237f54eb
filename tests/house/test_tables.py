"""Statements keep to their floor too: what imports may not do, SQL may not do behind their back without a reason."""

import re
import tomllib
from collections.abc import Iterator

from leadgen.core.db import db
from tests.house.source import PRODUCT, ROOT, docstrings, modules, place, strings

_READS = re.compile(r"\b(?:FROM|JOIN)\s+(?:ONLY\s+)?([a-z_]+)\b")
_WRITES = re.compile(r"\b(?:INSERT INTO|DELETE FROM|UPDATE)\s+([a-z_]+)\b")
# A room that reads a table of a room above it, and why it may.
_READ_UPSTAIRS = {
    ("journal", "campaign"): "a counter belongs to a campaign; one of a deleted campaign must not stop all others",
    ("mail", "entry"): "the last gate looks at the entry as it stands when the mail leaves (rule 6)",
    ("letters", "step"): "a message names the step whose words it carries, and the words are those of the moment",
    ("letters", "broadcast"): "as above, for the letter of a broadcast",
}
# A room that writes a table of another room, and why it does not call that room's verb.
_WRITTEN_BY_OTHERS = {
    ("entries", "contact"): "entering and confirming are one statement each, because they run once per lead",
    ("entries", "consent"): "as above",
    ("entries", "suppression"): "as above: a new tick, confirmed, takes back an unsubscribe",
    ("entries", "answer"): "as above",
    ("entries", "message"): "as above: the mail is wanted in the statement that makes it wanted",
    ("entries", "fact"): "as above: a fact is true in the statement that made it true",
    ("forms", "fact"): "as above: a fact is true in the statement that made it true",
    ("contacts", "fact"): "a file of a million contacts is taken in by one statement for each piece of it",
    ("mail", "fact"): "a click is an event in the statement that finds out that it is one",
    ("mail", "forgotten_address"): "what is kept of an address is a count of mails, which contacts may not read",
    ("broadcasts", "message"): "hundreds of thousands of people are written to in a few statements",
    ("nurture", "message"): "a thousand enrolments are planned in one statement",
    ("nurture", "fact"): "as above",
    ("authoring", "message_move"): "all that a pause held back is put off in one statement, and the story told with it",
    ("authoring", "message"): "what a version no longer sends is cancelled with the enrolments that wait for it",
    ("authoring", "enrolment"): "thousands of people are moved to a new version in one statement",
    ("authoring", "enrolment_move"): "as above: their story is told with it",
    ("authoring", "fact"): "as above: whoever leaves by it is told of in the same statement",
    ("outcomes", "enrolment"): "a guard rail moves everybody in a harmful wording to the version without it",
    ("outcomes", "message"): "as above: what waits gets the words that are left",
    ("seed", "contact"): "ten thousand made-up people in a second, for trying things out; refused in production",
    ("seed", "entry"): "as above",
    ("seed", "consent"): "as above",
    ("seed", "ledger"): "as above",
    ("seed", "points_bucket"): "as above",
}


def _owners() -> dict[str, str]:
    """The room of each table."""
    owners = {mapper.local_table.name: mapper.class_.__module__ for mapper in db.Model.registry.mappers}
    found = {str(table): module.split(".")[1] for table, module in owners.items()}
    return {table.name: found.get(table.name, "accounts") for table in db.metadata.sorted_tables}


def _floors() -> dict[str, int]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = enumerate(reversed(contracts[0]["layers"]))
    return {room.strip(" ()"): floor for floor, layer in layers for room in layer.split("|")}


def _touched(pattern: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """(room, table, place) of everything that statements of the product name."""
    owners = _owners()
    for path in modules():
        if PRODUCT not in path.parents:
            continue
        room, said = path.relative_to(PRODUCT).parts[0].removesuffix(".py"), docstrings(path)
        for text in strings(path):
            for table in pattern.findall(text.value) if text.value not in said else ():
                if table in owners:
                    yield room, table, place(path, text.lineno)


def test_no_statement_reads_upstairs_without_a_reason() -> None:
    owners, floors = _owners(), _floors()
    found = {(room, table): where for room, table, where in _touched(_READS) if floors[room] < floors[owners[table]]}
    assert {pair: where for pair, where in found.items() if pair not in _READ_UPSTAIRS} == {}
    assert set(_READ_UPSTAIRS) - set(found) == set(), "this exception is not needed any more"


def test_no_statement_writes_into_another_room_without_a_reason() -> None:
    owners = _owners()
    found = {(room, table): where for room, table, where in _touched(_WRITES) if room != owners[table]}
    assert {pair: where for pair, where in found.items() if pair not in _WRITTEN_BY_OTHERS} == {}
    assert set(_WRITTEN_BY_OTHERS) - set(found) == set(), "this exception is not needed any more"


def test_analytics_only_reads() -> None:
    assert [where for room, _, where in _touched(_WRITES) if room == "analytics"] == []
