"""Creating staff and checking passwords."""

import pytest
from argon2 import PasswordHasher
from flask import Flask

from leadgen.accounts import service as accounts
from leadgen.accounts.models import MemberRole, Membership, User
from leadgen.core.db import db
from leadgen.core.errors import Conflict, Invalid
from tests import factories

WORDS = "four unrelated calm words"


@pytest.fixture(autouse=True)
def _context(context: None) -> None:
    """Verbs need an application context."""


class TestCreating:
    """`create_user` and `create_first_user`."""

    def test_a_password_is_made_and_told_once(self) -> None:
        brand = factories.make_brand()
        user, told = accounts.create_user("Zoe@Staff.example", brands=[brand], name=" Zoe ")
        assert len(told) >= 12
        assert told not in user.password
        assert (user.email, user.name) == ("zoe@staff.example", "Zoe")
        assert accounts.authenticate("zoe@staff.example", told) is user
        assert db.session.query(Membership).one().role is MemberRole.OWNER

    def test_two_made_passwords_differ(self) -> None:
        assert accounts.create_user("a1@staff.example")[1] != accounts.create_user("a2@staff.example")[1]

    def test_the_hash_has_the_chosen_profile(self) -> None:
        """OWASP's argon2id: 19 MiB, two passes, one lane."""
        user, _told = accounts.create_user("zoe@staff.example", WORDS)
        assert user.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    @pytest.mark.parametrize("again", ["zoe@staff.example", "ZOE@staff.example ", "ｚoe@staff.example"])
    def test_an_address_signs_in_one_person(self, again: str) -> None:
        accounts.create_user("zoe@staff.example", WORDS)
        with pytest.raises(Conflict):
            accounts.create_user(again, WORDS)

    @pytest.mark.parametrize(
        ("email", "password", "field"),
        [
            ("no address", WORDS, "email"),
            ("zoe@staff.example", "short", "password"),
            ("zoe@staff.example", "x" * 129, "password"),
            ("zoe@staff.example", "abababababab", "password"),
            ("isabelle@staff.example", "isabelle-2027-ok", "password"),
        ],
    )
    def test_what_will_not_do_is_refused(self, email: str, password: str, field: str) -> None:
        with pytest.raises(Invalid) as refused:
            accounts.create_user(email, password)
        assert refused.value.field == field

    def test_the_first_user_owns_every_brand_and_there_is_one_first(self) -> None:
        brands = {factories.make_brand().id, factories.make_brand().id}
        made = accounts.create_first_user("first@staff.example")
        assert made is not None
        assert accounts.member_brand_ids(made[0]) == brands
        assert accounts.create_first_user("second@staff.example") is None


class TestAuthenticating:
    """`authenticate`."""

    def test_wrong_unknown_inactive_and_unreadable_are_nobody(self) -> None:
        user = factories.make_user("zoe@staff.example")
        assert accounts.authenticate("zoe@staff.example", "wrong") is None
        assert accounts.authenticate("nobody@staff.example", factories.PASSWORD) is None
        user.active = False
        assert accounts.authenticate("zoe@staff.example", factories.PASSWORD) is None
        user.active, user.password = True, "not a hash"
        assert accounts.authenticate("zoe@staff.example", factories.PASSWORD) is None

    def test_a_hash_of_an_older_profile_is_renewed(self) -> None:
        user = factories.make_user("zoe@staff.example")
        user.password = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(WORDS)
        assert accounts.authenticate("zoe@staff.example", WORDS) is user
        assert "m=19456,t=2,p=1" in user.password
        assert user.signed_in_at is not None


def test_a_new_password_ends_all_sessions() -> None:
    user = factories.make_user("zoe@staff.example")
    before = user.fs_uniquifier
    accounts.change_password(user, factories.PASSWORD, WORDS)
    assert user.fs_uniquifier != before
    with pytest.raises(Invalid) as refused:
        accounts.change_password(user, factories.PASSWORD, WORDS)
    assert refused.value.field == "current"


def test_brands_are_those_of_memberships(app: Flask) -> None:
    user, other = factories.make_user(), factories.make_user()
    one, two = factories.make_brand(name="Zeta"), factories.make_brand(name="Alpha")
    factories.make_membership(user, one)
    factories.make_membership(user, two)
    assert [brand.name for brand in accounts.brands_of(user)] == ["Alpha", "Zeta"]
    assert accounts.member_brand_ids(other) == frozenset()
    assert db.session.query(User).count() == 2
