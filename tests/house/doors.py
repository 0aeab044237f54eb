"""The product's routes as the house tests walk through them: each with an address that really leads somewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.routing import Rule

from leadgen.actions.models import Deed
from leadgen.broadcasts.models import Broadcast
from leadgen.campaigns.models import Action, Milestone
from leadgen.core import links
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.fraud.models import Ruling
from leadgen.gallery.models import Work
from leadgen.mail import jobs, mailbox
from leadgen.mail.models import Message, Stream
from leadgen.nurture.models import Sequence, Step
from leadgen.pictures import service as pictures
from leadgen.rewards.models import Award, Coupon
from leadgen.segments.models import Segment
from leadgen.web import preview
from leadgen.web.guards import Guard
from leadgen.web.public import seals
from leadgen.web.public.seals import Seat
from tests.factories import PASSWORD
from tests.factories_contest import make_picture
from tests.world import World, make_one_of_everything

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN = "/admin/sign-in"
# Flask's own route for our static files; it reads a file and cannot carry a declaration.
UNDECLARED = frozenset({"static"})


@dataclass(frozen=True)
class Route:
    """One rule with one method."""

    rule: Rule
    method: str
    guard: Guard

    @property
    def name(self) -> str:
        """`POST /c/<slug>`"""
        return f"{self.method} {self.rule.rule}"


def routes(app: Flask, *guards: Guard, safe: bool | None = None) -> list[Route]:
    """All routes of these guards (all when none is given); `safe` chooses reading or changing ones."""
    found = [
        Route(rule, method, app.view_functions[rule.endpoint].guard)  # type: ignore[attr-defined]
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in UNDECLARED
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    assert found
    return [
        route
        for route in found
        if (not guards or route.guard in guards) and (safe is None or safe == (route.method in SAFE))
    ]


@dataclass(frozen=True)
class Examples:
    """What stands for each argument of an address; ids that belong to nobody when `is_absent`."""

    values: dict[str, Any]
    tokens: dict[str, str]

    def address(self, rule: Rule) -> str:
        """The rule's address with every argument filled in."""
        values = dict(self.values)
        for pattern, token in self.tokens.items():
            if rule.rule.startswith(pattern):
                values["token"] = token
        missing = rule.arguments - values.keys()
        assert not missing, f"teach tests/house/doors.py an example of {missing} for {rule.rule}"
        built = rule.build({name: values[name] for name in rule.arguments})
        assert built is not None, f"{rule.rule} does not take {values}"
        return built[1]


def examples() -> tuple[World, Examples]:
    """A row in every table, and addresses that lead to Ada's rows. Needs the application's context."""
    world = make_one_of_everything()
    campaign, ben, anna = world.campaign, world.ben, world.anna
    jobs.pump_mail()  # a letter lies in the mailbox of development
    work = db.session.scalars(select(Work)).one()
    upload = db.session.get_one(Action, work.action_id)
    values = {
        "slug": campaign.slug,
        "code": ben.code,
        "locale": "fr",
        "brand_id": world.brand.id,
        "campaign_id": campaign.id,
        "prize_id": campaign.prizes[0].id,
        "question_id": campaign.questions[0].id,
        "field_key": campaign.questions[0].key,
        "page_key": "p1",
        "award_id": db.session.scalars(select(Award.id)).first(),
        "milestone_id": db.session.scalars(select(Milestone.id)).first(),
        "coupon_id": db.session.scalars(select(Coupon.id)).first(),
        "sequence_id": db.session.scalars(select(Sequence.id)).first(),
        "step_key": "step_1",
        "part": "trigger",
        "number": 1,
        "step_id": db.session.scalars(select(Step.id)).first(),
        "entry_id": ben.id,
        "broadcast_id": db.session.scalars(select(Broadcast.id)).first(),
        "segment_id": db.session.scalars(select(Segment.id)).first(),
        "example": "awake",
        "contact_id": ben.contact_id,
        "message_id": db.session.scalars(select(Message.id)).first(),
        "stream_id": db.session.scalars(select(Stream.id)).first(),
        "ruling_id": db.session.scalars(select(Ruling.id)).first(),
        "lane": "bulk",
        "letter": "welcome",
        "version": campaign.version,
        "shape": "square",
        "mark": "0123456789",
        "name": mailbox.newest("")[0].name,
        "accent": "0b6e6e",
        "key": "newsletter",
        "page": "me",
        "action_id": upload.id,
        "deed_id": db.session.scalars(select(Deed.id)).first(),
        "kind": "quiz",
        "work_id": work.id,
        "public_id": work.public_id,
        "size": "large",
        "picture": pictures.name_of(make_picture(world.brand.id, is_brands=True)),
        "deeper": "erase",
    }
    signed = {
        "/confirm/": links.confirm(anna.id, anna.generation),
        "/refuse/": links.refuse(anna.id, anna.generation),
        "/me/": links.status(ben.id, ben.access_version),
        "/unsubscribe/": links.unsubscribe(ben.contact_id),
        "/go/": links.click(db.session.scalars(select(Message.id)).first() or 0, 0, 1, ben.access_version),
        "/preview/": preview.address(campaign.id),
        "/sample/": links.sample("me", campaign.id, "fr"),
        "/c/<slug>/waiting/": "/" + seals.seal(_seat(anna), campaign.id),
    }
    return world, Examples(values, {pattern: link.rsplit("/", 1)[1] for pattern, link in signed.items()})


