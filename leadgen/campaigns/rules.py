"""The rules of a contest: their text made from the campaign's own facts, and the versions that were published.

The marketer may write own rules with the same placeholders; what stands in `texts[locale]["rules"]` is always the
filled text that the public reads, `texts[locale]["rules_source"]` what it is made from (absent: our standard text).
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from sqlalchemy import select

from leadgen.accounts.models import Brand
from leadgen.campaigns import catalogue
from leadgen.campaigns.models import (
    Action,
    Campaign,
    Mechanic,
    Metric,
    Milestone,
    Proof,
    Repeat,
    RulesVersion,
    TouchModel,
)
from leadgen.core import clock, i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext

FOLDER = Path(__file__).parent / "rules"
PLACEHOLDERS = (
    "organiser", "address", "brand", "contact", "title", "starts", "ends", "timezone", "confirmation_days", "countries",
    "minimum_age", "prizes", "total", "total_value", "entry_points", "referral_points", "answer_points", "actions",
    "award", "telling", "tie_break", "referral_terms",
)  # fmt: skip
Change = dict[str, Any]


def refresh(campaign: Campaign) -> None:
    """Fill the rules anew in every language, after anything that they tell has changed."""
    brand = db.session.get_one(Brand, campaign.brand_id)
    texts = {}
    for locale, old in campaign.texts.items():
        source = old.get("rules_source") or standard(locale)
        texts[locale] = old | {"rules": filled(source, campaign, brand, locale)}
    campaign.texts = texts


def told(campaign: Campaign) -> dict[str, str]:
    """What the public reads, by language."""
    return {locale: str(texts.get("rules", "")) for locale, texts in campaign.texts.items()}


@lru_cache(maxsize=len(i18n.LOCALES))
def standard(locale: str) -> str:
    """Our standard rules with placeholders. Not legal advice; the marketer is told to have them read."""
    return (FOLDER / f"{locale}.txt").read_text(encoding="utf-8").strip()


def filled(source: str, campaign: Campaign, brand: Brand, locale: str) -> str:
    """`source` with the campaign's facts in place of {placeholders}; a word in braces that is none of them stays."""
    with i18n.speaking(locale):
        values = _values(campaign, brand, locale)
    if "{tie_break}" not in source:
        source += "{tie_break}"  # also under rules of one's own: whoever competes is told how equals are parted
    for name, value in values.items():
        source = source.replace("{" + name + "}", value)
    return source


