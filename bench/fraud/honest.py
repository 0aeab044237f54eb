"""The honest part of a contest: everyday people, and groups that look like fraud and are none."""

from __future__ import annotations

import random
from collections.abc import Iterator

from bench.fraud.contest import DAY, ENDS_AT, HOUR, MINUTE, Label
from bench.fraud.people import Draft, arrive, awake, behave, confirm, gains, person, spread, without_script
from bench.fraud.world import RELAYS, World

# Of everyday people; each has friends and referrers like all others.
_QUIRKS = {
    "vpn_user": 0.035,
    "plus_address": 0.022,
    "relay": 0.045,
    "fast_confirmer": 0.045,
    "text_browser": 0.009,
    "": 0.844,
}
_RECENT = 500  # of those who share: talk moves on
_SHORT_OF = 6 * MINUTE  # a friend arrives at least so long after the referrer confirmed


def groups(world: World) -> list[Draft]:
    """All honest people who come in groups."""
    parts = (families, lecture_halls, influencers, friends, end_rush)
    return [draft for part in parts for draft in part(world, world.random(part.__name__))]


def moment(r: random.Random) -> int:
    """A moment of the contest: waking hours, busier at the start and at the end."""
    day = min(int(r.betavariate(0.8, 0.9) * 21), 20)
    if r.random() < 0.04:
        return day * DAY + r.randrange(DAY)
    return int(day * DAY + (r.triangular(6, 24.9, 19.5) % 24) * HOUR)


def invited(world: World, r: random.Random, referrer: Draft, at: float, domain: str = "") -> Draft:
    """A new person who came through somebody's link, or just before the end."""
    assert referrer.confirmed_at is not None
    at = min(max(at, referrer.confirmed_at + r.randrange(20, _SHORT_OF)), ENDS_AT - 1)
    country = referrer.country if r.random() < 0.85 else ""
    newcomer = person(world, r, at, country, domain)
    newcomer.referrer = referrer
    return newcomer


def families(world: World, r: random.Random) -> Iterator[Draft]:
    """Households on one line; in half of them all use one browser."""
    for number in range(world.share(0.009)):
        group = "family_one_device" if number % 2 else "family_own_devices"
        own_domain = f"{world.word(r)}{r.randrange(1, 99)}-maison.example" if r.random() < 0.2 else ""
        first = behave(world, person(world, r, min(moment(r), ENDS_AT - 2 * DAY), "", own_domain), r)
        first.confirmed_at = first.confirmed_at or first.created_at + 15 * MINUTE
        first.confirm_method = first.confirm_method or "button_post"
        home = first.place = world.home(r, first.country)
        members, at = [first], float(first.confirmed_at)
        for _ in range(r.choice((1, 2, 2, 3, 3, 4))):
            at += spread(r, 25 * MINUTE, 1.8)
            member = invited(world, r, r.choice(members), at, own_domain)
            member.name = (member.name[0], first.name[1])
            member.place = home
            member.language, member.timezone = first.language, first.timezone
            if group == "family_one_device":
                member.device, member.agent = first.device, first.agent
            behave(world, member, r)
            if member.confirmed_at and member.confirmed_at < ENDS_AT - DAY:
                members.append(member)
            yield _in(member, group)
        yield _in(first, group, "head")


def lecture_halls(world: World, r: random.Random) -> Iterator[Draft]:
    """A hall of students behind one address, within half an hour, many through the link on the screen."""
    for _ in range(max(3, world.share(0.0006))):
        begins = r.randrange(19) * DAY + r.randrange(8, 18) * HOUR
        speaker = gains(world, person(world, r, begins - r.randrange(HOUR, DAY) if begins > DAY else 0), r)
        hall = world.home(r, speaker.country)
        school = r.choice(world.firms) if r.random() < 0.5 else ""
        for _ in range(r.randrange(22, 55)):
            at = begins + HOUR + min(spread(r, 7 * MINUTE, 0.8), 40 * MINUTE)
            student = invited(world, r, speaker, at, school if r.random() < 0.7 else "")
            student.place = hall if r.random() < 0.85 else student.place
            student.agent = r.choice(("Safari iOS", "Chrome Android", student.agent))
            if r.random() < 0.35:
                student.referrer = None  # typed the address from the screen
            behave(world, student, r, 0.3 if world.hard else 0.5)
            if student.confirmed_at:
                confirm(student, r, median=100, sigma=0.8, rate=1)
            yield _in(student, "lecture_hall")
        yield _in(speaker, "lecture_hall", "head")


def influencers(world: World, r: random.Random) -> Iterator[Draft]:
    """A post, and within an hour or two many honest strangers; one of three has an audience abroad."""
    for number in range(max(4, world.share(0.0009))):
        star = gains(world, person(world, r, r.randrange(17 * DAY)), r)
        abroad = ["CA", "GB", "BE", "US", "MA", "RO"][number % 6] if number % 3 == 0 else ""
        posts = [awake(r, star.created_at + HOUR + r.randrange(2 * DAY), always=1) for _ in range(r.choice((1, 1, 2)))]
        host = r.choice(("instagram.com", "facebook.com", "youtube.com", "tiktok.com", "t.me", ""))
        for _ in range(int(min(spread(r, 42, 0.4), 110))):
            fan = invited(world, r, star, r.choice(posts) + spread(r, 25 * MINUTE, 1.1))
            if abroad and r.random() < 0.7:
                fan = person(world, r, fan.created_at, abroad)
                fan.referrer = star
            behave(world, fan, r, 0.28 if world.hard else 0.5)
            fan.channel, fan.landing_host = ("copy", host) if r.random() < 0.8 else (fan.channel, fan.landing_host)
            yield _in(fan, "influencer_burst")
        yield _in(star, "influencer_burst", "head")


