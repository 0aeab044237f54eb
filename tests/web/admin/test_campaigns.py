"""The list of campaigns, a draft in one step, and the moves of a campaign's life."""

import re
from typing import Any

import pytest
from flask import Flask

from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core.db import db
from tests import factories
from tests.conftest import Clock
from tests.web.admin.studio import Staff, fields_of
from tests.world import World


def _payload(**values: Any) -> dict[str, Any]:
    return {
        "template": "prize-draw",
        "name": "Autumn",
        "slug": "autumn",
        "starts_at": "2031-10-01T09:00",
        "ends_at": "2031-10-15T18:30",
    } | values


def _campaign(app: Flask, **by: Any) -> Campaign | None:
    with app.app_context():
        found: Campaign | None = db.session.query(Campaign).filter_by(**by).one_or_none()
        return found


class TestList:
    """All campaigns of the brands that one works for."""

    def test_it_shows_figures_at_a_glance_and_only_my_brands(self, ada: Staff) -> None:
        page = ada.get("/admin/").text
        assert "Summer" in page
        assert "Winter" not in page
        assert "14 days left" in page or "13 days left" in page

    def test_the_first_visit_teaches(self, app: Flask, world: World) -> None:
        with app.app_context():
            factories.make_membership(factories.make_user("new@staff.example"), factories.make_brand(name="Fresh"))
        new = Staff(app, "new@staff.example")
        new.sign_in()
        page = new.get("/admin/").text
        assert "Your first contest is a few minutes away" in page
        assert "/admin/campaigns/new" in page

    def test_the_palette_goes_to_every_page_of_mine(self, ada: Staff, base: str) -> None:
        places = ada.get("/admin/places.json").json
        assert places is not None
        assert {"name": "Summer › Letters", "to": f"{base}/letters"} in places
        assert not any("Winter" in place["name"] for place in places)


class TestNew:
    """A draft in one step."""

    def test_a_template_a_name_and_dates_make_a_draft(self, app: Flask, ada: Staff, world: World) -> None:
        answer = ada.post("/admin/campaigns/new", _payload())
        made = _campaign(app, slug="autumn")
        assert made is not None
        assert answer.location == f"/admin/campaigns/{made.id}"
        assert (made.status, made.name, made.brand_id) == (CampaignStatus.DRAFT, "Autumn", world.brand.id)
        assert made.starts_at.isoformat() == "2031-10-01T07:00:00+00:00"  # nine on the brand's wall clock in Paris
        assert "The draft is ready." in ada.get(answer.location).text

    def test_the_form_proposes_tomorrow_at_nine(self, ada: Staff) -> None:
        fields = fields_of(ada.get("/admin/campaigns/new").text)
        assert fields["starts_at"].endswith("T09:00")
        assert fields["ends_at"] > fields["starts_at"]

    def test_an_address_is_made_from_the_name(self, app: Flask, ada: Staff) -> None:
        ada.post("/admin/campaigns/new", _payload(name="Été à Nice", slug=""))
        assert _campaign(app, name="Été à Nice").slug == "ete-a-nice"  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"name": ""}, "Please fill this in."),
            ({"name": "x" * 91}, "at most 90 characters"),
            ({"slug": "Not good!"}, "Use 3 to 60 small letters"),
            ({"slug": "summer"}, "This address is taken"),
            ({"template": "no-such"}, "Please choose a template."),
            ({"template": ""}, "Please choose a template."),
            ({"ends_at": "2031-09-01T09:00"}, "The end must come after the start."),
            ({"starts_at": "soon"}, "Please write day and time"),
            ({"starts_at": ""}, "Please fill this in."),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_typed_stays(
        self, app: Flask, ada: Staff, wrong: dict[str, str], told: str
    ) -> None:
        answer = ada.post("/admin/campaigns/new", _payload(**wrong))
        assert answer.status_code == 422
        assert told in answer.text
        assert fields_of(answer.text)["name"] == wrong.get("name", "Autumn")
        assert _campaign(app, name="Autumn") is None

    def test_another_brand_cannot_be_chosen(self, app: Flask, ada: Staff, world: World) -> None:
        ada.post("/admin/campaigns/new", _payload(brand=str(world.other_brand.id)))
        assert _campaign(app, slug="autumn").brand_id == world.brand.id  # type: ignore[union-attr]

    def test_who_works_for_no_brand_is_told(self, app: Flask, world: World) -> None:
        with app.app_context():
            factories.make_user("lone@staff.example")
        lone = Staff(app, "lone@staff.example")
        lone.sign_in()
        assert "You do not work for any brand yet." in lone.post("/admin/campaigns/new", _payload()).text


