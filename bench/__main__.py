"""`make bench`: one JSON line per figure, median of interleaved rounds, each beside a floor of the same run."""

from __future__ import annotations

import argparse

from bench import board, campaign, files, hot, nurture, referrals, scores, segments, trees, versions, webhooks, worth
from bench.audit import audit
from bench.blast import Blast
from bench.double import Double
from bench.figures import Rounds, say, show
from bench.fraud import scored
from bench.stack import Stack
from leadgen.simulator.loop import Loop


def main() -> None:
    """Start, measure, print, end."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--people", type=int, default=500, help="people in a round")
    parser.add_argument("--leads", type=int, default=2000, help="people in a round of the whole funnel")
    parser.add_argument("--base", type=int, default=1_000_000, help="people whom the blast goes to")
    parts = {
        "hot": hot_paths,
        "webhooks": webhook_events,
        "funnel": whole_funnel,
        "blast": large_blast,
        "fraud": fraud_table,
    }
    parts["trees"] = spreading_trees
    parts["board"] = places
    parts["referrals"] = famous_referrer
    parts["segments"] = large_segments
    parts["scores"] = large_scores
    parts["worth"] = contact_values
    parts["files"] = contact_files
    parts["versions"] = changed_sequence
    parts["nurture"] = large_sequence
    parser.add_argument("--only", choices=parts, action="append", help="measure this part alone")
    wanted = parser.parse_args()
    loop = Loop()
    double = Double(loop)
    settings = campaign.settings(double)
    with Stack(settings, workers=0, scheduler=False) as stack:
        slug = campaign.prepare(stack)
        for name, part in parts.items():
            if name in (wanted.only or parts):
                part(stack, double, slug, wanted)


def hot_paths(stack: Stack, double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """Each path alone, without workers beside it."""
    hot.measure(stack, double, slug, rounds=wanted.rounds, number=wanted.people)


def webhook_events(stack: Stack, double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """The provider's events, taken in and applied."""
    webhooks.measure(stack, double, slug, rounds=wanted.rounds)


def whole_funnel(stack: Stack, double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """Leads a second through real HTTP and two real workers, with everything counted afterwards."""
    with stack.connect() as connection:  # the floors' rows are not the product's
        connection.execute("SET session_replication_role = replica")  # evidence of consent refuses it otherwise
        connection.execute("TRUNCATE contact CASCADE")
        connection.execute("TRUNCATE fact, ledger_pending, provider_event")
        connection.execute("DELETE FROM points_bucket")
        connection.execute("SET session_replication_role = origin")
    stack.start_workers()
    double.by_id.clear()
    rounds = Rounds()
    entered: list[str] = []
    confirmed: list[str] = []
    refused: dict[str, int] = {}
    for number in range(wanted.rounds):
        say(f"round {number + 1} of {wanted.rounds}: the whole funnel, {wanted.leads} people")
        played = campaign.play(
            stack, double, slug=slug, number=wanted.leads, seed=1000 + number, nurture=campaign.LEAPS
        )
        rounds.add("leads/s", played.leads_per_second)
        rounds.add("servers", played.servers_ms)
        rounds.add("generator", played.generator_ms)
        for part, spent in played.cpu_ms.items():
            rounds.add(part, spent)
        entered += played.outcome.entered_emails
        confirmed += played.outcome.confirmed_emails
        refused |= played.outcome.refused
        say(f"  {played.leads_per_second:.0f} leads/s, {played.servers_ms:.2f} ms, {played.milliseconds}")
    with stack.connect() as connection:
        findings = audit(connection, entered=entered, confirmed=confirmed, taken=double.by_id)
    show(
        figure="whole funnel",
        unit="leads/s on two cores",
        value=rounds.median("leads/s"),
        rounds=wanted.rounds,
        spread=rounds.spread("leads/s"),
        servers_cpu_ms=rounds.median("servers"),
        goal_servers_cpu_ms=5.0,
        met=rounds.median("servers") <= 5.0 and not findings.wrong,
        parts={part: round(rounds.median(part), 3) for part in (*campaign.PARTS, "workers")},
        generator_cpu_ms=rounds.median("generator"),
        lost=findings.lost,
        duplicates=findings.doubled,
        wrong=findings.wrong,
        refused=refused,
        counts=findings.counts,
    )


def places(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """What a place in a race or in a waiting list costs in a large contest."""
    board.measure(stack, slug, people=wanted.base, rounds=wanted.rounds)


def large_segments(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """Who is meant, in a large base: counted, listed, judged one by one, exported."""
    segments.measure(stack, slug, people=wanted.base, rounds=wanted.rounds)


def large_scores(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """Everybody of a large base scored anew."""
    scores.measure(stack, slug, people=wanted.base)


def contact_values(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """What everybody in a large base is worth."""
    worth.measure(stack, slug, people=wanted.base)


def contact_files(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """A large base taken in from a file, and exported."""
    files.measure(stack, slug, people=wanted.base)


def changed_sequence(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """A wait is shortened while a hundred thousand people wait."""
    versions.measure(stack, slug, people=wanted.base // 10)


def large_sequence(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """The tick and the judge of a sequence that many people go through."""
    nurture.measure(stack, slug, people=wanted.base, rounds=wanted.rounds)


def famous_referrer(stack: Stack, _double: Double, slug: str, _wanted: argparse.Namespace) -> None:
    """A thousand friends of one person at once."""
    referrals.measure(stack, slug)


def fraud_table(stack: Stack, _double: Double, _slug: str, _wanted: argparse.Namespace) -> None:
    """The scorer on contests whose cheats are known, and 100,000 entries by the product's own command."""
    scored.measure(stack)


def large_blast(stack: Stack, double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """A broadcast to a large base, from its button to its last mail."""
    Blast(stack, double, slug, wanted.base).measure()


def spreading_trees(stack: Stack, _double: Double, slug: str, wanted: argparse.Namespace) -> None:
    """The pages about how a contest spreads, in a large one."""
    trees.measure(stack, slug, people=wanted.base, rounds=wanted.rounds)


if __name__ == "__main__":
    main()
