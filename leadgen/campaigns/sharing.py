"""What people share a contest with: texts for each language and channel, and the message that is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from leadgen.campaigns import catalogue, rules
from leadgen.campaigns.cards import CampaignCard
from leadgen.campaigns.editing import check_locale, check_points, edited, in_each_language, line, not_final
from leadgen.campaigns.models import Campaign, Mechanic, Metric, WaitlistOrder
from leadgen.core import i18n
from leadgen.core import text as words
from leadgen.core.errors import Invalid
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext

PLACEHOLDERS = ("first_name", "prize", "link", "days_left")
LINK_LENGTH_X = 23  # whatever its length, X counts a link as so many characters
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Channel:
    """A text that can be written: `limit` characters at most, of them `reserved` for the link where one is added."""

    key: str
    limit: int
    has_link_inside: bool  # otherwise the network adds the link itself, as a card or behind the text
    reserved: int = 0


# Facebook and LinkedIn take no text from us: they show the card of the link alone.
CHANNELS = (
    Channel("em_subject", 120, has_link_inside=False),
    Channel("em", 2000, has_link_inside=True),
    Channel("wa", 1000, has_link_inside=True),
    Channel("sms", 300, has_link_inside=True),
    Channel("tg", 1000, has_link_inside=False),
    Channel("x", 280, has_link_inside=False, reserved=LINK_LENGTH_X + 1),
    Channel("native", 1000, has_link_inside=False),
    Channel("copy", 2000, has_link_inside=True),
)
BY_KEY = {channel.key: channel for channel in CHANNELS}


@dataclass(frozen=True, slots=True)
class Values:
    """What the placeholders of one person's message stand for; an empty link is left out with the blanks before it."""

    first_name: str
    link: str = ""
    days_left: str = ""


def edit_shares(campaign: Campaign, locale: str, texts: Mapping[str, str]) -> None:
    """Replace the texts of one language; an empty one falls back to the campaign's sharing text.

    Raises Invalid (field = the channel) for a text that is too long for its network, or that holds a word in braces
    which is none of PLACEHOLDERS.
    """
    check_locale(locale)
    checked = {key: _checked(key, text) for key, text in texts.items()}
    kept = {key: text for key, text in checked.items() if text}
    with edited(campaign):
        campaign.shares = {code: found for code, found in (campaign.shares | {locale: kept}).items() if found}


def edit_visit_points(campaign: Campaign, points: int) -> None:
    """Points for a visit of one's link by a person, once in 24 hours for each visitor; 0 gives none. Raises Invalid."""
    not_final(campaign)
    check_points(points, "visit_points", least=0)
    told = in_each_language(
        "A visit of one’s link by a person now brings %(points)s.", points=partial(rules.points_in_words, points)
    )
    with edited(campaign, material=told):
        campaign.visit_points = points


def template(card: CampaignCard, key: str, locale: str) -> str:
    """The text of a channel as it was written, else what stands for it: the promise as subject, the sharing text."""
    written = (str(card.shares.get(code, {}).get(key) or "") for code in (locale, card.default_locale))
    text = next(filter(None, written), "")
    return text if text and _may_say(card, text, locale) else default(card, key, locale)


def default(card: CampaignCard, key: str, locale: str) -> str:
    """What a channel says when nobody wrote a text for it."""
    title = card.text("title", locale)
    text = title if key == "em_subject" else card.text("share_text", locale) or title
    if not _may_say(card, text, locale):
        with i18n.speaking(locale):
            text = _("I take part with %(brand)s. It is free, join me: {link}") % {"brand": card.brand.name}
    return re.sub(r"[ \n]+", " ", text).strip()


def _may_say(card: CampaignCard, text: str, locale: str) -> bool:
    """Whether a text can go out: one that names the prize waits until the prize has a name."""
    return "{prize}" not in text or bool(prize_title(card, locale))


def message(card: CampaignCard, key: str, locale: str, values: Values) -> str:
    """One person's message for a channel; with the link inside where the channel wants it there (F12)."""
    channel = BY_KEY[key]
    return fill(template(card, key, locale), prize_title(card, locale), values, has_link_inside=channel.has_link_inside)


def fill(text: str, prize: str, values: Values, *, has_link_inside: bool) -> str:
    """The text with its placeholders filled in; paragraphs stay, blanks that an empty word leaves go."""
    link = values.link if has_link_inside else ""
    before, found, after = text.partition("{prize}")
    if found:
        text = before + words.within_sentence(prize, before) + after
    if link and "{link}" not in text:
        text = f"{text.rstrip()} {{link}}"
    for name, value in (("first_name", values.first_name), ("prize", prize), ("days_left", values.days_left)):
        text = text.replace(f"{{{name}}}", value)
    lines = (" ".join(part.split(" ")).strip(" ") for part in text.replace("{link}", link).split("\n"))
    tidy = "\n".join(re.sub(r" {2,}", " ", part) for part in lines).strip()
    return tidy if link else tidy.rstrip(" \u00a0\u202f:")


def worth(card: CampaignCard) -> str:
    """What a friend who confirms brings, as one sentence in the current language; empty where it brings nothing."""
    if card.leading is Mechanic.WAITLIST and card.waitlist_order is not WaitlistOrder.BY_POINTS:
        return _worth_in_line(card)
    if card.leading is Mechanic.VOTES:
        return _("Each friend who takes part can vote for your work.")
    by_friends = any(tier.metric is Metric.FRIENDS for tier in card.milestones)
    if by_friends and card.leading in {Mechanic.CODES, Mechanic.MILESTONES}:
        return _("Each friend who confirms brings you closer to the next reward.")
    points = card.referral_points
    told = ngettext(
        "Each friend who confirms brings you %(num)s point.",
        "Each friend who confirms brings you %(num)s points.",
        points,
    )
    return told % {"num": points} if points else ""


def _worth_in_line(card: CampaignCard) -> str:
    if card.waitlist_order is WaitlistOrder.BY_SIGNUP:
        return ""
    if card.waitlist_order is WaitlistOrder.BY_REFERRALS:
        return _("Each friend who confirms moves you forward.")
    told = ngettext(
        "Each friend who confirms lets you skip %(num)s place.",
        "Each friend who confirms lets you skip %(num)s places.",
        card.skip_places,
    )
    return told % {"num": card.skip_places}


def prize_title(card: CampaignCard, locale: str) -> str:
    """The first prize by name, or nothing: before it has one, and while it is called as the templates call theirs."""
    texts = card.prizes[0].texts if card.prizes else {}
    title = str((texts.get(locale) or texts.get(card.default_locale) or {}).get("title", ""))
    return "" if title in catalogue.nameless() else title


def _checked(key: str, text: str) -> str:
    if key not in BY_KEY:
        raise Invalid(_("There is no such text."), key)
    tidy = line(text.replace("\r\n", "\n"), key, limit=BY_KEY[key].limit - BY_KEY[key].reserved, is_needed=False)
    for name in _PLACEHOLDER.findall(tidy):
        if name not in PLACEHOLDERS:
            raise Invalid(
                _("“%(name)s” cannot be filled in. Use %(known)s.")
                % {"name": f"{{{name}}}", "known": ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)},
                key,
            )
    if key == "em_subject" and "\n" in tidy:
        raise Invalid(_("Keep the subject on one line."), key)
    return tidy
