"""A pause acts while a blast runs, and a resumed stream sends each mail exactly once."""

from __future__ import annotations

import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from http.cookiejar import CookieJar

from bench import campaign
from bench.double import Double
from bench.stack import Stack

MAILS = 3_000
# The blast takes ten seconds when nothing stops it, so that a pause finds it in the middle.
A_SECOND = 300
_ACTS_WITHIN = 5.0
_WATCHED = 3.0
_PATIENCE = 240.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Studio:
    """Ada in her browser, signed in."""

    def __init__(self, stack: Stack) -> None:
        self.base = stack.base_url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        printed = stack.flask("user", "create", "ada@pause.example")
        self.post("/admin/sign-in", email="ada@pause.example", password=printed.split()[-1])

    def post(self, path: str, **fields: str) -> str:
        """Send a form with the token of the session; the page that follows."""
        with self.opener.open(f"{self.base}/admin/sign-in") as page:
            found = _TOKEN.search(page.read().decode())
        assert found is not None
        body = urllib.parse.urlencode({"csrf_token": found[1], **fields}).encode()
        with self.opener.open(f"{self.base}{path}", body) as answer:
            return str(answer.read().decode())


def test_a_pause_acts_within_five_seconds_and_a_resume_sends_each_mail_once(
    stack: Stack, double: Double, slug: str
) -> None:
    campaign.make_bulk_people(stack, slug, MAILS)
    with stack.connect() as connection:
        connection.execute("INSERT INTO pace VALUES ('lane:nurture', %s, now())", [A_SECOND])
        stream_id = connection.execute("SELECT min(stream_id) FROM sequence").fetchone()
    assert stream_id is not None
    first, last = campaign.want_bulk(stack, "pause", MAILS)
    studio = Studio(stack)  # after the leap of the clock, at which sessions end
    with stack.connect() as connection:
        rows = connection.execute("SELECT opaque_id::text FROM message WHERE id BETWEEN %s AND %s", [first, last])
        ours = [str(row[0]) for row in rows]
    path = f"/admin/sending/streams/{stream_id[0]}"

    stack.ring("leadgen.mail.jobs.pump_mail")
    _turn(double, _PATIENCE, lambda: _taken(double, ours) >= A_SECOND)
    assert "is paused" in studio.post(path, is_open="0")
    _turn(double, _ACTS_WITHIN)
    at_the_pause = _taken(double, ours)
    assert 0 < at_the_pause < MAILS, "the blast was over before the pause: there was nothing to prove"
    _turn(double, _WATCHED)
    assert _taken(double, ours) == at_the_pause

    assert "goes on where it was" in studio.post(path, is_open="1")
    _turn(double, _PATIENCE, lambda: _taken(double, ours) >= MAILS)
    _turn(double, _WATCHED)
    with stack.connect() as connection:
        connection.execute("DELETE FROM pace")
        left = connection.execute(
            "SELECT status, count(*) FROM message WHERE id BETWEEN %s AND %s GROUP BY status", [first, last]
        ).fetchall()
    assert left == [("accepted", MAILS)]
    assert {double.by_id[one] for one in ours} == {1}


def _taken(double: Double, ours: Sequence[str]) -> int:
    return sum(double.by_id[one] for one in ours)


def _turn(double: Double, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not until():
        double.loop.turn()
