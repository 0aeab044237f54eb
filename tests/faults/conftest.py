"""The whole product as real processes, between wires that can be cut, with doubles of the mail provider that count.

`FAULTS=20` runs each case of a fault twenty times; `FAULT_SEED` replays the instants of one run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from bench import campaign
from bench.double import Double
from bench.stack import Stack
from leadgen.simulator.loop import Loop
from tests.doubles.strangers import Strangers
from tests.faults.scene import FaultyStack, Scene, seed


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case as often as is wanted."""
    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", range(1, int(os.environ.get("FAULTS", "1")) + 1))


@pytest.fixture(scope="package")
def double() -> Iterator[Double]:
    """The provider of tests that play people with mailboxes; it lives in their loop."""
    loop = Loop()
    provider = Double(loop)
    yield provider
    provider.close()
    loop.close()


@pytest.fixture(scope="package")
def faulty(double: Double) -> Iterator[FaultyStack]:
    """PostgreSQL that survives a crash, Valkey, web, two workers and the scheduler."""

    def strangers(stack: Stack) -> Strangers:
        return Strangers(stack.folder, stack.clock.path, double._key)

    with FaultyStack(strangers, campaign.settings(double)) as running:
        yield running


@pytest.fixture
def stack(faulty: FaultyStack, double: Double) -> Stack:
    """The product, whose mails go to the provider in the loop."""
    faulty.strangers.lead("provider", double.port)
    if faulty.is_worn:
        faulty.renew()
        faulty.is_worn = False
    faulty.clean()
    double.by_id.clear()
    double.by_address.clear()
    return faulty


@pytest.fixture
def quiet(faulty: FaultyStack, stack: Stack) -> Stack:
    """The product for tests that do not turn the loop: a provider in it would not answer."""
    faulty.strangers.lead("provider", faulty.strangers.ports["sendgrid"])
    return stack


@pytest.fixture(scope="package")
def slug(faulty: FaultyStack) -> str:
    """The seeded live campaign."""
    return campaign.prepare(faulty)


@pytest.fixture
def scene(faulty: FaultyStack, double: Double, slug: str, run: int) -> Scene:
    """A clean house whose mails go to the provider that misbehaves."""
    faulty.strangers.lead("provider", faulty.strangers.ports["sendgrid"])
    made = Scene(faulty, double, slug, random.Random(seed()))
    made.clean()
    faulty.is_worn = True
    return made
