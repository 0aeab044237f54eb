"""The mail provider loses answers, refuses, limits, dawdles, and tells its events in any order."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import pytest

from tests.doubles.strangers import events_of
from tests.faults.scene import Scene

MAILS = 60  # of each kind


def _trouble(scene: Scene, word: str) -> set[str]:
    """Mails are due, and the provider behaves like this for two calls; the addresses whose mails are unknown then."""
    scene.provider.plan(next=[word, word])
    scene.want(confirmations=MAILS, letters=MAILS)
    scene.pump()
    scene.wait(lambda: len(scene.provider.calls()) >= 2, "two calls")
    scene.wait(lambda: scene.number("status = 'sending'") == 0, "both are over")
    with scene.stack.connect() as connection:
        unknown = connection.execute(
            "SELECT c.email FROM message m JOIN contact c ON c.id = m.contact_id WHERE m.status = 'uncertain'"
        ).fetchall()
    assert unknown
    return {str(row[0]) for row in unknown}


def test_f14_answers_are_lost_and_events_tell_of_a_random_half(scene: Scene) -> None:
    unknown = _trouble(scene, "drop_after")
    mails = {mail["to"]: mail for mail in scene.provider.mails()}
    assert unknown <= set(mails)  # the provider has them
    told = set(scene.chance.sample(sorted(unknown), len(unknown) // 2))
    assert scene.tell(events_of([mails[email] for email in sorted(told)], ["processed"], 0)) == 204
    scene.finish()

    silent = unknown - told
    again = {email for email in silent if "confirm" in email}
    times = Counter(mail["to"] for mail in scene.provider.mails())
    assert {email for email, number in times.items() if number == 2} == again
    assert len(times) == 2 * MAILS
    assert scene.number("status = 'failed' AND reason = 'no_answer'") == len(silent - again)
    assert scene.number("status = 'accepted'") == 2 * MAILS - len(silent - again)


def test_f15_the_provider_says_how_long_to_wait(scene: Scene) -> None:
    scene.provider.plan(next=["429:4"])
    scene.want(confirmations=MAILS, letters=MAILS)
    scene.pump()
    scene.wait(lambda: bool(scene.provider.calls()), "the first call")
    for _ in range(4):
        scene.pump()
        scene.pause(0.4)
    first, *others = scene.provider.calls()
    # The other worker may have been on its way already.
    early = [call for call in others if call.at < first.at + 3.5]
    scene.say(f"{len(early)} calls within the reset window")
    assert len(early) <= 1
    scene.finish()
    assert set(scene.provider.taken().values()) == {1}
    assert scene.number("status = 'accepted' AND attempts = 1") == 2 * MAILS


def test_f16_the_provider_breaks_down_in_the_middle(scene: Scene) -> None:
    unknown = _trouble(scene, "500")
    scene.finish()
    parked = {email for email in unknown if "letter" in email}
    assert set(scene.provider.taken().values()) == {1}
    assert {mail["to"] for mail in scene.provider.mails()}.isdisjoint(parked)
    assert scene.number("status = 'failed' AND reason = 'no_answer'") == len(parked)
    assert scene.number("status = 'accepted'") == 2 * MAILS - len(parked)


@pytest.mark.parametrize(("status", "said"), [("503", "provider_away"), ("401", "sender_refused")])
def test_f16_the_provider_is_away_or_refuses_the_key(scene: Scene, status: str, said: str) -> None:
    scene.provider.plan(always=status)
    scene.want(confirmations=MAILS, letters=MAILS)
    scene.pump()
    scene.wait(lambda: bool(scene.provider.calls()), "the first call")
    scene.wait(lambda: json.loads(scene.ask("GET", "/readyz").body)["mail"] == said, f"/readyz says {said}")
    scene.pause(1.0)
    assert len(scene.provider.calls()) <= 4
    scene.provider.plan()
    scene.stack.clock.forward(61)
    scene.redis().delete("leadgen:note:mail-provider")  # its minute is over too
    scene.finish()
    assert set(scene.provider.taken().values()) == {1}
    assert scene.number("status = 'accepted'") == 2 * MAILS


def test_f16_a_call_is_too_large_and_one_address_is_bad(scene: Scene) -> None:
    bad = {f"{scene.tag}confirm7@mail.example", f"{scene.tag}letter11@mail.example"}
    scene.provider.plan(largest=25, bad=list(bad))
    scene.want(confirmations=MAILS, letters=MAILS)
    scene.pump()
    scene.finish()
    assert {mail["to"] for mail in scene.provider.mails()}.isdisjoint(bad)
    assert set(scene.provider.taken().values()) == {1}
    assert scene.number("status = 'accepted'") == 2 * MAILS - 2
    assert scene.number("status = 'failed'") == 2


def test_f17_letters_get_slow_answers_and_confirmations_go_on(scene: Scene) -> None:
    scene.form()
    scene.provider.plan(marketing=scene.chance.choice(["slow:30", "drip", "hole"]))
    scene.want(letters=1100)  # two calls: both workers wait
    scene.pump()
    scene.wait(lambda: any(call.is_marketing for call in scene.provider.calls()), "a slow call")
    emails = scene.enter(5)
    told = {one.email: one.at for one in scene.journal}
    scene.wait(lambda: set(emails) <= {mail["to"] for mail in scene.provider.mails()}, "the confirmations", 60)
    waits = sorted(
        (datetime.fromisoformat(mail["at"]) - told[mail["to"]]).total_seconds()
        for mail in scene.provider.mails()
        if mail["to"] in told
    )
    scene.say(f"confirmations handed over after {waits[len(waits) // 2]:.1f} s, the last after {waits[-1]:.1f} s")
    scene.provider.plan()
    scene.finish()
    assert max(scene.provider.taken().values()) == 1


def test_f21_events_come_twice_shuffled_and_forged(scene: Scene) -> None:
    scene.want(letters=MAILS)
    scene.pump()
    scene.settle()
    mails = scene.provider.mails()
    scene.chance.shuffle(mails)
    bounced, complained, quiet = mails[:10], mails[10:20], mails[50:]
    events = events_of(mails[:50], ["processed", "delivered"], 0)
    events += events_of(bounced, ["bounce"], 0) + events_of(complained, ["spamreport"], 0)
    events *= 3
    scene.chance.shuffle(events)
    while events:
        size = scene.chance.randint(1, 40)
        assert scene.tell(events[:size]) == 204
        del events[:size]
    assert scene.tell(events_of(quiet, ["bounce", "spamreport"], 0), forged=True) == 403
    scene.finish()

    assert scene.number("status = 'bounced' AND reason = 'hard'") == 10
    assert scene.number("status = 'delivered'") == 40
    assert scene.number("status = 'accepted'") == 10
    assert scene.value("SELECT count(*) FROM suppression WHERE reason = 'complaint'") == 10
    assert scene.value("SELECT count(*) FROM suppression") == 20
    assert scene.value("SELECT count(*) FROM provider_event") == 120
