"""Writers and sequencers at the same time, on committed transactions: every leaf once, one chain of heads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from tanpuhui.books.transparency import queries
from tanpuhui.books.transparency.models import Head, Leaf
from tanpuhui.books.transparency.operations import (
    LeafExists,
    LeavesSequenced,
    append_leaf,
    sequence_leaves,
)
from tanpuhui.books.transparency.operations import _sequence_leaves as sequencer
from tanpuhui.foundation.keys.queries import published_keys

pytestmark = pytest.mark.concurrency

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def _append(subject: str) -> int:
    with transaction.atomic():
        return append_leaf(kind="posting", subject=subject, payload={"subject": subject}, at=AT)


def test_sequencers_that_come_together_sequence_every_leaf_once(committed_database: Any) -> None:
    for number in range(20):
        _append(str(number))
    results = committed_database.run_together(*[lambda: sequence_leaves(at=AT)] * 5)
    done = [result for result in results if result is not None]
    assert done == [LeavesSequenced(number=1, size=20, added=20)]
    assert queries.log_is_consistent() == []


def test_writers_and_sequencers_together_lose_and_repeat_nothing(committed_database: Any) -> None:
    published_keys()

    def write(writer: int) -> None:
        for number in range(25):
            _append(f"{writer}:{number}")

    def sequence() -> int:
        return sum(
            1 for number in range(25) if sequence_leaves(at=AT + timedelta(seconds=number)) is not None
        )

    results = committed_database.run_together(
        *[lambda writer=writer: write(writer) for writer in range(4)], sequence, sequence
    )
    assert [result for result in results if isinstance(result, BaseException)] == []
    sequence_leaves(at=AT + timedelta(minutes=1))
    indexes = list(Leaf.objects.order_by("index").values_list("index", flat=True))
    assert indexes == list(range(100))
    assert Head.objects.count() > 1
    assert queries.log_is_consistent() == []


def test_a_leaf_that_commits_late_is_placed_after_those_that_came_before_it(committed_database: Any) -> None:
    """A lower id that becomes visible later must not move what a head has covered."""
    with transaction.atomic():
        slow = append_leaf(kind="posting", subject="slow", payload={}, at=AT)
        committed_database.run_together(lambda: _append("quick"), lambda: None)
        [first] = committed_database.run_together(lambda: sequence_leaves(at=AT))
    second = sequence_leaves(at=AT)
    assert (first.size, second.size) == (1, 2)  # type: ignore[union-attr]
    assert queries.leaf(slow).index == 1  # type: ignore[union-attr]
    assert queries.log_is_consistent() == []


def test_an_act_that_is_rolled_back_leaves_no_leaf(committed_database: Any) -> None:
    with transaction.atomic():
        append_leaf(kind="posting", subject="1", payload={}, at=AT)
        transaction.set_rollback(True)
    assert sequence_leaves(at=AT) is None
    assert not Leaf.objects.exists()


def test_the_same_act_sent_twice_at_once_is_recorded_once(committed_database: Any) -> None:
    results = committed_database.run_together(*[lambda: _append("one")] * 4)
    assert len([result for result in results if isinstance(result, int)]) == 1
    assert all(isinstance(result, int | LeafExists) for result in results)
    assert Leaf.objects.count() == 1


def test_a_sequencer_that_dies_before_it_commits_changes_nothing(
    committed_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _append("1")

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(sequencer, "_write_head", die)
        with pytest.raises(SystemExit):
            sequence_leaves(at=AT)
    connection.close()
    assert queries.head() is None
    assert Leaf.objects.get().index is None
    assert sequence_leaves(at=AT) == LeavesSequenced(number=1, size=1, added=1)
    assert queries.log_is_consistent() == []


def test_a_leaf_outside_a_transaction_is_refused(committed_database: Any) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        append_leaf(kind="posting", subject="1", payload={}, at=AT)
    assert not Leaf.objects.exists()


def test_a_head_is_not_signed_inside_another_transaction(committed_database: Any) -> None:
    _append("1")
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        sequence_leaves(at=AT)
    assert queries.head() is None
