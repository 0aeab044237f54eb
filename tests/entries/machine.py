"""The machine of the contest: real verbs on PostgreSQL in any order and repetition, held against the oracle."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from sqlalchemy import text

from leadgen.campaigns import cards
from leadgen.campaigns.models import CampaignStatus
from leadgen.contacts import service as contacts
from leadgen.contacts.models import SuppressionReason
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.core.errors import Conflict
from leadgen.entries import confirming, credits, entering, lately, person, places, points, referrals, upkeep, waiting
from leadgen.entries.models import LedgerKind, ReferralReason, Review
from leadgen.journal.models import Fact
from leadgen.rewards import vault
from tests.conftest import Clock
from tests.entries.conftest import filled, rows
from tests.entries.oracle import Contest, Mailbox, Person
from tests.factories import in_one_go, make_campaign, make_entry
from tests.factories_contest import make_coupon, make_milestone

MAILBOXES = 6
COUPONS = 2
_example = itertools.count()
_PEOPLE = """
SELECT e.id, e.status, e.confirmed_at, e.referral_state, e.referral_reason, e.held_until, e.review, e.referrer_id,
       e.reached_at, e.points, e.rank_points, coalesce(p.points, 0)::int AS unfolded, e.depth,
       e.friends_counted + coalesce(p.friends, 0) AS friends, coalesce(l.points, 0)::int AS ledger
FROM entry e
LEFT JOIN (SELECT entry_id, sum(points) AS points, sum(friends) AS friends FROM ledger_pending GROUP BY 1) p
       ON p.entry_id = e.id