def _seat(entry: Entry) -> Seat:
    return Seat(
        entry_id=entry.id,
        is_own=True,
        masked="a•••@m•••.example",
        first_name="Anna",
        wants_marketing=False,
        domain="mail.example",
        referral_code="",
        channel="",
    )


def forged(honest: Examples) -> Examples:
    """The same addresses with tokens that nobody signed."""
    return Examples(honest.values, dict.fromkeys(honest.tokens, "forged"))


def absent(honest: Examples) -> Examples:
    """The same addresses with ids that belong to nobody."""
    beyond = {name: 987_654_321 if name.endswith("_id") else value for name, value in honest.values.items()}
    return Examples(beyond, honest.tokens)


def content(*, but: frozenset[str] = frozenset()) -> dict[str, str | None]:
    """A digest of every table's rows, to see whether anything changed. Needs the application's context.

    `but` are tables, or columns of tables.
    """
    digests = {}
    for table in db.metadata.sorted_tables:
        if table.name not in but:
            columns = ", ".join(column.name for column in table.columns if f"{table.name}.{column.name}" not in but)
            rows = f"(SELECT {columns} FROM {table.name})"
            digest = f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {rows} AS t"
            digests[table.name] = db.session.scalar(text(digest))
    db.session.rollback()
    return digests


def changed(before: dict[str, str | None], after: dict[str, str | None]) -> list[str]:
    """The names of the tables that differ."""
    return [name for name, digest in before.items() if after[name] != digest]


def sign_in(client: FlaskClient, email: str) -> FlaskClient:
    """The client with a session of this member of staff."""
    token = csrf_token(client, SIGN_IN)
    answer = client.post(SIGN_IN, data={"email": email, "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 303, answer.text
    return client


def csrf_token(client: FlaskClient, address: str) -> str:
    """The token in a form of this page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(address).text)
    assert found is not None
    return found[1]


def seen(page: str, address: str) -> str:
    """A page without its own address and without the form token, which differs each second."""
    return re.sub(r'(name="csrf_token"[^>]*value=")[^"]+', r"\1", page).replace(address, "")


def is_refused(status: int, location: str | None) -> bool:
    """An answer that lets nobody in: an error of the visitor's, or the way to the sign-in page."""
    return status in {400, 401, 403, 404} or (status in {302, 303} and SIGN_IN in (location or ""))


def visits(client: FlaskClient, found: list[Route], known: Examples) -> Iterator[tuple[Route, Any]]:
    """Call each route and hand out its answer."""
    for route in found:
        yield route, client.open(known.address(route.rule), method=route.method)