def friends(world: World, r: random.Random) -> Iterator[Draft]:
    """Circles who refer each other's friends, meet, and then sit on one line or lend a phone."""
    for _ in range(world.share(0.004)):
        circle = [gains(world, person(world, r, min(moment(r), 17 * DAY)), r)]
        party = world.home(r, "FR")
        for _ in range(r.randrange(3, 9)):
            referrer = r.choice(circle)
            friend = invited(world, r, referrer, circle[-1].created_at + spread(r, 5 * HOUR, 1.5))
            if r.random() < 0.25:
                friend.place = party
            if r.random() < 0.06:
                friend.place, friend.device, friend.agent = referrer.place, referrer.device, referrer.agent
            behave(world, friend, r, 0.55 if world.hard else 0.75)
            if friend.confirmed_at and friend.confirmed_at < ENDS_AT - DAY:
                circle.append(friend)
            yield _in(friend, "friends")
        yield _in(circle[0], "friends", "head")


def end_rush(world: World, r: random.Random) -> Iterator[Draft]:
    """People who remember on the last day and call all their friends; old sign-ups are confirmed too."""
    for _ in range(max(4, world.share(0.0007))):
        caller = gains(world, person(world, r, r.randrange(20 * DAY)), r)
        for _ in range(r.randrange(10, 30)):
            friend = invited(world, r, caller, ENDS_AT - spread(r, 3 * HOUR, 1.2))
            behave(world, friend, r)
            if friend.confirmed_at is None and r.random() < 0.2:
                friend.confirmed_at, friend.confirm_method = ENDS_AT - r.randrange(3 * HOUR), "button_post"
                friend.confirmed_at = max(friend.confirmed_at, friend.created_at + MINUTE)
            yield _in(friend, "end_rush")
        yield _in(caller, "end_rush", "head")


def everyday(world: World, number: int) -> Iterator[Draft]:
    """Everybody else: nearly half came through a friend, and few invite many."""
    r = world.random("everyday")
    sharers: list[Draft] = []
    for at in sorted(moment(r) for _ in range(number)):
        draft = person(world, r, at)
        for _ in range(6):
            if len(sharers) < 40 or r.random() < 0.3:
                break
            referrer = sharers[-1 - int(min(len(sharers), _RECENT) * r.random())]
            if (referrer.confirmed_at or ENDS_AT) + 2 * MINUTE < at:
                draft.referrer = referrer
                break
        quirk = r.choices(list(_QUIRKS), list(_QUIRKS.values()))[0]
        behave(world, draft, r)
        _odd(world, draft, quirk, r)
        if draft.confirmed_at and r.random() < (0.9 if draft.shares else 0.15):
            sharers.append(draft)
        if draft.referrer and r.random() < 0.3:
            sharers.append(draft.referrer)  # whoever brought friends brings more
        yield _in(draft, "" if quirk == "fast_confirmer" and not draft.confirmed_at else quirk)


def _odd(world: World, draft: Draft, quirk: str, r: random.Random) -> None:
    if quirk == "vpn_user":
        draft.place = world.exit(r)
    elif quirk == "plus_address":
        local, _at, domain = draft.mailbox.email.partition("@")
        tag = "+" + r.choice(("contest", "jeu", "concours", "leadgen", "2"))
        draft.mailbox = world.mailbox_of(r, local + str(r.randrange(10)), domain, tag)
    elif quirk == "relay":
        alias = f"{world.word(r)}_{world.word(r)}.{r.randrange(16**5):05x}"
        draft.mailbox = world.mailbox_of(r, alias, r.choice(RELAYS))
    elif quirk == "fast_confirmer" and draft.confirmed_at:
        draft.form_seconds = draft.form_seconds and round(r.uniform(1.7, 9), 1)
        arrive(draft, r)
        confirm(draft, r, median=22, sigma=0.5, rate=1)
    elif quirk == "text_browser":
        without_script(draft)


def bombed_leader(world: World) -> tuple[Draft, list[Draft]]:
    """An honest leader with friends over days, whom a rival is going to bomb."""
    r = world.random("bombed_leader")
    leader = gains(world, person(world, r, r.randrange(DAY, 2 * DAY), "FR"), r)
    band = [leader]
    for _ in range(r.randrange(64, 80)):
        friend = invited(world, r, leader, leader.created_at + r.uniform(HOUR, 17 * DAY))
        behave(world, friend, r)
        band.append(friend)
    return leader, [_in(draft, "bombed_leader", "" if draft.referrer else "head") for draft in band]


def under_cheat(world: World, r: random.Random, head: Draft, about: int) -> list[Draft]:
    """Honest people who followed a cheat's link, at their own times."""
    assert head.confirmed_at is not None
    found = []
    for _ in range(about):
        friend = invited(world, r, head, r.uniform(head.confirmed_at, min(head.confirmed_at + 9 * DAY, ENDS_AT)))
        found.append(_in(behave(world, friend, r), "under_cheat"))
    return found


def _in(draft: Draft, group: str, role: str = "") -> Draft:
    draft.label = Label(group=group, role=role)
    return draft