LEFT JOIN (SELECT entry_id, sum(points) AS points FROM ledger GROUP BY 1) l ON l.entry_id = e.id
WHERE e.campaign_id = %(campaign)s ORDER BY e.id
"""
_PLAIN = {"hold_hours": 0, "cap_total": None, "cap_per_day": None, "indirect_points": 0, "stay_points": 0}
_options = st.sampled_from(
    [
        _PLAIN,
        _PLAIN | {"indirect_points": 2, "stay_points": 3},
        _PLAIN | {"hold_hours": 24},
        _PLAIN | {"cap_total": 1},
        _PLAIN | {"hold_hours": 24, "cap_per_day": 1, "indirect_points": 2, "stay_points": 3},
    ]
)


def commit(verb: Callable[..., Any], *values: Any, **named: Any) -> Any:
    found = verb(*values, **named)
    db.session.commit()
    return found


class ContestMachine(RuleBasedStateMachine):
    """People enter, bring friends, confirm, leave; staff change their minds; time passes; the contest ends."""

    clock: ClassVar[Clock]
    people = Bundle("people")
    friends = people.filter(lambda one: one.referrer is not None)

    @initialize(target=people, options=_options)
    def begin(self, options: dict[str, Any]) -> Any:
        with in_one_go():
            campaign = make_campaign(prizes=0, questions=0, stay_days=5, **options)
            milestone = make_milestone(campaign)
            self.loaded = {make_coupon(milestone).code for _number in range(COUPONS)}
            self.foreign = make_entry(confirmed=True).code
        self.milestone_id = milestone.id
        self.campaign_id, self.brand_id = campaign.id, campaign.brand_id
        self.contest = Contest(
            ends_at=campaign.ends_at,
            grace_ends_at=campaign.ends_at + timedelta(seconds=campaign.grace_seconds),
            zone=ZoneInfo(campaign.timezone),
            hold=timedelta(hours=options["hold_hours"]),
            cap_total=options["cap_total"],
            cap_per_day=options["cap_per_day"],
            indirect=options["indirect_points"],
            stay=options["stay_points"],
            stay_days=5,
        )
        example = next(_example)
        self.mailboxes = [Mailbox(f"p{number}-{example}@mail.example") for number in range(MAILBOXES)]
        self.coupons: dict[int, str] = {}
        ben = self._enter(0, "", None)
        self.confirm(ben, 1)
        # Ben brings Anna and Dora, Anna brings Carl: every game begins with something to lose.
        anna = self._enter(1, self._code(ben), ben)
        self.confirm(anna, 1)
        carl = self._enter(2, self._code(anna), anna)
        dora = self._enter(3, self._code(ben), ben)
        self.confirm(carl, 1)
        self.confirm(dora, 1)
        return multiple(ben, anna, carl, dora)

    def now(self) -> datetime:
        return product_clock.now()

    def card(self) -> cards.CampaignCard:
        db.session.rollback()
        cards.forget()
        return cards.by_id(self.campaign_id)

    # people

    @rule(target=people, box=st.integers(0, MAILBOXES - 1))
    def enter_alone(self, box: int) -> Any:
        return self._enter(box, "", None)

    @rule(target=people, box=st.integers(0, MAILBOXES - 1), by=people, is_confirmed=st.booleans())
    def enter_referred(self, box: int, by: Person, is_confirmed: bool) -> Any:
        found = self._enter(box, self._code(by), by if by.status == "confirmed" else None)
        if is_confirmed and isinstance(found, Person):
            self.confirm(found, 1)
        return found

    @rule(target=people, box=st.integers(0, MAILBOXES - 1))
    def enter_with_a_code_that_brings_nothing(self, box: int) -> Any:
        return self._enter(box, self.foreign if box % 2 else "N0SUCH", None)

    @rule(target=people, who=friends, by=people)
    def erase_and_come_back(self, who: Person, by: Person) -> Any:
        if who.is_erased or by is who:
            return multiple()
        self.erase(who)
        found = self._enter(self.mailboxes.index(who.mailbox), self._code(by), by if by.status == "confirmed" else None)
        if isinstance(found, Person):
            self.confirm(found, 1)
        return found

    def _enter(self, box: int, code: str, referrer: Person | None) -> Any:
        mailbox, form = self.mailboxes[box], filled(self.mailboxes[box].name, referral_code=code)
        if self.contest.status != "live" or self.now() >= self.contest.ends_at:
            try:
                entering.enter(self.card(), form)
            except Conflict:
                return multiple()
            raise AssertionError("a closed contest takes entries")
        entered = entering.enter(self.card(), form)
        again = entering.enter(self.card(), form)  # I10: the same form twice
        assert (again.entry_id, again.is_own) == (entered.entry_id, False)
        if mailbox.live is not None:
            assert entered.entry_id == mailbox.live.entry_id, "I01: one live entry for each mailbox"
            return multiple()
        [row] = rows("SELECT created_at FROM entry WHERE id = %(id)s", id=entered.entry_id)
        return self.contest.enter(entered.entry_id, mailbox, referrer, row["created_at"])

    @rule(who=people, times=st.integers(1, 3))
    def confirm(self, who: Person, times: int) -> None:
        for _time in range(times):
            confirming.confirm(who.entry_id, 1, "button_post")
        if who.status in {"pending", "bounced"}:
            [row] = rows("SELECT confirmed_at FROM entry WHERE id = %(id)s", id=who.entry_id)
            self.contest.confirm(who, row["confirmed_at"] or self.now())

    @rule(who=people)
    def erase(self, who: Person) -> None:
        if who.is_erased:
            return
        before = {one.entry_id: self._ledger(one) for one in self.contest.people}
        commit(person.erase, who.entry_id)
        self.contest.erase(who)
        assert before == {one.entry_id: self._ledger(one) for one in self.contest.people}, "I14"

    # checks and staff

    @rule(who=friends, times=st.integers(1, 2))
    def hold(self, who: Person, times: int) -> None:
        for _time in range(times):
            commit(referrals.hold, who.entry_id, ReferralReason.RISK)
        self.contest.hold_back(who, self.now())

    @rule(who=friends, times=st.integers(1, 2))
    def release(self, who: Person, times: int) -> None:
        for _time in range(times):
            commit(referrals.release, who.entry_id)
        self.contest.release(who, self.now())

    @rule(who=friends, reason=st.sampled_from(["manual", "same_person"]), times=st.integers(1, 2))
    def refuse(self, who: Person, reason: str, times: int) -> None:
        for _time in range(times):
            commit(referrals.refuse, who.entry_id, ReferralReason(reason))
        self.contest.refuse(who, reason)

    @rule(who=friends, times=st.integers(1, 2))
    def restore(self, who: Person, times: int) -> None:
        for _time in range(times):
            commit(referrals.restore, who.entry_id)
        self.contest.restore(who, self.now())

    @rule(who=people, review=st.sampled_from(["clear", "held", "excluded"]))
    def set_review(self, who: Person, review: str) -> None:
        commit(referrals.set_review, who.entry_id, Review(review))
        self.contest.review(who, review, self.now() - timedelta(seconds=1))

    @rule(who=friends)
    def flag_and_unflag(self, who: Person) -> None:
        """I33: nothing happened."""
        if self.contest.is_frozen:
            return
        self._fold()
        before = self._seen()
        if who.state == ("counted", ""):
            for verb, *more in ((referrals.hold, ReferralReason.RISK), (referrals.release,)):
                commit(verb, who.entry_id, *more)
            for verb, *more in ((referrals.refuse, ReferralReason.MANUAL), (referrals.restore,)):
                commit(verb, who.entry_id, *more)
        if who.review == "clear":
            commit(referrals.set_review, who.entry_id, Review.EXCLUDED)
            commit(referrals.set_review, who.entry_id, Review.CLEAR)
        self._fold()
        assert self._seen() == before, "I33: flag and unflag"

    @rule(who=people)
    def give_and_take(self, who: Person) -> None:
        key = f"manual:{who.entry_id}"
        given = commit(credits.credit, who.entry_id, kind=LedgerKind.MANUAL, points=3, key=key)
        assert not commit(credits.credit, who.entry_id, kind=LedgerKind.MANUAL, points=3, key=key)
        is_open = not self.contest.is_frozen
        assert given is (is_open and who.status == "confirmed" and not who.own)
        if given:
            [line] = rows("SELECT at FROM ledger WHERE idempotency_key = %(key)s", key=key)
            who.own.append((3, line["at"]))
        assert commit(credits.take_back, key, reason="a trial") is (is_open and bool(who.own))
        assert commit(credits.give_back, key) is (is_open and bool(who.own))

    @rule(who=people)
    def ask_for_a_coupon(self, who: Person) -> None:
        """I09: a code is handed to one person, a person gets one."""
        codes = [commit(vault.hand_out, self.milestone_id, who.entry_id) for _time in range(2)]
        assert codes[0] == codes[1]
        assert (codes[0] is None) == (who.entry_id not in self.coupons and len(self.coupons) == COUPONS)
        if codes[0]:
            self.coupons[who.entry_id] = codes[0]
        assert len(set(self.coupons.values())) == len(self.coupons)
        assert set(self.coupons.values()) <= self.loaded

    @rule(cap_total=st.sampled_from([None, 1, 2]), cap_per_day=st.sampled_from([None, 1]))
    def change_caps(self, cap_total: int | None, cap_per_day: int | None) -> None:
        caps = {"total": cap_total, "day": cap_per_day, "id": self.campaign_id}
        rows("UPDATE campaign SET cap_total = %(total)s, cap_per_day = %(day)s WHERE id = %(id)s RETURNING id", **caps)
        db.session.rollback()
        self.contest.cap_total, self.contest.cap_per_day = cap_total, cap_per_day

    # mail, time and jobs

    @rule(who=friends, is_complaint=st.booleans())
    def bounce(self, who: Person, is_complaint: bool) -> None:
        if who.is_erased:
            return
        reason = SuppressionReason.COMPLAINT if is_complaint else SuppressionReason.HARD_BOUNCE
        [row] = rows("SELECT c.id, c.address_hash FROM contact c JOIN entry e ON e.contact_id = c.id "
                     "WHERE e.id = %(id)s", id=who.entry_id)  # fmt: skip
        commit(contacts.suppress, self.brand_id, bytes(row["address_hash"]), reason)
        told = Fact(name="contact.suppressed", contact_id=row["id"], data={"reason": reason.value})
        for reaction in (waiting.mark_bounced, referrals.leave, referrals.leave):
            commit(reaction, [told])
        self.contest.bounce(who.mailbox, is_complaint=is_complaint)

    @rule(who=friends)
    def unsubscribe(self, who: Person) -> None:
        if who.is_erased:
            return
        [row] = rows("SELECT contact_id FROM entry WHERE id = %(id)s", id=who.entry_id)
        commit(contacts.unsubscribe, row["contact_id"], "my page")
        who.mailbox.left_at = self.now()

    @rule(hours=st.sampled_from([0, 1, 25, 60]))
    def wait_and_settle(self, hours: int) -> None:
        self.clock.forward(hours=hours)
        moment = self.now()
        referrals.settle()
        self.contest.settle(moment)
        self._take_times_of_stay()

    def _take_times_of_stay(self) -> None:
        """When the job paid for staying is the job's own time: take it from the lines, once each."""
        for friend in self.contest.people:
            if "stay" in friend.earned:
                to, worth, _at = friend.earned["stay"]
                found = rows(
                    "SELECT min(at) AS at FROM ledger WHERE source_entry_id = %(id)s AND kind = 'quality'",
                    id=friend.entry_id,
                )
                friend.earned["stay"] = (to, worth, found[0]["at"] or _at)

    @rule(hours=st.sampled_from([1, 13, 170]))
    def wait_and_expire(self, hours: int) -> None:
        self.clock.forward(hours=hours)
        moment = self.now()
        db.session.execute(text(upkeep._EXPIRE), {"now": moment, "batch": 1000})
        db.session.commit()
        self.contest.expire(moment)

    @precondition(lambda self: self.contest.status == "live" and len(self.contest.people) > 3)
    @rule()
    def close(self) -> None:
        self.clock.forward(seconds=max(0.0, (self.contest.ends_at - self.now()).total_seconds()))
        self._move(CampaignStatus.CLOSING)

    @precondition(lambda self: self.contest.status == "closing")
    @rule()
    def draw(self) -> None:
        self._move(CampaignStatus.DRAWING)

    def _move(self, status: CampaignStatus) -> None:
        rows("UPDATE campaign SET status = %(status)s WHERE id = %(id)s RETURNING id", status=status.value,
             id=self.campaign_id)  # fmt: skip
        db.session.rollback()
        self.contest.status = status.value

    @rule()
    def look_at_the_board(self) -> None:
        """I08: the order is total, nobody who is checked or erased stands in it; the histogram equals a count."""
        self._fold()
        expected = self.contest.board()
        lately.forget()
        points.forget()
        shown = {one.entry_id: places.place_of(one.entry_id) for one in self.contest.people}
        assert {entry_id: place.number for entry_id, place in shown.items() if place is not None} == {
            one.entry_id: number for number, one in enumerate(expected, 1)
        }, "I08"
        buckets = rows("SELECT points, sum(entrants)::int AS people FROM points_bucket WHERE campaign_id = %(id)s "
                       "GROUP BY 1 HAVING sum(entrants) <> 0", id=self.campaign_id)  # fmt: skip
        assert {row["points"]: row["people"] for row in buckets} == Counter(map(self.contest.points_of, expected))

    # what always holds

    @invariant()
    def the_tables_say_what_the_rules_say(self) -> None:
        db.session.rollback()
        found = {row["id"]: row for row in rows(_PEOPLE, campaign=self.campaign_id)}
        assert set(found) == {one.entry_id for one in self.contest.people}, "I01"
        for one in self.contest.people:
            row = found[one.entry_id]
            assert row["status"] == one.status, f"{one.entry_id} is {row['status']}, not {one.status}"
            assert row["confirmed_at"] == one.confirmed_at
            assert (row["referral_state"], row["referral_reason"]) == one.state, f"F5 of {one.entry_id}"
            assert row["referrer_id"] == (one.referrer.entry_id if one.referrer else None), "I07"
            assert row["ledger"] == self.contest.points_of(one), f"I06: the points of {one.entry_id}"
            assert row["points"] + row["unfolded"] == row["ledger"], "I06: the total"
            assert row["friends"] == self.contest.friends_counted(one), "friends counted"
            assert row["review"] == one.review

    def teardown(self) -> None:
        if hasattr(self, "contest"):
            try:
                self.look_at_the_board()
                self._reached()
            finally:  # the next example's jobs are not to work on this one
                rows("UPDATE entry SET held_until = NULL WHERE campaign_id = %(id)s RETURNING id", id=self.campaign_id)
                db.session.rollback()

    def _reached(self) -> None:
        for row in rows(_PEOPLE, campaign=self.campaign_id):
            [one] = [one for one in self.contest.people if one.entry_id == row["id"]]
            if one.status == "confirmed":
                assert row["reached_at"] == self.contest.reached_at(one), "the tie-break"

    def _fold(self) -> None:
        while points.fold():
            pass

    def _seen(self) -> Sequence[dict[str, Any]]:
        """What a page or a draw could see of everybody."""
        return [
            {name: row[name] for name in row if name != "held_until"}
            for row in rows(_PEOPLE, campaign=self.campaign_id)
        ]

    def _ledger(self, one: Person) -> int:
        [row] = rows(
            "SELECT coalesce(sum(points), 0)::int AS points FROM ledger WHERE entry_id = %(id)s", id=one.entry_id
        )
        return int(row["points"])

    def _code(self, one: Person) -> str:
        return str(rows("SELECT code FROM entry WHERE id = %(id)s", id=one.entry_id)[0]["code"])
