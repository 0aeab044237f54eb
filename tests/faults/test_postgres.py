"""PostgreSQL is the record: while it is away nothing is promised, what was promised before is there afterwards."""

from __future__ import annotations

import signal
from collections import Counter

import psycopg

from bench.people import NoPostbox
from leadgen.simulator.client import Answer, Ask, Crowd, Life, Target, source_of
from tests.faults.scene import Scene

_ISOLATION = "ALTER DATABASE leadgen {} default_transaction_isolation"
_RECONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
# What PostgreSQL says of a full disk, said by a trigger: a disk cannot be filled without rights that a suite has not.
_FULL = """
CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_full BEFORE INSERT ON contact EXECUTE FUNCTION disk_full();
CREATE TRIGGER disk_full BEFORE INSERT ON provider_event EXECUTE FUNCTION disk_full()
"""
_ROOM = "DROP FUNCTION disk_full CASCADE"


def _apologises(scene: Scene) -> None:
    """The entry is not taken, the page says when to try again and keeps what was typed."""
    action, hidden = scene.form()
    answer = scene.ask("POST", action, scene.filled(hidden, "typed.by.hand@mail.example"))
    assert answer.status == 503
    assert int(answer.header(b"retry-after")) > 0
    assert b"typed.by.hand@mail.example" in answer.body


def test_f10_the_database_is_stopped_and_started(scene: Scene) -> None:
    before = scene.enter(10)
    scene.stack.stop_postgres()
    try:
        _apologises(scene)
        assert scene.ask("GET", "/readyz").status == 503
        assert scene.ask("GET", "/healthz").status == 200
        scene.pause(scene.chance.uniform(0.0, 1.0))
    finally:
        scene.stack.start_postgres()
    after = scene.enter(10)
    scene.finish()
    assert scene.value("SELECT count(*) FROM entry") == len(before) + len(after)


def test_f11_the_database_breaks_down_while_people_enter(scene: Scene) -> None:
    def break_down() -> None:
        scene.stack.stop_postgres(signal.SIGQUIT)
        scene.stack.start_postgres()

    instants = [(scene.chance.uniform(0.02, 0.6), break_down) for _ in range(2)]
    emails = scene.enter(60, meanwhile=instants)
    scene.finish()
    assert scene.value("SELECT count(*) FROM entry") == len(emails)
    # A second copy only where a process died between the provider's answer and its note of it: I03, audited above.
    copies = Counter(mail["to"] for mail in scene.provider.mails())
    assert copies.keys() == set(emails)
    assert sum(copies.values()) <= len(emails) + scene.number("jsonb_exists(context, 'again')")


def test_f12_the_loser_of_a_deadlock_is_tried_again(scene: Scene) -> None:
    (email,) = scene.enter(1)
    scene.finish()
    (link,) = [link for link in scene.provider.mails()[0]["links"] if link.startswith("/confirm/")]
    answers: list[Answer] = []

    def visit() -> Life:
        answers.append((yield Ask("confirm", scene.wire("POST", link))))

    crowd = Crowd(scene.loop, Target("127.0.0.1", scene.stack.port), NoPostbox())
    with psycopg.connect(scene.stack.postgres.url) as rival:
        rival.execute("SET deadlock_timeout = '60s'")  # the product notices first, and is the loser
        rival.execute("SELECT FROM contact WHERE email = %s FOR UPDATE", [email])
        crowd.start(visit(), source_of(990_001))
        scene.wait(lambda: scene.value(_WAITING) > 0, "the confirmation waits for our lock")
        rival.execute("SELECT FROM entry FOR UPDATE")
    scene.wait(lambda: bool(answers), "the confirmation is answered")
    assert answers[0].status == 303
    assert scene.value("SELECT count(*) FROM entry WHERE status = 'confirmed'") == 1
    assert scene.value("SELECT deadlocks FROM pg_stat_database WHERE datname = 'leadgen'") > 0
    scene.finish()


def test_f12_every_transaction_is_serializable(scene: Scene) -> None:
    scene.form()
    with scene.stack.connect() as connection:
        connection.execute(_ISOLATION.format("SET") + " = 'serializable'")
        connection.execute(_RECONNECT)
        try:
            emails = scene.enter(40)
            scene.finish()
        finally:
            connection.execute(_ISOLATION.format("RESET"))
            connection.execute(_RECONNECT)
    assert scene.value("SELECT count(*) FROM entry") == len(emails)


def test_f13_the_disk_is_full(scene: Scene) -> None:
    before = scene.enter(5)
    scene.settle()
    with scene.stack.connect() as connection:
        connection.execute(_FULL)
        try:
            _apologises(scene)
            assert scene.tell([{"event": "processed", "sg_event_id": "1", "m": "none"}]) == 503
            assert scene.ask("GET", f"/c/{scene.slug}").status == 200
            assert scene.ask("GET", "/readyz").status == 200
        finally:
            connection.execute(_ROOM)
    after = scene.enter(5)
    scene.finish()
    assert scene.value("SELECT count(*) FROM entry") == len(before) + len(after)
