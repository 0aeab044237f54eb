"""Who entered: the list, the file, one person."""

import csv
import io

import pytest
from flask import Flask

from leadgen.accounts.models import User
from leadgen.campaigns.models import Campaign
from leadgen.core.db import db
from leadgen.entries import entrants
from leadgen.entries.models import Entry
from leadgen.journal.vocabulary import FactName
from leadgen.mail.models import MessageStatus
from tests import factories
from tests.web.admin.studio import Staff
from tests.world import World


@pytest.fixture
def path(base: str) -> str:
    return f"{base}/entrants"


def _many(app: Flask, world: World, number: int) -> None:
    with app.app_context():
        campaign = db.session.get_one(Campaign, world.campaign.id)
        for one in range(number):
            factories.make_entry(campaign, email=f"many{one}@mail.example", first_name=f"Many{one}")


class TestList:
    """Search, states, pages."""

    def test_it_shows_who_brought_whom(self, ada: Staff, path: str) -> None:
        page = ada.get(path).text
        assert "anna@mail.example" in page
        assert "Not confirmed yet" in page
        assert ">Ben</a>" in page

    @pytest.mark.parametrize("typed", ["ben", "BEN@", "ben@mail.example", " Ben "])
    def test_it_finds_part_of_an_address_or_name(self, ada: Staff, path: str, typed: str) -> None:
        page = ada.get(path, query_string={"text": typed}).text
        assert "ben@mail.example" in page
        assert "anna@mail.example" not in page

    @pytest.mark.parametrize("typed", ["%", "_", "b%n", "\\", "'; DROP TABLE entry; --", "\x00"])
    def test_signs_of_patterns_are_only_signs(self, ada: Staff, path: str, typed: str) -> None:
        page = ada.get(path, query_string={"text": typed})
        assert page.status_code == 200
        if typed != "\x00":
            assert "Nobody matches" in page.text

    def test_states_filter(self, ada: Staff, path: str) -> None:
        assert "anna@mail.example" not in ada.get(f"{path}?status=confirmed").text
        assert "ben@mail.example" not in ada.get(f"{path}?status=pending").text
        assert "ben@mail.example" in ada.get(f"{path}?status=nonsense").text

    def test_pages_follow_by_key_and_keep_the_filter(self, app: Flask, ada: Staff, world: World, path: str) -> None:
        _many(app, world, entrants.PAGE + 3)
        first = ada.get(f"{path}?text=many").text
        assert first.count('class="row-link"') == entrants.PAGE
        older = first.split('class="button button-quiet" href="')[-1].split('"')[0].replace("&amp;", "&")
        assert "text=many" in older
        second = ada.get(older).text
        assert second.count('class="row-link"') == 3
        assert "Older entrants" not in second

    def test_as_one_types_only_the_rows_are_fetched(self, ada: Staff, path: str) -> None:
        part = ada.get(f"{path}?text=ben", headers={"X-Background": "1"}).text
        assert "ben@mail.example" in part
        assert "<html" not in part

    def test_nobody_yet_is_explained(self, app: Flask, ada: Staff, world: World) -> None:
        with app.app_context():
            brand = db.session.get_one(type(world.brand), world.brand.id)
            empty = factories.make_campaign(brand).id
        assert "Nobody has entered yet" in ada.get(f"/admin/campaigns/{empty}/entrants").text

    def test_a_name_is_never_run(self, app: Flask, ada: Staff, world: World, path: str) -> None:
        with app.app_context():
            campaign = db.session.get_one(Campaign, world.campaign.id)
            entry = factories.make_entry(campaign, first_name="<img src=x onerror=alert(1)>").id
        for page in (ada.get(path).text, ada.get(f"{path}/{entry}").text):
            assert "<img src=x" not in page


class TestFile:
    """Everybody as CSV."""

    def test_everybody_is_in_it_the_unconfirmed_too(self, ada: Staff, world: World, path: str) -> None:
        answer = ada.get(f"{path}.csv")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="summer-')
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert {row["email"]: row["status"] for row in rows} == {
            "ben@mail.example": "confirmed",
            "anna@mail.example": "pending",
        }

    def test_no_cell_is_a_formula(self, app: Flask, ada: Staff, world: World, path: str) -> None:
        with app.app_context():
            campaign = db.session.get_one(Campaign, world.campaign.id)
            factories.make_entry(campaign, first_name='=HYPERLINK("http://elsewhere")')
        rows = list(csv.DictReader(io.StringIO(ada.get(f"{path}.csv").text)))
        assert rows[0]["first_name"].startswith("'=")


