"""The rules of referrals once more, on plain objects: what the machine of the contest holds the tables against.

Written from F4, F5 and the invariants, not from the code: it knows no SQL, no keys, no locks and no totals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

State = tuple[str, str]
NONE, AWAITING, COUNTED = ("none", ""), ("awaiting", ""), ("counted", "")
REFUSED = ("not_counted", "reversed")
BY_ITSELF = ("expired", "bounce")
ENTRY_POINTS, REFERRAL_POINTS = 1, 5


@dataclass
class Mailbox:
    """Somebody's address; what is known of it outlives erasure."""

    name: str
    has_counted: bool = False
    bounced: bool = False
    complained: bool = False
    left_at: datetime | None = None
    live: Person | None = None


@dataclass(eq=False)
class Person:
    """An entry. `earned` is what this person brought others: (whom, what) → points and time; `stands` says if now."""

    entry_id: int
    mailbox: Mailbox
    referrer: Person | None
    created_at: datetime
    expires_at: datetime
    status: str = "pending"
    confirmed_at: datetime | None = None
    state: State = NONE
    look_at: datetime | None = None
    review: str = "clear"
    earned: dict[str, tuple[Person, int, datetime]] = field(default_factory=dict)
    stands: bool = False
    own: list[tuple[int, datetime]] = field(default_factory=list)  # lines that nobody's state decides

    @property
    def is_erased(self) -> bool:
        return self.status == "erased"


