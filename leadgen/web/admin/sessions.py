"""Signing in and out, changing the password, and the language of the studio."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField

from leadgen.accounts import service as accounts
from leadgen.core import i18n
from leadgen.core.errors import Invalid, TooMany
from leadgen.core.i18n import gettext as _
from leadgen.web import staff
from leadgen.web.admin.door import blueprint
from leadgen.web.admin.forms import StudioForm, line, needed, sent
from leadgen.web.admin.notes import tell
from leadgen.web.guards import Guard, guarded_by

# Only our own paths, in plain characters: no host, no backslash, no dots that lead upwards.
_OWN_PATH = re.compile(r"/admin/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/?)*(?:\?[A-Za-z0-9_.~=&%+-]*)?")


class SignInForm(StudioForm):
    """Who are you."""

    email = line(needed, longest=254)
    password: Any = PasswordField(validators=[needed])


class PasswordForm(StudioForm):
    """The present password and a new one."""

    current: Any = PasswordField(validators=[needed])
    new: Any = PasswordField(validators=[needed])


@blueprint.get("/sign-in")
@guarded_by(Guard.SESSION_TOKEN)
def sign_in() -> str | BaseResponse:
    """The sign-in page; who is signed in goes on."""
    if staff.is_signed_in():
        return redirect(_wanted(), 303)
    return render_template("admin/sign_in.html", form=SignInForm(), next=_wanted())


@blueprint.post("/sign-in")
@guarded_by(Guard.SESSION_TOKEN)
def sign_in_now() -> BaseResponse | tuple[str, int]:
    """Sign in, with one answer for every wrong pair of address and password."""
    form, status = SignInForm(sent()), 422
    if form.validate():
        try:
            if staff.sign_in(form.email.data, form.password.data):
                return redirect(_wanted(), 303)
            form.form_errors.append(_("This address and password do not belong together."))
        except TooMany as error:
            form.form_errors.append(str(error))
            status = 429
    return render_template("admin/sign_in.html", form=form, next=_wanted()), status


@blueprint.post("/sign-out")
@guarded_by(Guard.STAFF, is_for_counter=True)
def sign_out() -> BaseResponse:
    """End the user's sessions, on this machine and every other."""
    staff.sign_out()
    tell(_("You are signed out."))
    answer = redirect(url_for("admin.sign_in"), 303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@blueprint.route("/password", methods=["GET", "POST"])
@guarded_by(Guard.STAFF, is_for_counter=True)
def password() -> BaseResponse | Response:
    """Change the password; every other session of the user ends."""
    form = PasswordForm(sent())
    if request.method == "POST" and form.validate():
        user = staff.current()
        try:
            accounts.change_password(user, form.current.data, form.new.data)
        except Invalid as error:
            form.blame(error)
        else:
            staff.start_session(user)
            tell(_("Your password is changed. You were signed out everywhere else."))
            return redirect(url_for("admin.campaign_list"), 303)
    return make_response(render_template("admin/password.html", form=form), 422 if form.is_wrong else 200)


@blueprint.post("/language")
@guarded_by(Guard.STAFF, is_for_counter=True)
def language() -> BaseResponse:
    """Work in another language from now on."""
    if (locale := request.form.get("locale", "")) in i18n.LOCALES:
        accounts.speak(staff.current(), locale)
    return redirect(_wanted(), 303)


def _wanted() -> str:
    """Where the person wanted to go: a path of the studio, else its first page."""
    asked = request.values.get("next", "")
    return asked if _OWN_PATH.fullmatch(asked) else url_for("admin.campaign_list")
