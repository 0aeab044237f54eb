"""What people do: in contests, with letters, for friends. Each field is one entry of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from leadgen.campaigns import catalogue as kinds_of_contests
from leadgen.campaigns.models import Campaign
from leadgen.core.i18n import gettext as _
from leadgen.core.i18n import ngettext
from leadgen.core.logic import Kind
from leadgen.segments.catalogue import Group, Moment, Spec, at, count, escaped, flag
from leadgen.segments.sources import At, Confirmed, Listing, Number, Over, Rows, Source

# Letters of the last so many days; a condition has one number, so the window is part of the field.
WINDOWS = (7, 30, 90)
_ENTRIES = "e.brand_id = {brand} AND e.status = 'confirmed'"


def contests(held: Sequence[Campaign]) -> Iterator[Spec]:
    """Taking part, by contest and over all."""
    names = {str(contest.id): contest.name for contest in held}
    yield Spec(
        key="entered",
        group=Group.CONTESTS,
        word=lambda: _("Entered the contest"),
        kind=Kind.MANY,
        # Of contest and contact alone: their index tells it.
        source=Listing(Rows("entry e", "true", "e.contact_id"), "e.campaign_id", "bigint"),
        says=lambda _n: _("who entered %(what)s"),
        lacking=lambda: _("who entered no contest"),
        having=lambda: _("who entered a contest"),
        example=lambda: _("Entered the contest “Summer”, confirmed or not."),
        options=lambda: names,
    )
    yield Spec(
        key="confirmed",
        group=Group.CONTESTS,
        word=lambda: _("Confirmed in the contest"),
        kind=Kind.MANY,
        source=Confirmed(),
        says=lambda _n: _("who confirmed in %(what)s"),
        lacking=lambda: _("who confirmed in no contest"),
        having=lambda: _("who confirmed in a contest"),
        example=lambda: _("Confirmed in the contest “Summer”: they may hear of the next one first."),
        options=lambda: names,
    )
    yield _kind(held)
    yield from _deeds()
    yield from (_points(contest) for contest in held)


def _kind(held: Sequence[Campaign]) -> Spec:
    return Spec(
        key="contest_kind",
        group=Group.CONTESTS,
        word=lambda: _("Kind of contest"),
        kind=Kind.MANY,
        source=Confirmed(by_kind=True),
        says=lambda _n: _("who took part in a contest of the kind %(what)s"),
        lacking=lambda: _("who confirmed in no contest"),
        having=lambda: _("who confirmed in a contest"),
        example=lambda: _("Kind of contest is a quiz: people who like to be asked."),
        options=partial(_kinds_of, sorted({contest.template for contest in held})),
    )


def _deeds() -> Iterator[Spec]:
    yield count(
        "points",
        Group.CONTESTS,
        lambda: _("Points, over all contests"),
        At("c.points", Number()),
        says=lambda n: ngettext("who have %(what)s point", "who have %(what)s points", int(n)),
        example=lambda: _("Points, over all contests, is at least 50: your most active people."),
    )
    yield count(
        "deeds",
        Group.CONTESTS,
        lambda: _("Actions done"),
        At("c.deeds", Number()),
        says=lambda n: ngettext("who did %(what)s action", "who did %(what)s actions", int(n)),
        example=lambda: _("Actions done is at least 3: people who do more than enter."),
    )
    yield count(
        "works",
        Group.CONTESTS,
        lambda: _("Works shown"),
        At("c.works", Number()),
        says=lambda n: ngettext("who show %(what)s work", "who show %(what)s works", int(n)),
        example=lambda: _("Works shown is at least 1: makers whose photo or text was accepted."),
    )
    yield count(
        "rewards",
        Group.CONTESTS,
        lambda: _("Rewards earned"),
        At("c.rewards", Number()),
        says=lambda n: ngettext("who earned %(what)s reward", "who earned %(what)s rewards", int(n)),
        example=lambda: _("Rewards earned is at least 1: they know that you keep your word."),
    )


def _points(contest: Campaign) -> Spec:
    where = f"{_ENTRIES} AND e.points > 0 AND e.campaign_id = {{given}}"
    name = escaped(contest.name)
    return count(
        f"points.{contest.id}",
        Group.CONTESTS,
        lambda: _("Points in “%(contest)s”") % {"contest": contest.name},
        Over(Rows("entry e", where, "e.contact_id", given=contest.id), "e.points", Number(), is_single=True),
        says=lambda n: (
            ngettext("who have %%(what)s point in “%(contest)s”", "who have %%(what)s points in “%(contest)s”", int(n))
            % {"contest": name}
        ),
        example=lambda: _("At least so many points in this one contest."),
    )


def letters() -> Iterator[Spec]:
    """What was sent, and what came back."""
    sent = (
        "m.brand_id = {brand} AND m.purpose = 'marketing' AND m.sent_at > {now} - make_interval(days => {given}) "
        "AND m.sent_at <= {now}"
    )
    for days in WINDOWS:
        yield _letters_within(days, Over(Rows("message m", sent, "m.contact_id", given=days), "count(*)", Number()))
    yield from _clicks()
    yield flag(
        "bounced",
        Group.LETTERS,
        lambda: _("Address bounced"),
        "EXISTS (SELECT FROM suppression s WHERE s.brand_id = {brand} AND s.address_hash = c.address_hash "
        "AND s.reason = 'hard_bounce')",
        sayings=(lambda: _("whose address bounced"), lambda: _("whose address did not bounce")),
        example=lambda: _("Address bounced: the mailbox does not exist (any more)."),
    )


def _clicks() -> Iterator[Spec]:
    yield count(
        "clicks",
        Group.LETTERS,
        lambda: _("Clicks in letters"),
        At("c.clicks", Number()),
        says=lambda n: ngettext("who clicked %(what)s time", "who clicked %(what)s times", int(n)),
        example=lambda: _("Clicks in letters is at least 1. Clicks of machines are never counted."),
    )
    yield Moment(
        key="clicked",
        group=Group.LETTERS,
        word=lambda: _("Last click in a letter"),
        at=partial(at, "c.clicked_at"),
        says=lambda _n: _("who last clicked in a letter %(what)s"),
        lacking=lambda: _("who never clicked in a letter"),
        having=lambda: _("who clicked in a letter"),
        example=lambda: _("Last click in a letter within the last 30 days: people who read you now."),
    )
    yield Moment(
        key="alive",
        group=Group.LETTERS,
        word=lambda: _("Last sign of life"),
        at=partial(at, "c.last_inbound_at"),
        says=lambda _n: _("who last gave a sign of life %(what)s"),
        lacking=lambda: _("who never gave a sign of life"),
        having=lambda: _("who gave a sign of life"),
        example=lambda: _("Last sign of life more than 180 days ago: say goodbye, or wake them."),
    )


def _letters_within(days: int, source: Source) -> Spec:
    words = {"days": days}
    return count(
        f"letters.{days}",
        Group.LETTERS,
        lambda: _("Marketing letters in %(days)d days") % words,
        source,
        says=lambda n: (
            ngettext(
                "who got %%(what)s marketing letter in the last %(days)d days",
                "who got %%(what)s marketing letters in the last %(days)d days",
                int(n),
            )
            % words
        ),
        example=lambda: _("Marketing letters in 30 days is fewer than 2: room for one more."),
    )


def friends(held: Sequence[Campaign]) -> Iterator[Spec]:
    """Who brought whom."""
    yield count(
        "friends",
        Group.FRIENDS,
        lambda: _("Confirmed friends brought"),
        At("c.friends", Number()),
        says=lambda n: ngettext("who brought %(what)s friend", "who brought %(what)s friends", int(n)),
        example=lambda: _("Confirmed friends brought is at least 2: they speak of you."),
    )
    yield flag(
        "brought",
        Group.FRIENDS,
        lambda: _("Was brought by somebody"),
        "EXISTS (SELECT FROM entry e WHERE e.contact_id = c.id AND e.brand_id = {brand} AND e.referrer_id IS NOT NULL)",
        sayings=(lambda: _("whom a friend brought"), lambda: _("whom no friend brought")),
        example=lambda: _("Was brought by somebody: they trusted a friend first, and you second."),
    )
    yield Spec(
        key="generation",
        group=Group.FRIENDS,
        word=lambda: _("Generation"),
        kind=Kind.NUMBER,
        source=Over(Rows("entry e", "e.brand_id = {brand}", "e.contact_id"), "max(e.depth)", Number(), none=None),
        says=lambda _n: _("who stand in generation %(what)s"),
        lacking=lambda: _("who entered no contest"),
        having=lambda: _("who entered a contest"),
        example=lambda: _("Generation is at least 2: friends of friends. Who came alone stands in generation 0."),
    )
    yield from (_friends_in(contest) for contest in held)


def _friends_in(contest: Campaign) -> Spec:
    where = "e.brand_id = {brand} AND e.friends_counted > 0 AND e.campaign_id = {given}"
    rows = Rows("entry e", where, "e.contact_id", given=contest.id)
    name = escaped(contest.name)
    return count(
        f"friends.{contest.id}",
        Group.FRIENDS,
        lambda: _("Friends brought to “%(contest)s”") % {"contest": contest.name},
        Over(rows, "e.friends_counted", Number(), is_single=True),
        says=lambda n: (
            ngettext(
                "who brought %%(what)s friend to “%(contest)s”",
                "who brought %%(what)s friends to “%(contest)s”",
                int(n),
            )
            % {"contest": name}
        ),
        example=lambda: _("At least so many friends, who confirmed in this one contest."),
    )


def _kinds_of(templates: Sequence[str]) -> Mapping[str, str]:
    names = {card.key: card.name for card in kinds_of_contests.all_cards()}
    return {name: names.get(name, name) for name in templates}
