"""Editing a campaign: texts, picture, dates, points, who may enter. What the rules tell makes a new version of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from sqlalchemy import select

from leadgen.campaigns import cards, rules
from leadgen.campaigns.models import Campaign, CampaignStatus
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from leadgen.core.i18n import gettext as _
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.pictures import service as pictures

TEXT_LIMITS = {
    "title": 90,
    "lead": 300,
    "button": 40,
    "share_text": 280,
    "story": 5000,
    "consent_marketing": 500,
    "consent_rules": 300,
    "rules": 50000,
}
FAQ_LIMIT = 20
POINTS_LIMIT = 1000
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,58}[a-z0-9])")
_PICTURE = re.compile(r"[a-z0-9-]{0,60}")
YEARS_AROUND = 5
_FINAL = {CampaignStatus.CLOSED, CampaignStatus.DRAWING, CampaignStatus.AWARDED, CampaignStatus.ARCHIVED}


@contextmanager
def edited(campaign: Campaign, *, material: Mapping[str, str] | None = None) -> Iterator[None]:
    """Around every edit: a new version number for cached pages, and rules that tell what is now true.

    `material` is the public line of a change of dates, prizes, points or eligibility, {locale: sentence}. After
    publication it becomes a new version of the rules (F1, F14), and so does all else that changes what they say, such
    as the title. An edit that changes nothing leaves no trace.
    """
    lock(campaign)
    before = _contents(campaign)
    yield
    if _contents(campaign) == before:
        return
    told_before = rules.told(campaign)
    rules.refresh(campaign)
    campaign.version += 1
    if campaign.rules_version and (material or rules.told(campaign) != told_before):
        changes = material or in_each_language("The wording of the rules has changed.")
        version = rules.write_version(campaign, [dict(changes)])
        journal.record(
            FactName.CAMPAIGN_CHANGED, brand_id=campaign.brand_id, campaign_id=campaign.id, rules=version.number
        )
    db.session.flush()
    cards.forget()


def lock(campaign: Campaign) -> None:
    """Read the campaign anew and keep others from changing it until the commit; entries go on meanwhile."""
    db.session.flush()  # what this transaction changed is not to be lost
    db.session.refresh(campaign, with_for_update={"key_share": True})


def _contents(campaign: Campaign) -> list[dict[str, Any]]:
    db.session.flush()
    db.session.refresh(campaign, ["prizes", "questions", "actions", "milestones"])
    rows = (campaign, *campaign.prizes, *campaign.questions, *campaign.actions, *campaign.milestones)
    return [{column.key: getattr(row, column.key) for column in row.__table__.columns} for row in rows]


def in_each_language(sentence: str, **words: Any) -> dict[str, str]:
    """`sentence` (English, in the catalogue) in every language; a word that is a function is asked in that language."""
    told = {}
    for locale in i18n.LOCALES:
        with i18n.speaking(locale):
            values = {name: word() if callable(word) else word for name, word in words.items()}
            told[locale] = i18n.gettext(sentence) % values
    return told


def brand_changed(brand_id: int) -> None:
    """After a brand's name, organiser or look was edited: every page of its campaigns is made anew.

    Rules name the organiser: those of a contest that is not over tell the new one, in a new version once published.
    """
    for campaign in db.session.scalars(select(Campaign).filter_by(brand_id=brand_id).order_by(Campaign.id)):
        lock(campaign)
        campaign.version += 1
        if campaign.status in _FINAL:
            continue
        told = {locale: texts.get("rules") for locale, texts in campaign.texts.items()}
        rules.refresh(campaign)
        is_new = told != {locale: texts.get("rules") for locale, texts in campaign.texts.items()}
        if campaign.rules_version and is_new:
            rules.write_version(campaign, [in_each_language("What the rules say about the organiser has changed.")])
    db.session.flush()
    cards.forget()


def not_final(campaign: Campaign) -> None:
    """Raises Conflict when the contest is over: what people entered for does not change afterwards."""
    if campaign.status in _FINAL:
        raise Conflict(_("This contest is over; its conditions cannot be changed any more."))


def edit_name(campaign: Campaign, name: str) -> None:
    """The name in lists of the studio; the public never sees it. Raises Invalid."""
    campaign.name = check_name(name)


def check_name(raw: str) -> str:
    """A campaign's name. Raises Invalid(field="name")."""
    return line(raw, "name", limit=90)


