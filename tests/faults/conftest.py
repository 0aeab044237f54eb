"""The whole product as real processes, with a double of the mail provider that counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import campaign
from bench.double import Double
from bench.stack import Stack
from leadgen.simulator.loop import Loop


@pytest.fixture(scope="session")
def double() -> Iterator[Double]:
    """The mail provider."""
    loop = Loop()
    provider = Double(loop)
    yield provider
    provider.close()
    loop.close()


@pytest.fixture(scope="session")
def stack(double: Double) -> Iterator[Stack]:
    """PostgreSQL that survives a crash, Valkey, web, two workers and the scheduler."""
    with Stack(campaign.settings(double), tuned=False) as running:
        yield running


@pytest.fixture(scope="session")
def slug(stack: Stack) -> str:
    """The seeded live campaign."""
    return campaign.prepare(stack)
