"""No letter twice to anybody, whatever is edited, moved in time, killed, or told again (a property of random lives)."""

import os
from collections import Counter
from typing import Any, ClassVar

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text

from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import Lane
from leadgen.mail import delivery, outbox
from leadgen.mail import jobs as mail
from leadgen.mail.providers.interface import Answer, Batch, Result, all_of
from leadgen.nurture import inside, jobs, looking, planning, triggers
from leadgen.nurture.models import Enrolment, Sequence
from tests.conftest import Clock
from tests.factories import letter_data, make_campaign, make_entry, make_fact, make_sequence, publish

DAY = 86_400
FORM = {"on": "form_finished"}
YES = {"field": "marketing", "op": "eq", "value": True}
_keys = st.permutations(["one", "two", "three", "four"])
_waits = st.sampled_from([
    {}, {"seconds": 3_600}, {"seconds": 3 * DAY, "at": "10:00", "weekdays": [2, 4]},
    {"until": "before_end", "seconds": DAY}, {"until": "event", "event": FORM, "seconds": 2 * DAY},
])  # fmt: skip
_MOVE = text("""
UPDATE enrolment SET version = :version, step_key = :key, next_run_at = :now, status = 'active', ended_at = NULL
WHERE sequence_id = :sequence
""")
WHAT = [*["live"] * 5, *["edit"] * 2, *["move_everybody"] * 3, *["pass_time"] * 3, "plan_and_die", "claim_and_die",
        "claim_and_roll_back", *["tell"] * 2, "tell_all_again", "look"]  # fmt: skip


class _Provider:
    """Takes everything and remembers to whom which words went."""

    largest = 100
    sent: ClassVar[Counter[tuple[str, str]]] = Counter()

    def send(self, batch: Batch) -> Answer:
        self.sent.update((parcel.to, batch.letter.subject) for parcel in batch.parcels)
        return Answer(all_of(batch.parcels, Result.ACCEPTED))


def _letter(key: str, wait: dict[str, Any]) -> dict[str, Any]:
    """The words of each key are its own, and stay."""
    letter = letter_data(1, key=key, wait=wait)
    texts = {code: words | {"subject": f"{key} {code}"} for code, words in letter["variants"][0]["texts"].items()}
    return letter | {"variants": [{"key": "a", "texts": texts}]}


class Lives(RuleBasedStateMachine):
    """A campaign with four people and one sequence, to which anything may happen in any order."""

    clock: Clock

    @initialize()
    def begin(self) -> None:
        _Provider.sent.clear()
        self.campaign = make_campaign()
        definition = {"again": "never", "steps": [_letter("one", {}), _letter("two", {"seconds": DAY})]}
        self.sequence = make_sequence(self.campaign, definition=definition)
        self.entries = [make_entry(self.campaign, confirmed=True, marketing=True) for _ in range(4)]
        self.facts = [make_fact(entry, FactName.ENTRY_CONFIRMED) for entry in self.entries]
        self._hear(self.facts)

    def _hear(self, facts: list[Fact]) -> None:
        inside.hear(facts)
        triggers.hear(facts)
        db.session.commit()

    @rule(data=st.data())
    def anything(self, data: st.DataObject) -> None:
        """One rule for all, since Hypothesis leaves whole rules out of a life, and these need each other."""
        getattr(self, data.draw(st.sampled_from(WHAT), label="what"))(data)

    def edit(self, data: st.DataObject) -> None:
        size, waits = data.draw(st.integers(1, 4)), data.draw(st.lists(_waits, min_size=4, max_size=4))
        letters = [_letter(key, wait) for key, wait in zip(data.draw(_keys)[:size], waits, strict=False)]
        steps: list[dict[str, Any]] = letters
        if data.draw(st.booleans()):
            steps = [{"kind": "branch", "key": "fork", "when": YES, "yes": letters[:1], "no": []}, *letters[1:]]
        sequence = db.session.get_one(Sequence, self.sequence.id)
        publish(sequence, {"trigger": {"on": "confirmed"}, "steps": steps})

    def move_everybody(self, data: st.DataObject) -> None:
        """To the newest version, in front of one of its steps; whoever has finished too."""
        sequence = db.session.get_one(Sequence, self.sequence.id)
        key = data.draw(st.sampled_from([step["key"] for step in sequence.draft["steps"]]))
        values = {"key": key, "now": product_clock.now(), "sequence": sequence.id, "version": sequence.version}
        db.session.execute(_MOVE, values)
        db.session.commit()

    def pass_time(self, data: st.DataObject) -> None:
        self.clock.forward(hours=data.draw(st.sampled_from([1, 9, 49, -1, -30])))

    def live(self, _data: st.DataObject) -> None:
        jobs.plan()
        mail.pump_mail()

    def plan_and_die(self, _data: st.DataObject) -> None:
        planning.plan_batch(2)
        db.session.rollback()

    def claim_and_die(self, _data: st.DataObject) -> None:
        outbox.claim(Lane.NURTURE, 2)
        db.session.commit()

    def claim_and_roll_back(self, _data: st.DataObject) -> None:
        outbox.claim(Lane.NURTURE, 2)
        db.session.rollback()

    def tell(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([FactName.FORM_FINISHED, FactName.ENTRY_CONFIRMED]))
        self.facts.append(make_fact(self.entries[data.draw(st.integers(0, 3))], name))
        self._hear(self.facts[-1:])

    def tell_all_again(self, _data: st.DataObject) -> None:
        self._hear(self.facts)

    def look(self, _data: st.DataObject) -> None:
        looking.look()

    @invariant()
    def no_letter_twice(self) -> None:
        assert not _Provider.sent or max(_Provider.sent.values()) == 1
        planned = text("SELECT enrolment_id, split_part(intent, ':', 3) FROM message WHERE lane = 'nurture'")
        assert all(times == 1 for times in Counter(db.session.execute(planned).all()).values())

    @invariant()
    def nobody_twice_inside(self) -> None:
        inside_now = db.session.scalars(select(Enrolment.entry_id).filter_by(sequence_id=self.sequence.id)).all()
        assert len(inside_now) == len(set(inside_now))
        db.session.rollback()


@pytest.mark.usefixtures("context")
def test_no_letter_twice(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "provider", _Provider)
    monkeypatch.setattr(mail, "_GATHER_SECONDS", 0.0)
    Lives.clock = clock
    few = settings(
        max_examples=int(os.environ.get("LIVES", "5")),
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(Lives, settings=few)
    assert db.session.scalar(text("SELECT count(*) FROM message")), "something was planned at all"
