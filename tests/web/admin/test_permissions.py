"""Who may see what: every route of the studio × a member, another brand's member, nobody."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from werkzeug.routing import Rule

from leadgen.accounts.models import MemberRole
from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.nurture.models import Sequence, Step
from tests import factories, factories_contest
from tests.factories_contest import make_action, make_coupon, make_milestone, make_work
from tests.web.admin.studio import Staff
from tests.world import World

GONE_ON = 303
# What a member of the brand gets; another brand's member gets 404 for each route that names a campaign or a brand,
# and nobody is asked to sign in. A route that is missing here fails.
MEMBER: dict[tuple[str, str], int] = {
    ("GET", "admin.campaign_list"): 200,
    ("GET", "admin.campaign_new"): 200,
    ("POST", "admin.campaign_new"): 422,
    ("GET", "admin.places"): 200,
    ("GET", "admin.programme_brands"): GONE_ON,
    ("GET", "admin.programme"): 200,
    ("POST", "admin.programme_costs"): 422,
    ("GET", "admin.sequence_results"): 200,
    ("GET", "admin.sequence_result_people"): 200,
    ("POST", "admin.sequence_costs"): GONE_ON,
    ("POST", "admin.sequence_winner"): GONE_ON,
    ("GET", "admin.password"): 200,
    ("POST", "admin.password"): 422,
    ("POST", "admin.language"): GONE_ON,
    ("POST", "admin.sign_out"): GONE_ON,
    ("GET", "admin.brand"): 200,
    ("POST", "admin.brand"): GONE_ON,
    ("GET", "admin.worth"): 200,
    ("POST", "admin.worth"): 422,
    ("GET", "admin.brand_of"): GONE_ON,
    ("GET", "admin.deliverability_list"): GONE_ON,
    ("GET", "admin.deliverability"): 200,
    ("GET", "admin.deliverability_report"): 200,
    ("POST", "admin.deliverability_check"): GONE_ON,
    ("GET", "admin.overview"): 200,
    ("GET", "admin.numbers"): 200,
    ("POST", "admin.publish"): GONE_ON,
    ("POST", "admin.pause"): GONE_ON,
    ("POST", "admin.resume"): GONE_ON,
    ("POST", "admin.duplicate"): GONE_ON,
    ("GET", "admin.delete"): 200,
    ("POST", "admin.delete"): 422,
    ("GET", "admin.landing"): 200,
    ("POST", "admin.landing"): GONE_ON,
    ("GET", "admin.prizes"): 200,
    ("GET", "admin.prize_new"): 200,
    ("POST", "admin.prize_new"): 422,
    ("GET", "admin.prize"): 200,
    ("POST", "admin.prize"): 422,
    ("POST", "admin.prize_move"): GONE_ON,
    ("POST", "admin.prize_remove"): GONE_ON,
    ("GET", "admin.rewards"): 200,
    ("GET", "admin.reward_new"): 200,
    ("POST", "admin.reward_new"): 422,
    ("GET", "admin.reward"): 200,
    ("POST", "admin.reward"): GONE_ON,
    ("POST", "admin.reward_move"): GONE_ON,
    ("POST", "admin.reward_remove"): GONE_ON,
    ("GET", "admin.awards"): 200,
    ("POST", "admin.awards_decide"): 400,
    ("POST", "admin.awards_forget"): 303,
    ("GET", "admin.awards_csv"): 200,
    ("GET", "admin.codes"): 200,
    ("POST", "admin.codes_load"): 422,
    ("POST", "admin.codes_confirm"): 303,
    ("GET", "admin.codes_report"): 303,
    ("POST", "admin.code_void"): GONE_ON,
    ("GET", "admin.codes_csv"): 200,
    ("GET", "admin.redeem"): 200,
    ("POST", "admin.redeem_use"): GONE_ON,
    ("GET", "admin.dates"): 200,
    ("POST", "admin.dates"): 422,
    ("GET", "admin.board"): 200,
    ("POST", "admin.board"): GONE_ON,
    ("GET", "admin.board_csv"): 200,
    ("GET", "admin.questions"): 200,
    ("GET", "admin.question_new"): 200,
    ("POST", "admin.question_new"): 422,
    ("GET", "admin.question"): 200,
    ("POST", "admin.question"): 422,
    ("POST", "admin.question_move"): GONE_ON,
    ("POST", "admin.question_remove"): GONE_ON,
    ("POST", "admin.question_page_new"): GONE_ON,
    ("GET", "admin.question_page"): 200,
    ("POST", "admin.question_page"): GONE_ON,
    ("POST", "admin.question_page_remove"): GONE_ON,
    ("GET", "admin.questions_publish"): 200,
    ("POST", "admin.questions_publish"): GONE_ON,
    ("GET", "admin.questions_versions"): 200,
    ("GET", "admin.actions"): 200,
    ("GET", "admin.action_catalogue"): 200,
    ("GET", "admin.action_new"): 200,
    ("POST", "admin.action_new"): GONE_ON,
    ("GET", "admin.action"): 200,
    ("POST", "admin.action"): GONE_ON,
    ("POST", "admin.action_move"): GONE_ON,
    ("POST", "admin.action_order"): GONE_ON,
    ("POST", "admin.action_remove"): GONE_ON,
    ("POST", "admin.action_restore"): GONE_ON,
    ("GET", "admin.action_people"): 200,
    ("POST", "admin.action_codes"): GONE_ON,
    ("POST", "admin.action_secret"): 200,
    ("POST", "admin.deed_decide"): GONE_ON,
    ("GET", "admin.works"): 200,
    ("POST", "admin.works_decide"): GONE_ON,
    ("POST", "admin.works_undo"): GONE_ON,
    ("POST", "admin.works_believe"): GONE_ON,
    ("GET", "admin.works_voting"): 200,
    ("POST", "admin.works_voting"): GONE_ON,
    ("GET", "admin.letters"): 200,
    ("GET", "admin.letter"): 200,
    ("POST", "admin.letter"): GONE_ON,
    ("GET", "admin.letter_preview"): 200,
    ("POST", "admin.letter_preview"): 200,
    ("POST", "admin.letter_reset"): GONE_ON,
    ("POST", "admin.letter_test"): GONE_ON,
    ("GET", "admin.sequences"): 200,
    ("POST", "admin.sequence_new"): 404,
    ("GET", "admin.sequence"): 200,
    ("POST", "admin.sequence_change"): GONE_ON,
    ("POST", "admin.sequence_archive"): GONE_ON,
    ("POST", "admin.sequence_restore"): GONE_ON,
    ("GET", "admin.sequence_step"): 200,
    ("POST", "admin.sequence_step"): 422,
    ("GET", "admin.sequence_part"): 200,
    ("POST", "admin.sequence_part"): 422,
    ("GET", "admin.sequence_letter"): 200,
    ("POST", "admin.sequence_letter"): 200,
    ("POST", "admin.sequence_letter_test"): GONE_ON,
    ("GET", "admin.sequence_publish"): 200,
    ("POST", "admin.sequence_publish"): 200,
    ("GET", "admin.sequence_versions"): 200,
    ("GET", "admin.sequence_version"): 200,
    ("POST", "admin.sequence_put_back"): GONE_ON,
    ("POST", "admin.sequence_pause"): GONE_ON,
    ("GET", "admin.sequence_resume"): GONE_ON,
    ("POST", "admin.sequence_resume"): GONE_ON,
    ("GET", "admin.sequence_yaml"): 200,
    ("POST", "admin.sequence_yaml"): 422,
    ("GET", "admin.sequence_yaml_file"): 200,
    ("GET", "admin.sequence_rehearsal"): 200,
    ("GET", "admin.sequence_rehearsal_letter"): 200,
    ("GET", "admin.sequence_people"): 200,
    ("GET", "admin.step"): GONE_ON,
    ("GET", "admin.sending"): 200,
    ("GET", "admin.sending_live"): 200,
    ("POST", "admin.sending_lane"): 403,
    ("POST", "admin.sending_stream"): GONE_ON,
    ("GET", "admin.sending_errors"): 200,
    ("POST", "admin.sending_reason"): GONE_ON,
    ("POST", "admin.sending_mail"): GONE_ON,
    ("GET", "admin.sending_pace"): 200,
    ("POST", "admin.sending_pace_set"): 403,
    ("POST", "admin.sending_plan_set"): 422,
    ("GET", "admin.broadcasts"): 200,
    ("POST", "admin.broadcast_new"): GONE_ON,
    ("GET", "admin.broadcast"): 200,
    ("GET", "admin.broadcast_edit"): 200,
    ("POST", "admin.broadcast_edit"): 422,
    ("GET", "admin.broadcast_audience"): 200,
    ("GET", "admin.broadcast_letter"): 200,
    ("POST", "admin.broadcast_test"): GONE_ON,
    ("POST", "admin.broadcast_send"): 422,
    ("POST", "admin.broadcast_unschedule"): GONE_ON,
    ("POST", "admin.broadcast_pause"): GONE_ON,
    ("POST", "admin.broadcast_resume"): GONE_ON,
    ("GET", "admin.broadcast_cancel"): GONE_ON,
    ("POST", "admin.broadcast_cancel"): GONE_ON,
    ("POST", "admin.broadcast_duplicate"): GONE_ON,
    ("POST", "admin.broadcast_delete"): GONE_ON,
    ("GET", "admin.broadcast_progress"): 204,
    ("GET", "admin.broadcast_people"): 200,
    ("GET", "admin.segment_brands"): GONE_ON,
    ("GET", "admin.segment_list"): 200,
    ("POST", "admin.segment_take"): GONE_ON,
    ("GET", "admin.segment_new"): 200,
    ("POST", "admin.segment_new"): 422,
    ("GET", "admin.segment"): 200,
    ("GET", "admin.segment_edit"): 200,
    ("POST", "admin.segment_edit"): 422,
    ("POST", "admin.segment_export"): 200,
    ("POST", "admin.segment_duplicate"): GONE_ON,
    ("POST", "admin.segment_archive"): GONE_ON,
    ("POST", "admin.segment_restore"): GONE_ON,
    ("GET", "admin.score_brands"): GONE_ON,
    ("GET", "admin.score_rules"): 200,
    ("GET", "admin.score_version"): 200,
    ("GET", "admin.score_draft"): 200,
    ("POST", "admin.score_draft"): 422,
    ("GET", "admin.score_preview"): GONE_ON,
    ("POST", "admin.score_publish"): GONE_ON,
    ("POST", "admin.score_discard"): GONE_ON,
    ("POST", "admin.score_restore"): GONE_ON,
    ("GET", "admin.entrants"): 200,
    ("GET", "admin.entrants_csv"): 200,
    ("GET", "admin.entrant"): 200,
    ("GET", "admin.proof"): 200,
    ("GET", "admin.proof_json"): 200,
    ("POST", "admin.entrant_suppress"): GONE_ON,
    ("POST", "admin.entrant_lift"): GONE_ON,
    ("POST", "admin.entrant_referrer"): GONE_ON,
    ("GET", "admin.spreading"): 200,
    ("POST", "admin.spreading"): GONE_ON,
    ("GET", "admin.share_kit"): 200,
    ("POST", "admin.share_kit"): GONE_ON,
    ("GET", "admin.share_card"): 200,
    ("GET", "admin.embed"): 200,
    ("POST", "admin.embed"): GONE_ON,
    ("GET", "admin.review"): 200,
    ("GET", "admin.review_case"): 200,
    ("POST", "admin.review_rule"): GONE_ON,
    ("POST", "admin.review_undo"): GONE_ON,
    ("GET", "admin.review_log"): 200,
    ("GET", "admin.review_messages"): 200,
    ("POST", "admin.review_messages"): 404,
    ("GET", "admin.review_rules"): 200,
    ("POST", "admin.review_rules"): GONE_ON,
    ("GET", "admin.review_safe"): 200,
    ("POST", "admin.review_safe"): 422,
    ("GET", "admin.virality"): 200,
    ("GET", "admin.virality_people"): 200,
    ("GET", "admin.virality_openings"): 200,
    ("GET", "admin.virality_tree"): 200,
    ("GET", "admin.virality_influencers_csv"): 200,
    ("GET", "admin.virality_cohorts_csv"): 200,
}
# What a path names and another brand must not know of.
OBJECTS = frozenset({"campaign_id", "brand_id", "stream_id", "message_id"})
FOR_ANYBODY = {("GET", "admin.sign_in"), ("POST", "admin.sign_in_now")}


class Scene(NamedTuple):
    """The world with one of each thing that a path can name."""

    world: World
    step_id: int
    values: dict[str, int | str]


@pytest.fixture
def scene(app: Flask, world: World) -> Scene:
    with app.app_context():
        sequence: Sequence = factories.make_sequence(world.campaign, steps=2)
        step: Step = sequence.steps[0]
        action = factories_contest.make_action(world.campaign)
        values: dict[str, int | str] = {
            "campaign_id": world.campaign.id,
            "brand_id": world.brand.id,
            "prize_id": world.campaign.prizes[0].id,
            "field_key": world.campaign.questions[0].key,
            "page_key": "p1",
            "milestone_id": (milestone := make_milestone(world.campaign)).id,
            "coupon_id": make_coupon(milestone).id,
            "step_id": step.id,
            "sequence_id": sequence.id,
            "step_key": step.key,
            "part": "trigger",
            "number": 1,
            "action_id": action.id,
            "deed_id": factories_contest.make_deed(world.ben, action).id,
            "kind": "code",
            "entry_id": world.ben.id,
            "stream_id": sequence.stream_id,
            "message_id": factories.make_message(world.ben).id,
            "lane": "nurture",
            "broadcast_id": factories.make_broadcast(world.campaign).id,
            "segment_id": factories.make_segment(world.brand).id,
            "example": "awake",
            "version": factories_contest.make_score(world.ben).number,
            "letter": "welcome",
            "shape": "card",
            "locale": "fr",
            "work_id": make_work(world.ben, make_action(world.campaign, kind=ActionKind.UPLOAD)).id,
            "ruling_id": factories_contest.make_ruling(world.ben).id,
        }
        return Scene(world, step.id, values)


def _routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin."):
            yield from ((method, rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def _path(app: Flask, rule: Rule, values: dict[str, int | str]) -> str:
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, {a: values[a] for a in rule.arguments}))


def _ask(who: Staff, method: str, path: str) -> int:
    return (who.get(path) if method == "GET" else who.post(path)).status_code


def test_the_table_names_every_route_and_no_other(app: Flask) -> None:
    assert {(method, rule.endpoint) for method, rule in _routes(app)} == MEMBER.keys() | FOR_ANYBODY


@pytest.mark.parametrize(("method", "endpoint"), sorted(MEMBER))
def test_a_member_may(app: Flask, scene: Scene, method: str, endpoint: str) -> None:
    rule = next(rule for verb, rule in _routes(app) if (verb, rule.endpoint) == (method, endpoint))
    bob = Staff(app, "bob@staff.example")
    bob.sign_in()
    assert _ask(bob, method, _path(app, rule, scene.values)) == MEMBER[method, endpoint]


# What somebody gets who only honours codes; the first page leads them to the counter, every other is absent.
COUNTER = {
    ("GET", "admin.campaign_list"): GONE_ON,
    ("GET", "admin.redeem"): 200,
    ("POST", "admin.redeem_use"): GONE_ON,
    ("GET", "admin.password"): 200,
    ("POST", "admin.password"): 422,
    ("POST", "admin.language"): GONE_ON,
    ("POST", "admin.sign_out"): GONE_ON,
}


def test_who_only_honours_codes_reaches_the_counter_and_nothing_else(app: Flask, scene: Scene) -> None:
    with app.app_context():
        tess = factories.make_user("tess@staff.example")
        factories.make_membership(tess, scene.world.brand, MemberRole.FULFILMENT)
    till = Staff(app, "tess@staff.example")
    till.sign_in()
    last = ("POST", "admin.sign_out")
    for method, rule in sorted(_routes(app), key=lambda one: (one[0], one[1].endpoint) == last):
        if (method, rule.endpoint) not in FOR_ANYBODY:
            expected = COUNTER.get((method, rule.endpoint), 404)
            assert _ask(till, method, _path(app, rule, scene.values)) == expected, (method, rule.endpoint)


def test_the_counter_finds_codes_of_its_brand_alone_and_shows_no_way_on(app: Flask, scene: Scene) -> None:
    with app.app_context():
        other = factories.db.session.get_one(Campaign, scene.world.other_campaign.id)
        make_coupon(make_milestone(other), "THEIRS-1")
        make_coupon(make_milestone(scene.world.campaign), "OURS-1")
        tess = factories.make_user("tess@staff.example")
        factories.make_membership(tess, scene.world.brand, MemberRole.FULFILMENT)
    till = Staff(app, "tess@staff.example")
    till.sign_in()
    page = till.get("/admin/redeem?code=OURS-1").text
    assert "OURS-1" in page
    assert "No such code" in till.get("/admin/redeem?code=THEIRS-1").text
    assert "/admin/sending" not in page
    assert f"/admin/brands/{scene.world.brand.id}" not in page


def test_anothers_brand_answers_as_an_absent_one(app: Flask, scene: Scene) -> None:
    """Same status, same page."""
    cleo = Staff(app, "cleo@staff.example")
    cleo.sign_in()
    absent = scene.values | dict.fromkeys(OBJECTS, 999_999)
    for method, rule in _routes(app):
        if not rule.arguments & OBJECTS:
            continue
        for values in (scene.values, absent):
            path = _path(app, rule, values)
            answer = cleo.get(path) if method == "GET" else cleo.post(path)
            assert answer.status_code == 404, (method, path)
            assert "This page does not exist" in answer.text
            assert scene.world.campaign.name not in answer.text


def test_nobody_is_asked_to_sign_in_whether_it_exists_or_not(app: Flask, scene: Scene) -> None:
    nobody = Staff(app)
    absent = scene.values | dict.fromkeys(OBJECTS, 999_999)
    for method, rule in _routes(app):
        if (method, rule.endpoint) in FOR_ANYBODY:
            continue
        for values in (scene.values, absent):
            path = _path(app, rule, values)
            answer = nobody.get(path) if method == "GET" else nobody.post(path)
            assert answer.status_code == 303, (method, path)
            assert answer.location.startswith("/admin/sign-in?next=")


def test_every_unsafe_route_wants_the_sessions_token(app: Flask, scene: Scene) -> None:
    ada = Staff(app)
    ada.sign_in()
    for method, rule in _routes(app):
        if method == "POST":
            answer = ada.client.post(_path(app, rule, scene.values), data={"csrf_token": "made-up"})
            assert answer.status_code == 400, rule.endpoint


def _key_of_its_own(campaign: Campaign) -> str:
    return factories.make_question(campaign, position=7).key


def test_things_of_another_campaign_are_absent_from_mine(app: Flask, scene: Scene) -> None:
    """A prize, question, step, entrant or letter of another brand inside an otherwise legal path."""
    with app.app_context():
        other = factories.db.session.get_one(Campaign, scene.world.other_campaign.id)
        theirs = {
            "prizes": other.prizes[0].id,
            "questions/fields": _key_of_its_own(other),
            "nurture": (sequence := factories.make_sequence(other)).id,
            "nurture/letters": sequence.steps[0].id,
            "entrants": factories.make_entry(other, first_name="Foreign").id,
        }
    ada = Staff(app)
    ada.sign_in()
    base = f"/admin/campaigns/{scene.world.campaign.id}"
    for part, number in theirs.items():
        assert ada.get(f"{base}/{part}/{number}").status_code == 404, part
    for deed in ("prizes/{prizes}/move", "prizes/{prizes}/remove", "questions/fields/{questions/fields}/move"):
        assert ada.post(f"{base}/{deed.format(**theirs)}").status_code == 404, deed
    for deed in ("questions/fields/{questions/fields}/remove", "nurture/{nurture}/archive"):
        assert ada.post(f"{base}/{deed.format(**theirs)}").status_code == 404, deed
    step = f"{base}/nurture/{theirs['nurture']}/steps/step_1"
    assert ada.get(step).status_code == 404
    assert ada.get(f"{step}/letter").status_code == 404
    assert ada.post(f"{step}/test").status_code == 404


def test_a_membership_that_ends_ends_at_the_next_request(app: Flask, scene: Scene) -> None:
    bob = Staff(app, "bob@staff.example")
    bob.sign_in()
    path = f"/admin/campaigns/{scene.world.campaign.id}"
    assert bob.get(path).status_code == 200
    with app.app_context():
        factories.db.session.execute(
            factories.Membership.__table__.delete().where(factories.Membership.user_id == scene.world.bob.id)
        )
        factories.db.session.commit()
    assert bob.get(path).status_code == 404
    assert scene.world.campaign.name not in bob.get("/admin/").text
