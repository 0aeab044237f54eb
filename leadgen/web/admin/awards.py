"""Who earned what: the list by state, decisions for one or many with undo, and the file for those who send."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.core import clock, i18n
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.rewards import addresses, desk
from leadgen.rewards.desk import Deed, Row
from leadgen.rewards.models import AwardState
from leadgen.web import staff
from leadgen.web.admin import reward_words
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

# A spreadsheet would run these as a formula.
_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
_PAGE = "/campaigns/<int:campaign_id>/awards"
_COLUMNS = (
    "public_id", "first_name", "email", "title", "delivery", "state", "reason", "earned_at", "approved_at",
    "delivered_at", "claim_until", "decided_by", "code",
)  # fmt: skip
_ADDRESS = tuple(f"sent_to_{name}" for name in addresses.FIELDS)


@blueprint.get(_PAGE)
@guarded_by(Guard.STAFF)
def awards(campaign_id: int) -> str:
    """The list; what waits for a decision first."""
    campaign = campaign_of_mine(campaign_id)
    counts = desk.counts(campaign.id)
    state, tier = _asked()
    after = request.args.get("after", 0, type=int)
    found = desk.listed(campaign.id, i18n.locale(), state=state, tier=tier, after=after)
    return render_template(
        "admin/awards.html",
        campaign=campaign,
        found=found,
        following=found[-1].id if len(found) == desk.PAGE else None,
        asked_state=state,
        asked_tier=tier,
        served=addresses.served(campaign.id),
        country_names=dict(addresses.country_choices(())),
        totals={one: sum(tier.get(one, 0) for tier in counts.values()) for one in AwardState},
        reward_words=reward_words,
    )


@blueprint.post(_PAGE)
@guarded_by(Guard.STAFF)
def awards_decide(campaign_id: int) -> ResponseReturnValue:
    """Do one thing to those that are ticked; the note offers the way back."""
    campaign = campaign_of_mine(campaign_id)
    word = request.form.get("deed", "")
    if word not in set(Deed):
        abort(400)
    deed = Deed(word)
    chosen = [int(one) for one in ",".join(request.form.getlist("award")).split(",") if one.isdecimal()]
    changed = desk.decide(campaign.id, chosen, deed, staff.name())
    said = ngettext("%(num)s reward changed.", "%(num)s rewards changed.", len(changed)) % {"num": len(changed)}
    if changed and deed is not Deed.UNDO:
        ids = ",".join(map(str, changed))
        here = url_for("admin.awards_decide", campaign_id=campaign_id)
        tell(said, undo=here, fields={"deed": Deed.UNDO.value, "award": ids})
    else:
        tell(said)
    back: dict[str, Any] = {"state": request.form.get("state") or None, "tier": request.form.get("tier") or None}
    return redirect(url_for("admin.awards", campaign_id=campaign_id, **back), 303)


@blueprint.post(f"{_PAGE}/addresses")
@guarded_by(Guard.STAFF)
def awards_forget(campaign_id: int) -> ResponseReturnValue:
    """Delete the addresses that are not needed any more; it cannot be undone, so a tick says that one is sure."""
    campaign = campaign_of_mine(campaign_id)
    if request.form.get("sure") == "yes":
        gone = addresses.delete_served(campaign.id)
        tell(ngettext("%(num)s address is deleted.", "%(num)s addresses are deleted.", gone) % {"num": gone})
    else:
        refuse(_("Tick that you are sure: an address that is deleted does not come back."))
    return redirect(url_for("admin.awards", campaign_id=campaign_id), 303)


@blueprint.get(f"{_PAGE}.csv")
@guarded_by(Guard.STAFF)
def awards_csv(campaign_id: int) -> Response:
    """All of a state and tier, for the people who send the rewards."""
    campaign = campaign_of_mine(campaign_id)
    state, tier = _asked()
    rows = desk.export(campaign.id, i18n.locale(), state=state, tier=tier)
    headers = {"Content-Disposition": f'attachment; filename="{campaign.slug}-rewards-{clock.now():%Y-%m-%d}.csv"'}
    return Response("".join(_lines(rows)), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterator[Row]) -> Iterator[str]:
    yield ",".join((*_COLUMNS, *_ADDRESS)) + "\r\n"
    for row in rows:
        line = io.StringIO()
        sent_to = [getattr(row.address, name, "") for name in addresses.FIELDS]
        csv.writer(line).writerow([_cell(value) for value in (*(getattr(row, name) for name in _COLUMNS), *sent_to)])
        yield line.getvalue()


def _asked() -> tuple[AwardState | None, int]:
    state = request.args.get("state", "")
    return (AwardState(state) if state in set(AwardState) else None), request.args.get("tier", 0, type=int)


def _cell(value: Any) -> str:
    """A value as a spreadsheet may safely open it."""
    text = value.isoformat() if isinstance(value, datetime) else str(value if value is not None else "")
    return "'" + text if _FORMULA.match(text) else text
