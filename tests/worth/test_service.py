"""What a contact is worth: by the statements for one, by those for everybody, and by plain recursion, the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadgen import reactions
from leadgen.accounts.models import Brand
from leadgen.campaigns.models import ActionKind
from leadgen.contacts import service as contacts
from leadgen.contacts.models import Contact
from leadgen.core import clock, hot
from leadgen.core.db import db
from leadgen.core.errors import Invalid
from leadgen.entries import person
from leadgen.entries.models import Entry, ReferralState, Review
from leadgen.worth import jobs, refreshing
from leadgen.worth import service as worth
from leadgen.worth.models import Prices
from tests.factories import (
    make_answer,
    make_brand,
    make_campaign,
    make_contact,
    make_entry,
    make_fact,
    make_membership,
    make_submission,
    make_user,
)
from tests.factories_contest import make_action, make_deed
from tests.worth import oracle
from tests.worth.conftest import PRICES, People, priced


def _chain(brand: Brand, length: int) -> list[Entry]:
    """Each brought the next one; nobody agreed to marketing."""
    campaign = make_campaign(brand, questions=1)
    made: list[Entry] = []
    for _number in range(length):
        made.append(make_entry(campaign, confirmed=True, referrer=made[-1] if made else None))
    return made


def _kept() -> dict[int, tuple[int, int]]:
    rows = hot.many("SELECT contact_id, own, brought FROM contact_worth WHERE own + brought > 0", {})
    return {row["contact_id"]: (row["own"], row["brought"]) for row in rows}


def _of(entry: Entry) -> worth.Explained:
    return worth.explained(entry.contact_id, entry.brand_id)


def test_one_and_all_are_what_plain_recursion_says(people: People) -> None:
    expected = oracle.values(people.contacts, db.session.get_one(Prices, people.brand.id))
    assert sum(brought > 0 for _own, brought in expected.values()) > 5, "the example has something to say"
    refreshing.work_out(people.brand.id)
    assert _kept() == {key: value for key, value in expected.items() if sum(value)}
    for contact in people.contacts:
        found = worth.explained(contact.id, people.brand.id)
        assert (found.own, found.brought) == expected[contact.id]


def test_of_famous_people_the_generations_of_the_night_are_told(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Walking down from somebody who brought a hundred thousand takes seconds, and a page waits for it."""
    refreshing.work_out(people.brand.id)
    exact = {one.id: worth.explained(one.id, people.brand.id) for one in people.contacts}
    monkeypatch.setattr(worth, "MOST_WALKED", 1)
    told = {one.id: worth.explained(one.id, people.brand.id) for one in people.contacts}
    assert {key: (one.parts, one.generations) for key, one in told.items()} == {
        key: (one.parts, one.generations) for key, one in exact.items()
    }
    assert any(one.as_of for one in told.values())


def test_the_lines_add_up_to_the_figure(people: People) -> None:
    for contact in people.contacts:
        found = worth.explained(contact.id, people.brand.id)
        lines = [part.value for part in found.parts] + [one.value for one in found.generations]
        assert found.total == sum(lines)
        for one in found.generations:
            assert one.value == one.own * found.discount**one.number // 100**one.number


def test_every_kind_of_deed_counts_at_its_price(brand: Brand) -> None:
    campaign = make_campaign(brand, questions=1)
    entry = make_entry(campaign, confirmed=True, marketing=True)
    make_answer(entry, campaign.questions[0])
    make_submission(entry, finished_at=clock.now(), is_open=False)
    make_deed(entry, make_action(campaign, kind=ActionKind.EXTERNAL))
    make_deed(entry, make_action(campaign))  # shared a link: no goal
    worth.record_sale(entry.contact_id, reference="A1", amount=4_999, at=clock.now())
    db.session.commit()
    told = {part.kind: (part.number, part.value) for part in _of(entry).parts}
    assert told == {kind: (1, value) for kind, value in (PRICES | {"sale": 4_999}).items()}


