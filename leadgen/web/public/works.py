"""Handing in works from the person's page, taking them back, and the pictures themselves."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from leadgen.campaigns.cards import ActionCard, CampaignCard
from leadgen.core import limits, tokens
from leadgen.core.errors import Conflict, Invalid, NotFound, TokenInvalid
from leadgen.core.i18n import gettext as _
from leadgen.core.tokens import Purpose
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import Standing
from leadgen.gallery import kinds, phases, works
from leadgen.gallery import service as gallery
from leadgen.gallery.service import Faults, WorkInput
from leadgen.pictures import service as pictures
from leadgen.web import headers, language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import me

# Above what a photo may have, so that one of 40 MB is answered with a sentence and not with a cut line; only here.
MOST_UPLOADED = 64 * 1024 * 1024
# What is larger still is thrown away as it comes: a browser shows no answer before it has sent everything.
_MOST_THROWN_AWAY = 512 * 1024 * 1024
LIMIT = "30 per hour"
PICTURE_SECONDS = 31 * 24 * 3600
_SIZES = {"large": True, "small": False}
# A day: what is withdrawn or erased must leave the caches on the way too. The address of a picture never changes.
_PUBLIC = "public, max-age=86400, immutable"
_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


@guarded_by(Guard.SIGNED_LINK)
def me_work_new(token: str, action_id: int) -> ResponseReturnValue:
    """The form for one work."""
    standing, card = me.opened(token)
    return _form(token, standing, card, _action(card, action_id))


@guarded_by(Guard.SIGNED_LINK)
def me_work(token: str, action_id: int) -> ResponseReturnValue:
    """Take a work. Whatever is wrong with it, the words that were typed come back."""
    request.max_content_length = MOST_UPLOADED
    standing, card = me.opened(token)
    action = _action(card, action_id)
    try:
        _check_calm(standing)
        sent = _sent(action, card)
    except RequestEntityTooLarge:
        _throw_away()
        sentence = _(
            "This photo is much larger than 10 MB. Choose a smaller version of it; go back to find your words."
        )
        return _form(token, standing, card, action, faults=[Invalid(sentence, "photo")], status=413)
    except Conflict as error:
        return _form(token, standing, card, action, faults=[Invalid(str(error))], status=409, is_typed=True)
    return _take(token, standing, card, action, sent)


def _take(token: str, standing: Standing, card: CampaignCard, action: ActionCard, sent: WorkInput) -> AnyResponse:
    try:
        gallery.hand_in(standing.entry_id, card, action, sent)
    except Faults as error:
        status = 413 if len(sent.photo or b"") > pictures.MOST_BYTES else 400
        return _form(token, standing, card, action, faults=error.faults, status=status, is_typed=True)
    except Conflict as error:
        return _form(token, standing, card, action, faults=[Invalid(str(error))], status=409, is_typed=True)
    return _back(token, "handed-in")


def _throw_away() -> None:
    """Read what is still on its way and keep nothing of it, so that the answer can be heard."""
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, _MOST_THROWN_AWAY)
    while left > 0 and (piece := stream.read(min(left, 1 << 16))):
        left -= len(piece)


@guarded_by(Guard.SIGNED_LINK)
def me_work_withdraw(token: str, public_id: str) -> ResponseReturnValue:
    """Take one's own work back, picture and all."""
    standing, _card = me.opened(token)
    gallery.withdraw(standing.entry_id, public_id)
    return _back(token, "withdrawn")


@guarded_by(Guard.ANYONE)
def work_picture(public_id: str, size: str) -> ResponseReturnValue:
    """A picture: a published one for everybody, any other by a signed link for its maker and for staff."""
    if size not in _SIZES:
        raise NotFound
    content, mime, is_public = works.picture(public_id, is_large=_SIZES[size])
    if not is_public and not _may_see(public_id):
        raise NotFound
    return uploaded(content, mime, f"{public_id}-{size}.webp", is_public=is_public)


@guarded_by(Guard.ANYONE)
def brand_picture(picture: str, size: str) -> ResponseReturnValue:
    """A picture that a brand uploaded for its contests."""
    if size not in _SIZES:
        raise NotFound
    content, mime = pictures.read(picture, is_large=_SIZES[size])
    return uploaded(content, mime, f"{picture}-{size}.webp", is_public=True)


def uploaded(content: bytes, mime: str, name: str, *, is_public: bool) -> Response:
    """What somebody uploaded, as nothing but a picture."""
    response = Response(content, mimetype=mime)
    response.headers["Cache-Control"] = _PUBLIC if is_public else "private, no-store"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _may_see(public_id: str) -> bool:
    try:
        return bool(tokens.read(Purpose.PICTURE, request.args.get("s", ""), max_age=PICTURE_SECONDS) == public_id)
    except TokenInvalid:
        return False


def _action(card: CampaignCard, action_id: int) -> ActionCard:
    found = next((action for action in phases.uploads(card) if action.id == action_id), None)
    if found is None:
        raise NotFound
    return found


def _check_calm(standing: Standing) -> None:
    """Decoding a photo costs half a second of a processor: nobody needs thirty of them in an hour."""
    if not limits.allow(LIMIT, "work", str(standing.entry_id)):
        raise Conflict(_("You have sent many works in the last hour. Please go on in a while."))


def _sent(action: ActionCard, card: CampaignCard) -> WorkInput:
    file = request.files.get("photo")
    return WorkInput(
        title=request.form.get("title", ""),
        body=request.form.get("body", ""),
        photo=file.stream.read(pictures.MOST_BYTES + 1) if file else None,
        is_agreed=request.form.get("rights") == "1",
        rights=kinds.rights_of(action, card, language.current()),
        address=request.remote_addr or "",
    )


def _form(
    token: str,
    standing: Standing,
    card: CampaignCard,
    action: ActionCard,
    *,
    faults: list[Invalid] | None = None,
    status: int = 200,
    is_typed: bool = False,
) -> Response:
    locale = language.current()
    return me.page(
        "public/work_new.html",
        status,
        token=token,
        card=card,
        action=action,
        action_words=action.texts.get(locale) or action.texts.get(card.default_locale) or {},
        kind=kinds.kind_of(action),
        most_bytes=pictures.MOST_BYTES,
        most_pixels=pictures.MOST_PIXELS,
        longest_title=kinds.LONGEST_TITLE,
        longest_body=kinds.LONGEST_BODY[kinds.kind_of(action)],
        rights=kinds.rights_of(action, card, locale),
        faults=faults or [],
        typed={name: request.form.get(name, "") for name in ("title", "body")} if is_typed else {},
        takes=phases.takes(card, action) and standing.status is EntryStatus.CONFIRMED,
        left=max(0, gallery.left_of(standing.entry_id, action)),
        until=phases.hand_in_until(card, action),
    )


def _back(token: str, done: str) -> AnyResponse:
    values: dict[str, Any] = {"works": done} | ({"lang": request.args["lang"]} if "lang" in request.args else {})
    address = url_for("public.me", token=token, _anchor="works", **values)
    return headers.private(redirect(address, 303))
