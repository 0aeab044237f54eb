"""A play stays on this machine, is bounded, and says in a sentence why it cannot begin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from leadgen import cli
from leadgen.core import settings
from leadgen.embedded.processes import free_port
from leadgen.simulator import client, play
from leadgen.simulator.client import NotLoopback, source_of
from leadgen.simulator.play import NotPossible, Play


@pytest.mark.parametrize(
    "url", ["http://93.184.216.34", "https://127.0.0.1", "http://10.0.0.1:8000", "ftp://127.0.0.1", ""]
)
def test_it_visits_nothing_but_this_machine(url: str) -> None:
    with pytest.raises(NotLoopback, match=r"simulated people only visit"):
        client.loopback(url)


def test_it_visits_this_machine() -> None:
    assert client.loopback("http://127.0.0.1:8000") == ("127.0.0.1", 8000)
    assert client.loopback("http://localhost:81") == ("localhost", 81)


@pytest.mark.parametrize(("people", "rate"), [(0, 1), (2_000_000, 1), (10, 0), (10, 5000)])
def test_it_is_bounded(people: int, rate: float) -> None:
    with pytest.raises(NotPossible, match="at most 1000 a second"):
        play.play(Play("http://127.0.0.1:1", people, rate, 1))


def test_it_says_that_nothing_runs() -> None:
    with pytest.raises(NotPossible, match="start the product with `make run`"):
        play.play(Play(f"http://127.0.0.1:{free_port()}", 1, 1, 1))


def test_it_says_in_which_contest_it_plays(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named or found on the home page, before the first person comes."""
    monkeypatch.setattr(play, "_ask", lambda _target, _path, _otherwise: '<a href="/c/win-a-cruise">Win</a>')
    here = replace(settings.get(), base_url="http://127.0.0.1:8000")
    monkeypatch.setattr(settings, "get", lambda: here)

    def played(wanted: Play, _progress: object) -> None:
        raise NotPossible(f"stopped before {wanted.slug}")

    monkeypatch.setattr(play, "play", played)
    for words, slug in (([], "win-a-cruise"), (["--campaign", "other"], "other")):
        told = app.test_cli_runner().invoke(cli.simulate, words).output
        assert told.startswith(f"Playing in http://127.0.0.1:8000/c/{slug}\n")
        assert f"stopped before {slug}" in told


def test_everybody_comes_from_a_loopback_address_of_their_own() -> None:
    addresses = {source_of(number) for number in range(1, 200_000)}
    assert len(addresses) == 199_999
    assert all(address.startswith("127.") for address in addresses)
    assert "127.0.0.1" not in addresses  # which the product takes for its own machine and does not limit
