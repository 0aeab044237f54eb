"""Whatever people, staff, jobs and time do, in any order: I01, I06–I10, I14, I33 hold; planted faults are found."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Clock
from tests.entries.machine import ContestMachine
from tests.entries.planted import FAULTS

pytestmark = pytest.mark.usefixtures("context")
_CALM = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


def _play(clock: Clock, *, examples: int, steps: int = 30) -> None:
    machine = type("Machine", (ContestMachine,), {"clock": clock})
    run_state_machine_as_test(machine, settings=settings(_CALM, max_examples=examples, stateful_step_count=steps))


def test_the_contest_keeps_its_invariants(clock: Clock) -> None:
    _play(clock, examples=30)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_machine_finds_a_planted_fault(clock: Clock, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    FAULTS[fault](monkeypatch)

    with pytest.raises((AssertionError, ExceptionGroup)) as found:
        _play(clock, examples=50)
    # Both the step and the end of the game may say so.
    assert isinstance(found.value, AssertionError) or found.group_contains(AssertionError)