def edit_slug(campaign: Campaign, slug: str) -> None:
    """The campaign's address; it stays once the campaign is published, for people have shared it. Raises Invalid."""
    if slug == campaign.slug:
        return
    if campaign.rules_version:
        raise Conflict(_("The address is public and has been shared; it cannot be changed any more."))
    checked = check_slug(slug)
    with edited(campaign):
        campaign.slug = checked


def check_slug(raw: str) -> str:
    """A slug that is well formed and free. Raises Invalid(field="slug")."""
    slug = raw.strip().lower()
    if not _SLUG.fullmatch(slug):
        raise Invalid(_("Use 3 to 60 small letters, digits and hyphens, such as summer-contest."), "slug")
    if slug_is_taken(slug):
        raise Invalid(_("This address is taken by another campaign. Choose another."), "slug")
    return slug


def slug_is_taken(slug: str) -> bool:
    """Whether a campaign of any brand has this slug."""
    return db.session.scalar(select(Campaign.id).filter_by(slug=slug)) is not None


def line(raw: str, field: str, *, limit: int, is_needed: bool = True) -> str:
    """Text without surrounding blanks, within its limit. Raises Invalid."""
    value = raw.strip()
    if is_needed and not value:
        raise Invalid(_("Fill in this field."), field)
    if len(value) > limit:
        raise Invalid(
            _("Use %(limit)d characters at most; there are %(found)d.") % {"limit": limit, "found": len(value)}, field
        )
    return value


def edit_texts(campaign: Campaign, locale: str, texts: Mapping[str, Any]) -> None:
    """Replace the given texts of one language; keys as in Campaign.texts, the others stay as they are.

    Drafts may leave texts empty; the check before launch names them. `rules` may hold the placeholders of
    rules.PLACEHOLDERS; given back as it was read it changes nothing. Raises Invalid (field = the text's key).
    """
    check_locale(locale)
    new = {key: _text(key, value) for key, value in texts.items()}
    source = new.pop("rules", None)
    if source is not None and source != campaign.texts.get(locale, {}).get("rules"):
        new["rules_source"] = "" if source == rules.standard(locale) else source
    with edited(campaign):
        campaign.texts = campaign.texts | {locale: campaign.texts.get(locale, {}) | new}


def check_locale(locale: str) -> None:
    """Raises Invalid for a language that the product does not speak."""
    if locale not in i18n.LOCALES:
        raise Invalid(_("Choose one of the languages offered."), "locale")


def _text(key: str, value: Any) -> Any:
    if key == "faq":
        return _faq(value)
    if key not in TEXT_LIMITS:
        raise Invalid(_("There is no such text."), key)
    return line(str(value).replace("\r\n", "\n"), key, limit=TEXT_LIMITS[key], is_needed=False)


def _faq(items: Any) -> list[dict[str, str]]:
    rows = [{part: str(item.get(part, "")).strip() for part in ("question", "answer")} for item in items]
    rows = [row for row in rows if row["question"] or row["answer"]]
    if len(rows) > FAQ_LIMIT:
        raise Invalid(_("Keep to %(limit)d questions at most.") % {"limit": FAQ_LIMIT}, "faq")
    if any(not row["question"] or not row["answer"] for row in rows):
        raise Invalid(_("Each question needs its answer, and each answer its question."), "faq")
    return rows


def edit_picture(campaign: Campaign, picture: str) -> None:
    """The hero picture, by its name in the collection; empty for none. Raises Invalid."""
    checked = check_picture(picture, campaign.brand_id)
    with edited(campaign):
        campaign.picture = checked


def check_picture(picture: str, brand_id: int = 0) -> str:
    """A picture's name that can only name a picture: of the collection, or of the brand's own. Raises Invalid."""
    is_foreign = pictures.is_own(picture) and picture not in pictures.names(brand_id)
    if is_foreign or not _PICTURE.fullmatch(picture):
        raise Invalid(_("Choose a picture from the collection."), "picture")
    return picture


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDates:
    """When entries are taken, and in which time zone that is told. Aware times."""

    starts_at: datetime
    ends_at: datetime
    timezone: str


def check_window(starts_at: datetime, ends_at: datetime) -> None:
    """A window that a contest can have: it ends after it starts, and both lie within five years. Raises Invalid."""
    if ends_at <= starts_at:
        raise Invalid(_("The end must come after the start."), "ends_at")
    years = range(clock.now().year - YEARS_AROUND, clock.now().year + YEARS_AROUND + 1)
    for field, moment in (("starts_at", starts_at), ("ends_at", ends_at)):
        if moment.year not in years:  # compared by year: the first and last days of the calendar overflow
            raise Invalid(_("Choose a date within five years from now."), field)


