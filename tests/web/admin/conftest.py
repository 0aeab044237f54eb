"""Ada at work in her small world."""

import pytest
from flask import Flask

from leadgen.core.db import db
from tests.web.admin.studio import Staff
from tests.world import World, make_world


@pytest.fixture
def world(app: Flask) -> World:
    """The small world; its rows are detached, their ids are known."""
    with app.app_context():
        made = make_world()
        for row in vars(made).values():
            db.session.refresh(row)
        for campaign in (made.campaign, made.other_campaign):
            _ = ([prize.id for prize in campaign.prizes], [question.id for question in campaign.questions])
        db.session.expunge_all()
        return made


@pytest.fixture
def ada(app: Flask, world: World) -> Staff:
    """Ada, signed in."""
    staff = Staff(app)
    assert staff.sign_in().status_code == 303
    return staff


@pytest.fixture
def base(world: World) -> str:
    """The path of Ada's campaign."""
    return f"/admin/campaigns/{world.campaign.id}"
