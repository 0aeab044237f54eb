"""Makes one contest of the synthetic fraud set; the same seed and knobs give the same contest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from bench.fraud import cheats, honest
from bench.fraud.contest import BOMBING, ENDS_AT, HARD_NEGATIVES, KINDS, UNDER_CHEAT, Contest, Entry
from bench.fraud.people import Draft
from bench.fraud.world import REFUSED_HOSTS, World

Part = Callable[[World], Iterator[Draft]]
FEWEST = 5000  # below, groups are too small to say anything
_DUPLICATES = 0.001
_FRAUD = (0.14, 0.18)


def generate(seed: int, *, hard: bool, evade: float, entries: int = 10_000, extra: Sequence[Part] = ()) -> Contest:
    """One contest of about `entries` entries; `extra` parts (see `held_out`) take the place of everyday people.

    Raises ValueError when `entries` is too small or `evade` is no share.
    """
    if entries < FEWEST or not 0 <= evade <= 1:
        raise ValueError(f"at least {FEWEST} entries, and a share of crews that evade between 0 and 1")
    world = World(seed, hard=hard, evade=evade, entries=entries)
    drafts = [*honest.groups(world), *_cheats(world)]
    leader, band = honest.bombed_leader(world)
    drafts += [*band, *cheats.bombing(world, leader)]
    for part in extra:
        drafts += part(world)
    drafts += honest.everyday(world, entries - len(drafts))
    contest = _number(drafts)
    check(contest)
    return contest


def _cheats(world: World) -> Iterator[Draft]:
    for kind in KINDS:
        for crew, made in cheats.crews(world, kind):
            yield from made
            yield from honest.under_cheat(world, crew.r, crew.head, round(len(made) * crew.r.betavariate(1.2, 8)))


def _number(drafts: list[Draft]) -> Contest:
    """Entries in order of time. Two of one second keep the order in which they were made."""
    drafts.sort(key=lambda draft: draft.created_at)
    numbers = {draft: number for number, draft in enumerate(drafts, 1)}
    entries = tuple(_entry(draft, numbers) for draft in drafts)
    return Contest(entries, {number: draft.label for draft, number in numbers.items()}, REFUSED_HOSTS)


def _entry(draft: Draft, numbers: dict[Draft, int]) -> Entry:
    return Entry(
        number=numbers[draft],
        referrer=numbers[draft.referrer] if draft.referrer else None,
        email=draft.mailbox.email,
        mailbox_key=draft.mailbox.key,
        mail_host=draft.mailbox.host,
        first_name=draft.name[0],
        created_at=draft.created_at,
        form_seconds=draft.form_seconds,
        has_script=draft.has_script,
        honeypot=draft.honeypot,
        network=draft.place.network,
        address_hash=draft.place.address,
        network_kind=draft.place.kind,
        device=draft.device,
        agent=draft.agent,
        language=draft.language,
        timezone=draft.timezone,
        country=draft.place.country,
        channel=draft.channel,
        landing_host=draft.landing_host,
        visits=draft.visits,
        confirmed_at=draft.confirmed_at,
        confirm_method=draft.confirm_method,
        came_back=draft.came_back,
        answered=draft.answered,
        bounced=draft.bounced,
        complained=draft.complained,
        unsubscribed=draft.unsubscribed,
        shares=draft.shares,
    )


def check(contest: Contest) -> None:
    """Assert what makes the set worth judging by: shares, sizes of groups, nobody before their referrer."""
    known = contest.by_number()
    labels = contest.labels
    share = sum(label.is_fraud for label in labels.values()) / len(labels)
    assert _FRAUD[0] <= share <= _FRAUD[1], f"{share:.1%} fraud"
    clean = Counter(entry.mailbox_key for entry in contest.entries if not labels[entry.number].is_fraud)
    doubled = sum(number - 1 for number in clean.values())
    assert doubled <= _DUPLICATES * clean.total(), f"{doubled} honest people share a mailbox"
    sizes = Counter(label.group for label in labels.values())
    kinds = Counter(label.kind for label in labels.values())
    fewest = 25 * min(1, len(labels) / 10_000)
    few = [name for name in (*HARD_NEGATIVES, UNDER_CHEAT, BOMBING) if sizes[name] < fewest]
    few += [kind for kind in KINDS if kinds[kind] < 0.008 * len(labels)]
    assert not few, f"too few of {', '.join(few)}"
    for entry in contest.entries:
        assert 0 <= entry.created_at < ENDS_AT, entry
        assert entry.confirmed_at is None or entry.confirmed_at > entry.created_at, entry
        if entry.referrer is not None:
            confirmed = known[entry.referrer].confirmed_at
            assert confirmed is not None, entry
            assert confirmed < entry.created_at, (entry, known[entry.referrer])
