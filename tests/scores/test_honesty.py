"""Score honesty: only what a confirmed human did counts, once, and the explanation adds up to the number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from leadgen import reactions
from leadgen.accounts.models import Brand
from leadgen.actions import deeds
from leadgen.campaigns import cards
from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact, SuppressionReason
from leadgen.core import clock as product_clock
from leadgen.core.db import db
from leadgen.entries import answers, confirming, entering, person, referrals
from leadgen.entries.models import Entry, ReferralReason, Review
from leadgen.gallery import service as gallery
from leadgen.gallery.models import WorkState
from leadgen.journal.models import Fact
from leadgen.journal.vocabulary import FactName
from leadgen.letters.models import MailPurpose
from leadgen.mail.models import ClickKind, MessageStatus
from leadgen.scores import jobs
from leadgen.scores.explaining import Explanation, explained
from leadgen.scores.models import ContactScore, ScoreContribution, ScoreWanted
from tests.conftest import Clock
from tests.entries.conftest import filled
from tests.factories import (
    make_campaign,
    make_click,
    make_entry,
    make_fact,
    make_membership,
    make_message,
    make_provider_event,
    make_user,
)
from tests.factories_contest import make_action, make_deed, make_work


def told() -> None:
    """Everybody hears of everything, and whoever waits is scored."""
    while reactions.drain():
        pass
    jobs.score()


def of(entry: Entry) -> Explanation:
    db.session.commit()
    return explained(db.session.get_one(Contact, entry.contact_id))


def sums(found: Explanation) -> tuple[int, int]:
    """Both numbers, after it was seen that their lines add up to them."""
    assert found.fit is not None
    assert found.engagement is not None
    for figure in (found.fit, found.engagement):
        assert sum(part.now for part in figure.parts) == figure.number
    return found.fit.number, found.engagement.number


def entered(email: str = "anna@mail.example", campaign: Campaign | None = None, **more: Any) -> Entry:
    """Through the doors: entered and confirmed."""
    card = cards.by_id((campaign or make_campaign()).id)
    entry_id = entering.enter(card, filled(email, **more)).entry_id
    confirming.confirm(entry_id, 1, "button_post")
    return db.session.get_one(Entry, entry_id)


def test_of_forty_scanner_clicks_three_opens_and_one_human_answer_only_the_answer_scores(
    context: None, clock: Clock
) -> None:
    campaign = make_campaign()
    anna = make_entry(campaign, confirmed=True, marketing=True)
    message = make_message(
        anna, purpose=MailPurpose.MARKETING, status=MessageStatus.DELIVERED, sent_at=product_clock.now()
    )
    for _number in range(40):
        make_click(message, kind=ClickKind.MACHINE, reason="agent")
    for _number in range(3):
        make_provider_event(message, kind="open")
    answers.store(anna.id, campaign.questions[0].key, "sea")
    told()

    found = of(anna)
    assert sums(found) == (25, 4)
    assert found.fit is not None
    assert found.engagement is not None
    assert [(part.points, part.days, part.now) for part in found.engagement.parts] == [(4, 0, 4)]
    assert [part.points for part in found.fit.parts] == [25]

    clock.forward(days=30)
    jobs.look_at_all()
    jobs.want_clickers()
    told()
    later = of(anna)
    assert sums(later) == (25, 0)
    assert later.engagement is not None
    assert [(part.points, part.days, part.now) for part in later.engagement.parts] == [
        (4, 30, 1),  # 4 · 0.5^(30/21) = 1.49
        (None, 30, -5),  # a month without a sign of life
        (None, None, 4),  # never below 0
    ]


@pytest.mark.parametrize("days", [0, 1, 7, 13, 21, 29, 45, 90])
def test_the_explanation_adds_up_whenever_it_is_read(context: None, clock: Clock, days: int) -> None:
    anna = _busy()
    told()
    before = sums(of(anna))
    assert before[1] > 30
    clock.forward(days=days, hours=days)
    read = sums(of(anna))
    jobs.look_at_all()
    told()
    assert sums(of(anna)) == read, "scored anew it is what reading the old row said"


def test_the_explanation_adds_up_while_somebody_scores(context: None) -> None:
    anna = _busy()
    told()
    before = sums(of(anna))
    contact, engine, done = db.session.get_one(Contact, anna.contact_id), db.engine, list[str]()

    def score_beside(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "contact_score" in statement and not done:
            done.append(statement)
            with engine.begin() as other:  # as scoring writes it when everything is taken back
                other.execute(text("DELETE FROM score_contribution WHERE points > 0"))
                other.execute(text("UPDATE contact_score SET worth = 0, fit = 0"))

    event.listen(engine, "after_cursor_execute", score_beside)
    try:
        found = explained(contact)
    finally:
        event.remove(engine, "after_cursor_execute", score_beside)
    assert done
    assert sums(found) == before
    assert sums(of(anna)) == (0, 0)


def _busy() -> Entry:
    anna = make_entry(confirmed=True, marketing=True)
    now = product_clock.now()
    for hours, name in ((50, "entry.confirmed"), (30, "form.finished")):
        make_fact(anna, FactName(name), at=now - timedelta(hours=hours))
    action = make_action(db.session.get_one(Campaign, anna.campaign_id))
    make_work(anna, action, created_at=now - timedelta(hours=20))
    make_deed(anna, action, done_at=now - timedelta(hours=1))
    message = make_message(anna, purpose=MailPurpose.MARKETING, sent_at=now - timedelta(days=3))
    make_click(message, kind=ClickKind.HUMAN, at=now - timedelta(days=2))
    return anna


def test_a_fact_that_is_told_twice_counts_once(context: None) -> None:
    anna = entered()
    told()
    first = sums(of(anna))
    db.session.query(Fact).update({"announced_at": None})
    db.session.commit()
    told()
    assert sums(of(anna)) == first == (0, 20)
    rows = db.session.scalars(select(ScoreContribution)).all()
    assert [(row.rule, row.points) for row in rows] == [("confirmed", 20)]
    assert db.session.scalars(select(ScoreWanted)).all() == []


def test_nobody_is_scored_before_the_address_is_confirmed(context: None) -> None:
    card = cards.by_id(make_campaign().id)
    entry_id = entering.enter(card, filled("anna@mail.example")).entry_id
    told()
    found = of(db.session.get_one(Entry, entry_id))
    assert found.fit is None
    assert "before their address is confirmed" in found.why_not


@pytest.mark.parametrize(
    ("entering_as", "signing_in_as"),
    [
        ("anna@mail.example", "Anna@mail.example"),
        ("ada.lovelace@gmail.com", "ada.lovelace@gmail.com"),
        ("adalovelace+win@gmail.com", "Ada.Lovelace@googlemail.com"),
    ],
)
def test_colleagues_are_not_scored_however_their_mailbox_is_written(
    context: None, entering_as: str, signing_in_as: str
) -> None:
    campaign = make_campaign()
    anna = entered(entering_as, campaign)
    make_membership(make_user(signing_in_as), db.session.get_one(Brand, campaign.brand_id))
    told()
    assert "your own staff" in of(anna).why_not
    assert db.session.scalars(select(ContactScore)).all() == []


def test_what_the_review_excludes_scores_no_more_and_what_it_holds_waits(context: None) -> None:
    anna = entered()
    told()
    referrals.set_review(anna.id, Review.HELD, risk=50)
    db.session.commit()
    told()
    assert sums(of(anna)) == (0, 0)
    referrals.set_review(anna.id, Review.EXCLUDED, risk=90)
    db.session.commit()
    told()
    assert "The review excluded" in of(anna).why_not
    assert db.session.scalars(select(ScoreContribution)).all() == []


def test_a_friend_counts_until_the_referral_is_taken_back(context: None) -> None:
    campaign = make_campaign()
    ben = entered("ben@mail.example", campaign)
    anna = entered("anna@mail.example", campaign, referral_code=ben.code)
    told()
    assert sums(of(ben)) == (0, 30)
    referrals.refuse(anna.id, ReferralReason.MANUAL)
    db.session.commit()
    told()
    assert sums(of(ben)) == (0, 20)


def _engaged(entry: Entry) -> list[int | None]:
    found = of(entry)
    sums(found)
    assert found.engagement is not None
    return [part.points for part in found.engagement.parts]


def test_an_action_that_is_refused_scores_no_more(context: None) -> None:
    campaign = make_campaign()
    action = make_action(campaign)
    anna = make_entry(campaign, confirmed=True)
    db.session.commit()
    card = next(one for one in cards.by_id(campaign.id).actions if one.id == action.id)
    deeds.finish(deeds.doer(anna.id), card, "once")
    told()
    earned = _engaged(anna)
    assert len(earned) == 1
    who = deeds.doer(anna.id)
    deeds.refuse(who, who.deeds[0], "not seen")
    told()
    assert _engaged(anna) == []
    deeds.finish(deeds.doer(anna.id), card, "once")
    told()
    assert _engaged(anna) == earned, "done again it is the same deed"


def test_a_work_scores_once_and_only_while_it_is_shown(context: None) -> None:
    campaign = make_campaign()
    anna = make_entry(campaign, confirmed=True)
    work = make_work(anna, make_action(campaign, kind=ActionKind.UPLOAD), state=WorkState.WAITING)
    db.session.commit()
    numbers = []
    for state in (WorkState.PUBLISHED, WorkState.REFUSED, WorkState.PUBLISHED):
        gallery.decide(campaign.id, [work.id], state, by="Ada", reason="blurred" if state is WorkState.REFUSED else "")
        told()
        numbers.append(_engaged(anna))
    shown, refused, again = numbers
    assert shown
    assert (refused, again) == ([], shown)
    gallery.withdraw(anna.id, work.public_id)
    told()
    assert _engaged(anna) == []


def test_an_answer_that_is_taken_back_scores_no_more(context: None) -> None:
    campaign = make_campaign()
    anna = make_entry(campaign, confirmed=True)
    key = campaign.questions[0].key
    answers.store(anna.id, key, "sea")
    told()
    assert _engaged(anna) == [4]
    answers.take_back(anna.id, [key])
    jobs.look_at_all()
    told()
    assert _engaged(anna) == []


def test_a_click_scores_when_it_is_settled_that_a_human_clicked(context: None, clock: Clock) -> None:
    anna = entered()
    told()
    message = make_message(anna, purpose=MailPurpose.MARKETING, sent_at=product_clock.now())
    click = make_click(message, kind=ClickKind.HUMAN)
    make_click(message, kind=ClickKind.HUMAN)
    jobs.want_clickers()
    told()
    assert sums(of(anna))[1] == 20
    clock.forward(minutes=16)
    jobs.want_clickers()
    told()
    assert sums(of(anna))[1] == 28, "two clicks in one letter are one deed"
    jobs.want_clickers()
    assert db.session.scalars(select(ScoreWanted)).all() == [], "who was scored since is not wanted again"
    for one in (click, *db.session.scalars(select(type(click)))):
        one.kind = ClickKind.MACHINE  # as mail.clicks judges when the provider tells late
    db.session.commit()
    jobs.look_at_all()
    told()
    assert sums(of(anna))[1] == 20


def test_a_complaint_takes_and_the_bound_of_zero_is_a_line(context: None) -> None:
    anna = entered()
    contact = db.session.get_one(Contact, anna.contact_id)
    assert contact.address_hash is not None
    contacts.suppress(contact.brand_id, contact.address_hash, SuppressionReason.COMPLAINT)
    db.session.commit()
    told()
    found = of(anna)
    assert sums(found) == (0, 0)
    assert found.engagement is not None
    assert [part.now for part in found.engagement.parts] == [-60, 20, 40]
    assert found.engagement.parts[-1].says == "A score is never below 0"


def test_who_is_erased_leaves_nothing_behind(context: None) -> None:
    anna = entered()
    told()
    person.erase(anna.id)
    db.session.commit()
    told()
    for table in (ContactScore, ScoreContribution, ScoreWanted):
        assert db.session.scalars(select(table)).all() == []
