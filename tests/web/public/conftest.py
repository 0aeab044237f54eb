"""A live campaign with two people in it, and a visitor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from leadgen.core import hot, links
from leadgen.entries import person, points
from leadgen.web.public import landing
from tests.conftest import Clock
from tests.factories import make_brand, make_campaign, make_entry
from tests.web.public.street import BROWSER, Visitor


@dataclass(frozen=True)
class Scene:
    """Ben confirmed and has a page; Anna entered through his link and has not confirmed yet."""

    slug: str
    campaign_id: int
    contact_id: int  # Ben's
    code: str  # Ben's
    me: str  # paths of links
    confirm: str
    refuse: str
    confirmed: str
    unsubscribe: str
    ben_id: int
    anna_id: int


@pytest.fixture(autouse=True)
def _forget_caches() -> None:
    points.forget()
    person.forget()
    landing.forget()


@pytest.fixture
def scene(app: Flask) -> Scene:
    with app.app_context():
        brand = make_brand(name="Escales", logo="escales", accent="#0b6e6e")
        campaign = make_campaign(brand, slug="island", picture="escales-hero", prizes=2)
        ben = make_entry(campaign, email="ben@mail.example", first_name="Ben", confirmed=True, marketing=True)
        anna = make_entry(campaign, email="anna@mail.example", first_name="Anna", referrer=ben)
        return Scene(
            slug=campaign.slug,
            campaign_id=campaign.id,
            contact_id=ben.contact_id,
            code=ben.code,
            me=_path(links.status(ben.id, ben.access_version)),
            confirm=_path(links.confirm(anna.id, anna.generation)),
            refuse=_path(links.refuse(anna.id, anna.generation)),
            confirmed=_path(links.confirm(ben.id, ben.generation)),
            unsubscribe=_path(links.unsubscribe(ben.contact_id)),
            ben_id=ben.id,
            anna_id=anna.id,
        )


@pytest.fixture
def visitor(client: FlaskClient, clock: Clock) -> Visitor:
    client.environ_base["HTTP_USER_AGENT"] = BROWSER
    return Visitor(client, clock)


def _path(link: str) -> str:
    return link.removeprefix("http://localhost")


@pytest.fixture
def rows(app: Flask) -> object:
    """What the tables say, through a connection that no session caches for."""
    return hot.many


@pytest.fixture
def street(app: Flask, scene: Scene) -> Iterator[str]:
    """The application behind a real port; answers with its address."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        answer: Any = app(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()
            hot.forget()  # the server has a thread for each request, which takes its connection with it

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
