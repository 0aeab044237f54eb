"""The cast of a play: the same seed gives the same people, and friends come after those who invite them."""

from __future__ import annotations

from leadgen.simulator import people


def test_the_same_seed_gives_the_same_people() -> None:
    assert list(people.cast(7, 500)) == list(people.cast(7, 500))


def test_another_seed_gives_other_people() -> None:
    assert not {person.email for person in people.cast(7, 500)} & {person.email for person in people.cast(8, 500)}


def test_whoever_invites_came_before_confirms_and_shares() -> None:
    cast = list(people.cast(3, 2000))
    inviters = [(person, cast[person.inviter]) for person in cast if person.inviter is not None]
    assert inviters
    assert all(inviter.number < person.number for person, inviter in inviters)
    assert all(inviter.confirms and inviter.shares for _, inviter in inviters)


def test_one_person_has_many_friends_and_most_have_few() -> None:
    cast = list(people.cast(3, 5000))
    invited = [person.inviter for person in cast if person.inviter is not None]
    assert 0.4 < len(invited) / len(cast) < 0.7
    assert invited.count(people.INFLUENCER) > 20 * len(invited) / len(set(invited))


def test_no_mail_could_reach_anybody_and_no_two_people_share_an_address() -> None:
    cast = list(people.cast(1, 3000))
    assert all(person.email.isascii() and person.email.endswith(".example") for person in cast)
    assert len({person.email for person in cast}) == len(cast)
    assert {person.locale for person in cast} == {"en", "fr"}
