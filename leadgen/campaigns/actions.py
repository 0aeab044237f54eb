"""The actions of a campaign, in the marketer's order: add, edit, take away, bring back, move."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from leadgen.campaigns import action_settings
from leadgen.campaigns.editing import check_locale, check_points, edited, in_each_language, line, not_final
from leadgen.campaigns.models import Action, ActionKind, Campaign, Repeat
from leadgen.campaigns.prizes import move
from leadgen.core import i18n
from leadgen.core.errors import Conflict, Invalid, NotFound
from leadgen.core.i18n import gettext as _

ACTIONS_LIMIT = 30
TIMES_LIMIT = 1_000
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What a visitor weighs before taking part; the rest is wording and arrangement.
_MATERIAL = (
    "kind",
    "points",
    "chances",
    "repeat",
    "most_times",
    "needs_others",
    "is_mandatory",
    "starts_at",
    "ends_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInput:
    """An action as the marketer describes it; `texts` and `settings` as in campaigns.models.Action, aware times.

    `key` names it in exports and in signed calls; it stays once it is given. `most_times` is needed without limit.
    """

    kind: ActionKind
    texts: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    points: int
    chances: int
    repeat: Repeat
    most_times: int | None = None
    needs_others: int = 0
    is_mandatory: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def add_action(campaign: Campaign, action: ActionInput) -> Action:
    """Put an action at the end of the list. Raises Invalid (field), Conflict (closed)."""
    not_final(campaign)
    if sum(other.is_active for other in campaign.actions) >= ACTIONS_LIMIT:
        raise Invalid(_("Keep to %(limit)d actions; too many tire people.") % {"limit": ACTIONS_LIMIT}, "kind")
    checked = _checked(campaign, action)
    position = max((other.position for other in campaign.actions), default=0) + 1
    added = Action(position=position, key=_key(campaign, action.key, checked["texts"]), is_active=True, **checked)
    with edited(campaign, material=in_each_language("A way to earn points was added: %(title)s.", title=_title(added))):
        campaign.actions.append(added)
    return added


def edit_action(campaign: Campaign, action_id: int, action: ActionInput) -> Action:
    """Replace what is said of an action; points that were earned stay. Raises NotFound, Invalid, Conflict."""
    not_final(campaign)
    found = find_action(campaign, action_id)
    if action.kind is not found.kind or action.key not in {"", found.key}:
        raise Conflict(_("The kind and the key of an action stay as they are. Take it away and add another."))
    checked = _checked(campaign, action)
    is_material = any(checked[name] != getattr(found, name) for name in _MATERIAL)
    told = in_each_language(
        "A way to earn points was changed: %(title)s. Points already earned stay.", title=_title(Action(**checked))
    )
    with edited(campaign, material=told if is_material else None):
        for name, value in checked.items():
            setattr(found, name, value)
    return found


def remove_action(campaign: Campaign, action_id: int) -> None:
    """Take an action away: deleted while nobody can have done it, else switched off, which keeps every deed.

    `restore_action` brings back what was switched off. Raises NotFound, Conflict (closed).
    """
    not_final(campaign)
    found = find_action(campaign, action_id)
    told = in_each_language("A way to earn points was taken away: %(title)s. Earned points stay.", title=_title(found))
    with edited(campaign, material=told):
        if campaign.rules_version:
            found.is_active = False
        else:
            campaign.actions.remove(found)


def restore_action(campaign: Campaign, action_id: int) -> Action:
    """Bring back an action that was switched off. Raises NotFound, Conflict (closed)."""
    not_final(campaign)
    found = next((a for a in campaign.actions if a.id == action_id and not a.is_active), None)
    if found is None:
        raise NotFound
    with edited(campaign, material=in_each_language("A way to earn points was added: %(title)s.", title=_title(found))):
        found.is_active = True
    return found


def move_action(campaign: Campaign, action_id: int, *, by: int) -> None:
    """Move an action up (`by` = −1) or down (1) in the list. Raises NotFound."""
    found = find_action(campaign, action_id)
    with edited(campaign):
        move(_active(campaign), found, by)


def order_actions(campaign: Campaign, action_ids: Sequence[int]) -> None:
    """Bring the actions into this order; those that are not named follow as they were. Raises NotFound."""
    named = [find_action(campaign, action_id) for action_id in dict.fromkeys(action_ids)]
    rest = [action for action in _active(campaign) if action not in named]
    with edited(campaign):
        for position, action in enumerate([*named, *rest], 1):
            action.position = position


def find_action(campaign: Campaign, action_id: int) -> Action:
    """An active action of the campaign. Raises NotFound."""
    found = next((action for action in campaign.actions if action.id == action_id and action.is_active), None)
    if found is None:
        raise NotFound
    return found


def from_template(position: int, data: Mapping[str, Any]) -> Action:
    """An action as a template writes it; what it leaves out is what a new one of its kind gets."""
    kind = ActionKind(data["kind"])
    settings = action_settings.checked(kind, data.get("settings", {}))
    points = data.get("points", action_settings.POINTS[kind])
    same = ("key", "texts", "most_times", "needs_others", "is_mandatory")
    return Action(
        position=position,
        kind=kind,
        settings=settings,
        points=points,
        chances=data.get("chances", points),
        proof=action_settings.proof_of(kind, settings),
        repeat=Repeat(data.get("repeat", action_settings.REPEATS[kind][0])),
        **{name: data[name] for name in same if name in data},
    )


def later(action: Action, by: timedelta) -> Action:
    """The action with its own window moved, as that of a contest which is held again."""
    action.starts_at = action.starts_at and action.starts_at + by
    action.ends_at = action.ends_at and action.ends_at + by
    return action


def _active(campaign: Campaign) -> list[Action]:
    return [action for action in campaign.actions if action.is_active]


def _checked(campaign: Campaign, action: ActionInput) -> dict[str, Any]:
    check_points(action.points, "points", least=0)
    check_points(action.chances, "chances", least=0)
    _check_repeat(action)
    if not 0 <= action.needs_others < ACTIONS_LIMIT:
        raise Invalid(_("Say how many others come first: 0 or more."), "needs_others")
    _check_window(campaign, action)
    settings = action_settings.checked(action.kind, action.settings)
    return {
        "kind": action.kind,
        "texts": _texts(action),
        "settings": settings,
        "points": action.points,
        "chances": action.chances,
        "proof": action_settings.proof_of(action.kind, settings),
        "repeat": action.repeat,
        "most_times": action.most_times,
        "needs_others": action.needs_others,
        "is_mandatory": action.is_mandatory,
        "starts_at": action.starts_at,
        "ends_at": action.ends_at,
    }


def _check_repeat(action: ActionInput) -> None:
    if action.repeat not in action_settings.REPEATS[action.kind]:
        raise Invalid(_("An action of this kind cannot be repeated like that."), "repeat")
    if action.most_times is None and action.repeat is Repeat.UNLIMITED:
        raise Invalid(_("Say how often at most: without a limit, one person could win alone."), "most_times")
    if action.most_times is not None and not 1 <= action.most_times <= TIMES_LIMIT:
        raise Invalid(
            _("Give a whole number from %(least)d to %(most)d.") % {"least": 1, "most": TIMES_LIMIT}, "most_times"
        )


def _check_window(campaign: Campaign, action: ActionInput) -> None:
    begins, ends = action.starts_at, action.ends_at
    if begins and ends and ends <= begins:
        raise Invalid(_("The end must come after the start."), "ends_at")
    if ends and ends <= campaign.starts_at:
        raise Invalid(_("The action would be over before the contest begins."), "ends_at")
    if begins and begins >= campaign.ends_at:
        raise Invalid(_("The action would begin after the contest has closed."), "starts_at")


def _texts(action: ActionInput) -> dict[str, dict[str, str]]:
    texts = {}
    for locale, words in action.texts.items():
        check_locale(locale)
        texts[locale] = {
            "title": line(words.get("title") or "", "title", limit=90, is_needed=False),
            "help": line(words.get("help") or "", "help", limit=300, is_needed=False),
            "button": line(words.get("button") or "", "button", limit=40, is_needed=False),
        }
    if not any(words["title"] for words in texts.values()):
        raise Invalid(_("Give the action a title."), "title")
    return texts


def _key(campaign: Campaign, given: str, texts: Mapping[str, Mapping[str, str]]) -> str:
    """The key that was given, if it is free, else one made from the title."""
    taken = {other.key for other in campaign.actions}
    if given:
        if not _KEY.fullmatch(given):
            raise Invalid(
                _("Use small letters, digits and _, beginning with a letter, such as newsletter_visit."), "key"
            )
        if given in taken:
            raise Invalid(_("Another action of this campaign has this key."), "key")
        return given
    title = next(words["title"] for words in texts.values() if words["title"])
    base = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_0123456789")[:30].strip("_") or "action"
    return next(key for key in (base, *(f"{base}_{n}" for n in range(2, 1000))) if key not in taken)


def _title(action: Action) -> Callable[[], str]:
    """The action's title in the language that is spoken when it is asked for, else in any."""
    titles = {locale: str(words["title"]) for locale, words in action.texts.items() if words.get("title")}
    return lambda: titles.get(i18n.locale()) or next(iter(titles.values()), "")
