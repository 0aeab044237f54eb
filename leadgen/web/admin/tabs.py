"""The pages of one campaign, in groups, in the order of their tabs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadgen.campaigns.models import ActionKind, Campaign, Mechanic
from leadgen.core.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Tab:
    """One page; `word` is asked in the reader's language, `places` are the gaps before launch that it fills."""

    endpoint: str
    word: Callable[[], str]
    places: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()
    applies: Callable[[Campaign], bool] = lambda _campaign: True  # whether this campaign has such a page

    def holds(self, endpoint: str | None) -> bool:
        """Whether a page belongs to this tab."""
        return endpoint == self.endpoint or endpoint in self.deeper


@dataclass(frozen=True, slots=True)
class Group:
    """Tabs of one subject; a group of one tab is that tab."""

    word: Callable[[], str]
    tabs: tuple[Tab, ...]

    def holds(self, endpoint: str | None) -> bool:
        """Whether a page belongs to this group."""
        return any(tab.holds(endpoint) for tab in self.tabs)

    def tabs_of(self, campaign: Campaign) -> list[Tab]:
        """The pages of this group that the campaign has."""
        return [tab for tab in self.tabs if tab.applies(campaign)]


def _has_works(campaign: Campaign) -> bool:
    """Whether people hand in works or vote in this campaign."""
    is_handed_in = any(action.kind is ActionKind.UPLOAD and action.is_active for action in campaign.actions)
    return is_handed_in or Mechanic.VOTES in campaign.mechanics


GROUPS = (
    Group(lambda: _("Overview"), (Tab("admin.overview", lambda: _("Overview")),)),
    Group(
        lambda: _("Contest"),
        (
            Tab("admin.landing", lambda: _("Page"), ("texts", "rules", "consents")),
            Tab("admin.prizes", lambda: _("Prizes"), ("prizes",), ("admin.prize", "admin.prize_new")),
            Tab(
                "admin.rewards",
                lambda: _("Rewards"),
                ("rewards",),
                (
                    "admin.reward",
                    "admin.reward_new",
                    "admin.awards",
                    "admin.codes",
                    "admin.codes_load",
                    "admin.codes_confirm",
                ),
            ),
            Tab("admin.dates", lambda: _("Dates and points"), ("dates", "eligibility")),
            Tab("admin.spreading", lambda: _("Referrals"), ("referrals",)),
            Tab("admin.board", lambda: _("Leaderboard"), ("board",)),
            Tab(
                "admin.questions",
                lambda: _("Questions"),
                ("questions",),
                (
                    "admin.question",
                    "admin.question_new",
                    "admin.question_page",
                    "admin.questions_publish",
                    "admin.questions_versions",
                ),
            ),
            Tab(
                "admin.actions",
                lambda: _("Actions"),
                ("actions",),
                (
                    "admin.action",
                    "admin.action_catalogue",
                    "admin.action_new",
                    "admin.action_people",
                    "admin.action_secret",
                ),
            ),
            Tab("admin.works", lambda: _("Works"), ("works",), ("admin.works_voting",), _has_works),
        ),
    ),
    Group(
        lambda: _("Spread"),
        (
            Tab("admin.share_kit", lambda: _("Share kit"), ("shares",)),
            Tab("admin.embed", lambda: _("Embed"), ("embed",)),
            Tab(
                "admin.virality",
                lambda: _("Virality"),
                (),
                ("admin.virality_people", "admin.virality_openings", "admin.virality_tree"),
            ),
        ),
    ),
    Group(
        lambda: _("Letters"),
        (
            Tab("admin.letters", lambda: _("Letters"), ("letters",), ("admin.letter",)),
            Tab(
                "admin.sequences",
                lambda: _("Nurture"),
                ("nurture",),
                (
                    "admin.sequence_results",
                    "admin.sequence_result_people",
                    "admin.sequence_costs",
                    "admin.sequence",
                    "admin.sequence_step",
                    "admin.sequence_part",
                    "admin.sequence_publish",
                    "admin.sequence_versions",
                    "admin.sequence_version",
                    "admin.sequence_resume",
                    "admin.sequence_yaml",
                    "admin.sequence_rehearsal",
                    "admin.sequence_people",
                ),
            ),
            Tab(
                "admin.broadcasts",
                lambda: _("Broadcasts"),
                (),
                (
                    "admin.broadcast",
                    "admin.broadcast_edit",
                    "admin.broadcast_send",
                    "admin.broadcast_cancel",
                    "admin.broadcast_people",
                ),
            ),
        ),
    ),
    Group(
        lambda: _("People"),
        (
            Tab("admin.entrants", lambda: _("Entrants"), (), ("admin.entrant", "admin.proof")),
            Tab(
                "admin.review",
                lambda: _("Review"),
                (),
                (
                    "admin.review_case",
                    "admin.review_log",
                    "admin.review_messages",
                    "admin.review_rules",
                    "admin.review_safe",
                ),
            ),
        ),
    ),
)
TABS = tuple(tab for group in GROUPS for tab in group.tabs)


def endpoint_for(place: str) -> str:
    """The page on which a gap before launch is filled."""
    if place == "brand":
        return "admin.brand_of"
    return next((tab.endpoint for tab in TABS if place in tab.places), "admin.overview")
