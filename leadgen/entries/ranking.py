"""The order of a race as the marketer sees it: what is on its way, who is held, and everybody as a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from leadgen.core import copying, hot, text
from leadgen.entries import entrants
from leadgen.entries.leaderboard import CODE_LETTERS
from leadgen.entries.models import Review

# A famous person's friends are not counted to the last one for a look at the board.
MOST_PROVISIONAL = 1_000

_LINES = f"""
WITH top AS (
    SELECT id, rank_points, reached_at, row_number() OVER (ORDER BY rank_points DESC, reached_at, id) AS number
    FROM (
        SELECT id, rank_points, reached_at FROM entry
        WHERE campaign_id = %(campaign)s AND status = 'confirmed' AND review = 'clear' AND rank_points > 0
        ORDER BY rank_points DESC, reached_at, id LIMIT %(most)s
    ) AS first_ones
), held AS (
    SELECT id, rank_points, reached_at, NULL::bigint AS number FROM entry
    WHERE campaign_id = %(campaign)s AND status = 'confirmed' AND review <> 'clear'
      AND rank_points >= coalesce((SELECT min(rank_points) FROM top), 0)
    ORDER BY rank_points DESC, reached_at, id LIMIT %(most)s
)
SELECT line.number, e.id, e.public_id, e.review, e.rank_points, p.first_name, p.email,
       CASE WHEN e.is_on_board THEN coalesce(nullif(e.display_name, ''), p.first_name) ELSE '' END AS shown,
       (SELECT count(*) FROM (
           SELECT 1 FROM entry f WHERE f.referrer_id = e.id AND (f.status = 'pending' OR f.referral_state = 'on_hold')
           LIMIT {MOST_PROVISIONAL}
       ) AS f) AS provisional
FROM (SELECT * FROM top UNION ALL SELECT * FROM held) AS line
JOIN entry e ON e.id = line.id JOIN contact p ON p.id = e.contact_id
ORDER BY line.rank_points DESC, line.reached_at, line.id
"""  # noqa: S608 - the only value put in by Python is a constant of this module

_CSV = """
COPY (
    SELECT CASE WHEN e.review = 'clear'
               THEN count(*) FILTER (WHERE e.review = 'clear') OVER (
                   ORDER BY e.rank_points DESC, e.reached_at, e.id ROWS UNBOUNDED PRECEDING) END AS place,
           e.public_id, {shown} AS shown_name, {email} AS email, {first_name} AS first_name,
           e.rank_points AS ranked_points, e.points, e.friends_counted, e.reached_at, e.review
    FROM entry e JOIN contact c ON c.id = e.contact_id
    WHERE e.campaign_id = %(campaign)s AND e.status = 'confirmed'
    ORDER BY e.rank_points DESC, e.reached_at, e.id
) TO STDOUT (FORMAT csv, HEADER)
"""


@dataclass(frozen=True, slots=True)
class RankedLine:
    """One line for the marketer. `number` is None for whoever is held or excluded: the public does not see them.

    `shown` is the name on the board, empty for “Participant 4F2” by `code`; `provisional` friends may still count.
    """

    number: int | None
    entry_id: int
    code: str
    shown: str
    first_name: str
    email: str
    points: int
    provisional: int
    review: Review


def lines(campaign_id: int, most: int) -> list[RankedLine]:
    """The first places as they stand now, those who are held among them where they would stand."""
    rows = hot.many(_LINES, {"campaign": campaign_id, "most": most})
    return [
        RankedLine(
            number=row["number"],
            entry_id=row["id"],
            code=row["public_id"][:CODE_LETTERS],
            shown=text.shown_name(row["shown"] or ""),
            first_name=row["first_name"] or "",
            email=row["email"] or "",
            points=int(row["rank_points"]),
            provisional=row["provisional"],
            review=Review(row["review"]),
        )
        for row in rows
    ]


def export_csv(campaign_id: int) -> Iterator[bytes]:
    """Everybody who confirmed, in order, streamed by the database; who is held has no place."""
    shown = "CASE WHEN e.is_on_board THEN coalesce(nullif(e.display_name, ''), c.first_name) ELSE '' END"
    columns = {"shown": shown, "email": "c.email", "first_name": "c.first_name"}
    safe = {name: copying.safe(f"({column})") for name, column in columns.items()}
    return entrants.copied(_CSV.format(**safe), campaign_id)
