"""What happens to mails and entries when processes of the product are killed, or asked to end, at a random instant."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from tests.faults.scene import Scene

MAILS = 250  # of each kind: three calls of confirmations, one of letters


def _in_flight(scene: Scene) -> None:
    """Workers in the middle of batches: each call takes a moment to be answered."""
    scene.provider.plan(always="slow:0.2")
    scene.want(confirmations=MAILS, letters=MAILS)
    scene.pump()
    scene.wait(lambda: bool(scene.provider.calls()), "the provider is called")
    scene.pause(scene.chance.uniform(0.0, 0.7))


def _all_handed_over(scene: Scene) -> None:
    scene.provider.plan()
    scene.finish()
    assert scene.number("letter = 'confirm' AND status = 'accepted'") == MAILS
    # What was in flight and got no answer is parked for people to see; nothing else may fail.
    assert scene.number("letter = 'sequence' AND status = 'failed' AND reason <> 'no_answer'") == 0
    assert scene.number("letter = 'sequence' AND status IN ('accepted', 'failed')") == MAILS


def test_f1_workers_and_their_children_are_killed_in_the_middle_of_a_batch(scene: Scene) -> None:
    _in_flight(scene)
    for number in (1, 2):
        scene.stack.kill(f"worker {number}")
    scene.lose_leases()
    for number in (1, 2):
        scene.stack.start_worker(number)
    _all_handed_over(scene)


def test_f2_only_the_child_or_only_the_parent_is_killed(scene: Scene) -> None:
    _in_flight(scene)
    scene.stack.kill_work_horses("worker 1")
    scene.pause(scene.chance.uniform(0.0, 0.5))
    with contextlib.suppress(ProcessLookupError):
        os.kill(scene.stack.parts["worker 2"].pid, signal.SIGKILL)
    _all_handed_over(scene)


def test_f3_asked_to_end_a_worker_finishes_its_call_and_leaves_nothing_claimed(scene: Scene) -> None:
    _in_flight(scene)
    workers = {number: scene.stack.parts[f"worker {number}"] for number in (1, 2)}
    began = time.monotonic()
    for worker in workers.values():
        worker.terminate()
    for number in workers:
        scene.stack.stop(f"worker {number}", grace=30)
    seconds = time.monotonic() - began
    assert [worker.returncode for worker in workers.values()] == [0, 0]
    assert scene.number("status IN ('sending', 'uncertain')") == 0
    assert seconds < 30
    scene.say(f"both workers ended after {seconds:.1f} s")
    for number in workers:
        scene.stack.start_worker(number)
    _all_handed_over(scene)
    assert set(scene.provider.taken().values()) == {1}


def test_f4_f5_the_web_is_killed_before_and_after_commits_and_forms_are_sent_again(scene: Scene) -> None:
    def kill() -> None:
        scene.stack.kill("web")
        scene.stack.start_web()

    emails = scene.enter(60, meanwhile=[(scene.chance.uniform(0.02, 0.6), kill)])
    scene.finish()
    assert scene.value("SELECT count(*) FROM entry") == len(emails)
    assert sorted(mail["to"] for mail in scene.provider.mails()) == sorted(emails)