def edit_dates(campaign: Campaign, dates: CampaignDates) -> None:
    """Start, end and time zone. A contest that has begun keeps its start. Raises Invalid, Conflict (closed)."""
    not_final(campaign)
    if campaign.status is CampaignStatus.CLOSING:
        raise Conflict(_("Entries are closed; the dates cannot be changed any more."))
    if dates.timezone not in available_timezones():
        raise Invalid(_("Choose a time zone from the list, such as Europe/Paris."), "timezone")
    check_window(dates.starts_at, dates.ends_at)
    if campaign.rules_version and dates.ends_at <= clock.now():
        raise Invalid(_("The end must lie in the future. To stop at once, pause the contest."), "ends_at")
    has_begun = campaign.status in {CampaignStatus.LIVE, CampaignStatus.PAUSED} and campaign.starts_at <= clock.now()
    if has_begun and dates.starts_at != campaign.starts_at:
        raise Invalid(_("The contest has begun; its start stays as it is."), "starts_at")
    if campaign.votes_start_at and not dates.starts_at < campaign.votes_start_at <= dates.ends_at:
        field = "ends_at" if dates.starts_at < campaign.votes_start_at else "starts_at"
        raise Invalid(_("The vote would begin outside the contest. Change its dates first."), field)
    changed = in_each_language(
        "The contest now runs from %(starts)s to %(ends)s (%(zone)s).",
        starts=lambda: i18n.format_datetime(dates.starts_at, dates.timezone),
        ends=lambda: i18n.format_datetime(dates.ends_at, dates.timezone),
        zone=dates.timezone,
    )
    with edited(campaign, material=changed):
        campaign.starts_at, campaign.ends_at, campaign.timezone = dates.starts_at, dates.ends_at, dates.timezone


def local_time(naive: datetime, timezone: str) -> datetime:
    """The moment that a form's local date and time means. Raises Invalid for a time zone that does not exist."""
    if timezone not in available_timezones():
        raise Invalid(_("Choose a time zone from the list, such as Europe/Paris."), "timezone")
    return naive.replace(tzinfo=ZoneInfo(timezone))


def edit_points(campaign: Campaign, *, entry_points: int, referral_points: int) -> None:
    """Points for entering and for each friend who confirms; lines already in the ledger stay. Raises Invalid."""
    not_final(campaign)
    check_points(entry_points, "entry_points", least=0)
    check_points(referral_points, "referral_points", least=0)
    changed = in_each_language(
        "Entering now brings %(entry)s, and each friend who confirms %(referral)s. Points already earned stay.",
        entry=partial(rules.points_in_words, entry_points),
        referral=partial(rules.points_in_words, referral_points),
    )
    with edited(campaign, material=changed):
        campaign.entry_points, campaign.referral_points = entry_points, referral_points


def check_points(points: int, field: str, *, least: int) -> None:
    """Raises Invalid for points out of bounds."""
    if not least <= points <= POINTS_LIMIT:
        raise Invalid(
            _("Give a whole number from %(least)d to %(most)d.") % {"least": least, "most": POINTS_LIMIT}, field
        )


def edit_eligibility(campaign: Campaign, *, countries: list[str], minimum_age: int) -> None:
    """Who may enter: countries as ISO codes (none: any country) and the least age in years. Raises Invalid."""
    not_final(campaign)
    codes = sorted({code.strip().upper() for code in countries if code.strip()})
    known = Locale.parse("en").territories
    if unknown := [code for code in codes if len(code) != 2 or code not in known]:
        raise Invalid(_("“%(code)s” is not the code of a country, such as FR.") % {"code": unknown[0]}, "countries")
    if not 13 <= minimum_age <= 99:
        raise Invalid(_("Give an age from 13 to 99 years."), "minimum_age")
    changed = in_each_language(
        "The contest is now open to people aged %(age)d or over in: %(countries)s.",
        age=minimum_age,
        countries=lambda: rules.country_names(codes, i18n.locale()),
    )
    with edited(campaign, material=changed):
        campaign.countries, campaign.minimum_age = codes, minimum_age


def edit_reminder(campaign: Campaign, *, is_reminding: bool) -> None:
    """Whether people who did not confirm are reminded once."""
    with edited(campaign):
        campaign.is_reminding = is_reminding
