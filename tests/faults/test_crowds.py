"""Many people at the same instant: one address, one referrer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from bench import campaign, people
from bench.double import Double
from bench.stack import Stack
from leadgen.simulator import pages
from leadgen.simulator.client import Answer, Ask, Crowd, Life, Pause, Target, source_of

ENTRIES = 100
FRIENDS = 1000
CONNECTIONS = 50
_VARIANTS = ("jane.doe@gmail.com", "JaneDoe@gmail.com", "j.a.n.e.doe+win@gmail.com", "janedoe+{n}@googlemail.com")
_numbers = itertools.count(500_000)


class Visitors:
    """People who all act at once, each from an address of their own."""

    def __init__(self, stack: Stack, double: Double, slug: str) -> None:
        self.stack = stack
        self.double = double
        self.slug = slug

    def forms(self, number: int, path: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
        """So many landing pages, a second old: where their forms go, and their hidden fields."""
        path = path or f"/c/{self.slug}"
        answers = self.at_once([self.get(path)] * number)
        if answers[0].status == 302:
            path = pages.path_of(answers[0].header(b"location"))
            answers = self.at_once([self.get(path)] * number)
        found = [pages.form_with(answer.body, "email") for answer in answers]
        return [(path, list(form.hidden().items())) for form in found if form is not None]

    def enter(self, forms: Sequence[tuple[str, list[tuple[str, str]]]], emails: Sequence[str]) -> list[Answer]:
        """Send the forms, all at once."""
        boxes = [("first_name", "Jane"), ("consent_rules", "1"), ("consent_marketing", "1")]
        wires = [
            self.post(path, [*hidden, ("email", email), *boxes])
            for (path, hidden), email in zip(forms, emails, strict=True)
        ]
        return self.at_once(wires)

    def at_once(self, wires: Sequence[bytes], connections: int = 100) -> list[Answer]:
        """Send all requests over so many connections, which start together after a second."""
        crowd = Crowd(self.double.loop, Target("127.0.0.1", self.stack.port), people.NoPostbox())
        answers: list[Answer | None] = [None] * len(wires)

        def visit(first: int) -> Life:
            yield Pause(1.1)
            for index in range(first, len(wires), connections):
                answers[index] = yield Ask("crowd", wires[index])

        for first in range(min(connections, len(wires))):
            crowd.start(visit(first), source_of(next(_numbers)))
        self.double.loop.run(lambda: not crowd.lines)
        return [answer for answer in answers if answer is not None]

    def get(self, path: str) -> bytes:
        """A browser asks for a page."""
        return self._head("GET", path) + b"\r\n"

    def post(self, path: str, fields: list[tuple[str, str]]) -> bytes:
        """A browser sends a form."""
        body = pages.encode(fields)
        kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        return self._head("POST", path) + kind.encode() + body

    def _head(self, method: str, path: str) -> bytes:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.stack.port}\r\nUser-Agent: {agent}\r\n".encode()


@pytest.fixture
def visitors(stack: Stack, double: Double, slug: str) -> Visitors:
    return Visitors(stack, double, slug)


def test_a_hundred_simultaneous_entries_with_one_mailbox_leave_one_entry_and_one_mail(
    stack: Stack, double: Double, visitors: Visitors
) -> None:
    emails = [_VARIANTS[n % len(_VARIANTS)].format(n=n) for n in range(ENTRIES)]
    answers = visitors.enter(visitors.forms(ENTRIES), emails)
    campaign.settle(double.loop, stack, double)
    assert {answer.status for answer in answers} == {303}
    with stack.connect() as connection:
        entries = connection.execute(
            "SELECT e.id FROM entry e JOIN contact c ON c.id = e.contact_id WHERE c.mailbox_key LIKE 'janedoe@%%'"
        ).fetchall()
        mails = connection.execute(
            "SELECT opaque_id::text FROM message WHERE entry_id = ANY(%s)", [[row[0] for row in entries]]
        ).fetchall()
    assert len(entries) == 1
    assert len(mails) == 1
    assert double.by_id[str(mails[0][0])] == 1
    assert sum(double.by_address[email] for email in set(emails)) == 1


def test_a_thousand_confirmations_for_one_referrer_each_posted_twice_credit_exactly_a_thousand(
    stack: Stack, double: Double, visitors: Visitors
) -> None:
    visitors.enter(visitors.forms(1), ["ben@mail.example"])
    campaign.settle(double.loop, stack, double)
    visitors.at_once([visitors.post(double.link_of("ben@mail.example", "/confirm/"), [])])
    with stack.connect() as connection:
        row = connection.execute(
            "SELECT e.code, e.id FROM entry e JOIN contact c ON c.id = e.contact_id WHERE c.email = 'ben@mail.example'"
        ).fetchone()
    assert row is not None
    code, ben = row

    friends = [f"friend{number}@mail.example" for number in range(FRIENDS)]
    answers = visitors.enter(visitors.forms(FRIENDS, f"/r/{code}?ch=wa"), friends)
    assert {answer.status for answer in answers} == {303}
    campaign.settle(double.loop, stack, double)
    links = [double.link_of(email, "/confirm/") for email in friends]
    posts = [visitors.post(link, []) for link in links for _ in range(2)]
    answers = visitors.at_once(posts, connections=CONNECTIONS)
    campaign.settle(double.loop, stack, double)

    assert len(answers) == 2 * FRIENDS
    assert {answer.status for answer in answers} <= {200, 303}
    assert sum(answer.status == 303 for answer in answers) >= FRIENDS
    with stack.connect() as connection:
        credited = connection.execute(
            "SELECT count(*), sum(l.points), count(DISTINCT source_entry_id) FROM ledger l "
            "WHERE l.entry_id = %s AND l.kind = 'referral' AND l.reverses_id IS NULL",
            [ben],
        ).fetchone()
        standing = connection.execute(
            "SELECT c.entry_points, c.referral_points, e.points, "
            "(SELECT sum(l.points) FROM ledger l WHERE l.entry_id = e.id), "
            "(SELECT count(*) FROM entry f WHERE f.referrer_id = e.id AND f.referral_state = 'counted') "
            "FROM entry e JOIN campaign c ON c.id = e.campaign_id WHERE e.id = %s",
            [ben],
        ).fetchone()
    assert standing is not None
    entry_points, referral_points, points, lines, counted = (int(str(value)) for value in standing)
    assert credited == (FRIENDS, FRIENDS * referral_points, FRIENDS)
    # A thousand people within a minute look like a machine: what the checks hold is taken back, line by line.
    assert points == lines == entry_points + counted * referral_points
