"""The product's scorer on the synthetic set: the table of figures beside their bars, layers left out one by one.

Weights were tuned on seeds 1 to 12. Figures are of seeds 121 to 125 and 131 to 135; those with the kind and group that
were once held out stand in a row of their own. Referral credit is held from 34 on and an entry leaves the board from 67
on, as with the preset “balanced”.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

import psycopg

from bench.figures import say, show
from bench.fraud import measures
from bench.fraud.contest import BOMBING, DAYS, ENDS_AT, GRACE, HARD_NEGATIVES, UNDER_CHEAT, Contest, Entry
from bench.fraud.generator import generate
from bench.fraud.held_out import generate_held_out
from bench.fraud.measures import Steps
from bench.stack import Stack
from leadgen.campaigns.models import FraudPreset
from leadgen.fraud import scoring, signals, weights
from leadgen.fraud.bands import BANDS
from leadgen.fraud.observations import Moment, Observation
from leadgen.fraud.scoring import Score
from leadgen.fraud.weights import Layer

# Those from 101 to 105 and 111 to 115 were looked at before a last change each: they tell nothing any more. Those from
# 121 to 125 were measured with the weights before these; those from 131 to 135 never before these.
SEEDS = (121, 122, 123, 124, 125, 131, 132, 133, 134, 135)
BAND = BANDS[FraudPreset.BALANCED]
_OF_THE_PERSON = frozenset({"own_mailboxes", "second_mailboxes"})  # said of whoever brought others
RESCORED, RESCORED_SECONDS = 100_000, 60.0
_Scores = Mapping[int, Score]


def observe(entry: Entry, openings: int = 0) -> Observation:
    """What the product would have of this entry; country, language and mail host it does not look at.

    `openings` are the human visits of the person's own link. The set knows those of networks from which somebody
    entered, so there are at least so many.
    """
    local, _, domain = entry.email.lower().partition("@")
    return Observation(
        entry_id=entry.number,
        referrer_id=entry.referrer,
        local=local,
        domain=domain,
        created_at=entry.created_at,
        confirmed_at=entry.confirmed_at,
        form_seconds=entry.form_seconds,
        has_script=entry.has_script,
        is_trapped=entry.honeypot,
        network=entry.network,
        address=entry.address_hash,
        network_kind="datacentre" if entry.network_kind == "datacentre" else "isp",  # our list knows no phone networks
        device=entry.device,
        agent=entry.agent,
        timezone=entry.timezone,
        landing_host=entry.landing_host,
        openings=openings,
        returns=len({at // 86400 for at in entry.came_back}),
        answers=entry.answered,
        deeds=entry.shares,
        is_bounced=entry.bounced,
    )


def observed(contest: Contest) -> tuple[list[Observation], Moment]:
    """The contest as the product would see it when the grace is over."""
    openings: Counter[int] = Counter()
    for entry in contest.entries:
        if entry.referrer is not None:
            openings[entry.referrer] += len(entry.visits)
    people = [observe(entry, openings[entry.number]) for entry in contest.entries]
    return people, Moment(ENDS_AT + GRACE, ENDS_AT)


def scores_of(contest: Contest, without: Iterable[Layer] = ()) -> _Scores:
    """What the product finds in a contest."""
    people, moment = observed(contest)
    return scoring.score(people, moment, without=frozenset(without))


def steps_of(scores: _Scores) -> Steps:
    """What happens without a person: credit held, and from the upper band on the entry off the board."""
    credits = {number: False for number, score in scores.items() if score.points >= BAND.credit}
    states = {number: measures.HELD for number, score in scores.items() if score.points >= BAND.entry}
    return Steps(states, credits, is_held_on_board=False)


def sentences_of(contest: Contest, scores: _Scores) -> dict[int, list[str]]:
    """What the desk shows of each person: sentences about them and, once each, about those whom they brought."""
    shown: dict[int, dict[str, str]] = defaultdict(dict)
    for entry in contest.entries:
        for found in scores.get(entry.number, scoring.CLEAN).found:
            is_own = weights.POINTS[found.code][0] is Layer.ENTRY or found.code in _OF_THE_PERSON
            is_own = is_own or entry.referrer is None
            head = entry.number if is_own or entry.referrer is None else entry.referrer
            shown[head].setdefault(found.code, signals.sentence(found))
    return {head: list(of_head.values()) for head, of_head in shown.items()}


def judged(contest: Contest, without: Iterable[Layer] = ()) -> dict[str, float]:
    """The figures of one contest."""
    scores = scores_of(contest, without)
    points = {number: float(score.points) for number, score in scores.items()}
    found = measures.detection(contest.labels, points, threshold=BAND.credit)
    groups = measures.false_positives_by_group(
        contest.labels, points, threshold=BAND.credit, groups=_honest_groups(contest)
    )
    steps = steps_of(scores)
    read = measures.review(contest, steps, sentences_of(contest, scores))
    alone = steps_of(scores_of(contest.without(BOMBING), without))
    bombed = measures.bombing(contest, steps, alone)
    flagged = [score for score in scores.values() if score.points >= BAND.credit]
    kinds = measures.recall_by_kind(contest.labels, points, threshold=BAND.credit)
    return {
        "precision": found.precision,
        "recall": found.recall,
        "fpr": found.false_positives,
        "cheats_before": measures.cheats_in_top(contest),
        "cheats_after": measures.cheats_in_top(contest, steps),
        "cheats_among_winners": read.cheats,
        "cases": read.cases,
        "honest_struck": read.honest_struck,
        "bombed_unharmed": float(bombed.is_unharmed),
        "bombed_points_lost": bombed.clean_points_alone - bombed.clean_points,
        "bots_credited": bombed.bots_credited,
        "flags_without_sentence": sum(not score.found for score in flagged),
        **{f"recall {kind}": value for kind, value in kinds.items()},
        **{f"fpr {group}": value for group, value in groups.items()},
    }


def _honest_groups(contest: Contest) -> tuple[str, ...]:
    """The named honest groups of a contest, what was held out and friends of cheats among them."""
    return tuple(sorted({label.group for label in contest.labels.values() if label.group and not label.is_fraud}))


def table(make: Callable[..., Contest], evade: float, seeds: Sequence[int], **more: Any) -> dict[str, float]:
    """Mean figures over seeds, hard."""
    rows = [judged(make(seed, hard=True, evade=evade), **more) for seed in seeds]
    names = dict.fromkeys(name for row in rows for name in row)
    means = {name: mean(row[name] for row in rows if name in row) for name in names}
    return {name: round(value, 4) for name, value in means.items()}


def measure(stack: Stack, seeds: Sequence[int] = SEEDS) -> None:
    """Print the table, the hidden row, what each layer is worth, and how long 100,000 entries take."""
    rescoring(stack)
    for evade in (0.0, 0.3, 0.6):
        say(f"fraud: {evade:.0%} of the crews hide, seeds {seeds}")
        found = table(generate, evade, seeds)
        show(figure=f"fraud, hard, {evade:.0%} evade", bars=bars(found, evade), **found)
    for evade in (0.0, 0.3):
        found = table(generate_held_out, evade, seeds)
        show(figure=f"fraud, with what was held out, {evade:.0%} evade", bars=bars(found, evade), **found)
    for layer in Layer:
        found = table(generate, 0.0, seeds[:2], without=[layer])
        kept = {name: found[name] for name in ("precision", "recall", "fpr", "cheats_after")}
        show(figure=f"fraud, without the layer “{layer.value}”", **kept)


def bars(found: Mapping[str, float], evade: float) -> dict[str, bool]:
    """Which bars of the specification these figures meet."""
    met = {
        "c: FPR <= .005": found["fpr"] <= 0.005,
        "c: FPR <= .02 in every honest group": all(found[f"fpr {group}"] <= 0.02 for group in _barred(found)),
        "d: 0 cheats among winners after the oracle": found["cheats_among_winners"] == 0,
        "e: the bombed leader is unharmed": found["bombed_unharmed"] == 1,
        "g: a sentence for each flag": found["flags_without_sentence"] == 0,
    }
    if evade == 0:
        met |= {
            "a: precision >= .97": found["precision"] >= 0.97,
            "a: recall >= .90": found["recall"] >= 0.90,
            "a: ring >= .60": found["recall ring"] >= 0.60,
            "a: snipe >= .60": found["recall snipe"] >= 0.60,
            "d: cheats in the top ten <= 2.0": found["cheats_after"] <= 2.0,
        }
    elif evade <= 0.3:
        met |= {
            "b: precision >= .95": found["precision"] >= 0.95,
            "b: recall >= .70": found["recall"] >= 0.70,
            "d: cheats in the top ten <= 3.5": found["cheats_after"] <= 3.5,
        }
    return met


_LOAD = """
INSERT INTO campaign OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(c, jsonb_build_object(
    'id', (SELECT max(id) + 1 FROM campaign), 'slug', 'rescored', 'status', 'closing',
    'ends_at', now() - interval '1 hour', 'starts_at', now() - interval '22 days'))).* FROM campaign c