def test_each_generation_counts_half_of_the_one_before(brand: Brand) -> None:
    priced(brand, discount=50, entry=100)
    chain = _chain(brand, 4)
    found = _of(chain[0])
    assert [(one.number, one.people, one.own, one.value) for one in found.generations] == [
        (1, 1, 100, 50),
        (2, 1, 100, 25),
        (3, 1, 100, 12),  # 12.5, rounded down
    ]
    assert found.total == 187


def test_taking_consent_back_takes_its_value(brand: Brand) -> None:
    entry = make_entry(make_campaign(brand, questions=0), confirmed=True, marketing=True)
    assert _of(entry).own == PRICES["consent"] + PRICES["entry"]
    contacts.unsubscribe(entry.contact_id, "test")
    db.session.commit()
    assert _of(entry).own == PRICES["entry"]


@pytest.mark.parametrize("how", ["excluded", "reversed", "erased"])
def test_whoever_does_not_count_brings_nothing_and_neither_do_theirs(brand: Brand, how: str) -> None:
    top, middle, _last = _chain(brand, 3)
    assert len(_of(top).generations) == 2
    if how == "excluded":
        middle.review = Review.EXCLUDED
    elif how == "reversed":
        middle.referral_state = ReferralState.REVERSED
    else:
        person.erase(middle.id)
    db.session.commit()
    assert _of(top).generations == ()
    refreshing.work_out(brand.id)
    assert _kept().get(top.contact_id) == (PRICES["entry"], 0)


def test_a_person_is_brought_to_a_brand_once(brand: Brand) -> None:
    """By whoever's link led to their first confirmed entry; two who brought each other stand in no circle."""
    first, second = (make_campaign(brand, questions=0) for _number in range(2))
    anna, ben = make_contact(brand), make_contact(brand)
    anna_first = make_entry(first, anna, confirmed=True)
    make_entry(first, ben, confirmed=True, referrer=anna_first)
    ben_second = make_entry(second, ben, confirmed=True)
    make_entry(second, anna, confirmed=True, referrer=ben_second)
    assert [one.people for one in worth.explained(anna.id, brand.id).generations] == [1]
    assert worth.explained(ben.id, brand.id).generations == ()
    refreshing.work_out(brand.id)
    assert _kept()[ben.id][1] == 0


def test_nobody_is_brought_by_whoever_came_after_them(brand: Brand) -> None:
    """Staff may credit somebody else for a person; two who are credited for each other still stand in no circle."""
    campaign = make_campaign(brand, questions=0)
    ben = make_entry(campaign, confirmed=True)
    anna = make_entry(campaign, confirmed=True, referrer=ben)
    ben.referrer_id, ben.referral_state = anna.id, ReferralState.COUNTED
    db.session.commit()
    assert [one.people for one in _of(ben).generations] == [1]
    assert _of(anna).generations == ()
    refreshing.work_out(brand.id)
    assert (_kept()[ben.contact_id][1] > 0, _kept()[anna.contact_id][1]) == (True, 0)


def test_of_staff_only_sales_count_however_their_mailbox_is_written(brand: Brand) -> None:
    campaign = make_campaign(brand, questions=0)
    ada = make_entry(campaign, make_contact(brand, "adalovelace@gmail.com", marketing=True), confirmed=True)
    ben = make_entry(campaign, confirmed=True, referrer=ada)
    worth.record_sale(ada.contact_id, reference="A1", amount=1_000, at=clock.now())
    make_membership(make_user("Ada.Lovelace+work@googlemail.com"), brand)
    db.session.commit()
    refreshing.work_out(brand.id)
    assert (_of(ada).own, [one.people for one in _of(ada).generations]) == (1_000, [1])
    assert _of(ben).own == PRICES["entry"]
    assert _kept() == {one.contact_id: (_of(one).own, _of(one).brought) for one in (ada, ben)}


