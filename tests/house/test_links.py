"""Every address that letters and pages are given leads to a page of ours."""

import inspect
from urllib.parse import urlsplit

import pytest
from flask import Flask

from leadgen.core import links

_ARGUMENTS = {
    "click": (1, 0, 1, 1),
    "absolute": ("/",),
    "landing": ("summer",),
    "referral": ("ABCD2345",),
    "confirm": (1, 1),
    "refuse": (1, 1),
    "status": (1, 1),
    "unsubscribe": (1, 1),
    "sample": ("me", 1, "en"),
}
_NOT_ADDRESSES = {"status_token"}


def _functions() -> set[str]:
    return {name for name, found in inspect.getmembers(links, inspect.isfunction) if found.__module__ == links.__name__}


def test_every_kind_of_link_is_tried() -> None:
    assert _functions() - _NOT_ADDRESSES == set(_ARGUMENTS)


@pytest.mark.parametrize("name", sorted(_ARGUMENTS))
def test_link_resolves_to_a_route(app: Flask, name: str) -> None:
    address = urlsplit(getattr(links, name)(*_ARGUMENTS[name]))
    endpoint, _ = app.url_map.bind("localhost").match(address.path, method="GET")
    assert endpoint in app.view_functions
