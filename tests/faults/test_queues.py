"""A queue of very many letters, and people who leave while their letters are on the way."""

from __future__ import annotations

import os

from bench.people import NoPostbox
from leadgen.mail.audit import Told
from leadgen.simulator.client import Ask, Crowd, Life, Pause, Target, source_of
from tests.faults.scene import Scene

ROWS = int(os.environ.get("FAULT_ROWS", "20000"))
PEOPLE, LEAVERS, EARLY, A_SECOND = 90, 30, 5, 30
_ANOTHER_LETTER = """
INSERT INTO message (intent, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
                     letter, step_id, locale, context, due_at, expires_at, created_at)
SELECT 'another:' || entry_id, brand_id, campaign_id, contact_id, entry_id, lane, stream_id, domain_group, purpose,
       letter, step_id, locale, context, %(now)s, %(now)s::timestamptz + interval '1 day', %(now)s
FROM message WHERE letter = 'sequence'
"""
_PACE = "INSERT INTO pace (bucket, per_second, changed_at) VALUES ('lane:nurture', %s, now())"


def test_f28_a_confirmation_overtakes_a_huge_queue(scene: Scene) -> None:
    scene.form()
    scene.provider.plan(always="slow:0.05")
    scene.want(letters=ROWS)
    scene.pump()
    scene.wait(lambda: bool(scene.provider.calls()), "the first call")
    scene.pause(scene.chance.uniform(0.0, 1.0))
    (email,) = scene.enter(1)
    entered = scene.now()
    mark = f'"to": "{email}"'
    scene.wait(lambda: mark in scene.provider.path.read_text(), "the confirmation is handed over", 60)
    left = scene.number("status = 'scheduled'")
    scene.say(
        f"handed over {(scene.now() - entered).total_seconds():.1f} s after the answer, {left:,} letters still wait"
    )
    with scene.stack.connect() as connection:
        connection.execute("UPDATE message SET status = 'cancelled', reason = 'by_hand' WHERE status = 'scheduled'")
    scene.provider.plan()
    scene.finish()


def test_f29_whoever_leaves_while_a_batch_runs_gets_nothing_that_starts_afterwards(scene: Scene) -> None:
    scene.want(letters=PEOPLE)
    scene.pump()
    scene.settle()
    links = {mail["to"]: mail["links"] for mail in scene.provider.mails()}
    assert len(links) == PEOPLE
    scene.stack.clock.forward(3 * 86400)  # nobody gets two letters in two days
    with scene.stack.connect() as connection:
        connection.execute(_PACE, [A_SECOND])  # so that the batch takes some seconds
        connection.execute("INSERT INTO lane_stop (lane, at, by) VALUES ('nurture', now(), 'the test')")
        scene.pause(1.5)  # both are known a second late
        leavers = [(email, links[email]) for email in scene.chance.sample(sorted(links), LEAVERS)]
        try:
            connection.execute(_ANOTHER_LETTER, {"now": scene.now()})
            _leave(scene, dict(leavers[:EARLY]))  # planned, and gone before anything leaves
            connection.execute("DELETE FROM lane_stop")
            scene.pump()
            _leave(scene, dict(leavers[EARLY:]))
        finally:
            connection.execute("DELETE FROM pace; DELETE FROM lane_stop")
    scene.finish()
    stopped = scene.number("intent LIKE 'another:%' AND status IN ('suppressed', 'cancelled')")
    scene.say(f"{stopped} of {LEAVERS} people who left were spared their letter")
    assert stopped >= EARLY
    assert scene.number("intent LIKE 'another:%' AND status = 'accepted'") == PEOPLE - stopped


def _leave(scene: Scene, leavers: dict[str, list[str]]) -> None:
    """Each at a random instant, by the button of their mail program or by erasing themselves."""
    crowd = Crowd(scene.loop, Target("127.0.0.1", scene.stack.port), NoPostbox())

    def visit(email: str, links: list[str], is_erasing: bool) -> Life:
        part, fields = ("/me/", [("word", "effacer")]) if is_erasing else ("/unsubscribe/", _ONE_CLICK)
        link = next(link for link in links if link.startswith(part)) + ("/erase" if is_erasing else "")
        yield Pause(scene.chance.uniform(0.0, 2.5))
        answer = yield Ask("leave", scene.wire("POST", link, fields))
        assert answer.status == 200, (link, answer.status)
        scene.journal.append(Told("erased" if is_erasing else "unsubscribed", email, scene.now()))

    for number, (email, links) in enumerate(leavers.items()):
        crowd.start(visit(email, links, number % 3 == 0), source_of(980_000 + number))
    scene.wait(lambda: not crowd.lines, "they have left")


_ONE_CLICK = [("List-Unsubscribe", "One-Click")]
