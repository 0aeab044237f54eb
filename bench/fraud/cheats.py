"""The kinds of fraud of the catalogue, each a way in which a crew makes entries; and the bombing of a rival."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

from bench.fraud.contest import BOMBING, DAY, ENDS_AT, HOUR, MINUTE, Label
from bench.fraud.crew import Crew, Work, gather
from bench.fraud.people import NOBODY, Draft, awake, confirm, gains, live, person, spread, without_script
from bench.fraud.world import World

_ABROAD = ("IN", "PH", "BD", "MA", "RO", "VN")
_KEEPING_PLUS = ("orange.fr", "laposte.net", "free.fr", "sfr.fr", "gmx.fr")
_MARKETS = ("microjobs.example", "clickwork.example", "t.me", "")


def alias(crew: Crew, size: int) -> Iterator[Draft]:
    """One person, many spellings of their own mailbox or many names on a domain that takes all."""
    world, r, head = crew.world, crew.r, crew.head
    style = r.choice(("catch_all", "plus", "counted", "counted"))
    own, provider = f"{world.word(r)}-{world.word(r)}{r.randrange(100)}.example", r.choice(_KEEPING_PLUS)
    stem = head.mailbox.email.partition("@")[0].rstrip("0123456789")
    for number, at in enumerate(crew.pace(size, 14 * MINUTE, 1.1)):
        draft = crew.fake(at, domain=own if style == "catch_all" and (crew.careless or r.random() < 0.4) else "")
        if style != "catch_all" and (crew.careless or r.random() < 0.3):
            if style == "plus":
                draft.mailbox = world.mailbox_of(r, stem, provider, f"+{world.word(r)}{number}")
            else:
                draft.mailbox = world.mailbox_of(r, f"{stem}{r.randrange(2, 400)}", "gmail.com")
            draft.name = (draft.name[0], head.name[1])
        if crew.careless:
            crew.same_browser(draft, device=0.5)
            draft.place = head.place if r.random() < 0.75 else draft.place
        yield draft


def disposable(crew: Crew, size: int) -> Iterator[Draft]:
    """Throw-away mailboxes whose domains no list knows yet, read by the same person at once."""
    world, r, head = crew.world, crew.r, crew.head
    domains = r.sample(list(world.throwaway), r.randrange(1, 5))
    for at in crew.pace(size, 6 * MINUTE, 1):
        draft = crew.fake(at, median=25)
        if crew.careless or r.random() < 0.5:
            local = f"{world.word(r)}{r.randrange(16**4):x}" if r.random() < 0.6 else draft.name[0][:4] + world.word(r)
            draft.mailbox = world.mailbox_of(r, local.lower().encode("ascii", "ignore").decode(), r.choice(domains))
        if crew.careless:
            crew.same_browser(draft, device=0.35)
            chance = r.random()
            draft.place = head.place if chance < 0.5 else world.exit(r) if chance < 0.7 else draft.place
        yield draft


def cookie(crew: Crew, size: int) -> Iterator[Draft]:
    """The same browser in private windows: same line, same hand, each time a new cookie."""
    r, head = crew.r, crew.head
    rhythm = r.uniform(7, 16)
    for at in crew.pace(size, 8 * MINUTE, 1):
        draft = crew.fake(at, median=90)
        if crew.careless:
            crew.same_browser(draft, device=0.06)
            draft.place = head.place if r.random() < 0.85 else draft.place
            draft.form_seconds = draft.form_seconds and round(max(3, r.gauss(rhythm, rhythm / 6)), 1)
        yield draft


def bot(crew: Crew, size: int) -> Iterator[Draft]:
    """A script posts the form; the careful drive a real browser at human speed through homes."""
    for at in crew.pace(size, 70, 1.2):
        draft = crew.fake(at)
        if crew.careless:
            posted_by_script(crew.world, draft, crew.r)
        yield draft


def posted_by_script(world: World, draft: Draft, r: random.Random) -> None:
    """Give a draft the marks of a script; no entry has all of them."""
    draft.form_seconds = round(r.uniform(0.3, 2.4), 1)
    if r.random() < 0.6:
        without_script(draft)
    draft.honeypot = r.random() < 0.3
    draft.place = world.exit(r) if r.random() < 0.7 else draft.place
    draft.visits = () if r.random() < 0.8 else draft.visits
    draft.device = "" if r.random() < 0.7 else draft.device
    draft.agent = r.choice(("Chrome Windows", "Chrome Windows", "Firefox Linux", draft.agent))
    confirm(draft, r, median=11, sigma=0.6, rate=0.66)
    live(draft, r, 0, NOBODY)
    draft.bounced = draft.confirmed_at is None and r.random() < 0.2


def farm(crew: Crew, size: int) -> Iterator[Draft]:
    """Rows of real phones with real mailboxes on few networks, worked through in turn."""
    world, r = crew.world, crew.r
    country = r.choice((crew.head.country, crew.head.country, r.choice(_ABROAD)))
    lines = [world.carrier(r, country) for _ in range(r.randrange(2, 4))] + [world.home(r, country)]
    models = r.sample(("Chrome Android", "Samsung Android", "Safari iOS"), 2)
    for at in crew.pace(size, 150, 0.13):
        domain = "gmail.com" if r.random() < 0.85 else ""
        draft = crew.fake(at, domain=domain, country=country if crew.careless else "", median=80)
        if crew.careless:
            draft.place = r.choice(lines)
            draft.agent = r.choice(models)
            if draft.confirmed_at:
                draft.confirmed_at = draft.created_at + max(40, int(r.gauss(85, 18)))
        yield draft


def vpn(crew: Crew, size: int) -> Iterator[Draft]:
    """One person through many exits, with a series of mailboxes at one provider."""
    world, r = crew.world, crew.r
    provider = r.choice(("gmail.com", "outlook.fr", "gmx.fr", "proton.me", "yahoo.fr"))
    for at in crew.pace(size, 3 * MINUTE, 0.8):
        draft = crew.fake(at, domain=provider if r.random() < (0.45 if crew.evades else 0.88) else "", median=70)
        if crew.careless:
            if r.random() < 0.8:
                crew.same_browser(draft, device=0.08)
            draft.place = world.exit(r) if r.random() < 0.9 else draft.place
        yield draft


def bought(crew: Crew, size: int) -> Iterator[Draft]:
    """Strangers who were paid for one click each; the careful pay at home."""
    r = crew.r
    lands = r.sample(_ABROAD, 3)
    market = r.choice(_MARKETS)
    for at in crew.pace(size, 45 * MINUTE, 1.1):
        abroad = r.random() < (0.25 if crew.evades else 0.8)
        draft = crew.fake(at, country=r.choice(lands) if abroad else "", median=3 * MINUTE)
        draft.visits = draft.visits[-1:]
        if crew.careless:
            draft.landing_host = market if r.random() < 0.6 else ""
            draft.channel = r.choice(("", "copy"))
            draft.form_seconds = draft.form_seconds and round(max(2, spread(r, 13, 0.5)), 1)
        yield draft


def snipe(crew: Crew, size: int) -> Iterator[Draft]:
    """A pile kept for the last hours: sign-ups that slept unconfirmed, and new ones at the very end."""
    r, head = crew.r, crew.head
    assert head.confirmed_at is not None
    line = crew.world.home(r, head.country)
    last = r.uniform(8, 16) * HOUR if crew.evades else r.uniform(1.5, 3) * HOUR
    for _ in range(size):
        sleeper = r.random() < 0.4
        at = r.uniform(head.confirmed_at + HOUR, ENDS_AT - last) if sleeper else ENDS_AT - r.random() * last
        draft = crew.fake(at)
        if draft.confirmed_at:
            wakes = ENDS_AT - r.random() * last
            draft.confirmed_at = int(wakes if sleeper else min(draft.confirmed_at, ENDS_AT + 2 * HOUR))
            draft.confirmed_at = max(draft.confirmed_at, draft.created_at + 10)
            live(draft, r, 0.03, NOBODY)
        if crew.careless:
            chance = r.random()
            draft.place = head.place if chance < 0.25 else line if chance < 0.5 else draft.place
            if r.random() < 0.4:
                crew.same_browser(draft, device=0.2)
        yield draft


def ring(crew: Crew, size: int) -> Iterator[Draft]:
    """Friends enter once each through one another, then each brings second mailboxes through the next one's link."""
    r, world = crew.r, crew.world
    circle = [crew.head]
    for _ in range(min(r.randrange(3, 7), size // 2)):
        before = r.choice(circle)
        assert before.confirmed_at is not None
        friend = gains(world, person(world, r, before.confirmed_at + 60 + spread(r, 4 * HOUR, 1), "FR"), r)
        friend.referrer = before
        circle.append(friend)
        yield crew.mark(friend, "head")
    starts = max(friend.confirmed_at or 0 for friend in circle)
    for number in range(size - len(circle) + 1):
        person_behind = circle[number % len(circle)]
        receiver = r.choice([friend for friend in circle if friend is not person_behind])
        at = starts + r.random() * (8 if crew.evades else 3) * DAY
        draft = replace(crew, head=person_behind).fake(min(max(at, starts + 60), ENDS_AT - 10), median=4 * MINUTE)
        draft.referrer = receiver
        draft.created_at = max(draft.created_at, starts + 20)
        if draft.confirmed_at:
            draft.confirmed_at = max(draft.confirmed_at, draft.created_at + 10)
        if crew.careless:
            replace(crew, head=person_behind).same_browser(draft, device=0.5)
            draft.place = person_behind.place if r.random() < 0.75 else draft.place
        yield draft


# Kind: how it works, its share of all entries, smallest and largest crew, and the last moment at which a head enters.
_PLANS: dict[str, tuple[Work, float, int, int, int]] = {
    "alias": (alias, 0.014, 5, 20, 16 * DAY),
    "disposable": (disposable, 0.015, 8, 36, 16 * DAY),
    "cookie": (cookie, 0.014, 5, 26, 16 * DAY),
    "bot": (bot, 0.016, 20, 75, 18 * DAY),
    "farm": (farm, 0.020, 26, 80, 17 * DAY),
    "vpn": (vpn, 0.016, 18, 60, 17 * DAY),
    "bought": (bought, 0.020, 24, 80, 15 * DAY),
    "ring": (ring, 0.012, 9, 20, 15 * DAY),
    "snipe": (snipe, 0.015, 18, 60, 18 * DAY),
}


def crews(world: World, kind: str) -> Iterator[tuple[Crew, list[Draft]]]:
    """Crews of one kind until its share of all entries is made up."""
    work, part, smallest, largest, latest = _PLANS[kind]
    yield from fill(world, kind, work, latest=latest, budget=world.share(part), sizes=(smallest, largest))


def fill(
    world: World, kind: str, work: Work, *, latest: float, budget: int, sizes: tuple[int, int]
) -> Iterator[tuple[Crew, list[Draft]]]:
    """Crews of one way of working, within a budget of entries; the last one is as large as what is left."""
    r = world.random(kind)
    while budget >= 5:
        size = min(int(sizes[0] * (sizes[1] / sizes[0]) ** r.random()), budget - 1)
        crew = gather(world, kind, r, latest)
        made = [crew.head, *itertools.islice(work(crew, size), size)]
        budget -= len(made)
        yield crew, made


def bombing(world: World, leader: Draft) -> Iterator[Draft]:
    """200 entries by script to the link of an honest leader, sent by somebody who wants the leader out."""
    r = world.random(BOMBING)
    crew = Crew(world, r, "bot", next(world.crews), leader, evades=False)
    at = r.uniform(8, 16) * DAY
    for _ in range(min(200, world.share(0.02))):
        at = awake(r, at + spread(r, 25, 1), always=1)
        draft = crew.fake(at)
        posted_by_script(world, draft, r)
        draft.label = Label("bot", BOMBING, "referral", crew.number)
        yield draft
