"""How a person enters a contest: the draft of an entry, honest habits, and how little life a cheat's entry has."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import exp

from bench.fraud.contest import DAY, ENDS_AT, GRACE, HOUR, MINUTE, Label
from bench.fraud.world import (
    ENGLISH,
    ENGLISH_LAST,
    FRENCH,
    FRENCH_LAST,
    HOMELANDS,
    LANGUAGES,
    TIMEZONES,
    Mailbox,
    Place,
    World,
)

AGENTS = {
    "Safari iOS": 0.27,
    "Chrome Android": 0.26,
    "Samsung Android": 0.07,
    "Instagram iOS": 0.05,
    "Chrome Windows": 0.16,
    "Firefox Windows": 0.04,
    "Edge Windows": 0.06,
    "Safari macOS": 0.04,
    "Chrome macOS": 0.03,
    "Firefox Linux": 0.02,
}
CHANNELS = ("whatsapp", "whatsapp", "copy", "copy", "facebook", "instagram", "mail", "qr", "")
_HOSTS_BY_CHANNEL = {"facebook": "facebook.com", "instagram": "instagram.com"}
LANDINGS = ("", "", "google.com", "facebook.com", "blog.example", "deals.example")
_PHONES = ("iOS", "Android")
# How likely somebody comes back, answers, shares: who cares, who does not, and who does not exist.
_LIVELY, _IDLE, NOBODY = (0.85, 0.6, 0.45), (0.08, 0.03, 0.02), (0.05, 0.015, 0.01)


@dataclass(slots=True, eq=False)
class Draft:
    """An entry in the making, with its truth; the fields are those of `contest.Entry`."""

    created_at: int
    name: tuple[str, str]
    mailbox: Mailbox
    place: Place
    country: str  # where the person lives
    agent: str
    language: str
    timezone: str
    device: str
    referrer: Draft | None = None
    label: Label = field(default_factory=Label)
    channel: str = ""
    landing_host: str = ""
    form_seconds: float | None = 20.0
    has_script: bool = True
    honeypot: bool = False
    visits: tuple[int, ...] = ()
    confirmed_at: int | None = None
    confirm_method: str = ""
    came_back: tuple[int, ...] = ()
    answered: int = 0
    bounced: bool = False
    complained: bool = False
    unsubscribed: bool = False
    shares: int = 0


def spread(r: random.Random, median: float, sigma: float) -> float:
    """A positive quantity: half are below the median, a few far above."""
    return median * exp(r.gauss(0, sigma))


def awake(r: random.Random, at: float, always: float = 0.85) -> float:
    """The same moment, or the morning after when most people sleep at it."""
    hour = at % DAY / HOUR
    return at + (6 - hour) * HOUR + r.random() * 2 * HOUR if 1 <= hour < 6 and r.random() < always else at


def person(world: World, r: random.Random, at: float, country: str = "", domain: str = "") -> Draft:
    """Somebody with a name, a mailbox, a browser and a line of their own, who has done nothing yet."""
    if not country:
        country = (
            r.choices(list(HOMELANDS), list(HOMELANDS.values()))[0] if r.random() > 0.015 else r.choice(list(TIMEZONES))
        )
    language = r.choice(LANGUAGES.get(country, "en en fr").split())
    firsts, lasts = (ENGLISH, ENGLISH_LAST) if language == "en" else (FRENCH, FRENCH_LAST)
    name = (r.choice(firsts), r.choice(lasts))
    agent = r.choices(list(AGENTS), list(AGENTS.values()))[0]
    place = world.home(r, country)
    if r.random() < (0.55 if agent.endswith(_PHONES) else 0.08):
        place = world.carrier(r, country)
    zone = TIMEZONES[country] if r.random() > 0.025 else r.choice(list(TIMEZONES.values()))
    device = world.opaque("device") if r.random() > 0.14 else ""
    return Draft(int(awake(r, at)), name, world.mailbox(r, name, domain), place, country, agent, language, zone, device)


def behave(world: World, draft: Draft, r: random.Random, care: float | None = None) -> Draft:
    """Let somebody do what honest people do, the hurried and the odd among them; `care` is how likely they stay."""
    draft.form_seconds = round(max(1.6, spread(r, 22, 0.7)), 1)
    if r.random() < 0.08:
        draft.form_seconds = round(r.uniform(1.6, 6), 1)  # filled by the browser
    draft.honeypot = r.random() < 0.0012
    if r.random() < 0.007:
        without_script(draft)
    arrive(draft, r)
    confirm(draft, r, median=2 * MINUTE if world.hard else 8 * MINUTE, sigma=1.2 if world.hard else 1.7)
    live(draft, r, care if care is not None else (0.40 if world.hard else 0.65))
    return draft


def without_script(draft: Draft) -> None:
    """A browser that runs no script, or a form posted without one: neither token nor time zone."""
    draft.has_script, draft.form_seconds, draft.timezone = False, None, ""


def arrive(draft: Draft, r: random.Random) -> None:
    """The way to the form: channel, host that linked, visits before."""
    draft.channel = r.choice(CHANNELS) if draft.referrer else ""
    draft.landing_host = _HOSTS_BY_CHANNEL.get(draft.channel, "") if draft.referrer else r.choice(LANDINGS)
    last = draft.created_at - int(draft.form_seconds or 15) - r.randrange(2, 40)
    earlier = [last - int(spread(r, 2 * HOUR, 1.3)) for _ in range(2) if r.random() < 0.3]
    seen = [at for at in sorted(earlier) if draft.created_at - DAY < at] + [last]
    draft.visits = () if r.random() < 0.06 else tuple(max(0, at) for at in seen)


def confirm(draft: Draft, r: random.Random, *, median: float, sigma: float, rate: float = 0.82) -> None:
    """Confirm the address after some time, or never; some addresses bounce."""
    draft.confirmed_at, draft.confirm_method, draft.bounced = None, "", False
    if r.random() > rate:
        draft.bounced = r.random() < 0.06
        return
    at = draft.created_at + max(6, int(spread(r, median, sigma)))
    if at < ENDS_AT + GRACE:
        draft.confirmed_at = at
        draft.confirm_method = r.choices(("cookie_post", "button_post", "code"), (0.6, 0.3, 0.1))[0]


def live(draft: Draft, r: random.Random, care: float, idle: tuple[float, float, float] = _IDLE) -> None:
    """What somebody does after the first look at their page."""
    back, answers, shares = _LIVELY if r.random() < care else idle
    draft.came_back, draft.answered, draft.shares = (), 0, 0
    draft.unsubscribed, draft.complained = r.random() < 0.008, r.random() < 0.001
    if draft.confirmed_at is None:
        return
    if r.random() < back:
        times = (draft.confirmed_at + HOUR + int(spread(r, 2 * DAY, 1.1)) for _ in range(r.randrange(1, 6)))
        draft.came_back = tuple(sorted(at for at in times if at < ENDS_AT + GRACE))
    draft.answered = r.randrange(1, 6) if r.random() < answers else 0
    draft.shares = r.randrange(1, 5) if r.random() < shares else 0


def gains(world: World, draft: Draft, r: random.Random) -> Draft:
    """Make a person one who wants to win and works for it: confirmed soon, often back, sharing a lot."""
    behave(world, draft, r)
    draft.confirmed_at = draft.created_at + r.randrange(30, 20 * MINUTE)
    draft.confirm_method = "cookie_post"
    live(draft, r, 0.97)
    draft.shares = max(draft.shares, r.randrange(1, 12))
    return draft
