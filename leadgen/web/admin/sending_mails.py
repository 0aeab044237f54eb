"""Mails that failed or whose answer was lost: one reason's list, and sending again or cancelling one or all of it."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from leadgen.analytics import sending as figures
from leadgen.contacts import address
from leadgen.core.db import db
from leadgen.core.errors import Conflict, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.mail import rescue
from leadgen.mail.models import Message, Stream
from leadgen.web import staff
from leadgen.web.admin import sending_words
from leadgen.web.admin.door import blueprint, brand_ids, campaign_of_mine
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.admin.sending import stream_of_mine
from leadgen.web.guards import Guard, guarded_by

STATUSES = ("failed", "uncertain")
_LONGEST_CODE = 64


@blueprint.get("/campaigns/<int:campaign_id>/mails-with-errors")
@guarded_by(Guard.STAFF)
def sending_errors(campaign_id: int) -> str:
    """The mails behind one line of the page “Sending”."""
    campaign = campaign_of_mine(campaign_id)
    status, code, stream = _asked(campaign_id)
    before = request.args.get("before", type=int)
    rows, following = figures.trouble_rows(campaign_id, stream.id if stream else 0, status, code, before)
    return render_template(
        "admin/sending_errors.html",
        shown=campaign,
        stream=stream,
        status=status,
        code=code,
        rows=rows,
        following=following,
        is_lost=figures.is_lost,
        mask=address.mask,
        sending_words=sending_words,
    )


@blueprint.post("/campaigns/<int:campaign_id>/mails-with-errors")
@guarded_by(Guard.STAFF)
def sending_reason(campaign_id: int) -> ResponseReturnValue:
    """Send again, or put aside, everything that failed for one reason in a stream."""
    campaign_of_mine(campaign_id)
    _status, code, stream = _asked(campaign_id)
    stream_id = stream.id if stream else 0
    if request.form.get("deed") == "cancel":
        number = rescue.cancel_all(campaign_id, stream_id, code, staff.name())
        told = ngettext("%(num)s mail is put aside.", "%(num)s mails are put aside.", number)
    else:
        is_known = request.form.get("may_double") == "1"
        number = rescue.retry_all(campaign_id, stream_id, code, staff.name(), may_double=is_known)
        told = ngettext("%(num)s mail goes out again.", "%(num)s mails go out again.", number)
    more = " " + _("There may be more: press once more.") if number == rescue.MOST else ""
    tell(told % {"num": number} + more)
    return redirect(url_for("admin.sending"), 303)


@blueprint.post("/sending/mails/<int:message_id>")
@guarded_by(Guard.STAFF)
def sending_mail(message_id: int) -> ResponseReturnValue:
    """Send one mail again, or cancel it."""
    owner = db.session.scalar(select(Message.brand_id).where(Message.id == message_id))
    if owner not in brand_ids():
        raise NotFound
    try:
        if request.form.get("deed") == "cancel":
            is_done = rescue.cancel(message_id, staff.name())
            told = _("The mail is cancelled.")
        else:
            is_done = rescue.retry(message_id, staff.name(), may_double=request.form.get("may_double") == "1")
            told = _("The mail goes out again.")
    except Conflict as error:
        refuse(str(error))
    else:
        tell(told if is_done else _("Nothing was to be done: the mail stands elsewhere by now."))
    return redirect(_back(), 303)


def _asked(campaign_id: int) -> tuple[str, str, Stream | None]:
    """Status, reason and stream of a line; a stream of another campaign is absent."""
    status = request.values.get("status", "failed")
    code = request.values.get("code", "").replace("\x00", "")[:_LONGEST_CODE]
    stream_id = request.values.get("stream", 0, type=int)
    stream = stream_of_mine(stream_id) if stream_id else None
    if status not in STATUSES or (stream is not None and stream.campaign_id != campaign_id):
        raise NotFound
    return status, code, stream


def _back() -> str:
    """The list that the button stood on; never an address of somebody else's."""
    asked = request.form.get("next", "")
    is_ours = asked.startswith(("/admin/campaigns/", "/admin/sending")) and "\\" not in asked and "\n" not in asked
    return asked if is_ours else url_for("admin.sending")