WHERE slug = %s RETURNING id, brand_id
"""


def _barred(found: Mapping[str, float]) -> list[str]:
    """The honest groups of the bar; friends of cheats are told, and stand under the bar over all."""
    names = {name.removeprefix("fpr ") for name in found if name.startswith("fpr ")}
    assert names >= set(HARD_NEGATIVES)
    return sorted(names - {UNDER_CHEAT})


def rescoring(stack: Stack) -> None:
    """Let the product score 100,000 entries by its own command, from the tables to the verdicts and the holds."""
    contests = [generate(seed, hard=True, evade=0.3) for seed in range(201, 201 + RESCORED // 10_000)]
    with stack.connect() as connection:
        number = _fill(connection, contests)
    say(f"rescoring {number} entries")
    begun = time.perf_counter()
    said = stack.flask("fraud", "rescore", "--campaign", "rescored", "--quiet", "--scores-only")
    seconds = time.perf_counter() - begun
    parts = {name: float(value) for name, value in re.findall(r"(scored) in ([\d.]+) s", said)}
    show(
        figure="100,000 entries rescored",
        unit="s",
        value=parts.get("scored"),
        goal=RESCORED_SECONDS,
        met=parts.get("scored", seconds) <= RESCORED_SECONDS,
        entries=number,
        whole_command_seconds=round(seconds, 1),
    )


def _fill(connection: psycopg.Connection[Any], contests: Sequence[Contest]) -> int:
    """Write contests side by side into one campaign; numbers are moved so that none meet."""
    row = connection.execute("SELECT slug FROM campaign ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    made = connection.execute(_LOAD, row).fetchone()
    assert made is not None
    campaign_id, brand_id = made
    base = 10_000_000
    people = []
    for place, contest in enumerate(contests):
        people += [(base + place * 100_000, place, entry) for entry in contest.entries]
    chance = random.Random(1)
    with connection.cursor() as cursor:
        columns = "id, brand_id, mailbox_key, email, address_hash, locale, created_at"
        with cursor.copy(f"COPY contact ({columns}) FROM STDIN") as copy:
            for shift, place, entry in people:
                email = f"{place}.{entry.email}"
                hashed = chance.randbytes(32)
                copy.write_row([shift + entry.number, brand_id, email, email, hashed, "fr", _at(entry.created_at)])
        columns = (
            "id, public_id, code, brand_id, campaign_id, contact_id, status, locale, rules_version, "
            "is_marketing_wanted, referrer_id, referral_state, code_expires_at, last_mail_at, expires_at, "
            "confirmed_at, reached_at, rank_points, points, created_at"
        )
        with cursor.copy(f"COPY entry ({columns}) FROM STDIN") as copy:
            for shift, _place, entry in people:
                copy.write_row(_entry_row(shift, entry, brand_id, campaign_id))
        columns = (
            "entry_id, campaign_id, at, network, address, network_kind, device, agent, form_seconds, has_script, "
            "is_trapped, timezone, landing_host, returns"
        )
        with cursor.copy(f"COPY sighting ({columns}) FROM STDIN") as copy:
            for shift, place, entry in people:
                copy.write_row(_sighting_row(shift, place, entry, campaign_id))
    connection.execute("ANALYZE contact, entry, sighting")
    return len(people)


def _at(seconds: float) -> str:
    """So many seconds after the contest opened, when it ended an hour ago."""
    moment = time.time() - 3600 - DAYS * 86400 + seconds
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(moment))


def _entry_row(shift: int, entry: Entry, brand_id: int, campaign_id: int) -> list[Any]:
    own, created = shift + entry.number, _at(entry.created_at)
    confirmed = None if entry.confirmed_at is None else _at(entry.confirmed_at)
    status = "confirmed" if confirmed else "pending"
    referrer = shift + entry.referrer if entry.referrer else None
    state = "none" if referrer is None else "counted" if confirmed else "awaiting"
    points = 1 if confirmed else 0
    return [
        own, f"P{own}", f"C{own}", brand_id, campaign_id, own, status, "fr", 1, False, referrer, state, created,
        created, created, confirmed, confirmed, points, points, created,
    ]  # fmt: skip


def _sighting_row(shift: int, place: int, entry: Entry, campaign_id: int) -> list[Any]:
    def own(word: str) -> bytes:
        return f"{place}{word}".encode()[:16]

    seen = observe(entry)
    device = f"{place}{seen.device}" if seen.device else ""
    return [
        shift + entry.number, campaign_id, _at(entry.created_at), own(seen.network), own(seen.address),
        seen.network_kind, device, seen.agent, seen.form_seconds or 0.0, seen.has_script, seen.is_trapped,
        seen.timezone, seen.landing_host, seen.returns + seen.answers + seen.deeds,
    ]  # fmt: skip