def test_working_out_again_changes_only_what_changed(brand: Brand) -> None:
    top, middle, last = _chain(brand, 3)
    assert refreshing.work_out(brand.id) == 3
    assert refreshing.work_out(brand.id) == 0
    worth.record_sale(last.contact_id, reference="A1", amount=1_000, at=clock.now())
    db.session.commit()
    jobs.work_out_all()
    assert _kept()[middle.contact_id][1] == (PRICES["entry"] + 1_000) * 37 // 100
    assert _kept()[top.contact_id] == (_of(top).own, _of(top).brought)
    person.erase(last.id)
    db.session.commit()
    jobs.work_out(brand.id)
    assert last.contact_id not in _kept()


def test_another_brands_people_and_prices_are_their_own(brand: Brand) -> None:
    _chain(brand, 2)
    other = make_entry(make_campaign(make_brand(), questions=0), confirmed=True)
    refreshing.work_out(brand.id)
    assert other.contact_id not in _kept()
    assert _of(other).total == 0, "without prices nothing is worth anything"
    assert refreshing.work_out(other.brand_id) == 0


def test_a_sale_is_noted_once(brand: Brand) -> None:
    anna, ben = make_contact(brand), make_contact(brand)
    at = clock.now() - timedelta(days=3)
    assert worth.record_sale(anna.id, reference=" A 1 ", amount=500, at=at)
    assert not worth.record_sale(anna.id, reference="A 1", amount=700, at=at)
    assert not worth.record_sale(ben.id, reference="A 1", amount=700, at=at)
    db.session.commit()
    assert [part.value for part in worth.explained(anna.id, brand.id).parts] == [500]
    facts = hot.many("SELECT data FROM fact WHERE name = 'sale.recorded'", {})
    assert len(facts) == 1
    assert "500" not in str(facts), "what it was stands in the table that erasure empties"


@pytest.mark.parametrize(
    ("field", "reference", "amount"), [("reference", " ", 5), ("amount", "A", 0), ("amount", "A", -5)]
)
def test_a_sale_that_cannot_be_is_refused(brand: Brand, field: str, reference: str, amount: int) -> None:
    with pytest.raises(Invalid) as error:
        worth.record_sale(make_contact(brand).id, reference=reference, amount=amount, at=clock.now())
    assert error.value.field == field


@pytest.mark.parametrize(
    ("field", "change"), [("currency", {"currency": "ZZZ"}), ("discount", {"discount": 101}), ("form", {"form": -1})]
)
def test_prices_that_cannot_be_are_refused(brand: Brand, field: str, change: dict[str, object]) -> None:
    said: dict[str, object] = {"currency": "EUR", "discount": 50} | change
    prices = PRICES | {name: value for name, value in change.items() if name in PRICES}
    with pytest.raises(Invalid) as error:
        worth.set_prices(brand.id, str(said["currency"]), prices, int(str(said["discount"])))  # type: ignore[arg-type]
    assert error.value.field == field


def test_whoever_is_erased_leaves_no_sale_and_no_value(brand: Brand) -> None:
    entry = make_entry(make_campaign(brand, questions=0), confirmed=True)
    worth.record_sale(entry.contact_id, reference="zanzibarka", amount=500, at=clock.now())
    db.session.commit()
    refreshing.work_out(brand.id)
    told = worth.held(entry.contact_id)
    assert told["sales"][0]["amount"] == 500
    assert told["value_to_us"][0]["own"] == 500 + PRICES["entry"]
    person.erase(entry.id)
    db.session.commit()
    while reactions.drain():
        pass
    assert hot.many("SELECT 1 FROM sale UNION ALL SELECT 1 FROM contact_worth", {}) == []
    worth.forget([make_fact(entry)])  # it may run twice


def test_the_summary_adds_up_own_values(people: People) -> None:
    refreshing.work_out(people.brand.id)
    prices = db.session.get_one(Prices, people.brand.id)
    found = worth.summary(people.brand.id)
    everybody: list[Contact] = people.contacts
    assert found.own == sum(oracle.own(one, prices) for one in everybody)
    assert found.at is not None
