"""For machines that watch us: is the process there, is it ready, and how does it do."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from leadgen.analytics import vitals
from leadgen.analytics.vitals import Vitals
from leadgen.web.guards import Guard, guarded_by

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@guarded_by(Guard.ANYONE)
def healthz() -> tuple[str, int]:
    """The process answers."""
    return "ok\n", 200


@blueprint.get("/readyz")
@guarded_by(Guard.ANYONE)
def readyz() -> tuple[Response, int]:
    """200 when people can be served; 503 without the database. Without Redis we go on, slower, and say so."""
    signs = vitals.take()
    body = {
        "database": "ok" if signs.has_database else "away",
        "redis": "ok" if signs.has_redis else "away",
        "oldest_job_seconds": signs.oldest_job_seconds,
        "oldest_wanted_message_seconds": signs.oldest_message_seconds,
        "mail": signs.mail_pause or "ok",
        "oldest_by_lane": signs.oldest_by_lane,
        "streams_stopped": signs.streams_stopped,
        "uncertain": signs.open_messages.get("uncertain", 0),
    }
    return jsonify(body), 200 if signs.has_database else 503


@blueprint.get("/metrics")
@guarded_by(Guard.ANYONE)
def metrics() -> Response:
    """The same and more as Prometheus reads it. Holds no personal data; nginx keeps it for the inside."""
    registry = CollectorRegistry()
    registry.register(_Vitals(vitals.take()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Vitals(Collector):
    """One reading of the vital signs as metrics."""

    def __init__(self, signs: Vitals) -> None:
        self.signs = signs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics of this reading."""
        signs = self.signs
        yield GaugeMetricFamily("leadgen_database_up", "1 when the database answers.", signs.has_database)
        yield GaugeMetricFamily("leadgen_redis_up", "1 when Redis answers.", signs.has_redis)
        yield GaugeMetricFamily(
            "leadgen_mail_paused", "1 while the mail provider is left in peace.", bool(signs.mail_pause)
        )
        yield GaugeMetricFamily(
            "leadgen_mail_refused", "1 until the provider's refusal of our access is repaired.", signs.is_mail_refused
        )
        yield GaugeMetricFamily(
            "leadgen_events_waiting", "Provider events not yet applied, counted up to a limit.", signs.events_waiting
        )
        yield GaugeMetricFamily(
            "leadgen_events_poisonous", "Provider events that nobody could read or apply.", signs.events_poisonous
        )
        yield GaugeMetricFamily("leadgen_facts_waiting", "Facts not yet announced, up to a limit.", signs.facts_waiting)
        yield _by("lane", "leadgen_mail_due", "Messages due now by lane, counted up to a limit.", signs.due_messages)
        yield _by("lane", "leadgen_mail_oldest_seconds", "Age of the oldest due message by lane.", signs.oldest_by_lane)
        yield GaugeMetricFamily(
            "leadgen_streams_stopped", "Streams of mail that a breaker stopped.", signs.streams_stopped
        )
        yield GaugeMetricFamily(
            "leadgen_points_wrong", "Differences between points and ledger in the last audit.", signs.points_wrong
        )
        yield _by("status", "leadgen_mail_open", "Messages whose outcome is not known.", signs.open_messages)
        yield _by("queue", "leadgen_queue_jobs", "Jobs waiting by queue.", signs.jobs_by_queue)


def _by(label: str, name: str, words: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
