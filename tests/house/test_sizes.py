"""Sizes that a reader can hold in mind, from what the best houses of this field keep."""

import ast
from collections import Counter
from pathlib import Path

from tests.house.source import PRODUCT, Function, functions, lines_of, modules, place

FUNCTION = 40
FILE = 400
VIEW = 25
POSITIONAL = 5
# Lines of Python in one room; each door is one, and so are the mail providers.
# The plan said 1,000 before the SQL of the hot paths, the sentences that
# people read and the docstrings were written. A room that differs has its reason here.
ROOM = 1_500
ROOMS_OF_THEIR_OWN_SIZE: dict[str, tuple[int, str]] = {
    "contacts": (
        1_650,
        "people, the chain over their evidence, and a file of a million of them: reading it and taking it in",
    ),
    "analytics": (
        1_900,
        "counts of six subjects, and the lists behind them by the same conditions; a third is SQL",
    ),
    "forms": (
        2_300,
        "one document read by everything here: its way, faults, versions, filling and queue, each a file of its own",
    ),
    "fraud": (
        3_600,
        "what is seen, forty signals by layer, a sentence for each, bands and the desk: a file for each of these",
    ),
    "entries": (
        4_400,
        "entry, double opt-in, referral states, ledger and rank would import each other if apart; a third is SQL",
    ),
    "campaigns": (
        3_500,
        "the whole of a campaign is edited here: eleven kinds of things that its rules must tell in two languages",
    ),
    "web/public": (
        4_250,
        "two dozen pages without a session: each proves by its own link who asks, keeps what was typed; and samples",
    ),
    "scores": (
        2_000,
        "rules, what they read, what they mean, ledger, rounds, reasons and preview: each a file that stands alone",
    ),
    "segments": (
        2_200,
        "three dozen fields with all their words, and what each way to compare them is in SQL and in a sentence",
    ),
    "web/admin": (
        11_400,
        "pages of a campaign, its form, review, segments, scores, broadcasts, sequences, results, sending; words apart",
    ),
    "rewards": (
        2_250,
        "awards, vault, loading, desk, addresses and claims stand or fall together: each moves the stock of the others",
    ),
    "nurture": (
        3_350,
        "one document and its course: clock, walking, tick, triggers, exits and judging, and the story of each person",
    ),
    "authoring": (
        2_600,
        "what is wrong with a draft, what a version does to people, pauses, and YAML: a file for each of these",
    ),
    "core": (
        2_150,
        "the ground under all rooms: names, notes, conditions, buckets, queue, clock and the like, each alone",
    ),
    "mail": (
        4_800,
        "the outbox with its gates in SQL, pace, receipts, clicks, the audit of all, and the story of each mail",
    ),
}


def _rooms() -> Counter[str]:
    sizes: Counter[str] = Counter()
    for path in PRODUCT.rglob("*.py"):
        inside = path.relative_to(PRODUCT).parts
        deep = 2 if (inside[0] == "web" or inside[:2] == ("mail", "providers")) and len(inside) > 2 else 1
        sizes["/".join(inside[:deep]) if len(inside) > 1 else "top"] += len(path.read_text().splitlines())
    return sizes


def _is_view(function: Function) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == "guarded_by"
        for decorator in function.decorator_list
        for part in ast.walk(decorator)
    )


def _positional(function: Function) -> int:
    named = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len([name for name in named if name not in {"self", "cls"}])


def _longer(path: Path, limit: int, *, views: bool = False) -> list[str]:
    return [
        f"{place(path, function.lineno)} {function.name}: {lines_of(function)} lines, at most {limit}"
        for function in functions(path)
        if lines_of(function) > limit and (not views or _is_view(function))
    ]


def test_functions_are_short() -> None:
    assert [line for path in modules() for line in _longer(path, FUNCTION)] == []


def test_most_functions_are_shorter_still() -> None:
    """25 lines as a rule: nine functions of ten."""
    sizes = sorted(lines_of(function) for path in modules() for function in functions(path))
    assert sizes[len(sizes) * 9 // 10] <= 25


def test_views_parse_call_and_answer() -> None:
    assert [line for path in modules() for line in _longer(path, VIEW, views=True)] == []


def test_files_are_short() -> None:
    sizes = {place(path): len(path.read_text().splitlines()) for path in modules()}
    assert {name: size for name, size in sizes.items() if size > FILE} == {}


def test_rooms_are_small() -> None:
    limits = {room: limit for room, (limit, _reason) in ROOMS_OF_THEIR_OWN_SIZE.items()}
    assert {room: size for room, size in _rooms().items() if size > limits.get(room, ROOM)} == {}


def test_few_arguments_by_position() -> None:
    many = [
        f"{place(path, function.lineno)} {function.name}: {_positional(function)}"
        for path in modules()
        for function in functions(path)
        if _positional(function) > POSITIONAL
    ]
    assert many == []
