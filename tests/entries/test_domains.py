"""Whether anybody takes mail at a new entry's domain: asked once, in a job, and never in the way of the mail."""

from __future__ import annotations

import pytest
import redis

from leadgen import reactions
from leadgen.campaigns.cards import CampaignCard
from leadgen.contacts import address
from leadgen.core import notes
from leadgen.core.queue import QueueName, queue
from leadgen.entries import confirming, correcting, domains, entering, jobs
from tests.entries.conftest import filled, rows
from tests.names import NameServer


@pytest.fixture(autouse=True)
def _no_notes(context: None) -> None:
    notes.forget()


def _run_jobs(redis_client: redis.Redis) -> int:
    """Do what the reactions put on the queue; answers how many jobs looked at a domain."""
    reactions.drain()
    looked = 0
    waiting = queue(QueueName.SLOW, redis_client)
    for job in waiting.get_jobs():
        if job.func_name == "leadgen.entries.jobs.check_domain":
            jobs.check_domain(*job.args)
            looked += 1
    waiting.empty()
    redis_client.delete(*redis_client.keys("leadgen:rung:*") or ["nothing"])
    return looked


def _problems() -> list[str]:
    return [row["address_problem"] for row in rows("SELECT address_problem FROM entry ORDER BY id")]


def test_a_domain_without_mail_is_noted_and_the_mail_is_wanted_all_the_same(
    card: CampaignCard, names: NameServer, redis_client: redis.Redis
) -> None:
    entering.enter(card, filled("anna@gmial.fr"))
    assert _problems() == [""]

    assert _run_jobs(redis_client) == 1

    assert _problems() == ["no_mx"]
    assert rows("SELECT status FROM message") == [{"status": "scheduled"}]


def test_a_domain_that_takes_mail_and_one_that_nobody_knows_are_left_alone(
    card: CampaignCard, names: NameServer, redis_client: redis.Redis
) -> None:
    names.records["works.fr", "MX"] = ["10 mx.works.fr."]
    names.broken.add("broken.fr")
    entering.enter(card, filled("anna@works.fr"))
    entering.enter(card, filled("ben@broken.fr"))

    assert _run_jobs(redis_client) == 2

    assert _problems() == ["", ""]


def test_a_domain_is_asked_about_once(card: CampaignCard, names: NameServer, redis_client: redis.Redis) -> None:
    for number in range(3):
        entering.enter(card, filled(f"anna{number}@gmial.fr"))
    assert _run_jobs(redis_client) == 1
    entering.enter(card, filled("later@gmial.fr"))
    _run_jobs(redis_client)

    assert _problems() == ["no_mx"] * 4
    assert names.asked["gmial.fr", "MX"] == 1


@pytest.mark.parametrize("email", ["anna@gmail.com", "anna@mail.example", "anna@simulator.example.com"])
def test_great_providers_and_reserved_names_are_not_asked_about(
    card: CampaignCard, names: NameServer, redis_client: redis.Redis, email: str
) -> None:
    entering.enter(card, filled(email))
    assert _run_jobs(redis_client) == 0
    assert not names.asked


def test_a_correction_is_looked_at_too_and_clears_the_warning(
    card: CampaignCard, names: NameServer, redis_client: redis.Redis
) -> None:
    names.records["works.fr", "MX"] = ["10 mx.works.fr."]
    entered = entering.enter(card, filled("anna@gmial.fr"))
    _run_jobs(redis_client)
    correcting.correct(card, entered.entry_id, address.parse("anna@works.fr"))
    assert _problems() == [""]
    assert _run_jobs(redis_client) == 1
    assert _problems() == [""]


def test_an_answer_that_comes_after_a_correction_is_not_the_new_domains(
    card: CampaignCard, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = entering.enter(card, filled("anna@gmial.fr"))

    def correct_meanwhile(_domain: str) -> bool:
        correcting.correct(card, entered.entry_id, address.parse("anna@works.fr"))
        return False

    monkeypatch.setattr(domains.dns, "takes_mail", correct_meanwhile)
    domains.look_at([entered.entry_id])
    assert _problems() == [""]


def test_who_confirmed_is_not_warned(card: CampaignCard, names: NameServer) -> None:
    entered = entering.enter(card, filled("anna@gmial.fr"))
    confirming.confirm(entered.entry_id, 1, "button_post")
    domains.look_at([entered.entry_id])
    assert _problems() == [""]


def test_made_up_domains_do_not_keep_the_queue_busy(card: CampaignCard, names: NameServer) -> None:
    entry_ids = [entering.enter(card, filled(f"anna@made-up-{number}.fr")).entry_id for number in range(25)]
    for entry_id in entry_ids:
        domains.look_at([entry_id])
    asked = {name for name, kind in names.asked if kind == "MX"}
    assert len(asked) == int(domains.LOOKUPS.split()[0])


def test_without_redis_nobody_looks_and_nothing_fails(
    card: CampaignCard, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr("leadgen.core.queue.enqueue", away)
    entering.enter(card, filled("anna@gmial.fr"))
    reactions.drain()
    assert rows("SELECT failures FROM fact WHERE announced_at IS NULL") == []
