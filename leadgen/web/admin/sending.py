"""The page “Sending”: what waits in each lane, which streams flow, what failed, and the buttons to steer it."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from leadgen.analytics import forecasts
from leadgen.analytics import sending as figures
from leadgen.authoring import pausing
from leadgen.authoring.pausing import Clock, How
from leadgen.core import clock, settings
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid, NotAllowed, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.letters.models import Lane
from leadgen.mail import pacing, pauses, receipts, speed, streams
from leadgen.mail.models import Stream
from leadgen.nurture import sequences as nurture
from leadgen.nurture.models import Sequence
from leadgen.web import staff
from leadgen.web.admin import sending_words
from leadgen.web.admin.door import blueprint, brand_ids, steers_all
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by


@blueprint.get("/sending")
@guarded_by(Guard.STAFF)
def sending() -> str:
    """The whole page."""
    return render_template("admin/sending.html", **_now())


@blueprint.get("/sending/live")
@guarded_by(Guard.STAFF)
def sending_live() -> str:
    """Only what moves, which the page fetches every few seconds."""
    return render_template("admin/_sending.html", **_now())


@blueprint.post("/sending/lanes/<lane>")
@guarded_by(Guard.STAFF)
def sending_lane(lane: str) -> ResponseReturnValue:
    """Stop or start a whole lane."""
    if lane not in set(Lane):
        raise NotFound
    if not steers_all():
        raise NotAllowed
    is_started = request.form.get("is_open") == "1"
    if is_started:
        streams.start_lane(Lane(lane))
    else:
        streams.stop_lane(Lane(lane), staff.name())
    pacing.forget()
    words = _("“%(lane)s” flows again.") if is_started else _("“%(lane)s” is stopped. Its mails wait; none is lost.")
    told = words % {"lane": sending_words.lane(lane)}
    tell(told, undo=request.path, fields={"is_open": "0" if is_started else "1"})
    return redirect(url_for("admin.sending"), 303)


@blueprint.post("/sending/streams/<int:stream_id>")
@guarded_by(Guard.STAFF)
def sending_stream(stream_id: int) -> ResponseReturnValue:
    """Pause or resume a stream."""
    stream = stream_of_mine(stream_id)
    is_open = request.form.get("is_open") == "1"
    try:
        _turn(stream, is_open=is_open)
    except (Invalid, Conflict) as error:
        refuse(str(error))
    else:
        words = _("“%(name)s” goes on where it was.") if is_open else _("“%(name)s” is paused. Its mails wait.")
        told = words % {"name": stream.name}
        tell(told, undo=request.path, fields={"is_open": "0" if is_open else "1"})
    return redirect(url_for("admin.sending"), 303)


def stream_of_mine(stream_id: int) -> Stream:
    """The stream, when the signed-in user works for its brand. Raises NotFound for another brand's too."""
    found = db.session.scalar(select(Stream).where(Stream.id == stream_id, Stream.brand_id.in_(brand_ids())))
    if found is None:
        raise NotFound
    return found


def _turn(stream: Stream, *, is_open: bool) -> None:
    """A sequence is switched as a whole, so that its own page says the same."""
    if sequence := nurture.of_stream(stream.id):
        _turn_sequence(sequence, is_open=is_open)
    elif is_open:
        streams.resume(stream.id, staff.name())
    else:
        streams.pause(stream.id, staff.name())


def _turn_sequence(sequence: Sequence, *, is_open: bool) -> None:
    """As on its own page: newcomers still come in, and what waited leaves at once. A draft is only switched."""
    if sequence.version is None:
        nurture.set_active(sequence, is_active=is_open, by=staff.name())
    elif is_open:
        pausing.resume(sequence, How.SEND, clock=Clock.KEEP, by=staff.name())
    else:
        pausing.pause(sequence, staff.name())


def _now() -> dict[str, Any]:
    page = max(1, request.args.get("page", 1, type=int))
    speeds = speed.of_campaigns(figures.campaign_ids(brand_ids()))
    lanes, groups = figures.lanes(brand_ids(), speeds)
    found, is_more = figures.streams(brand_ids(), min(page, 10_000))
    plans = {plan.domain: plan for plan in figures.plans(brand_ids())}
    troubles = figures.troubles(brand_ids())
    return {
        "provider": settings.get().mail_provider,
        "notice": pauses.operator_notice(),
        "steers_all": steers_all(),
        # Nobody can say whose an unreadable event is: only who works for every brand may look.
        "poison": receipts.poison(10) if steers_all() else [],
        "pause": pauses.current(),
        "lanes": lanes,
        "groups": [group for group in groups if group.waiting],
        "streams": [(stream, _forecast(stream, speeds, plans.get(stream["domain"]))) for stream in found],
        "page": page,
        "is_more": is_more,
        "failed": [trouble for trouble in troubles if trouble["status"] == "failed"],
        "uncertain": [trouble for trouble in troubles if trouble["status"] == "uncertain"],
        "is_lost": figures.is_lost,
        "paces": pacing.limits().per_second,
        "plans": plans.values(),
        "done_of": forecasts.done_of,
        "sending_words": sending_words,
    }


def _forecast(stream: Any, speeds: speed.Speeds, plan: figures.PlanNow | None) -> forecasts.Forecast:
    """A sequence goes on for ever; what is said of it is what waits."""
    left = forecasts.left_of(stream["tally"])
    if stream["lane"] != Lane.BULK or stream["state"] != "open":
        return forecasts.Forecast(0)
    paces = pacing.limits().per_second
    pace = min((paces[name] for name in ("provider", f"lane:{stream['lane']}") if name in paces), default=None)
    per_minute = speeds.minute_by_stream.get(stream["id"], 0.0)
    rule, sent = (plan.plan, plan.sent_today) if plan else (None, 0)
    return forecasts.forecast(left, per_minute, pace, plan=rule, sent_today=sent, today=clock.now().date())
