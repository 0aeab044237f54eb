"""The share kit of a person: for each network a link that opens their own app with our words (rule 7)."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import request
from flask.typing import ResponseReturnValue

from leadgen.campaigns import sharing
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.models import CampaignStatus
from leadgen.campaigns.sharing import Values
from leadgen.core import links, tokens
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.core.tokens import Purpose
from leadgen.entries import person
from leadgen.entries.models import EntryStatus
from leadgen.entries.person import ReferrerCard, Standing
from leadgen.journal import counters
from leadgen.journal.vocabulary import CounterName
from leadgen.visits import service as visits
from leadgen.web import language
from leadgen.web.guards import Guard, guarded_by
from leadgen.web.public import pictures, stages

_NETWORKS = (
    ("wa", "WhatsApp", "https://wa.me/?text={wa}"),
    ("sms", "SMS", "sms:?&body={sms}"),
    ("em", "", "mailto:?subject={em_subject}&body={em}"),
    ("fb", "Facebook", "https://www.facebook.com/sharer/sharer.php?u={link}"),
    ("tg", "Telegram", "https://t.me/share/url?url={link}&text={tg}"),
    ("x", "X", "https://x.com/intent/post?text={x}&url={link}"),
    ("li", "LinkedIn", "https://www.linkedin.com/sharing/share-offsite/?url={link}"),
)
CHANNELS = frozenset({"wa", "fb", "x", "li", "tg", "em", "sms", "qr", "copy", "native", "kiosk", "embed"})
_LINK_SECONDS = 30 * 24 * 3600
# Marks of what is a person's own; of letters and digits, so that quoting leaves them, and random.
_NAME, _CODE = (f"own{secrets.token_hex(8)}" for _one in range(2))
_MOST_KITS = 512
_OWN_TEXT = {"wa": ("wa",), "sms": ("sms",), "em": ("em_subject", "em"), "tg": ("tg",), "x": ("x",)}


class ShareKit(NamedTuple):
    """Everything that a person needs to invite friends from their own apps."""

    title: str
    text: str
    native_link: str
    copy_link: str
    copy_message: str
    addresses: dict[str, str]  # of each network by its channel: they open it with our text


_kits: dict[tuple[int, int, str, str, bool], ShareKit] = {}


def buttons(card: CampaignCard, standing: Standing, locale: str) -> ShareKit:
    """The share kit of one person in one language; each link names its channel.

    It is written once for each campaign and day with a mark in place of the name and the code, which are then put in:
    nine messages a page were a tenth of what the page costs.
    """
    name, code = standing.first_name, standing.code
    has_name = bool(name)
    key = (card.id, card.version, locale, days_left(card), has_name)
    kit = _kits.get(key)
    if kit is None:
        if len(_kits) >= _MOST_KITS:
            _kits.clear()
        kit = _kits[key] = _kit(card, _NAME if has_name else "", _CODE, locale)

    def own(words: str, own_name: str = name) -> str:
        return words.replace(_NAME, own_name).replace(_CODE, code)

    quoted = quote(name, safe="")
    return ShareKit(
        title=kit.title,
        text=own(kit.text),
        native_link=own(kit.native_link),
        copy_link=own(kit.copy_link),
        copy_message=own(kit.copy_message),
        addresses={channel: own(address, quoted) for channel, address in kit.addresses.items()},
    )


def _kit(card: CampaignCard, name: str, code: str, locale: str) -> ShareKit:
    left = days_left(card)

    def said(key: str, channel: str) -> str:
        return sharing.message(card, key, locale, Values(name, links.referral(code, channel), left))

    found = {}
    for channel, _network, pattern in _NETWORKS:
        texts = {key: quote(said(key, channel), safe="") for key in _OWN_TEXT.get(channel, ())}
        found[channel] = pattern.format(link=quote(links.referral(code, channel), safe=""), **texts)
    return ShareKit(
        card.text("title", locale),
        said("native", "native"),
        links.referral(code, "native"),
        links.referral(code, "copy"),
        said("copy", "copy"),
        found,
    )


def days_left(card: CampaignCard) -> str:
    """How long the contest still takes entries, in words: “3 days”, or “the last day”."""
    days = stages.left(card.ends_at)[0]
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days} if days else _("the last day")


def section(standing: Standing, card: CampaignCard, _token: str) -> dict[str, Any]:
    """“How your link was opened”, and pictures to share; nothing for whoever cannot share yet."""
    if standing.status is not EntryStatus.CONFIRMED or card.status is CampaignStatus.DRAFT:
        return {"openings": None, "share_pictures": ()}
    own = ReferrerCard(
        standing.entry_id,
        card.id,
        card.slug,
        standing.code,
        standing.first_name,
        standing.first_name if standing.is_name_on_card else "",
    )
    found = pictures.card_addresses(card, language.current(), own)
    # The first look at the page follows the confirmation at once: nobody can have opened the link yet.
    openings = None if "new" in request.args else visits.openings(standing.entry_id)
    return {"openings": openings, "share_pictures": found, "channel_name": channel_name}


@guarded_by(Guard.SIGNED_LINK)
def shared(token: str) -> ResponseReturnValue:
    """A share button was pressed: counted by channel, and nothing else; whether anybody shared is not known."""
    payload = tokens.read(Purpose.STATUS, token, max_age=_LINK_SECONDS)
    channel = request.form.get("ch", "")
    if channel in CHANNELS:
        counters.count(
            person.standing(int(payload["e"]), int(payload["a"])).campaign_id, CounterName.SHARE_CLICK, channel
        )
    return "", 204


def channel_name(channel: str) -> str:
    """A channel as people call it."""
    known = {key: name for key, name, _pattern in _NETWORKS if name}
    told = {
        "em": _("E-mail"),
        "qr": _("QR code"),
        "copy": _("Copied link"),
        "native": _("Shared from the phone"),
        "kiosk": _("Kiosk"),
        "embed": _("Other sites"),
        "": _("Without a channel"),
    }
    return known.get(channel) or told.get(channel, channel)
