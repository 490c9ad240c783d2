"""Each invariant of intake finds the one row that was spoilt behind its back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from tests.integration.behaviour.activity.revision import adjust_all, approved, bus_version, revised_bus
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.adapters.chunks import (
    columns_sha256,
    decode_payload,
    encode_chunks,
    encode_payload,
)

pytestmark = pytest.mark.django_db
Spoil = Callable[..., None]


@pytest.fixture
def town(now: datetime) -> Town:
    made = build(subjects=("S1", "S2"))
    made.post(csv(bus("R1"), bus("R2", "S2"), bus("R3", distance="-1")), at=now)
    assert list(queries.breaches()) == []
    return made


@pytest.fixture
def spoil(db: None) -> Spoil:
    """Run SQL as the owner role with the append-only triggers of the tables off."""

    def run(sql: str, *values: object) -> None:
        tables = (
            "activity_posting",
            "activity_record_chunk",
            "activity_key_segment",
            "activity_row_outcome",
            "activity_recalculation",
            "activity_recalculation_step",
            "activity_recalculated_slice",
            "ledger_entry",
        )
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            for table in tables:
                cursor.execute(f"alter table {table} disable trigger user")
            cursor.execute(sql, values)
            for table in tables:
                cursor.execute(f"alter table {table} enable trigger user")

    return run


def found() -> set[str]:
    return {breach.invariant for breach in queries.breaches()}


def test_a_lost_outcome_is_found(town: Town, spoil: Spoil) -> None:
    spoil("delete from activity_row_outcome")
    assert found() == {"activity.counts_add_up"}


def test_a_changed_posting_is_found(town: Town, spoil: Spoil) -> None:
    spoil("update activity_posting set grams = grams + 1")
    assert "activity.posting_has_its_hash" in found()


def test_a_posting_cut_out_of_the_chain_is_found(town: Town, spoil: Spoil) -> None:
    spoil("update activity_posting set prev_hash = sha256('x')")
    assert "activity.postings_form_a_chain" in found()


def test_a_changed_payload_is_found(town: Town, spoil: Spoil) -> None:
    spoil("update activity_record_chunk set amounts = amounts || 'x'::bytea")
    assert "activity.chunk_has_its_hash" in found()


def test_a_key_that_stands_twice_is_found(town: Town, spoil: Spoil) -> None:
    spoil(
        "insert into activity_key_segment (partner_id, day, seq, posting_id, n_keys, keys) "
        "select partner_id, day, seq + 1, posting_id, n_keys, keys from activity_key_segment"
    )
    assert {"activity.record_counts_once", "activity.record_has_its_key"} <= found()


def test_an_allowance_that_no_record_used_is_found(town: Town, spoil: Spoil) -> None:
    spoil("update activity_allowance_use set used_micro = accounts where scenario = 'bus'")
    assert found() == {"activity.allowance_used_is_what_records_used"}


def test_a_block_of_accounts_out_of_order_is_found(town: Town, spoil: Spoil) -> None:
    spoil("update activity_allowance_use set accounts = accounts || accounts where scenario = 'bus'")
    assert found() == {"activity.allowance_blocks_are_in_order"}


def test_an_entry_that_is_not_the_sum_of_its_records_is_found(town: Town, spoil: Spoil) -> None:
    spoil("update ledger_entry set grams = grams + 5 where account_id = %s", town.accounts["S1"])
    assert found() == {"activity.entries_are_the_sums_of_chunks"}


def test_an_entry_that_is_lost_is_found_with_what_it_should_be(town: Town, spoil: Spoil) -> None:
    spoil("delete from ledger_entry where account_id = %s", town.accounts["S1"])
    said = {one.detail for one in queries.breaches()}
    assert said
    assert all(one.endswith("entry None") for one in said)


def test_grams_that_do_not_come_out_again_are_found_though_all_hashes_were_made_to_fit(
    town: Town, spoil: Spoil
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select bucket, amounts, traces from activity_record_chunk")
        ((bucket, amounts, traces),) = cursor.fetchall()
    table = decode_payload(bytes(amounts))
    grams = pa.array([value + 1 for value in table.column("grams").to_pylist()], pa.int64())
    (forged,) = encode_chunks(
        table.set_column(table.column_names.index("grams"), "grams", grams),
        decode_payload(bytes(traces)),
        [(bucket, 0, table.num_rows)],
    )
    spoil(
        "update activity_record_chunk set amounts = %s, amounts_sha256 = %s",
        forged.amounts,
        forged.amounts_sha256,
    )
    spoil("update activity_posting set amounts_sha256 = sha256(%s)", forged.amounts_sha256)
    assert "activity.recalculation_gives_the_same_grams" in found()


@pytest.fixture
def recalculated(town: Town, now: datetime, settings: Any, invented_jurisdiction: Path) -> Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    old = bus_version(now)
    adjust_all(now, approved(now, old, revised_bus("0.110")))
    assert found() == set()
    return town


def test_results_that_were_made_to_fit_are_found_by_the_roots_that_the_posting_keeps(
    town: Town, spoil: Spoil
) -> None:
    spoil("update activity_posting set results_sha256 = sha256('x')")
    assert "activity.results_come_out_to_the_byte" in found()


def test_a_spoilt_recalculated_result_is_found_and_named(recalculated: Town, spoil: Spoil) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select results from activity_recalculated_slice")
        ((results,),) = cursor.fetchall()
    table = decode_payload(bytes(results))
    grams = pa.array([value + 1 for value in table.column("grams").to_pylist()], pa.int64())
    forged = table.set_column(table.column_names.index("grams"), "grams", grams)
    spoil(
        "update activity_recalculated_slice set results = %s, results_sha256 = %s",
        encode_payload(forged),
        columns_sha256(forged),
    )
    details = [str(breach) for breach in queries.breaches()]
    assert any(
        "activity.recalculation_gives_the_same_grams" in said and "row 2: stored 488 g" in said
        for said in details
    )


def test_an_adjusting_entry_that_is_not_the_difference_is_found(recalculated: Town, spoil: Spoil) -> None:
    spoil(
        "update ledger_entry set grams = grams + 1 where account_id = %s and journal_id = (select max(id) from ledger_journal)",
        recalculated.accounts["S1"],
    )
    assert found() == {"activity.results_come_out_to_the_byte"}


@pytest.mark.parametrize(
    "change", ["steps_done = steps_done - 1", "totals = totals || '{\"grams\": 1}'", "state = 'adjusting'"]
)
def test_a_recalculation_that_is_not_its_steps_is_found(
    recalculated: Town, spoil: Spoil, change: str
) -> None:
    spoil(f"update activity_recalculation set {change}")
    assert "activity.recalculation_is_its_steps" in found()
