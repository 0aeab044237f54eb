"""Rate limits: shared, exact at their edge, and never the reason why nobody can enter."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from leadgen.core import limits
from leadgen.core import settings as current
from leadgen.core.settings import Settings


@pytest.fixture(autouse=True)
def _healthy(app: object, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(limits, "_broken_until", 0.0)
    yield
    current.use(settings)


def test_the_limit_is_exact_and_for_each_by_themselves() -> None:
    assert [limits.allow("3 per minute", "anna") for _ in range(4)] == [True, True, True, False]
    assert limits.allow("3 per minute", "ben")


def test_without_redis_the_count_goes_on_in_this_process(settings: Settings) -> None:
    current.use(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))

    assert [limits.allow("2 per minute", "without redis") for _ in range(3)] == [True, True, False]


def test_a_newcomer_is_counted_here_first_and_everywhere_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_newcomers", {})
    asked: list[bool] = []
    real = limits.allow
    monkeypatch.setattr(limits, "allow", lambda *who: asked.append(True) or real(*who))

    answers = [limits.allow_newcomer("3 per minute", "crowd") for _ in range(limits.NEWCOMER_DEEDS + 4)]

    assert answers == [True] * (limits.NEWCOMER_DEEDS + 3) + [False]
    assert len(asked) == 4
