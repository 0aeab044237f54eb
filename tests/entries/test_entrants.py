"""The marketer's list: search means what it says, pages continue, the CSV is complete and harmless."""

from __future__ import annotations

import csv
import io

from leadgen.campaigns.models import Campaign
from leadgen.entries import entrants
from tests.factories import make_campaign, make_entry


def emails(campaign: Campaign, **values: object) -> list[str | None]:
    return [found.email for found in entrants.search(campaign.id, **values)]


def test_search_by_address_name_and_code(campaign: Campaign) -> None:
    ben = make_entry(campaign, email="ben@mail.example", first_name="Ben", confirmed=True)
    make_entry(campaign, email="anna@mail.example", first_name="Anna", referrer=ben)
    make_entry(make_campaign(), email="stranger@mail.example")

    assert emails(campaign) == ["anna@mail.example", "ben@mail.example"]
    assert emails(campaign, typed="ANN") == ["anna@mail.example"]
    assert emails(campaign, typed=ben.code.lower()) == ["ben@mail.example"]
    assert emails(campaign, status="confirmed") == ["ben@mail.example"]
    assert emails(campaign, typed="100%_") == []


def test_pages_continue_where_the_last_one_ended(campaign: Campaign) -> None:
    for number in range(5):
        make_entry(campaign, email=f"p{number}@mail.example")

    first = entrants.search(campaign.id, limit=3)
    second = entrants.search(campaign.id, limit=3, before_id=first[-1].id)

    assert [found.email for found in first + second] == [f"p{number}@mail.example" for number in (4, 3, 2, 1, 0)]


def test_rule_10_the_export_holds_everybody_and_no_formula(campaign: Campaign) -> None:
    make_entry(campaign, email="anna@mail.example", first_name="=HYPERLINK(1)")
    make_entry(campaign, email="ben@mail.example", first_name=" +1", confirmed=True)

    table = list(csv.DictReader(io.StringIO(b"".join(entrants.export_csv(campaign.id)).decode())))

    assert [row["email"] for row in table] == ["ben@mail.example", "anna@mail.example"]
    assert [row["status"] for row in table] == ["confirmed", "pending"]
    assert [row["first_name"] for row in table] == ["' +1", "'=HYPERLINK(1)"]
