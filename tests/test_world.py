"""The factories make every kind of row, and the world is what it says."""

from sqlalchemy import func, select, text

from leadgen.core.db import db
from leadgen.entries.models import EntryStatus, LedgerLine, PointsBucket
from tests.world import make_one_of_everything, make_world


def test_anna_came_through_ben_and_waits(context: None) -> None:
    world = make_world()
    assert world.anna.referrer_id == world.ben.id
    assert world.anna.status is EntryStatus.PENDING


def test_points_are_the_sum_of_the_ledger(context: None) -> None:
    world = make_one_of_everything()
    counted = select(func.sum(LedgerLine.points)).where(LedgerLine.idempotency_key.not_like("test:%"))
    assert db.session.scalar(counted.where(LedgerLine.entry_id == world.ben.id)) == world.ben.points
    buckets = select(PointsBucket.points).where(PointsBucket.entrants > 0)
    assert db.session.scalars(buckets).all() == [world.ben.points]


def test_every_table_gets_a_row(context: None) -> None:
    make_one_of_everything()
    empty = [
        table.name
        for table in db.metadata.sorted_tables
        if db.session.scalar(text(f"SELECT count(*) FROM {table.name}")) == 0
    ]
    assert empty == []
