"""A small world with named people, the same in every test that needs one.

Ada owns the brand and Bob works for her; Cleo owns another brand and must never see anything of Ada's.
Ben entered Ada's campaign and confirmed; Anna entered through Ben's link and has not confirmed yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadgen.accounts.models import Brand, MemberRole, User
from leadgen.campaigns.models import Campaign, Mechanic
from leadgen.contacts.models import Contact
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.forms import definition as documents
from leadgen.forms import projecting
from tests import factories, factories_contest
from tests.factories import make_brand, make_campaign, make_entry, make_membership, make_user


@dataclass(frozen=True)
class World:
    """Everybody and everything in it."""

    brand: Brand
    campaign: Campaign
    ada: User
    bob: User
    other_brand: Brand
    other_campaign: Campaign
    cleo: User
    ben: Entry
    anna: Entry


def make_world() -> World:
    """Make the world in an empty database."""
    with factories.in_one_go():
        brand = make_brand(name="Cap Sud", slug="cap-sud")
        other_brand = make_brand(name="Nordlys", slug="nordlys")
        ada, bob, cleo = (make_user(f"{name}@staff.example", name=name.title()) for name in ("ada", "bob", "cleo"))
        make_membership(ada, brand, MemberRole.OWNER)
        make_membership(bob, brand, MemberRole.ADMIN)
        make_membership(cleo, other_brand, MemberRole.OWNER)
        campaign = make_campaign(brand, slug="summer", name="Summer")
        other_campaign = make_campaign(other_brand, slug="winter", name="Winter")
        ben = make_entry(campaign, email="ben@mail.example", first_name="Ben", confirmed=True, marketing=True)
        anna = make_entry(campaign, email="anna@mail.example", first_name="Anna", referrer=ben)
    return World(brand, campaign, ada, bob, other_brand, other_campaign, cleo, ben, anna)


def make_one_of_everything() -> World:
    """The world, and at least one row in every table of the product."""
    world = make_world()
    world.campaign.mechanics = [Mechanic.DRAW, Mechanic.RANK]
    factories.make_role(world.ada)
    factories.make_rules_version(world.campaign)
    factories.make_suppression(db.session.get_one(Contact, world.anna.contact_id))
    factories.make_answer(world.ben, world.campaign.questions[0])
    factories.make_pending_points(world.ben)
    factories.make_form(world.campaign, documents.to_data(projecting.derived(world.campaign.questions)))
    factories.make_submission(world.ben)
    factories.make_question_skip(world.ben.contact_id, "travel")
    message = factories.make_message(world.ben)
    factories.make_provider_event(message)
    factories.make_move(message)
    factories.make_click(message)
    factories.make_seal(factories.make_consent(world.ben))
    factories.make_forgotten_address()
    factories.make_erased_address(world.brand)
    factories.make_contact_import(world.brand)
    factories.make_broadcast(world.campaign)
    factories.make_segment(world.brand)
    factories.make_sending_settings()
    factories.make_letter_text(world.campaign)
    sequence = factories.make_sequence(world.campaign)
    factories.make_programme_cost(world.brand)
    factories.make_variant_stop(sequence)
    factories.make_enrolment_move(factories.make_enrolment(sequence, world.ben))
    factories.make_fact(world.ben)
    factories.make_counter(world.campaign)
    factories_contest.make_one_of_each(world.campaign, world.ben)
    return world
