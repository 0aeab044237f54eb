"""The commands that people type: seed, user, clock."""

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result
from flask import Flask

from leadgen import cli
from leadgen.accounts import service as accounts
from leadgen.campaigns import cards
from leadgen.contacts import evidence
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.settings import Settings
from tests.factories import make_brand, make_consent, make_contact, make_seal

# `make run` with its data in another folder.
_RUN_ELSEWHERE = """
import pathlib, sys
from leadgen import cli
cli.ROOT = pathlib.Path(sys.argv[1])
cli.start(["run", "--port", sys.argv[2]])
"""


def _run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(getattr(cli, words[0]), list(words[1:]))


@pytest.mark.parametrize(("word", "seconds"), [("3d", 259_200), ("12h", 43_200), ("90m", 5_400), ("30s", 30)])
def test_the_clock_goes_forward(app: Flask, word: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "CLOCK_PATIENCE", 0)
    assert _run(app, "clock", "forward", word, "--at-once").exit_code == 0
    assert abs((product_clock.now() - datetime.now(UTC)).total_seconds() - seconds) < 1

    assert _run(app, "clock", "forward", word, "--at-once").exit_code == 0
    assert abs((product_clock.now() - datetime.now(UTC)).total_seconds() - 2 * seconds) < 1

    assert "ahead of the real time" in _run(app, "clock", "show").output
    assert _run(app, "clock", "reset").exit_code == 0
    assert abs(product_clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_time_passes_in_steps_and_the_scheduler_strikes_at_each(
    app: Flask, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A jump over a whole night and day would let letters expire that quiet hours hold."""
    monkeypatch.setattr(cli, "CLOCK_PATIENCE", 0)
    steps: list[timedelta] = []
    monkeypatch.setattr(product_clock, "move", lambda shift: steps.append(shift) or sum(steps, timedelta(0)))

    assert _run(app, "clock", "forward", "14h").exit_code == 0

    assert steps == [timedelta(hours=6), timedelta(hours=6), timedelta(hours=2), timedelta(0)]
    assert redis_client.llen("rq:queue:events") > 0


@pytest.mark.parametrize("word", ["3", "d", "3w", "tomorrow", "1.5h"])
def test_a_distance_that_nobody_understands(app: Flask, word: str) -> None:
    refused = _run(app, "clock", "forward", word)

    assert refused.exit_code == 1
    assert "such as 3d" in refused.output


def test_in_production_the_clock_stays(app: Flask, settings: Settings) -> None:
    """Production refuses CLOCK_FILE, and without it nothing moves."""
    product_clock.use_shift_file(None)
    try:
        refused = CliRunner().invoke(cli.clock, ["forward", "3d"])
    finally:
        product_clock.use_shift_file(settings.clock_file)

    assert refused.exit_code == 1
    assert "cannot be moved" in refused.output


def test_seeding_says_where_the_contest_is_and_does_it_once(app: Flask) -> None:
    first, second = _run(app, "seed"), _run(app, "seed")

    assert "/c/escales-reunion" in first.output
    assert "already" in second.output
    assert cards.by_slug("escales-reunion").is_open()


def test_a_user_is_made_and_the_password_shown_once(app: Flask) -> None:
    _run(app, "seed")
    made = _run(app, "user", "create", "Ada@staff.example", "--name", "Ada", "--brand", "escales")
    again = _run(app, "user", "create", "ada@staff.example")

    assert made.exit_code == 0
    with app.app_context():
        user = accounts.authenticate("ada@staff.example", made.output.split()[-1])
        assert user is not None
        assert len(accounts.brands_of(user)) == 1
    assert again.exit_code == 1
    assert "already" in again.output


def test_a_user_may_be_for_the_counter_alone(app: Flask) -> None:
    _run(app, "seed")
    made = _run(app, "user", "create", "till@staff.example", "--counter")

    assert made.exit_code == 0
    with app.app_context():
        user = accounts.authenticate("till@staff.example", made.output.split()[-1])
        assert user is not None
        assert not accounts.member_brand_ids(user)
        assert len(accounts.redeemed_brand_ids(user)) == 1


def test_a_user_for_a_brand_that_does_not_exist(app: Flask) -> None:
    refused = _run(app, "user", "create", "ada@staff.example", "--brand", "nobody")

    assert refused.exit_code == 1
    assert "no brand “nobody”" in refused.output


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", _RUN_ELSEWHERE, str(tmp_path), port]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cli.ROOT)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: Port {port} is in use")
    assert "Traceback" not in ended.stderr


def test_the_chain_of_evidence_is_verified_with_its_head(app: Flask) -> None:
    with app.app_context():
        contact = make_contact(make_brand(slug="cap-sud"))
        make_consent(contact)
        evidence.seal()
        db.session.commit()
        head = evidence.verify(contact.brand_id).head.hex()
        make_consent(contact)

    told = _run(app, "consent", "verify")

    assert told.exit_code == 0
    assert told.output == f"cap-sud: 1 acts, head {head}, 1 not sealed yet\n"


def test_a_broken_chain_ends_the_command_with_its_place(app: Flask) -> None:
    with app.app_context():
        make_seal(make_consent(make_contact(make_brand(slug="cap-sud"))))

    told = _run(app, "consent", "verify")

    assert told.exit_code == 1
    assert "cap-sud: broken at position 1, consent 1: " in told.output
