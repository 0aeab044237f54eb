"""The share kit: one text, and for each network a link that opens the person's own app (rule 7)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from leadgen.campaigns.cards import CampaignCard
from leadgen.core import links
from leadgen.core import text as words
from leadgen.core.i18n import gettext as _
from leadgen.entries.person import Standing

_NETWORKS = (
    ("wa", "WhatsApp", "https://wa.me/?text={message}"),
    ("sms", "SMS", "sms:?&body={message}"),
    ("em", "", "mailto:?subject={title}&body={message}"),
    ("fb", "Facebook", "https://www.facebook.com/sharer/sharer.php?u={link}"),
    ("tg", "Telegram", "https://t.me/share/url?url={link}&text={text}"),
    ("x", "X", "https://x.com/intent/post?text={text}&url={link}"),
    ("li", "LinkedIn", "https://www.linkedin.com/sharing/share-offsite/?url={link}"),
)


class ShareButton(NamedTuple):
    """One network: its channel, its name, and the address that opens it with our text."""

    channel: str
    name: str
    url: str


class ShareKit(NamedTuple):
    """Everything that a person needs to invite friends from their own apps."""

    title: str
    text: str
    native_link: str
    copy_link: str
    buttons: list[ShareButton]


def buttons(card: CampaignCard, standing: Standing, locale: str) -> ShareKit:
    """The share kit of one person in one language; each link names its channel."""
    title = card.text("title", locale)
    text = share_text(card, standing.first_name, locale)
    quoted_link = quote(links.referral(standing.code), safe="")
    found = []
    for channel, name, pattern in _NETWORKS:
        values = {"title": _quoted(title), "text": _quoted(text), "link": f"{quoted_link}%3Fch%3D{channel}"}
        url = pattern.format(**values, message=f"{values['text']}%20{values['link']}")
        found.append(ShareButton(channel, name or _("E-mail"), url))
    return ShareKit(title, text, links.referral(standing.code, "native"), links.referral(standing.code, "copy"), found)


@lru_cache(maxsize=1024)
def _quoted(message: str) -> str:
    return quote(message, safe="")


def share_text(card: CampaignCard, first_name: str, locale: str) -> str:
    """The campaign's own words with its variables; the link is added by each network."""
    prize = card.prizes[0].texts if card.prizes else {}
    prize_title = (prize.get(locale) or prize.get(card.default_locale) or {}).get("title", "")
    text = card.text("share_text", locale) or card.text("title", locale)
    before, found, after = text.partition("{prize}")
    if found:
        text = before + words.within_sentence(prize_title, before) + after
    for name, value in (("{first_name}", first_name), ("{prize}", prize_title), ("{link}", "")):
        text = text.replace(name, value)
    return " ".join(text.split()).rstrip(" :")