class TestPerson:
    """One entrant and everything that happened."""

    def test_the_story_is_told_with_every_mail(self, app: Flask, ada: Staff, world: World, path: str) -> None:
        with app.app_context():
            ben = db.session.get_one(Entry, world.ben.id)
            factories.make_fact(ben, FactName.ENTRY_CONFIRMED)
            factories.make_message(ben, status=MessageStatus.BOUNCED)
            factories.make_answer(ben, db.session.get_one(Campaign, world.campaign.id).questions[0])
        page = ada.get(f"{path}/{world.ben.id}").text
        for words in (
            "ben@mail.example",
            "Confirmed the address",
            "Bounced",
            "The sea",
            "Entering",
            "+1",
            world.ben.code,
        ):
            assert words in page, words

    def test_the_referrer_and_the_friends_are_linked(self, ada: Staff, world: World, path: str) -> None:
        assert f'href="{path}/{world.anna.id}"' in ada.get(f"{path}/{world.ben.id}").text
        assert f'href="{path}/{world.ben.id}"' in ada.get(f"{path}/{world.anna.id}").text

    def test_an_erased_person_is_shown_without_anything_personal(
        self, app: Flask, ada: Staff, world: World, path: str
    ) -> None:
        with app.app_context():
            entry = db.session.get_one(Entry, world.anna.id)
            contact = db.session.get_one(factories.Contact, entry.contact_id)
            contact.email = contact.mailbox_key = contact.address_hash = None
            contact.first_name = ""
            db.session.commit()
        page = ada.get(f"{path}/{world.anna.id}").text
        assert "Erased person" in page
        assert "anna@mail.example" not in page

    def test_somebody_who_does_not_exist_is_absent(self, ada: Staff, path: str) -> None:
        assert ada.get(f"{path}/999999").status_code == 404


class TestTimeline:
    """Everything that happened to a person, narrowed to a topic."""

    @pytest.fixture
    def page(self, app: Flask, world: World, path: str) -> str:
        with app.app_context():
            ben = db.session.get_one(Entry, world.ben.id)
            factories.make_fact(ben, FactName.ENTRY_CONFIRMED)
            factories.make_fact(ben, FactName.CONSENT_GIVEN)
            factories.make_message(ben, status=MessageStatus.SKIPPED, reason="no_consent")
        return f"{path}/{world.ben.id}"

    @pytest.mark.parametrize(
        ("show", "there"),
        [
            ("", {"mail", "points", "consent", "other"}),
            ("mail", {"mail"}),
            ("points", {"points"}),
            ("consent", {"consent"}),
            ("<nonsense>", {"mail", "points", "consent", "other"}),
        ],
    )
    def test_topics_narrow_it(self, ada: Staff, page: str, show: str, there: set[str]) -> None:
        shown = ada.get(page, query_string={"show": show}).text.partition('<ol class="timeline">')[2]
        signs = {
            "mail": "Welcome",
            "points": ">+1<",
            "consent": "Agreed to marketing mails",
            "other": "Confirmed the address",
        }
        assert {topic for topic, sign in signs.items() if sign in shown} == there

    def test_why_a_mail_did_not_come_is_a_sentence(self, app: Flask, ada: Staff, page: str) -> None:
        assert "The person did not get it: the person has not agreed to marketing." in ada.get(page).text
        with app.app_context():
            db.session.execute(db.update(User).values(locale="fr"))
            db.session.commit()
        assert "La personne ne l’a pas reçu" in ada.get(page).text

    def test_a_providers_words_are_never_run(self, app: Flask, ada: Staff, world: World, page: str) -> None:
        with app.app_context():
            message = factories.make_message(db.session.get_one(Entry, world.ben.id), status=MessageStatus.BOUNCED)
            event = factories.make_provider_event(message, kind="bounce")
            event.payload = {"reason": "550 <script>alert(1)</script>", "timestamp": "never"}
            db.session.commit()
        shown = ada.get(page).text
        assert "<script>alert" not in shown
        assert "550 &lt;script&gt;" in shown
