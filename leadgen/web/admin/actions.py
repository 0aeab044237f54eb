"""Ways to earn points: the catalogue, the list in the marketer's order, one action, and what waits for a look."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from leadgen.actions import codes, desk, external
from leadgen.campaigns import action_settings
from leadgen.campaigns import service as campaigns
from leadgen.campaigns.models import Action, ActionKind, Campaign
from leadgen.core import i18n, links
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.web import staff
from leadgen.web.admin import action_form, action_words, choosing
from leadgen.web.admin.action_form import ActionForm
from leadgen.web.admin.door import blueprint, campaign_of_mine
from leadgen.web.admin.forms import sent
from leadgen.web.admin.notes import refuse, tell
from leadgen.web.guards import Guard, guarded_by

_BASE = "/campaigns/<int:campaign_id>/actions"


@blueprint.get(_BASE)
@guarded_by(Guard.STAFF)
def actions(campaign_id: int) -> str:
    """The list in its order, with counts, and the deeds that wait for a look."""
    campaign = campaign_of_mine(campaign_id)
    active = [action for action in campaign.actions if action.is_active]
    ids = [action.id for action in active]
    counts = desk.counts(campaign.id, ids)
    return render_template(
        "admin/actions.html",
        campaign=campaign,
        active=active,
        counts=counts,
        waiting=sum(count.waiting for count in counts.values()),
        queue=desk.lines(ids, state="waiting"),
        titles={action.id: _title(action) for action in active},
        empty_codes=[a.id for a in active if a.kind is ActionKind.CODE and not codes.count(a.id)],
        preview=links.sample("me", campaign.id, i18n.locale()) + "#ways",
        action_words=action_words,
    )


@blueprint.get(f"{_BASE}/new")
@guarded_by(Guard.STAFF)
def action_catalogue(campaign_id: int) -> str:
    """Every kind, with one line on what it is good for."""
    campaign = campaign_of_mine(campaign_id)
    kinds = [(kind, action_settings.proof_of(kind, {})) for kind in ActionKind]
    return render_template("admin/action_new.html", campaign=campaign, kinds=kinds, action_words=action_words)


@blueprint.route(f"{_BASE}/new/<kind>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def action_new(campaign_id: int, kind: str) -> ResponseReturnValue:
    """Add an action of one kind."""
    campaign = campaign_of_mine(campaign_id)
    if kind not in set(ActionKind):
        raise NotFound
    chosen = ActionKind(kind)
    words = {}
    for code in i18n.LOCALES:
        with i18n.speaking(code):
            words[code] = {"title": action_words.kind(chosen)}
    return _edit(campaign, None, chosen, ActionForm(sent(), data=action_form.fresh(chosen, words)))


@blueprint.route(f"{_BASE}/<int:action_id>", methods=["GET", "POST"])
@guarded_by(Guard.STAFF)
def action(campaign_id: int, action_id: int) -> ResponseReturnValue:
    """Change an action; its kind and key stay."""
    campaign = campaign_of_mine(campaign_id)
    found = campaigns.find_action(campaign, action_id)
    return _edit(campaign, found, found.kind, ActionForm(sent(), data=action_form.of(found, campaign.timezone)))


def _edit(campaign: Campaign, found: Action | None, kind: ActionKind, form: ActionForm) -> ResponseReturnValue:
    is_saving = request.method == "POST" and action_form.deed() == "save"
    if is_saving and form.validate() and (saved := _saved(campaign, found, kind, form)):
        tell(_("Saved."))
        if found is None and kind in {ActionKind.CODE, ActionKind.EXTERNAL}:  # the next step is on its own page
            return redirect(url_for("admin.action", campaign_id=campaign.id, action_id=saved.id, _anchor="next"), 303)
        return redirect(url_for("admin.actions", campaign_id=campaign.id, _anchor=f"action-{saved.id}"), 303)
    form.arrange(action_form.deed() if request.method == "POST" else "")
    page = render_template(
        "admin/action.html",
        campaign=campaign,
        action=found,
        kind=kind,
        form=form,
        repeats=[(repeat.value, action_words.repeat(repeat)) for repeat in action_settings.REPEATS[kind]],
        networks=[(name, action_words.network(name)) for name in action_settings.SHARE_NETWORKS],
        profiles=[(name, action_words.network(name)) for name in action_settings.FOLLOW_NETWORKS],
        posters=[(name, choosing.words_of(name)) for name in choosing.of_pages() if "hero" in name],
        works=[(name, action_words.work(name)) for name in action_settings.WORKS],
        action_words=action_words,
        **_beside(campaign, found),
    )
    return make_response(page, 422 if form.is_wrong else 200)


def _beside(campaign: Campaign, found: Action | None) -> dict[str, Any]:
    """What stands under the form of an action that exists: its codes, or the address for signed calls."""
    if found is None:
        return {"codes": None, "call": None}
    is_called = found.kind is ActionKind.EXTERNAL or bool(found.settings.get("callback"))
    return {
        "codes": codes.listed(found.id) if found.kind is ActionKind.CODE else None,
        "call": links.absolute(f"/hooks/actions/{campaign.slug}/{found.key}") if is_called else None,
        "secret_since": external.secret_since(campaign.id) if is_called else None,
    }


def _saved(campaign: Campaign, found: Action | None, kind: ActionKind, form: ActionForm) -> Action | None:
    try:
        chosen = form.chosen(campaign, kind)
        return campaigns.edit_action(campaign, found.id, chosen) if found else campaigns.add_action(campaign, chosen)
    except Invalid as error:
        form.blame_settings(error, campaign.default_locale)
    except Conflict as error:
        form.form_errors.append(str(error))
    return None


@blueprint.post(f"{_BASE}/<int:action_id>/move")
@guarded_by(Guard.STAFF)
def action_move(campaign_id: int, action_id: int) -> ResponseReturnValue:
    """One place up or down."""
    campaigns.move_action(campaign_of_mine(campaign_id), action_id, by=-1 if request.form.get("by") == "up" else 1)
    return redirect(url_for("admin.actions", campaign_id=campaign_id, _anchor=f"action-{action_id}"), 303)


@blueprint.post(f"{_BASE}/order")
@guarded_by(Guard.STAFF)
def action_order(campaign_id: int) -> ResponseReturnValue:
    """The order after one was dragged elsewhere."""
    ids = [int(part) for part in request.form.get("ids", "").split(",")[:100] if part.isdecimal()]
    campaigns.order_actions(campaign_of_mine(campaign_id), ids)
    return redirect(url_for("admin.actions", campaign_id=campaign_id), 303)


@blueprint.post(f"{_BASE}/<int:action_id>/remove")
@guarded_by(Guard.STAFF)
def action_remove(campaign_id: int, action_id: int) -> ResponseReturnValue:
    """Take an action away; undoing brings it back with all that was done."""
    campaign = campaign_of_mine(campaign_id)
    was_public = bool(campaign.rules_version)
    try:
        campaigns.remove_action(campaign, action_id)
    except Conflict as error:
        refuse(str(error))
    else:
        undo = url_for("admin.action_restore", campaign_id=campaign_id, action_id=action_id)
        tell(_("The action is taken away. Points already earned stay."), undo=undo if was_public else "")
    return redirect(url_for("admin.actions", campaign_id=campaign_id), 303)


@blueprint.post(f"{_BASE}/<int:action_id>/restore")
@guarded_by(Guard.STAFF)
def action_restore(campaign_id: int, action_id: int) -> ResponseReturnValue:
    """Bring back what was taken away."""
    campaign = campaign_of_mine(campaign_id)
    if any(one.id == action_id and one.is_active for one in campaign.actions):
        return redirect(url_for("admin.actions", campaign_id=campaign_id), 303)  # pressed twice
    try:
        campaigns.restore_action(campaign, action_id)
    except Conflict as error:
        refuse(str(error))
    return redirect(url_for("admin.actions", campaign_id=campaign_id, _anchor=f"action-{action_id}"), 303)


@blueprint.get(f"{_BASE}/<int:action_id>/people")
@guarded_by(Guard.STAFF)
def action_people(campaign_id: int, action_id: int) -> str:
    """The people behind a count, newest first."""
    campaign = campaign_of_mine(campaign_id)
    found = campaigns.find_action(campaign, action_id)
    before = request.args.get("before", "")
    before_id = int(before[:18]) if before.isdecimal() else None
    lines = desk.lines([found.id], state=request.args.get("state", ""), before_id=before_id)
    return render_template(
        "admin/action_people.html",
        campaign=campaign,
        action=found,
        title_of=_title(found),
        lines=lines,
        next_before=lines[-1].id if len(lines) == desk.PAGE else None,
        action_words=action_words,
    )


@blueprint.post("/campaigns/<int:campaign_id>/deeds/<int:deed_id>")
@guarded_by(Guard.STAFF)
def deed_decide(campaign_id: int, deed_id: int) -> ResponseReturnValue:
    """Accept or refuse what somebody handed in."""
    campaign = campaign_of_mine(campaign_id)
    try:
        if request.form.get("do") == "approve":
            desk.approve(campaign.id, deed_id, by=staff.name())
            tell(_("Accepted; the points are given."))
        else:
            desk.refuse(campaign.id, deed_id, by=staff.name(), reason=request.form.get("reason", ""))
            tell(_("Refused; the person reads why and may hand it in again."))
    except (Conflict, Invalid) as error:
        refuse(str(error))
    return redirect(url_for("admin.actions", campaign_id=campaign_id, _anchor="queue"), 303)


@blueprint.post(f"{_BASE}/<int:action_id>/codes")
@guarded_by(Guard.STAFF)
def action_codes(campaign_id: int, action_id: int) -> ResponseReturnValue:
    """Add codes, one a line, typed or from a file; or take one away."""
    found = campaigns.find_action(campaign_of_mine(campaign_id), action_id)
    taken = request.form.get("drop", "")
    if taken.isdecimal():
        codes.remove(found.id, int(taken))
        tell(_("The code is taken away."))
    else:
        _add_codes(found)
    return redirect(url_for("admin.action", campaign_id=campaign_id, action_id=action_id, _anchor="next"), 303)


def _add_codes(found: Action) -> None:
    file = request.files.get("file")
    typed = request.form.get("codes", "") + "\n" + (file.read().decode("utf-8-sig", "replace") if file else "")
    most = request.form.get("most_uses", "").strip()
    try:
        done = codes.add(found.id, typed.splitlines(), most_uses=int(most[:8]) if most.isdecimal() else None)
    except Invalid as error:
        refuse(str(error))
        return
    tell(ngettext("%(num)s code added.", "%(num)s codes added.", done.added) % {"num": done.added})
    if done.known:
        tell(ngettext("%(num)s was there already.", "%(num)s were there already.", done.known) % {"num": done.known})
    if done.refused:
        refuse(_("Not codes (3 to 64 characters): %(lines)s") % {"lines": ", ".join(done.refused)[:300]})


@blueprint.post(f"{_BASE}/<int:action_id>/secret")
@guarded_by(Guard.STAFF)
def action_secret(campaign_id: int, action_id: int) -> ResponseReturnValue:
    """A new secret for signed calls, shown in this one answer; the one before stops working."""
    campaign = campaign_of_mine(campaign_id)
    found = campaigns.find_action(campaign, action_id)
    secret = external.new_secret(campaign.id)
    return render_template("admin/action_secret.html", campaign=campaign, action=found, secret=secret)


def _title(found: Action) -> str:
    own = found.texts.get(i18n.locale(), {}).get("title")
    return str(own or next((words["title"] for words in found.texts.values() if words.get("title")), found.key))
