"""The night's comparison of deeds and ledger; each fault is planted and found (I06)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from leadgen.actions import audit, forgetting
from leadgen.actions import service as actions
from leadgen.campaigns.models import ActionKind, Campaign
from leadgen.core import hot
from leadgen.core.db import db
from leadgen.entries.models import Entry
from leadgen.journal.models import Fact
from tests.actions.conftest import an, do

FAULTS = {
    "a deed that vanished": "DELETE FROM deed",
    "a deed undone without its line": "UPDATE deed SET state = 'refused'",
    "a deed that tells another sum": "UPDATE deed SET data = data || '{\"points\": 9}'",
    "a deed that was never credited": (
        "INSERT INTO deed (campaign_id, entry_id, action_id, occurrence, state, data, begun_at, done_at) "
        "SELECT campaign_id, entry_id, action_id, 'more', 'done', data, begun_at, done_at FROM deed"
    ),
    "a line taken back behind the deed's back": (
        "INSERT INTO ledger (campaign_id, entry_id, kind, points, chances, action_id, reverses_id, rules_version, at, "
        "idempotency_key) SELECT campaign_id, entry_id, 'reversal', -points, -chances, action_id, id, rules_version, "
        "at, 'back:' || id FROM ledger WHERE kind = 'action'"
    ),
}


def test_nothing_differs_after_honest_deeds(campaign: Campaign, ben: Entry) -> None:
    do(ben, an(ActionKind.FOLLOW, campaign))
    do(ben, an(ActionKind.CUSTOM, campaign, points=0, chances=0))
    upload = an(ActionKind.UPLOAD, campaign)
    actions.credit_done(ben.id, upload.id, "work", {})
    assert audit.audit() == []
    actions.withdraw(ben.id, upload.id, "work", reason="x")
    assert audit.audit() == []
    actions.credit_done(ben.id, upload.id, "work", {})
    assert audit.audit() == []
    db.session.rollback()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(campaign: Campaign, ben: Entry, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    do(ben, an(ActionKind.FOLLOW, campaign))
    db.session.execute(text(FAULTS[fault]))
    assert audit.audit() != []
    assert "deeds and ledger differ" in caplog.text
    db.session.rollback()


def test_erasure_takes_the_words_and_leaves_the_count(campaign: Campaign, ben: Entry) -> None:
    """I13, I14."""
    do(ben, an(ActionKind.CUSTOM, campaign, settings={"asks": True}), note="my cousin Zoe saw it")
    assert forgetting.held(ben.contact_id)["deeds"][0]["note"] == "my cousin Zoe saw it"
    for _ in range(2):
        forgetting.forget([Fact(contact_id=ben.contact_id)])
    db.session.commit()
    [deed] = hot.many("SELECT state, data FROM deed", {})
    assert deed == {"state": "done", "data": {"points": 2, "chances": 2}}
    assert audit.audit() == []
