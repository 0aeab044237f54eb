"""What is told of a reward: the fact in the journal, and the letter to its owner."""

from __future__ import annotations

from leadgen.campaigns.models import Milestone
from leadgen.journal import service as journal
from leadgen.journal.vocabulary import FactName
from leadgen.mail import service as mail
from leadgen.mail.service import Wanted
from leadgen.rewards.grounds import Ground
from leadgen.rewards.models import Award


def title(tier: Milestone, locale: str) -> str:
    """What a tier is called in this language, else in any."""
    said = [tier.texts.get(locale, {}), *tier.texts.values()]
    return next((str(words["title"]) for words in said if words.get("title")), "")


def record(name: FactName, ground: Ground, award: Award, **data: str | int) -> None:
    """Write down what happened to an award."""
    journal.record(
        name,
        brand_id=ground.brand_id,
        campaign_id=ground.campaign_id,
        contact_id=ground.contact_id,
        entry_id=ground.entry_id,
        milestone=award.milestone_id,
        **data,
    )


def write(ground: Ground, tier: Milestone, award: Award, letter: str, *, code: str = "") -> bool:
    """Want the letter to the owner of this award, each kind once; True when it is new."""
    context: dict[str, int | str] = {"entry": ground.entry_id, "access_version": ground.access_version}
    context |= {"code": ground.code, "reward": title(tier, ground.locale)}
    if code:
        context["reward_code"] = code
    if code and tier.codes_until:
        context["code_until"] = tier.codes_until.isoformat()
    if letter == "reward_ready" and tier.is_address_asked:
        context["is_address_asked"] = 1
    if letter in {"reward_ready", "reward_expiring"} and award.claim_until:
        context["reward_until"] = award.claim_until.isoformat()
    return mail.want(
        Wanted(
            intent=f"{letter}:{award.id}",
            letter=letter,
            brand_id=ground.brand_id,
            campaign_id=ground.campaign_id,
            contact_id=ground.contact_id,
            entry_id=ground.entry_id,
            locale=ground.locale,
            context=context,
        )
    )