class TestMoves:
    """Publish, pause, resume, copy, delete."""

    @pytest.fixture
    def draft(self, app: Flask, world: World) -> str:
        with app.app_context():
            made = factories.make_campaign(
                db.session.get_one(type(world.brand), world.brand.id), name="Draft one", status=CampaignStatus.DRAFT
            )
            return f"/admin/campaigns/{made.id}"

    def test_publishing_makes_it_public(self, app: Flask, ada: Staff, draft: str) -> None:
        assert "Ready to launch" in ada.get(draft).text
        answer = ada.post(f"{draft}/publish")
        assert answer.location == draft
        assert "The campaign is published." in ada.get(draft).text
        assert _campaign(app, name="Draft one").status is CampaignStatus.LIVE  # type: ignore[union-attr]

    def test_what_is_missing_is_listed_with_the_way_there_and_blocks(self, app: Flask, ada: Staff, draft: str) -> None:
        with app.app_context():
            campaign = db.session.get_one(Campaign, int(draft.rsplit("/", 1)[1]))
            campaign.texts = campaign.texts | {"fr": campaign.texts["fr"] | {"title": ""}}
            campaign.prizes[0].value = 0
            db.session.commit()
        page = ada.get(draft).text
        assert "2 things are missing before launch" in page
        assert f'href="{draft}/page"' in page
        assert re.search(rf'href="{draft}/prizes/\d+"', page)
        ada.post(f"{draft}/publish")
        assert "is empty in French" in ada.get(draft).text
        assert _campaign(app, name="Draft one").status is CampaignStatus.DRAFT  # type: ignore[union-attr]

    def test_pausing_offers_the_way_back(self, app: Flask, ada: Staff, base: str, world: World) -> None:
        ada.post(f"{base}/pause")
        page = ada.get(base).text
        assert "nobody can enter for now" in page
        assert f'action="{base}/resume"' in page
        assert _campaign(app, id=world.campaign.id).status is CampaignStatus.PAUSED  # type: ignore[union-attr]
        ada.post(f"{base}/resume", {"undo": "1"})
        assert _campaign(app, id=world.campaign.id).status is CampaignStatus.LIVE  # type: ignore[union-attr]

    def test_what_the_state_forbids_is_refused_in_words(self, ada: Staff, base: str) -> None:
        ada.post(f"{base}/publish")
        assert "This campaign is published already." in ada.get(base).text
        ada.post(f"{base}/resume")
        assert "Only a paused campaign can be resumed." in ada.get(base).text

    def test_a_copy_is_a_draft(self, app: Flask, ada: Staff, base: str) -> None:
        answer = ada.post(f"{base}/duplicate")
        copy = _campaign(app, name="Copy of Summer")
        assert copy is not None
        assert copy.status is CampaignStatus.DRAFT
        assert answer.location == f"/admin/campaigns/{copy.id}"

    def test_a_draft_is_deleted_when_its_name_was_typed(self, app: Flask, ada: Staff, draft: str) -> None:
        wrong = ada.post(f"{draft}/delete", {"name": "draft"})
        assert wrong.status_code == 422
        assert "This is not the name of the campaign." in wrong.text
        assert _campaign(app, name="Draft one") is not None
        assert ada.post(f"{draft}/delete", {"name": "Draft one"}).location == "/admin/"
        assert _campaign(app, name="Draft one") is None

    def test_a_public_campaign_is_never_deleted(self, app: Flask, ada: Staff, base: str, world: World) -> None:
        ada.post(f"{base}/delete", {"name": "Summer"})
        assert "Only a draft can be deleted." in ada.get(base).text
        assert _campaign(app, id=world.campaign.id) is not None

    def test_a_draft_is_seen_by_its_signed_preview_alone(
        self, app: Flask, ada: Staff, draft: str, clock: Clock
    ) -> None:
        page = ada.get(f"{draft}/page").text
        preview = page.split('data-address="')[1].split('"')[0]
        visitor = app.test_client()
        shown = visitor.get(f"{preview}?lang=en")
        assert shown.status_code == 200
        assert "Win a week in Lisbon" in shown.text
        assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
        assert "noindex" in shown.headers["X-Robots-Tag"]
        assert visitor.get(preview[:-2] + "xx").status_code == 404
        clock.forward(hours=13)
        assert visitor.get(preview).status_code == 404
