"""One kind of fraud and one honest group that the author of a scorer does not look at while tuning.

Only the last table of the bench uses this module: it tells how rules carry over to what nobody wrote them for. Whoever
tunes a scorer reads its results at most, never this file, and changes no rule because of it. When a result here led to
a new rule, this module is spent: move its parts to `cheats` and `honest`, and write a new one that knows no rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.fraud.cheats import fill
from bench.fraud.contest import DAY, ENDS_AT, HOUR, MINUTE, Contest, Label
from bench.fraud.crew import Crew
from bench.fraud.generator import generate
from bench.fraud.honest import invited
from bench.fraud.people import Draft, behave, confirm, gains, live, person, spread
from bench.fraud.world import World

KIND = "harvest"
GROUP = "kiosk"


def generate_held_out(seed: int, *, hard: bool, evade: float, entries: int = 10_000) -> Contest:
    """A contest with the kind and the group that no scorer was tuned on, in place of some everyday people."""
    return generate(seed, hard=hard, evade=evade, entries=entries, extra=(harvests, kiosks))


def harvests(world: World) -> Iterator[Draft]:
    """Crews who type a found list of real strangers' addresses; some of the surprised confirm, some complain."""
    for _crew, made in fill(world, KIND, harvest, latest=15 * DAY, budget=max(80, world.share(0.012)), sizes=(30, 80)):
        yield from made


def harvest(crew: Crew, size: int) -> Iterator[Draft]:
    """One hand pastes addresses; those who own them sit elsewhere and hear of it by mail."""
    r, head = crew.r, crew.head
    for at in crew.pace(size, 95, 0.7):
        draft = crew.fake(at)
        owner = draft.place
        if crew.careless:
            crew.same_browser(draft, device=0.3)
            draft.place = head.place if r.random() < 0.6 else crew.world.carrier(r, head.country)
            draft.form_seconds = draft.form_seconds and round(max(2, spread(r, 7, 0.3)), 1)
        confirm(draft, r, median=7 * HOUR, sigma=1.4, rate=0.42)
        live(draft, r, 0.04)
        draft.bounced = draft.confirmed_at is None and r.random() < 0.15
        draft.complained = not draft.bounced and r.random() < 0.07
        draft.unsubscribed = draft.confirmed_at is not None and r.random() < 0.2
        if draft.confirmed_at:
            draft.confirm_method = "button_post" if owner != draft.place else draft.confirm_method
        yield draft


def kiosks(world: World) -> Iterator[Draft]:
    """Stands at fairs: visitors enter on the stand's tablet through its link and confirm at home."""
    r = world.random(GROUP)
    for _ in range(max(3, world.share(0.0003))):
        opens = r.randrange(1, 18) * DAY + 9 * HOUR
        stand = gains(world, person(world, r, opens - r.uniform(2 * HOUR, 9 * HOUR), "FR"), r)
        stand.agent, tablet, at = "Safari iOS", world.opaque("device"), float(opens)
        for _ in range(r.randrange(35, 60)):
            at += spread(r, 6 * MINUTE, 0.4)
            visitor = invited(world, r, stand, min(at, ENDS_AT - 2 * DAY))
            behave(world, visitor, r, 0.35 if world.hard else 0.6)
            visitor.place, visitor.agent, visitor.device = stand.place, stand.agent, tablet
            visitor.channel, visitor.landing_host = "qr", ""
            visitor.form_seconds = visitor.form_seconds and round(max(6, spread(r, 26, 0.35)), 1)
            if visitor.confirmed_at:
                confirm(visitor, r, median=4 * HOUR, sigma=1.3, rate=1)
                visitor.confirm_method = "button_post"
                live(visitor, r, 0.35 if world.hard else 0.6)
            visitor.label = Label(group=GROUP)
            yield visitor
        stand.label = Label(group=GROUP, role="head")
        yield stand
