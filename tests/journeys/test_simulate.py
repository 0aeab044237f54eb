"""`flask simulate` lets people enter the running product, and what it reports is what the tables hold."""

from __future__ import annotations

from bench.stack import Stack
from tests.journeys.conftest import Mailbox

PEOPLE = 25


def test_simulated_people_do_what_the_summary_says(stack: Stack, slug: str, mailbox: Mailbox) -> None:
    words = ["simulate", "--people", str(PEOPLE), "--rate", "10", "--seed", "11", "--pace", "0.05", "--campaign", slug]
    report = dict(line.rsplit(maxsplit=1) for line in stack.flask(*words).splitlines() if "  " in line)
    with stack.connect() as connection:
        rows = connection.execute(
            "SELECT count(*), count(e.referrer_id), count(e.confirmed_at) FROM entry e "
            "JOIN contact c ON c.id = e.contact_id WHERE c.email LIKE %s",
            ["%.example"],
        ).fetchone()
        answers = connection.execute("SELECT count(*) FROM answer").fetchone()
    assert rows is not None
    assert int(report["entered"]) == PEOPLE
    assert rows[0] >= PEOPLE
    assert not [name for name in report if name.startswith("refused")]
    assert int(report["confirmed"]) <= int(str(rows[2]))
    assert int(report["confirmed"]) > PEOPLE // 2
    assert int(report["through a friend's link"]) <= int(str(rows[1]))
    assert int(report["questions answered"]) <= int(str(answers and answers[0]))
    assert int(report["questions answered"]) > 0
