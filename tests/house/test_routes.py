"""Every route says who may come in, and keeps its word: nobody changes anything without what the guard asks for."""

from dataclasses import replace

import pytest
from flask import Flask

from leadgen.app import create_app
from leadgen.core import hot
from leadgen.core import settings as product_settings
from leadgen.core.settings import Environment, Settings
from leadgen.web.guards import Guard
from tests.house import doors

# Counters are what a GET may change (rule 2), and they are written a second later; clicks and visits are counted one
# by one, and people's clicks are added up on their contact.
_COUNTED = frozenset({"counter", "click", "visit", "visit_tally", "contact.clicks", "contact.clicked_at"})
# What guards a change; ANYONE may only read.
_FOR_CHANGES = frozenset(Guard) - {Guard.ANYONE}
# One click answers the same for everybody (RFC 8058), so that it tells nothing about an address.
_SILENT = frozenset({"POST /unsubscribe/<token>"})
_SIGNED_IN = "ada@staff.example"


def test_every_route_declares_its_guard(app: Flask) -> None:
    open_doors = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in doors.UNDECLARED and not hasattr(app.view_functions[rule.endpoint], "guard")
    ]
    assert open_doors == []


def test_every_guard_is_used(app: Flask) -> None:
    assert {route.guard for route in doors.routes(app)} == set(Guard)


def test_changing_needs_more_than_being_anyone(app: Flask) -> None:
    assert [route.name for route in doors.routes(app, safe=False) if route.guard not in _FOR_CHANGES] == []


def test_what_stands_in_the_studio_is_for_staff(app: Flask) -> None:
    inside = [route for route in doors.routes(app) if route.rule.rule.startswith("/admin")]
    outside = {route.name for route in inside if route.guard is not Guard.STAFF}
    assert outside == {"GET /admin/sign-in", "POST /admin/sign-in"}


def test_nobody_changes_anything_without_credentials(app: Flask) -> None:
    with app.app_context():
        _, known = doors.examples()
    watch = _Watch(app)
    for route, answer in doors.visits(app.test_client(), doors.routes(app, safe=False), doors.forged(known)):
        if route.guard is Guard.DEVELOPMENT:
            continue
        is_refused = doors.is_refused(answer.status_code, answer.location) or route.name in _SILENT
        assert is_refused, f"{route.name}: {answer.status}"
        watch.saw(route)
    watch.ends()


def test_the_studio_asks_strangers_to_sign_in(app: Flask) -> None:
    with app.app_context():
        _, known = doors.examples()
    for route, answer in doors.visits(app.test_client(), doors.routes(app, Guard.STAFF), known):
        assert answer.status_code in {302, 303}, f"{route.name}: {answer.status}"
        assert doors.SIGN_IN in (answer.location or ""), route.name


def test_signed_in_staff_change_nothing_from_another_page(app: Flask) -> None:
    """A foreign page can make a browser send the session's cookie, but does not know the form's token."""
    with app.app_context():
        _, known = doors.examples()
    client = doors.sign_in(app.test_client(), _SIGNED_IN)
    watch = _Watch(app)
    for route, answer in doors.visits(client, doors.routes(app, Guard.STAFF, safe=False), known):
        assert answer.status_code == 400, f"{route.name}: {answer.status}"
        watch.saw(route)
    watch.ends()


@pytest.mark.parametrize("visitor", ["nobody", _SIGNED_IN])
def test_reading_changes_nothing(app: Flask, visitor: str) -> None:
    """Rule 2: a GET or HEAD changes nothing but counters; every page twice, with links that are good."""
    with app.app_context():
        _, known = doors.examples()
    client = app.test_client()
    if visitor != "nobody":
        doors.sign_in(client, visitor)
    watch = _Watch(app)
    reading = doors.routes(app, safe=True)
    for route, answer in doors.visits(client, [*reading, *reading], known):
        assert answer.status_code < 500, f"{route.name}: {answer.status}"
        assert client.head(known.address(route.rule)).status_code < 500, route.name
        watch.saw(route)
    watch.ends()


def test_every_example_leads_somewhere(app: Flask) -> None:
    """Else the tests above would walk past closed doors."""
    with app.app_context():
        _, known = doors.examples()
    client = doors.sign_in(app.test_client(), _SIGNED_IN)
    lost = [
        f"{route.name}: {answer.status}"
        for route, answer in doors.visits(client, doors.routes(app, safe=True), known)
        if answer.status_code >= 400
    ]
    assert lost == []


def test_public_pages_set_no_cookie(app: Flask) -> None:
    """Rule 11: no cookie before the form is sent."""
    with app.app_context():
        _, known = doors.examples()
    public = [route for route in doors.routes(app, safe=True) if route.guard not in {Guard.STAFF, Guard.SESSION_TOKEN}]
    for route, answer in doors.visits(app.test_client(), public, known):
        assert answer.headers.getlist("Set-Cookie") == [], route.name


def test_another_brands_record_looks_absent(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 8: same status, same body, nothing changed, for reading and for writing."""
    with app.app_context():
        _, known = doors.examples()
    client = doors.sign_in(app.test_client(), "cleo@staff.example")
    monkeypatch.setitem(app.config, "WTF_CSRF_METHODS", [])  # she has a token of her own pages
    watch = _Watch(app)
    missing = doors.absent(known)
    objects = [
        route for route in doors.routes(app, Guard.STAFF) if any(n.endswith("_id") for n in route.rule.arguments)
    ]
    assert objects
    for route, answer in doors.visits(client, objects, known):
        asked, absent = known.address(route.rule), missing.address(route.rule)
        twin = client.open(absent, method=route.method)
        assert (answer.status_code, twin.status_code) == (404, 404), route.name
        assert doors.seen(answer.text, asked) == doors.seen(twin.text, absent), route.name
        watch.saw(route)
    watch.ends()


def test_production_has_no_development_pages(app: Flask, settings: Settings) -> None:
    with app.app_context():
        _, known = doors.examples()
    shown = [known.address(route.rule) for route in doors.routes(app, Guard.DEVELOPMENT)]
    serious = replace(settings, environment=Environment.PRODUCTION, clock_file=None)
    try:
        client = create_app(serious).test_client()
        assert {address: client.get(address).status_code for address in shown} == dict.fromkeys(shown, 404)
    finally:
        product_settings.use(settings)
        hot.forget()


class _Watch:
    """Sees what calls change, without looking at all tables after each of them."""

    EVERY = 20

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._before = self._content()
        self._called: list[str] = []

    def saw(self, route: doors.Route) -> None:
        """One more call; now and then what the last ones changed is looked at."""
        self._called.append(route.name)
        if len(self._called) >= self.EVERY:
            self.ends()

    def ends(self) -> None:
        """None of the calls since the last look has changed anything."""
        assert doors.changed(self._before, self._content()) == [], f"one of {self._called}"
        self._called.clear()

    def _content(self) -> dict[str, str | None]:
        with self._app.app_context():
            return doors.content(but=_COUNTED)