@dataclass
class Contest:
    """What the campaign says, and everybody in it."""

    ends_at: datetime
    grace_ends_at: datetime
    zone: ZoneInfo
    hold: timedelta
    cap_total: int | None
    cap_per_day: int | None
    indirect: int
    stay: int
    stay_days: int
    status: str = "live"
    people: list[Person] = field(default_factory=list)

    @property
    def is_frozen(self) -> bool:
        return self.status == "drawing"

    # what is seen

    def lines_of(self, person: Person) -> list[tuple[int, datetime]]:
        """Points that stand for this person, each with the time it was earned."""
        found = list(person.own)
        if person.confirmed_at is not None:
            found.append((ENTRY_POINTS, person.confirmed_at))
        for friend in self.people:
            found += [(points, at) for to, points, at in friend.earned.values() if friend.stands and to is person]
        return found

    def points_of(self, person: Person) -> int:
        return sum(points for points, _at in self.lines_of(person))

    def reached_at(self, person: Person) -> datetime | None:
        return max((at for points, at in self.lines_of(person) if points > 0), default=person.confirmed_at)

    def friends_counted(self, person: Person) -> int:
        return sum(friend.referrer is person and friend.state == COUNTED for friend in self.people)

    def board(self) -> list[Person]:
        """I08: everybody who is ranked, in the total order."""
        ranked = [one for one in self.people if one.status == "confirmed" and one.review == "clear"]
        return sorted(ranked, key=lambda one: (-self.points_of(one), self.reached_at(one), one.entry_id))

    # what happens

    def enter(self, entry_id: int, mailbox: Mailbox, referrer: Person | None, now: datetime) -> Person:
        until = min(now + timedelta(days=7), self.grace_ends_at)
        person = Person(entry_id, mailbox, referrer, now, until, state=AWAITING if referrer else NONE)
        self.people.append(person)
        mailbox.live = person
        return person

    def confirm(self, person: Person, now: datetime) -> None:
        if person.status not in {"pending", "bounced"} or now >= person.expires_at or self.status == "drawing":
            return
        person.status, person.confirmed_at = "confirmed", now
        person.mailbox.bounced = False  # an answered mail shows that it lives
        is_open = person.state in (NONE, AWAITING) or (
            person.state[0] == "not_counted" and person.state[1] in BY_ITSELF
        )
        if person.referrer is None or not is_open:
            return
        person.look_at = None
        waits = self.hold or self.cap_total is not None or self.cap_per_day is not None
        if person.referrer.status != "confirmed":
            person.state = ("not_counted", "ineligible")
        elif person.referrer.review == "excluded":
            person.state = ("on_hold", "ineligible")
        elif waits:
            person.state, person.look_at = ("on_hold", "delay"), min(now + self.hold, self.grace_ends_at)
        else:
            self._become(person, self._verdict(person, now), now)

    def hold_back(self, friend: Person, now: datetime) -> None:
        if friend.referrer is None or self.is_frozen or friend.state[0] in REFUSED:
            return
        friend.stands, friend.state, friend.look_at = False, ("on_hold", "risk"), None

    def release(self, friend: Person, now: datetime) -> None:
        if friend.state == ("on_hold", "risk") and not self.is_frozen:
            self._become(friend, self._verdict(friend, now), now)

    def refuse(self, friend: Person, reason: str) -> None:
        if friend.referrer is None or self.is_frozen:
            return
        if friend.state[0] in REFUSED:
            is_pending, before = friend.confirmed_at is None, friend.state[1]
            if reason == "manual":  # staff's decision never hides that somebody bounced or left
                is_replaced = is_pending and before in BY_ITSELF
            else:
                is_replaced = reason not in BY_ITSELF or (before == "manual" and not is_pending)
            friend.state = (friend.state[0], reason if is_replaced else before)
            return
        friend.state = ("reversed" if friend.earned else "not_counted", reason)
        friend.stands, friend.look_at = False, None

    def restore(self, friend: Person, now: datetime) -> None:
        if friend.state[0] in REFUSED and not self.is_frozen:
            self._become(friend, self._verdict(friend, now), now)

    def review(self, person: Person, found: str, now: datetime) -> None:
        if self.is_frozen:
            return
        if person.review == "excluded" != found:
            for friend in self.people:
                if friend.referrer is person and friend.state == ("on_hold", "ineligible"):
                    friend.look_at = now
                above = friend.referrer.referrer if friend.referrer else None
                if above is person and friend.state == COUNTED and self.indirect:
                    friend.look_at = now
        person.review = found

    def settle(self, now: datetime) -> None:
        due = [one for one in self.people if one.look_at is not None and one.look_at <= now]
        for friend in sorted(due, key=lambda one: (one.look_at, one.entry_id)):
            friend.look_at = None
            if self.is_frozen:
                continue
            if friend.state == COUNTED:
                self._pay_more(friend, now)
            elif gone := self._departure(friend) if friend.state == ("on_hold", "delay") else "":
                friend.state = ("not_counted", gone)
            else:
                self._become(friend, self._verdict(friend, now), now)

    def bounce(self, mailbox: Mailbox, *, is_complaint: bool) -> None:
        mailbox.complained |= is_complaint
        mailbox.bounced |= not is_complaint
        person = mailbox.live
        if person is None:
            return
        if person.status == "pending" and not is_complaint:
            person.status = "bounced"
            if person.state == AWAITING:
                person.state = ("not_counted", "bounce")
        if self.status in {"live", "closing"}:
            self.refuse(person, "bounce")

    def expire(self, now: datetime) -> None:
        for person in self.people:
            if person.status == "pending" and person.expires_at <= now:
                person.status = "expired"
                if person.state == AWAITING or person.state[0] == "on_hold":
                    person.state = ("not_counted", "expired")

    def erase(self, person: Person) -> None:
        person.status, person.mailbox.live, person.look_at = "erased", None, None
        if person.state == AWAITING:
            person.state = ("not_counted", "expired")
        elif person.state[0] == "on_hold" and not person.earned:
            person.state = ("not_counted", "unsubscribed_in_hold")

    # how it is judged

    def _verdict(self, friend: Person, now: datetime) -> State:  # noqa: PLR0911 - the rules, one after the other
        if friend.earned:
            return COUNTED
        if friend.status in {"pending", "bounced"}:
            return AWAITING
        if friend.status != "confirmed" or friend.confirmed_at is None or friend.referrer is None:
            return ("not_counted", "expired")
        if friend.referrer.status != "confirmed":
            return ("not_counted", "ineligible")
        if friend.referrer.review == "excluded":
            return ("on_hold", "ineligible")
        due, left_at = min(friend.confirmed_at + self.hold, self.grace_ends_at), friend.mailbox.left_at
        if due > now:
            return ("on_hold", "delay")
        if left_at and friend.confirmed_at <= left_at < due:
            return ("not_counted", "unsubscribed_in_hold")
        if friend.mailbox.has_counted:
            return ("not_counted", "duplicate")
        counted = [one for one in self.people if one.referrer is friend.referrer and one.state == COUNTED]
        same_day = [one for one in counted if self._day(one) == self._day(friend)]
        is_over = self.cap_total is not None and len(counted) >= self.cap_total
        is_over |= self.cap_per_day is not None and len(same_day) >= self.cap_per_day
        return ("not_counted", "over_cap") if is_over else COUNTED

    def _day(self, person: Person) -> object:
        return person.confirmed_at.astimezone(self.zone).date() if person.confirmed_at else None

    def _become(self, friend: Person, state: State, now: datetime) -> None:
        friend.state, friend.look_at = state, None
        if state == ("on_hold", "delay"):
            friend.look_at = min(friend.confirmed_at + self.hold, self.grace_ends_at)
        if state == COUNTED:
            friend.stands, friend.mailbox.has_counted = True, True
            friend.earned.setdefault("referral", (friend.referrer, REFERRAL_POINTS, friend.confirmed_at))
            self._pay_indirect(friend)
            if self.stay and "stay" not in friend.earned and not friend.is_erased:
                friend.look_at = friend.confirmed_at + timedelta(days=self.stay_days)

    def _pay_indirect(self, friend: Person) -> None:
        above = friend.referrer.referrer if friend.referrer else None
        is_paid = above is not None and above.status == "confirmed" and above.review != "excluded"
        if self.indirect and is_paid and not friend.is_erased:
            friend.earned.setdefault("indirect", (above, self.indirect, friend.confirmed_at))

    def _pay_more(self, friend: Person, now: datetime) -> None:
        self._pay_indirect(friend)
        if not self.stay or "stay" in friend.earned or friend.is_erased:
            return
        stays_at = friend.confirmed_at + timedelta(days=self.stay_days)
        if stays_at > now:
            friend.look_at = stays_at
        elif friend.status == "confirmed" and not self._departure(friend) and friend.referrer.status == "confirmed":
            friend.earned["stay"] = (friend.referrer, self.stay, now)

    def _departure(self, friend: Person) -> str:
        if friend.mailbox.bounced or friend.mailbox.complained:
            return "bounce"
        left_at = friend.mailbox.left_at
        return "unsubscribed_in_hold" if left_at and left_at >= friend.confirmed_at else ""
