"""Batches that come at the same moment: one effect for one file, both effects for two."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Batch, KeySegment, Posting
from tanpuhui.behaviour.activity.operations import BatchPosted, post_batch
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.persistence.locks import Busy

pytestmark = pytest.mark.concurrency


@pytest.fixture
def town(committed_database: CommittedDatabase) -> Town:
    return build(subjects=("S1", "S2"))


def jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from procrastinate_jobs where task_name = 'activity.post_batch'")
        return int(cursor.fetchone()[0])


def test_one_file_sent_twice_at_once_is_one_batch_with_one_job(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    content = csv(bus("R1"))
    first, second = committed_database.run_together(
        lambda: town.receive(content, at=now, key="k1"), lambda: town.receive(content, at=now, key="k2")
    )
    assert first == second
    assert (Batch.objects.count(), jobs()) == (1, 1)


def test_one_batch_posted_twice_at_once_is_posted_once(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    batch_id = town.receive(csv(bus("R1"), bus("R2")), at=now)

    def post() -> Any:
        return post_batch(actor=SYSTEM, at=now, batch_id=batch_id)

    results = committed_database.run_together(post, post, post)
    assert all(isinstance(result, BatchPosted) for result in results), results
    assert len({result.posting_ids for result in results}) == 1
    assert Posting.objects.count() == 1
    assert ledger.balance(town.accounts["S1"]).grams == Grams(2 * 436)
    assert list(queries.breaches()) == []


def test_two_batches_of_one_partner_at_once_are_both_whole_and_share_no_record(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    files = [csv(bus("SHARED"), *(bus(f"{name}{n}", "S2", distance="1") for n in range(40))) for name in "AB"]
    batches = [town.receive(content, at=now, key=f"k{place}") for place, content in enumerate(files)]

    def post(batch_id: int) -> Callable[[], Any]:
        return lambda: post_batch(actor=SYSTEM, at=now, batch_id=batch_id)

    results = committed_database.run_together(*(post(batch_id) for batch_id in batches))
    for place, result in enumerate(results):
        if isinstance(result, Busy):
            results[place] = post(batches[place])()
    assert sorted(result.counted for result in results) == [40, 41]
    assert ledger.balance(town.accounts["S1"]).grams == Grams(436)
    # Six bus trips of a person count per day, whichever file they came in: 0.052 kg each for one kilometre.
    assert ledger.balance(town.accounts["S2"]).grams == Grams(6 * 52)
    assert sorted(KeySegment.objects.values_list("seq", "n_keys")) == [(1, 41), (2, 40)]
    assert list(queries.breaches()) == []