def _values(campaign: Campaign, brand: Brand, locale: str) -> dict[str, str]:
    template = catalogue.read(campaign.template)
    award: str = template["award"][locale]
    return {
        "award": award + _voting(campaign),  # first: it holds placeholders itself
        "telling": template["telling"][locale] if "telling" in template else _telling(),
        "tie_break": _tie_break(campaign),
        "referral_terms": _referral_terms(campaign),
        "organiser": brand.legal_name,
        "address": brand.legal_address,
        "brand": brand.name,
        "contact": brand.contact_email,
        "title": str(campaign.texts[locale].get("title", "")),
        "starts": i18n.format_datetime(campaign.starts_at, campaign.timezone),
        "ends": i18n.format_datetime(campaign.ends_at, campaign.timezone),
        "timezone": campaign.timezone,
        "confirmation_days": str(campaign.grace_seconds // 86400),
        "countries": country_names(campaign.countries, locale),
        "minimum_age": str(campaign.minimum_age),
        "prizes": "\n".join(_won(campaign, locale)) or _("No prize is given besides what article 8 says."),
        "total": _total(campaign),
        "total_value": _total_value(campaign),
        "entry_points": points_in_words(campaign.entry_points),
        "referral_points": points_in_words(campaign.referral_points),
        "answer_points": points_in_words(sum(q.points for q in campaign.questions if q.is_active)),
        "actions": _actions(campaign, locale),
    }


def _total(campaign: Campaign) -> str:
    """The sentence that adds up the prizes; nothing where none has a value."""
    total = _total_value(campaign)
    return _("Total value: %(value)s.") % {"value": total} + " " if total else ""


def _telling() -> str:
    """How winners hear of it, where the template has no words of its own for what goes out at once."""
    return _(
        "We write to the winners at their confirmed address within 14 days of the close. Without an answer within 7 "
        "days of our message, the prize goes to the next person in the same order."
    )


def _tie_break(campaign: Campaign) -> str:
    """A paragraph that says how places are ranked; nothing where no place is (F7)."""
    if Mechanic.RANK not in campaign.mechanics:
        return ""
    told = _(
        "Places are ranked by the points that we could verify. Of people with the same points, whoever had them first "
        "stands ahead; if that was at the same instant, whoever entered first."
    )
    if campaign.freeze_hours:
        sentence = ngettext(
            "During the last hour the public leaderboard stands still; points go on counting.",
            "During the last %(number)d hours the public leaderboard stands still; points go on counting.",
            campaign.freeze_hours,
        )
        told += " " + sentence % {"number": campaign.freeze_hours}
    return "\n\n" + told


def _referral_terms(campaign: Campaign) -> str:
    """What is special about how friends count here, in sentences; nothing where nothing is (F4, F5)."""
    worth = points_in_words
    told = [
        (campaign.touch_model is TouchModel.FIRST, _("Of several links the one that was followed first counts.")),
        *_friend_limits(campaign),
        (
            campaign.indirect_points,
            _("A friend of a friend brings %(points)s more.") % {"points": worth(campaign.indirect_points)},
        ),
        (
            campaign.profile_points,
            _("A friend who answers every question brings %(points)s more.")
            % {"points": worth(campaign.profile_points)},
        ),
        (
            campaign.stay_points,
            ngettext(
                "A friend who can still be reached after %(days)d day brings %(points)s more.",
                "A friend who can still be reached after %(days)d days brings %(points)s more.",
                campaign.stay_days,
            )
            % {"points": worth(campaign.stay_points), "days": campaign.stay_days},
        ),
    ]
    return "".join(f" {sentence}" for applies, sentence in told if applies)


def _friend_limits(campaign: Campaign) -> list[tuple[int | None, str]]:
    """When a friend counts and how many may, each sentence behind the number that asks for it."""
    return [
        (
            campaign.hold_hours,
            ngettext(
                "A friend counts %(hours)d hour after confirming, if their address still takes our mails then.",
                "A friend counts %(hours)d hours after confirming, if their address still takes our mails then.",
                campaign.hold_hours,
            )
            % {"hours": campaign.hold_hours},
        ),
        (
            campaign.cap_per_day,
            ngettext(
                "At most %(friends)d friend a day counts for one person.",
                "At most %(friends)d friends a day count for one person.",
                campaign.cap_per_day or 0,
            )
            % {"friends": campaign.cap_per_day or 0},
        ),
        (
            campaign.cap_total,
            ngettext(
                "At most %(friends)d friend in all counts for one person.",
                "At most %(friends)d friends in all count for one person.",
                campaign.cap_total or 0,
            )
            % {"friends": campaign.cap_total or 0},
        ),
    ]


def _voting(campaign: Campaign) -> str:
    """The phases of a contest of works, as a paragraph of their own; nothing where nobody votes."""
    if campaign.votes_start_at is None or campaign.votes_end_at is None:
        return ""
    told = {
        "starts": i18n.format_datetime(campaign.votes_start_at, campaign.timezone),
        "ends": i18n.format_datetime(campaign.votes_end_at, campaign.timezone),
        "votes": ngettext("%(number)d vote", "%(number)d votes", campaign.votes_a_day)
        % {"number": campaign.votes_a_day},
    }
    sentence = _(
        "Works are taken until the vote begins, and shown once they were looked at. The vote is open from %(starts)s "
        "to %(ends)s. Everybody has %(votes)s a day, one a day for each work; nobody votes for their own."
    )
    who = (
        _("Only confirmed entrants vote.")
        if campaign.votes_need_entry
        else _("People who did not enter and use the same kind of browser behind one connection count as one voter.")
    )
    return f"\n\n{sentence % told} {who}"


def points_in_words(number: int) -> str:
    """“1 point”, “5 points”, in the current language."""
    return ngettext("%(number)d point", "%(number)d points", number) % {"number": number}


def _actions(campaign: Campaign, locale: str) -> str:
    """A paragraph on further ways to earn points, and on what only people can vouch for; empty without any."""
    active = [action for action in campaign.actions if action.is_active]
    if not active:
        return ""
    paragraph = _("Further ways to earn points, on your page:") + "\n" + "\n".join(_way(one, locale) for one in active)
    if any(action.proof is Proof.DECLARED for action in active):
        paragraph += "\n" + _(
            "What only you can vouch for (marked *) does not change your rank and makes up at most %(cap)d%% of your "
            "chances in a draw."
        ) % {"cap": campaign.declared_cap}
    return "\n\n" + paragraph


def _way(action: Action, locale: str) -> str:
    title = action.texts.get(locale, {}).get("title") or action.key
    repeat = {
        Repeat.ONCE: _("once"),
        Repeat.DAILY: _("once a day"),
        Repeat.WEEKLY: _("once a week"),
        Repeat.UNLIMITED: ngettext("%(number)d time at most", "%(number)d times at most", action.most_times or 1)
        % {"number": action.most_times or 1},
    }[action.repeat]
    mark = "*" if action.proof is Proof.DECLARED else ""
    words = {"title": f"{title}{mark}", "points": points_in_words(action.points), "repeat": repeat}
    return _("– %(title)s: %(points)s, %(repeat)s") % words


def _prize_line(prize: Any, locale: str) -> str:
    words = {
        "quantity": i18n.format_number(prize.quantity),
        "title": prize.texts.get(locale, {}).get("title", ""),
        "value": i18n.format_money(prize.value, prize.currency),
    }
    sentence = ngettext(
        "%(quantity)s × %(title)s, worth %(value)s", "%(quantity)s × %(title)s, worth %(value)s each", prize.quantity
    )
    return "– " + sentence % words


def _won(campaign: Campaign, locale: str) -> list[str]:
    """All that can be won, each once: prizes, then rewards with what they take."""
    held = {milestone.prize_id for milestone in campaign.milestones}
    lines = [_prize_line(prize, locale) for prize in campaign.prizes if prize.id not in held]
    in_order = sorted(campaign.milestones, key=lambda milestone: (milestone.threshold, milestone.position))
    return lines + [_reward_line(milestone, locale) for milestone in in_order]


def _reward_line(milestone: Milestone, locale: str) -> str:
    words = {
        "title": milestone.texts.get(locale, {}).get("title", ""),
        "value": i18n.format_money(milestone.value, milestone.currency),
        "number": i18n.format_number(milestone.threshold),
        "stock": i18n.format_number(milestone.stock or 0),
    }
    sentences = [_("%(title)s, worth %(value)s each") if milestone.value else "%(title)s", _for_whom(milestone)]
    if milestone.stock is not None:
        sentences.append(ngettext("%(stock)s piece in all", "%(stock)s pieces in all", milestone.stock))
    if milestone.codes_until is not None:
        words["day"] = i18n.format_date(milestone.codes_until)
        sentences.append(_("its code good until %(day)s"))
    return "– " + ", ".join(sentences) % words


def _for_whom(milestone: Milestone) -> str:
    if milestone.metric is Metric.ENTRY:
        return _("for everybody who confirms the entry")
    if milestone.metric is Metric.FRIENDS:
        return ngettext(
            "for whoever brings %(number)s friend who counts",
            "for whoever brings %(number)s friends who count",
            milestone.threshold,
        )
    return ngettext("for whoever has %(number)s point", "for whoever has %(number)s points", milestone.threshold)


def _total_value(campaign: Campaign) -> str:
    """Of everything that has a number; what is there without limit has no total."""
    totals: dict[str, int] = {}
    held = {milestone.prize_id for milestone in campaign.milestones}
    valued = [(p.currency, p.value * p.quantity) for p in campaign.prizes if p.id not in held]
    valued += [(m.currency, m.value * m.stock) for m in campaign.milestones if m.stock and m.value]
    for currency, value in valued:
        totals[currency] = totals.get(currency, 0) + value
    return " + ".join(i18n.format_money(value, currency) for currency, value in totals.items())


def country_names(codes: list[str], locale: str) -> str:
    """The countries' names in the given language, in alphabetical order; “any country” when there is no list."""
    if not codes:
        with i18n.speaking(locale):
            return _("any country")
    names = Locale.parse(locale).territories
    return ", ".join(sorted(str(names.get(code, code)) for code in codes))


def write_version(campaign: Campaign, changes: list[Change]) -> RulesVersion:
    """Keep the rules as they stand now as the next version, with its hash and the public lines of what changed (F14).

    `changes` holds {locale: sentence} for each change; the first version has none. Call `refresh` before.
    """
    campaign.rules_version += 1
    snapshot = _snapshot(campaign)
    canonical = json.dumps(snapshot, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    version = RulesVersion(
        campaign_id=campaign.id,
        number=campaign.rules_version,
        sha256=hashlib.sha256(canonical.encode()).hexdigest(),
        snapshot=snapshot,
        changes=changes,
        created_at=clock.now(),
    )
    db.session.add(version)
    return version


def _snapshot(campaign: Campaign) -> dict[str, Any]:
    snapshot: dict[str, Any] = {
        "rules": told(campaign),
        "starts_at": campaign.starts_at.isoformat(),
        "ends_at": campaign.ends_at.isoformat(),
        "timezone": campaign.timezone,
        "grace_seconds": campaign.grace_seconds,
        "countries": sorted(campaign.countries),
        "minimum_age": campaign.minimum_age,
        "entry_points": campaign.entry_points,
        "referral_points": campaign.referral_points,
        "answer_points": {q.key: q.points for q in campaign.questions if q.is_active},
        "actions": {
            action.key: {"points": action.points, "chances": action.chances, "repeat": action.repeat.value}
            for action in campaign.actions
            if action.is_active
        },
        "prizes": [
            {"texts": p.texts, "quantity": p.quantity, "value": p.value, "currency": p.currency}
            for p in campaign.prizes
        ],
        "rewards": [
            {name: getattr(m, name) for name in ("texts", "metric", "threshold", "stock", "value", "currency")}
            for m in campaign.milestones
        ],
    }
    if campaign.votes_start_at and campaign.votes_end_at:
        snapshot["votes"] = {
            "starts_at": campaign.votes_start_at.isoformat(),
            "ends_at": campaign.votes_end_at.isoformat(),
            "a_day": campaign.votes_a_day,
            "need_entry": campaign.votes_need_entry,
        }
    return snapshot


def versions(campaign_id: int) -> list[RulesVersion]:
    """Every published version of the rules, newest first."""
    statement = select(RulesVersion).filter_by(campaign_id=campaign_id).order_by(RulesVersion.number.desc())
    return list(db.session.scalars(statement))
