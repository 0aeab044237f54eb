"""Notes: every process reads them, for a while; without Redis each goes on by itself."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from leadgen.core import notes
from leadgen.core import settings as product_settings
from leadgen.core.settings import Settings


@pytest.fixture(autouse=True)
def _forget(app: Flask) -> Iterator[None]:
    notes.forget()
    yield
    notes.forget()


def test_a_note_is_read_by_all_while_it_holds() -> None:
    notes.leave("test", "be quiet", 2)
    notes.forget()  # another process has no memory of it
    found = notes.read("test")
    assert found is not None
    assert found.text == "be quiet"
    assert 0 < found.seconds <= 2
    time.sleep(found.seconds)
    assert notes.read("test") is None


def test_the_last_word_counts() -> None:
    notes.leave("test", "first", 60)
    notes.leave("test", "second", 5)
    found = notes.read("test")
    assert found is not None
    assert (found.text, round(found.seconds)) == ("second", 5)


def test_without_redis_a_process_keeps_its_own_notes(settings: Settings) -> None:
    product_settings.use(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    started = time.monotonic()
    notes.leave("test", "be quiet", 60)
    found = notes.read("test")
    product_settings.use(settings)
    assert found is not None
    assert found.text == "be quiet"
    assert time.monotonic() - started < 5


def test_a_process_remembers_a_bounded_number_of_notes() -> None:
    """A note for each of a million domains must not fill the memory."""
    for number in range(1_100):
        notes._memory[f"test-{number}"] = (0.0, "")
    notes.leave("test", "the newest", 60)
    assert len(notes._memory) == 1_000
    assert "test" in notes._memory
