"""Where a contest may be shown: origins as browsers name them, and a sentence for what is none."""

from __future__ import annotations

import pytest

from leadgen.campaigns import embedding
from leadgen.campaigns import service as campaigns
from leadgen.core.errors import Invalid
from tests.factories import make_campaign


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        (" HTTPS://Shop.Example/page?x=1 ", "https://shop.example"),
        ("shop.example", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://café.example", "https://xn--caf-dma.example"),
        ("http://localhost:5000", "http://localhost:5000"),
    ],
)
def test_an_address_becomes_the_origin_of_its_site(context: None, typed: str, origin: str) -> None:
    assert embedding.origin(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "http://shop.example",
        "*",
        "https://*.example",
        "https://",
        "javascript:alert(1)",
        "https://shop.example;",
        "https://a b.example",
        "https://[::1",
        "'none'",
        "https://" + "a" * 70 + ".example",
        "data:text/html,x",
    ],
)
def test_anything_else_is_refused_with_a_sentence(context: None, typed: str) -> None:
    """What stands in the list goes into a security header, so nothing but an origin may."""
    with pytest.raises(Invalid) as refused:
        embedding.origin(typed)
    assert refused.value.field == "origins"


def test_the_list_holds_each_site_once_and_not_too_many(context: None) -> None:
    campaign = make_campaign()
    campaigns.edit_embed(campaign, ["shop.example", "", "https://shop.example/win", "blog.example"])
    assert campaign.embed_origins == ["https://shop.example", "https://blog.example"]
    with pytest.raises(Invalid, match="30"):
        campaigns.edit_embed(campaign, [f"s{number}.example" for number in range(31)])
