"""Figures of spreading as CSV: who brought whom, streamed by the database, and the weeks of entry."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import psycopg

from leadgen.analytics.cohorts import Cohort
from leadgen.analytics.crowds import CONDITIONS, Crowd
from leadgen.core import copying

# A cell that a spreadsheet would run as a formula gets an apostrophe in front.
_INFLUENCERS = f"""
COPY (
    SELECT p.public_id, {copying.safe("c.first_name")} AS first_name,
           {copying.safe("c.email")} AS email, p.status, p.review, p.depth AS generation,
           b.direct, coalesce(s.people, 0) AS second_generation, coalesce(t.people, 0) AS third_generation,
           b.confirmed, b.without_flag, b.counted, b.on_hold, b.quality
    FROM (SELECT e.referrer_id, count(*) AS direct,
                 count(*) FILTER (WHERE {CONDITIONS[Crowd.CONFIRMED]}) AS confirmed,
                 count(*) FILTER (WHERE {CONDITIONS[Crowd.CLEAR]}) AS without_flag,
                 count(*) FILTER (WHERE {CONDITIONS[Crowd.COUNTED]}) AS counted,
                 count(*) FILTER (WHERE {CONDITIONS[Crowd.HELD]}) AS on_hold,
                 count(*) FILTER (WHERE {CONDITIONS[Crowd.QUALITY]}) AS quality
          FROM entry e WHERE e.campaign_id = {{campaign}} AND e.referrer_id IS NOT NULL GROUP BY 1) b
    JOIN entry p ON p.id = b.referrer_id JOIN contact c ON c.id = p.contact_id
    LEFT JOIN (SELECT ref2_id, count(*) AS people FROM entry
               WHERE campaign_id = {{campaign}} AND ref2_id IS NOT NULL GROUP BY 1) s ON s.ref2_id = p.id
    LEFT JOIN (SELECT ref3_id, count(*) AS people FROM entry
               WHERE campaign_id = {{campaign}} AND ref3_id IS NOT NULL GROUP BY 1) t ON t.ref3_id = p.id
    ORDER BY b.confirmed DESC, b.direct DESC, p.id
) TO STDOUT (FORMAT csv, HEADER)
"""  # noqa: S608 - only conditions of our own
_WEEK = ("week_from", "entries", "confirmed", "friends", "friends_confirmed", "k_raw", "k_confirmed", "median_seconds",
         "is_ripe")  # fmt: skip


def influencers(campaign_id: int) -> Iterator[bytes]:
    """Everybody who brought somebody, most confirmed friends first; memory stays flat at any size.

    On a connection of its own, which is closed when the reader goes away.
    """
    statement = psycopg.sql.SQL(_INFLUENCERS).format(campaign=psycopg.sql.Literal(campaign_id))
    return copying.streamed(statement)


def cohorts(weeks: Sequence[Cohort]) -> bytes:
    """The weeks of entry, oldest first: dates, whole numbers and decimals, nothing that anybody typed."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(_WEEK)
    for one in weeks:
        ratios = ("" if k is None else f"{float(k):.4f}" for k in (one.k_raw, one.k))
        median = "" if one.median_seconds is None else round(one.median_seconds)
        row = (one.week.isoformat(), one.entries, one.confirmed, one.friends, one.friends_confirmed)
        writer.writerow([*row, *ratios, median, "yes" if one.is_ripe else "no"])
    return sheet.getvalue().encode()
