"""Who people are, what they agreed to and what they answered. Each field is one entry of a table."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from sqlalchemy import select

from leadgen.campaigns.models import Campaign, Question
from leadgen.contacts.models import SuppressionReason
from leadgen.core import i18n
from leadgen.core.db import db
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.core.logic import Kind
from leadgen.mail import groups
from leadgen.scores.asked import KINDS
from leadgen.segments.catalogue import Group, Moment, Spec, at, count, escaped, flag, latest
from leadgen.segments.sources import AnswerTo, At, Grouped, Listing, Number, Rows, Words


def identity() -> Iterator[Spec]:
    """The person."""
    yield Spec(
        key="language",
        group=Group.IDENTITY,
        word=lambda: _("Language"),
        kind=Kind.CHOICE,
        source=At("c.locale", Words()),
        says=lambda _n: _("whose language %(what)s"),
        example=lambda: _("Language is French: everybody who reads your pages in French."),
        options=lambda: {code: Locale.parse(code).get_language_name(i18n.locale()) or code for code in i18n.LOCALES},
        may_lack=False,
    )
    yield Spec(
        key="country",
        group=Group.IDENTITY,
        word=lambda: _("Country, by time zone"),
        kind=Kind.CHOICE,
        source=Grouped("nullif(c.timezone, '')", zones_by_country()),
        says=lambda _n: _("whose country %(what)s"),
        example=lambda: _("Country is Belgium or Switzerland: the clock of their browser says so."),
        options=_countries,
    )
    yield Spec(
        key="timezone",
        group=Group.IDENTITY,
        word=lambda: _("Time zone"),
        kind=Kind.TEXT,
        source=At("nullif(c.timezone, '')", Words()),
        says=lambda _n: _("whose time zone %(what)s"),
        example=lambda: _("Time zone contains “America/”: people for whom your morning is night."),
    )
    yield from _mailboxes()
    yield from _flags()


def _mailboxes() -> Iterator[Spec]:
    yield Spec(
        key="mailbox",
        group=Group.IDENTITY,
        word=lambda: _("Mailbox provider"),
        kind=Kind.CHOICE,
        source=Grouped("nullif(split_part(lower(c.email), '@', 2), '')", groups.members(), groups.OTHER),
        says=lambda _n: _("whose mailbox provider %(what)s"),
        example=lambda: _("Mailbox provider is Orange: when letters to it arrive late."),
        options=_providers,
        may_lack=False,
    )
    yield Spec(
        key="domain",
        group=Group.IDENTITY,
        word=lambda: _("Domain of the address"),
        kind=Kind.TEXT,
        source=At("nullif(split_part(lower(c.email), '@', 2), '')", Words()),
        says=lambda _n: _("whose address’s domain %(what)s"),
        example=lambda: _("Domain of the address is “yourcompany.example”: your own colleagues."),
        may_lack=False,
    )


def _flags() -> Iterator[Spec]:
    yield flag(
        "name_known",
        Group.IDENTITY,
        lambda: _("First name is known"),
        "c.first_name <> ''",
        sayings=(lambda: _("whose first name is known"), lambda: _("whose first name is not known")),
        example=lambda: _("First name is not known: letters that begin with a name would look odd."),
    )
    yield flag(
        "confirmed_address",
        Group.IDENTITY,
        lambda: _("Address is confirmed"),
        "c.email_verified_at IS NOT NULL",
        sayings=(lambda: _("who confirmed their address"), lambda: _("who did not confirm their address")),
        example=lambda: _("Address is not confirmed: entered, and never pressed the button of the first mail."),
    )
    yield Moment(
        key="created",
        group=Group.IDENTITY,
        word=lambda: _("First seen"),
        at=partial(at, "c.created_at"),
        says=lambda _n: _("who were first seen %(what)s"),
        example=lambda: _("First seen within the last 7 days: this week’s newcomers."),
        may_lack=False,
    )


def consent() -> Iterator[Spec]:
    """What they agreed to, and why they are not written to."""
    yield flag(
        "marketing",
        Group.CONSENT,
        lambda: _("Agreed to marketing"),
        "c.marketing_at IS NOT NULL",
        sayings=(lambda: _("who agreed to marketing"), lambda: _("who did not agree to marketing")),
        example=lambda: _("Agreed to marketing: the people whom a broadcast can reach at all."),
    )
    yield Moment(
        key="marketing_since",
        group=Group.CONSENT,
        word=lambda: _("Agreed to marketing, since"),
        at=partial(at, "c.marketing_at"),
        says=lambda _n: _("who agreed to marketing %(what)s"),
        lacking=lambda: _("who did not agree to marketing"),
        having=lambda: _("who agreed to marketing"),
        example=lambda: _("Agreed to marketing more than 365 days ago: ask whether they still like it."),
    )
    withdrawn = "w.brand_id = {brand} AND w.purpose = 'marketing' AND w.action = 'withdrawn'"
    yield Moment(
        key="withdrawn",
        group=Group.CONSENT,
        word=lambda: _("Left the letters"),
        at=latest(Rows("consent w", withdrawn, "w.contact_id"), "max(w.at)"),
        says=lambda _n: _("who last left your letters %(what)s"),
        lacking=lambda: _("who never left your letters"),
        having=lambda: _("who once left your letters"),
        example=lambda: _("Left the letters within the last 30 days: what had you sent them?"),
    )
    yield _blocked()


def _blocked() -> Spec:
    return Spec(
        key="blocked",
        group=Group.CONSENT,
        word=lambda: _("Why the address is blocked"),
        kind=Kind.MANY,
        source=Listing(Rows("suppression s", "s.brand_id = {brand}", "s.address_hash", "c.address_hash"), "s.reason"),
        says=lambda _n: _("whose address is blocked because of %(what)s"),
        lacking=lambda: _("whose address is not blocked"),
        having=lambda: _("whose address is blocked"),
        example=lambda: _("The address is blocked because of a complaint: people not to be written to at all."),
        options=_suppressions,
    )


def answers(contests: Sequence[Campaign]) -> Iterator[Spec]:
    """A field for each key that a question of the brand has."""
    yield count(
        "answered",
        Group.ANSWERS,
        lambda: _("Questions answered"),
        At("(SELECT count(*) FROM jsonb_object_keys(c.answers))", Number()),
        says=lambda n: ngettext("who answered %(what)s question", "who answered %(what)s questions", int(n)),
        example=lambda: _("Questions answered is exactly 0: nothing is known of them yet."),
    )
    ids = [contest.id for contest in contests]
    asked = db.session.scalars(
        select(Question).where(Question.campaign_id.in_(ids)).order_by(Question.campaign_id.desc(), Question.position)
    )
    newest: dict[str, list[Question]] = {}
    for question in asked:
        newest.setdefault(question.key, []).append(question)
    yield from (_answer(questions) for questions in newest.values())


def _answer(questions: Sequence[Question]) -> Spec:
    """The field of a key: kind and words are those of the newest contest that asks; its options of all of that kind."""
    newest = questions[0]
    kind = KINDS[newest.kind]

    def word() -> str:
        return _in_words(newest.texts, "label", newest.key)

    def options() -> Mapping[str, str]:
        alike = [question for question in questions if question.kind is newest.kind]
        found = {option["id"]: option["texts"] for question in reversed(alike) for option in question.options}
        return {name: texts.get(i18n.locale()) or next(iter(texts.values()), name) for name, texts in found.items()}

    return Spec(
        key=f"answer.{newest.key}",
        group=Group.ANSWERS,
        word=word,
        kind=kind,
        source=AnswerTo(newest.key, kind),
        says=lambda _n: _("whose answer to “%(question)s” %%(what)s") % {"question": escaped(word())},
        example=lambda: _("The latest answer to this question, in whichever contest it was given."),
        options=options,
    )


def _countries() -> Mapping[str, str]:
    return _countries_in(i18n.locale())


@cache
def _countries_in(code: str) -> Mapping[str, str]:
    """The countries of all time zones by their names in a language, É beside E."""
    names = Locale.parse(code).territories
    found = [(country, names[country]) for country in zones_by_country()]
    return dict(sorted(found, key=lambda pair: unicodedata.normalize("NFKD", pair[1])))


@cache
def zones_by_country() -> Mapping[str, tuple[str, ...]]:
    """The time zones of each country (ISO code), old names of zones included; zones of no country are left out."""
    countries, names = get_global("zone_territories"), get_global("zone_aliases")
    found: dict[str, list[str]] = {}
    for zone in sorted(available_timezones()):
        country = countries.get(names.get(zone, zone)) or countries.get(zone)
        if country and len(country) == 2 and country.isalpha():
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}


def _in_words(texts: Mapping[str, Mapping[str, str]], name: str, otherwise: str) -> str:
    """A text in the current language, else in any, else a word that always is there."""
    spoken = [texts.get(i18n.locale(), {}), *texts.values()]
    return next((found for words in spoken if (found := words.get(name))), otherwise)


def _suppressions() -> Mapping[str, str]:
    return {
        SuppressionReason.UNSUBSCRIBE.value: _("an unsubscription"),
        SuppressionReason.HARD_BOUNCE.value: _("a bounce"),
        SuppressionReason.COMPLAINT.value: _("a complaint"),
        SuppressionReason.REFUSED.value: _("a refusal to take part"),
        SuppressionReason.MANUAL.value: _("a decision of your staff"),
    }


def _providers() -> Mapping[str, str]:
    names = {"gmail": "Gmail", "microsoft": "Outlook, Hotmail", "yahoo": "Yahoo, AOL", "apple": "iCloud"}
    names |= {"orange": "Orange", "free": "Free", "sfr": "SFR", "laposte": "La Poste"}
    return names | {groups.OTHER: _("another one")}
