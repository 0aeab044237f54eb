"""Rows of what makes a contest spread: actions and deeds, milestones and codes, visits, evidence of fraud, works.

Like tests.factories: plain functions with believable defaults, each commits what it made.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from leadgen.actions.models import CodeTries, Deed, ExternalKey, SecretCode
from leadgen.campaigns.models import Action, ActionKind, Campaign, Delivery, Milestone, Proof
from leadgen.core import clock, ids
from leadgen.entries.models import Entry, PointsMoved
from leadgen.fraud.models import Appeal, Decision, Look, LookKind, Ruling, Safe, Sighting, Signal, Verdict
from leadgen.gallery.models import Vote, Work, WorkState
from leadgen.pictures.models import Picture
from leadgen.rewards.models import Award, AwardAddress, AwardState, CodeFile, Coupon
from leadgen.scores import service as scores
from leadgen.scores.models import ContactScore, ContributionKind, ScoreContribution, ScoreWanted
from leadgen.visits.models import Visit, VisitKind, VisitTally
from leadgen.worth.models import Prices, Sale, Worth
from tests.factories import keep

_number = itertools.count(1)


def make_action(campaign: Campaign, *, kind: ActionKind = ActionKind.CUSTOM, **values: Any) -> Action:
    """Declared and worth 2 points, once."""
    number = next(_number)
    words = {"title": f"Action {number}", "help": "", "button": ""}
    return keep(
        Action,
        values,
        campaign_id=campaign.id,
        position=number,
        key=f"action_{number}",
        kind=kind,
        texts={"en": words, "fr": words},
        points=2,
        chances=2,
        proof=Proof.DECLARED,
    )


def make_deed(entry: Entry, action: Action, **values: Any) -> Deed:
    """Done, without its points: those are tests.factories.give_points."""
    now = clock.now()
    return keep(
        Deed,
        values,
        campaign_id=entry.campaign_id,
        entry_id=entry.id,
        action_id=action.id,
        begun_at=now,
        done_at=now,
    )


def make_secret_code(action: Action, code: str = "SUMMER", **values: Any) -> SecretCode:
    return keep(SecretCode, values, action_id=action.id, code=code)


def make_code_tries(entry: Entry) -> CodeTries:
    return keep(CodeTries, {}, entry_id=entry.id, wrong=1, since=clock.now())


def make_external_key(campaign: Campaign) -> ExternalKey:
    return keep(ExternalKey, {}, campaign_id=campaign.id, sealed="unreadable", created_at=clock.now())


def make_milestone(campaign: Campaign, *, threshold: int = 3, **values: Any) -> Milestone:
    """Three friends, ten pieces, given by hand."""
    number = next(_number)
    words = {"title": f"Reward {number}", "description": ""}
    return keep(
        Milestone,
        values,
        campaign_id=campaign.id,
        position=number,
        threshold=threshold,
        texts={"en": words, "fr": words},
        stock=10,
    )


def make_coupon(milestone: Milestone, code: str = "", **values: Any) -> Coupon:
    return keep(Coupon, values, milestone_id=milestone.id, code=code or f"CODE-{next(_number)}")


def make_code_file(milestone: Milestone, **values: Any) -> CodeFile:
    words = {"name": "codes.csv", "content": b"ONE\n", "mark": "0123456789abcdef", "by": "Ada"}
    preview = {"added": 1, "first": [[1, "ONE"]], "rejected": 0, "rejects": []}
    return keep(CodeFile, {"preview": preview} | values, milestone_id=milestone.id, at=clock.now(), **words)


def make_award(entry: Entry, milestone: Milestone, **values: Any) -> Award:
    return keep(
        Award,
        values,
        campaign_id=entry.campaign_id,
        milestone_id=milestone.id,
        entry_id=entry.id,
        earned_at=clock.now(),
        threshold=milestone.threshold,
    )


def make_look(entry: Entry) -> Look:
    return keep(Look, {}, campaign_id=entry.campaign_id, kind=LookKind.ENTRY, entry_id=entry.id)


def make_award_address(award: Award, **values: Any) -> AwardAddress:
    words = {"name": "Ben Roy", "street": "1 rue du Port", "postcode": "44000", "city": "Nantes", "country": "FR"}
    return keep(AwardAddress, values, award_id=award.id, given_at=clock.now(), **words)


def make_points_moved(entry: Entry) -> PointsMoved:
    return keep(PointsMoved, {}, entry_id=entry.id)


def make_visit(entry: Entry, *, kind: VisitKind = VisitKind.HUMAN, **values: Any) -> Visit:
    now = clock.now()
    return keep(
        Visit,
        values,
        campaign_id=entry.campaign_id,
        entry_id=entry.id,
        channel="wa",
        kind=kind,
        visitor=ids.public_id().encode(),
        nonce=ids.public_id(),
        at=now,
        seen_at=now if kind is VisitKind.HUMAN else None,
    )


def make_visit_tally(entry: Entry, *, kind: VisitKind = VisitKind.HUMAN, **values: Any) -> VisitTally:
    return keep(VisitTally, values, entry_id=entry.id, kind=kind, channel="wa", campaign_id=entry.campaign_id, number=1)


def make_sighting(entry: Entry, **values: Any) -> Sighting:
    """At home, by hand, in twenty seconds."""
    own = str(entry.id).encode()
    return keep(
        Sighting,
        values,
        entry_id=entry.id,
        campaign_id=entry.campaign_id,
        at=entry.created_at,
        network=own,
        address=own,
        form_seconds=20.0,
    )


def make_signal(entry: Entry, code: str = "same_device", *, points: int = 60, **values: Any) -> Signal:
    return keep(
        Signal,
        values,
        campaign_id=entry.campaign_id,
        entry_id=entry.id,
        layer="pair",
        code=code,
        points=points,
        weights_version=1,
        at=clock.now(),
    )


def make_verdict(entry: Entry, *, score: int = 60, **values: Any) -> Verdict:
    return keep(Verdict, values, entry_id=entry.id, campaign_id=entry.campaign_id, score=score, scored_at=clock.now())


def make_ruling(entry: Entry, *, deed: Decision = Decision.ACCEPTED, **values: Any) -> Ruling:
    return keep(
        Ruling,
        values,
        campaign_id=entry.campaign_id,
        deed=deed,
        entry_ids=[{"entry": entry.id, "before": "none"}],
        reason="Known to us",
        by="Ada",
        at=clock.now(),
    )


def make_safe(brand_id: int, *, kind: str = "domain", value: str = "school.example") -> Safe:
    return keep(Safe, {}, brand_id=brand_id, kind=kind, value=value, by="Ada", at=clock.now())


def make_appeal(entry: Entry, **values: Any) -> Appeal:
    return keep(
        Appeal, values, entry_id=entry.id, campaign_id=entry.campaign_id, text="These are my cousins.", at=clock.now()
    )


def make_picture(brand_id: int, **values: Any) -> Picture:
    """Not a real one: for tables, not for eyes."""
    return keep(
        Picture,
        values,
        public_id=ids.public_id(),
        brand_id=brand_id,
        content=b"picture",
        thumbnail=b"small",
        mime="image/jpeg",
        width=800,
        height=600,
        created_at=clock.now(),
    )


def make_work(entry: Entry, action: Action, *, state: WorkState = WorkState.PUBLISHED, **values: Any) -> Work:
    return keep(
        Work,
        values,
        public_id=ids.public_id(),
        campaign_id=entry.campaign_id,
        entry_id=entry.id,
        action_id=action.id,
        title="At the sea",
        state=state,
        created_at=clock.now(),
    )


def make_vote(work: Work, **values: Any) -> Vote:
    now = clock.now()
    return keep(
        Vote,
        values,
        campaign_id=work.campaign_id,
        work_id=work.id,
        voter=ids.public_id().encode(),
        network=b"network",
        day=(now - timedelta(hours=1)).date(),
        at=now,
    )


def make_score(entry: Entry, **values: Any) -> ContactScore:
    """Somebody who told enough to be an A, and confirmed just now, by the rules that a brand begins with."""
    now = clock.now()
    version = scores.ensure(entry.brand_id)
    who: dict[str, Any] = {"contact_id": entry.contact_id, "number": version.number}
    line: dict[str, Any] = {"event": "f1", "kind": ContributionKind.ENGAGEMENT, "at": now}
    keep(ScoreContribution, who, rule="confirmed", points=20, **line)
    return keep(
        ContactScore,
        who | values,
        brand_id=entry.brand_id,
        fit=80,
        worth=20.0,
        worth_at=now,
        alive_at=now,
        fit_band="A",
        engagement_band="3",
        letters=4,
        reactions=1,
        scored_at=now,
    )


def make_score_wanted(entry: Entry) -> ScoreWanted:
    return keep(ScoreWanted, {}, contact_id=entry.contact_id)


def make_prices(brand_id: int, **values: Any) -> Prices:
    """A confirmed entry is worth a euro, half of that for who brought it."""
    return keep(Prices, values, brand_id=brand_id, currency="EUR", entry=100, changed_at=clock.now())


def make_sale(contact_id: int, brand_id: int, **values: Any) -> Sale:
    now = clock.now()
    return keep(
        Sale, values, brand_id=brand_id, contact_id=contact_id, reference=f"S{next(_number)}", amount=990, at=now
    )


def make_worth(contact_id: int, brand_id: int, **values: Any) -> Worth:
    return keep(Worth, values, contact_id=contact_id, brand_id=brand_id, own=100, brought=50, people=1)


def make_one_of_each(campaign: Campaign, entry: Entry) -> None:
    """A row in every table of these rooms."""
    action = make_action(campaign, kind=ActionKind.UPLOAD)
    milestone = make_milestone(campaign, delivery=Delivery.FILE, file_url="https://files.example/gift.pdf")
    make_deed(entry, action)
    make_secret_code(make_action(campaign, kind=ActionKind.CODE))
    make_code_tries(entry)
    make_external_key(campaign)
    make_coupon(milestone)
    make_code_file(milestone)
    make_award_address(make_award(entry, milestone, state=AwardState.DELIVERED))
    make_points_moved(entry)
    make_look(entry)
    make_visit(entry)
    make_visit_tally(entry)
    make_sighting(entry)
    make_signal(entry)
    make_verdict(entry)
    make_ruling(entry)
    make_safe(campaign.brand_id)
    make_appeal(entry)
    make_score(entry)
    make_score_wanted(entry)
    make_prices(campaign.brand_id)
    make_sale(entry.contact_id, campaign.brand_id)
    make_worth(entry.contact_id, campaign.brand_id)
    make_vote(make_work(entry, action, picture_id=make_picture(campaign.brand_id).id))
