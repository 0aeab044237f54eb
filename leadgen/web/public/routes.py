"""Every address that prospects and recipients can ask for, in one list."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint
from flask.typing import ResponseReturnValue

from leadgen.web.public import (
    acting,
    appeal_form,
    asking,
    board,
    confirm,
    embed,
    enter,
    form,
    gallery,
    go,
    kiosk,
    landing,
    legal,
    me,
    mydata,
    naming,
    pictures,
    referral,
    rewards,
    sample,
    seen,
    share,
    unsubscribe,
    waiting,
    works,
)

blueprint = Blueprint("public", __name__)

_View = Callable[..., ResponseReturnValue]
_GET: tuple[tuple[str, _View], ...] = (
    ("/", legal.home),
    ("/c/<slug>", landing.landing),
    ("/preview/<token>", landing.preview_page),
    ("/preview/<token>/form", form.preview_form),
    ("/embed/<slug>.js", embed.embed_script),
    ("/c/<slug>/embed", embed.embed_page),
    ("/c/<slug>/board", board.board_page),
    ("/c/<slug>/rules", legal.rules_page),
    ("/c/<slug>/privacy", legal.privacy),
    ("/c/<slug>/waiting/<token>", waiting.waiting_page),
    ("/c/<slug>/waiting/<token>/status.json", waiting.waiting_status),
    ("/r/<code>", referral.referral),
    ("/r/<code>/sheet", referral.sheet),
    ("/c/<slug>/kiosk", kiosk.kiosk),
    ("/qr/c/<slug>.svg", kiosk.kiosk_qr),
    ("/qr/<code>.svg", referral.qr),
    ("/qr/<code>.png", referral.qr_png),
    ("/confirm/<token>", confirm.confirm_page),
    ("/refuse/<token>", confirm.refuse_page),
    ("/me/<token>", me.me),
    ("/me/<token>/erase", me.me_erase_page),
    ("/me/<token>/form", form.me_form),
    ("/me/<token>/data", mydata.me_data_page),
    ("/me/<token>/data.json", mydata.me_data),
    ("/me/<token>/data.html", mydata.me_data_file),
    ("/me/<token>/works/new/<int:action_id>", works.me_work_new),
    ("/me/<token>/rewards/<int:award_id>/file", rewards.me_file),
    ("/works/<public_id>/<size>.webp", works.work_picture),
    ("/pictures/<picture>/<size>.webp", works.brand_picture),
    ("/c/<slug>/works", gallery.works_page),
    ("/c/<slug>/works/<public_id>", gallery.work_page),
    ("/me/<token>/actions/<int:action_id>", acting.me_quiz),
    ("/me/<token>/out/<int:action_id>", acting.me_out),
    ("/unsubscribe/<token>", unsubscribe.unsubscribe_page),
    ("/sample/<page>/<token>", sample.sample_page),
    ("/sample/<page>/<token>/<path:deeper>", sample.sample_page),
    ("/og/<slug>-<locale>-<int:version>.png", pictures.og_image),
    ("/og/c/<slug>/<shape>-<locale>-<mark>.png", pictures.campaign_card),
    ("/og/r/<code>/<shape>-<locale>-<mark>.png", pictures.person_card),
    ("/theme/<int:brand_id>-<accent>.css", pictures.theme),
    ("/go/<token>", go.go),
)
_POST: tuple[tuple[str, _View], ...] = (
    ("/c/<slug>", enter.enter),
    ("/c/<slug>/embed", embed.embed_enter),
    ("/c/<slug>/seen", seen.seen),
    ("/c/<slug>/kiosk", kiosk.kiosk_enter),
    ("/c/<slug>/waiting/<token>/code", waiting.waiting_code),
    ("/c/<slug>/waiting/<token>/resend", waiting.waiting_resend),
    ("/c/<slug>/waiting/<token>/correct", waiting.waiting_correct),
    ("/confirm/<token>", confirm.confirm),
    ("/confirm/<token>/again", confirm.confirm_again),
    ("/refuse/<token>", confirm.refuse),
    ("/me/<token>/answers/<int:question_id>", asking.me_answer),
    ("/me/<token>/answers/<int:question_id>/skip", asking.me_skip),
    ("/me/<token>/form", form.me_form_send),
    ("/me/<token>/form/begin", form.me_form_begin),
    ("/me/<token>/shared", share.shared),
    ("/me/<token>/actions/<int:action_id>", acting.me_act),
    ("/me/<token>/consent", me.me_consent),
    ("/me/<token>/data/person", mydata.me_person),
    ("/me/<token>/data/choices", mydata.me_choice),
    ("/me/<token>/data/answers/<int:entry_id>/<key>", mydata.me_correct),
    ("/me/<token>/data/answers/<int:entry_id>/<key>/back", mydata.me_take_back),
    ("/me/<token>/appeal", appeal_form.me_appeal),
    ("/me/<token>/erase", me.me_erase),
    ("/me/<token>/name", naming.me_name),
    ("/me/<token>/link", me.me_link),
    ("/me/<token>/works/new/<int:action_id>", works.me_work),
    ("/me/<token>/rewards/<int:award_id>/claim", rewards.me_claim),
    ("/me/<token>/works/<public_id>/withdraw", works.me_work_withdraw),
    ("/c/<slug>/works/<public_id>/vote", gallery.work_vote),
    ("/unsubscribe/<token>", unsubscribe.unsubscribe),
    ("/sample/<page>/<token>", sample.sample_press),
    ("/sample/<page>/<token>/<path:deeper>", sample.sample_press),
)

for _rule, _view in _GET:
    blueprint.add_url_rule(_rule, view_func=_view, methods=["GET"])
for _rule, _view in _POST:
    blueprint.add_url_rule(_rule, view_func=_view, methods=["POST"])
blueprint.register_error_handler(me.OldLink, me.answer_old_link)
