"""Facts, counters and jobs are known by name: every name that is used exists, every one that exists is used."""

import ast
import importlib
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from leadgen import reactions, schedule, worker
from leadgen.core import queue
from leadgen.core.queue import BELL_QUEUES, Bell, QueueName
from leadgen.core.settings import Settings
from leadgen.journal.vocabulary import CounterName, FactName
from tests.house.source import docstrings, modules, place, strings, tree

_DOTTED = re.compile(r"leadgen(\.[a-z_]+){2,}")
_FACT = re.compile(r"'([a-z]+\.[a-z_]+)'")
_IN_SQL = re.compile(r"\bINSERT INTO fact\b", re.IGNORECASE)


def _members_used(enum: type[StrEnum]) -> Iterator[tuple[Path, int, str]]:
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == enum.__name__:
                yield path, node.lineno, node.attr


def _facts_in_sql() -> Iterator[tuple[Path, int, str]]:
    for path in modules():
        for text in strings(path):
            if _IN_SQL.search(text.value):
                yield from ((path, text.lineno, name) for name in _FACT.findall(text.value))


def _recorded(enum: type[StrEnum], *, elsewhere: set[str]) -> set[str]:
    used = {name for path, _, name in _members_used(enum) if place(path) not in elsewhere}
    return {enum[name].value for name in used if name in enum.__members__}


def test_every_fact_that_is_written_is_in_the_vocabulary() -> None:
    known = {fact.value for fact in FactName}
    assert [f"{place(path, line)} {name}" for path, line, name in _facts_in_sql() if name not in known] == []
    assert [
        f"{place(path, line)} {name}"
        for enum in (FactName, CounterName)
        for path, line, name in _members_used(enum)
        if name not in enum.__members__
    ] == []


def test_every_fact_of_the_vocabulary_happens_somewhere() -> None:
    """A word that nobody writes makes a reaction wait for ever."""
    written = _recorded(FactName, elsewhere={"leadgen/reactions.py"}) | {name for _, _, name in _facts_in_sql()}
    assert {fact.value for fact in FactName} - written == set()


def test_every_counter_is_counted_somewhere() -> None:
    assert {name.value for name in CounterName} - _recorded(CounterName, elsewhere=set()) == set()


def test_facts_are_named_subject_verb_ed() -> None:
    assert [fact for fact in FactName if not re.fullmatch(r"[a-z]+\.(?:[a-z]+(?:ed|en|wn)|held)", fact.value)] == []


def test_every_reaction_names_a_fact_and_can_be_called() -> None:
    assert set(reactions.REACTIONS) <= set(FactName)
    assert all(callable(react) for told in reactions.REACTIONS.values() for react in told)


def _resolve(dotted: str) -> Callable[..., Any]:
    module, name = dotted.rsplit(".", 1)
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def test_every_bell_has_a_queue_and_resolves() -> None:
    assert set(BELL_QUEUES) == set(Bell)
    assert [bell for bell in Bell if not callable(_resolve(bell.value))] == []


def test_every_scheduled_job_resolves() -> None:
    jobs = {job for _, job, _ in schedule.SCHEDULE}
    assert [job for job in jobs if not callable(_resolve(job))] == []
    assert {bell.value for bell in Bell} <= jobs, "a bell that nobody rings again is lost with Redis"


def test_every_job_string_in_the_source_resolves() -> None:
    """Services name jobs by dotted string, so that they need not import them; a string is not checked by Python."""
    for path in modules():
        said = docstrings(path)
        for text in strings(path):
            if _DOTTED.fullmatch(text.value) and text.value not in said:
                assert _resolve(text.value), f"{place(path, text.lineno)}: {text.value}"


def test_every_queue_has_a_worker(settings: Settings, monkeypatch: Any) -> None:
    """The worker that production starts listens to all queues, most urgent first."""
    heard: list[str] = []

    class Listener:
        def __init__(self, _app: Any, queues: list[Any], **_: Any) -> None:
            heard.extend(queue.name for queue in queues)

        def work(self, **_: Any) -> None:
            pass

    monkeypatch.setattr(worker, "AppWorker", Listener)
    monkeypatch.setattr(worker, "create_app", lambda: None)
    queue.settings.use(settings)
    worker.run()
    assert heard == [name.value for name in QueueName]
    used = {name for _, _, name in schedule.SCHEDULE} | set(BELL_QUEUES.values())
    assert set(QueueName) == used, "a queue that no job uses"


def test_no_two_locks_share_a_number() -> None:
    """Advisory locks are known by number alone; two that share one wait for each other without a reason."""
    numbers: dict[int, str] = {}
    for path in modules():
        for node in tree(path).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
                if name.endswith("LOCK") and isinstance(node.value.value, int):
                    assert node.value.value not in numbers, f"{place(path)} and {numbers[node.value.value]}"
                    numbers[node.value.value] = place(path)
    assert numbers
