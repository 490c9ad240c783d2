"""The differences that another version makes, by account and day, without a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tanpuhui.behaviour.activity.adapters.chunks import columns_sha256
from tanpuhui.behaviour.activity.adapters.recalculation import differences, recalculate, results_again
from tanpuhui.behaviour.activity.adapters.slices import EFFECT, Stored
from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain.recalculations import (
    BANDS,
    RuleSpan,
    count_bands,
    merged,
    place_of,
    points_change,
    slice_count,
)
from tanpuhui.science.engine import MethodologyVersion, load_parameter_set, load_version

ROOT = Path(__file__).resolve().parents[4]
DAY = date(2026, 11, 18)
RULE = Fraction("1/10")


def bus_version(baseline: str = "0.104") -> MethodologyVersion:
    folder = ROOT / "methodologies" / "a01-bus" / "1.0"
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    factors = files["factors/transport.yaml"].decode()
    assert "value: 0.104" in factors
    files["factors/transport.yaml"] = factors.replace("value: 0.104", f"value: {baseline}").encode()
    given = (ROOT / "jurisdictions" / "shandong" / "parameter_sets" / "demonstration.yaml").read_bytes()
    return load_version(files, parameter_set=load_parameter_set(given))


def rides(
    *rides_: tuple[int, int, str, int],
    posting_id: int = 1,
    granted: Sequence[str | None] = (),
    floor: int = 0,
) -> Stored:
    """Return rides as stored records: (row, account, distance in km, grams then); the floor stands on the last."""
    n = len(rides_)
    allowance = [None if one is None else Decimal(one) for one in (granted or [None] * n)]
    table = pa.table(
        {
            "row": pa.array([ride[0] for ride in rides_], pa.int64()),
            "account_id": pa.array([ride[1] for ride in rides_], pa.int64()),
            "day": pa.array([DAY] * n, pa.date32()),
            "granted": pa.array(allowance, pa.decimal128(18, 6)),
            "distance_km": pa.array([Decimal(ride[2]) for ride in rides_], pa.decimal128(18, 3)),
            "area": pa.array(["990102"] * n, pa.string()),
            "grams": pa.array([ride[3] for ride in rides_], pa.int64()),
            "floor_g": pa.array([0] * (n - 1) + [floor], pa.int64()),
            "posting_id": pa.array([posting_id] * n, pa.int64()),
        }
    )
    return Stored(version_id=1, records=table, kept=False)


@pytest.fixture
def tables() -> Iterator[Any]:
    with closing(open_tables(threads=1)) as opened:
        yield opened


def run(
    tables: Any, version: MethodologyVersion, *groups: Stored, effect: pa.Table | None = None, **others: Any
) -> None:
    postings = {one for group in groups for one in group.records.column("posting_id").to_pylist()}
    recalculate(
        tables,
        version,
        groups=groups,
        effect=effect if effect is not None else EFFECT.empty_table(),
        rules=[RuleSpan(posting_id=p, first_day=DAY, last_day=DAY, per_gram=RULE) for p in sorted(postings)],
        **others,
    )


def days(tables: Any) -> list[tuple]:
    return tables.execute(
        "select posting_id, account_id, old_grams, grams, points, changed from day order by all"
    ).fetchall()


def test_the_same_version_changes_nothing(tables: Any) -> None:
    run(tables, bus_version(), rides((1, 7, "8.4", 436), (2, 7, "1", 52)))
    assert days(tables) == [(1, 7, 488, 488, 0, 0)]


def test_a_revised_factor_gives_new_grams_and_points_by_the_rule_of_the_posting(tables: Any) -> None:
    run(tables, bus_version("0.110"), rides((1, 7, "8.4", 436), (2, 8, "1", 52)))
    # 8.4 km x 0.058 kg = 487.2 g and 1 km gives 58 g; points are the tenth part, each floored: 48 - 43 and 5 - 5.
    assert days(tables) == [(1, 7, 436, 487, 5, 1), (1, 8, 52, 58, 0, 1)]


def test_what_is_in_effect_is_compared_with_and_not_what_was_posted(tables: Any) -> None:
    effect = pa.table({"posting_id": [1], "row": [1], "grams": [487], "floor_g": [0]}, schema=EFFECT)
    run(tables, bus_version("0.110"), rides((1, 7, "8.4", 436)), effect=effect)
    assert days(tables) == [(1, 7, 487, 487, 0, 0)]


def test_the_allowance_that_was_granted_is_used_as_it_is_stored(tables: Any) -> None:
    run(tables, bus_version("0.110"), rides((1, 7, "8.4", 436), (2, 7, "8.4", 0), granted=[None, "0"]))
    assert days(tables) == [(1, 7, 436, 487, 5, 1)]


def test_a_record_the_new_version_does_not_count_goes_to_nothing_with_its_reason(tables: Any) -> None:
    run(tables, bus_version("0.110"), rides((1, 7, "0", 10)))
    assert days(tables) == [(1, 7, 10, 0, -1, 1)]
    assert tables.execute("select grams, variant, reason from record").fetchall() == [
        (0, None, "DISTANCE_NOT_POSITIVE")
    ]


def test_a_record_without_its_traces_keeps_what_it_has(tables: Any) -> None:
    gone = rides((1, 7, "8.4", 436))
    kept = Stored(version_id=1, records=gone.records.drop_columns(["distance_km"]), kept=True)
    run(tables, bus_version("0.110"), kept)
    assert days(tables) == [(1, 7, 436, 436, 0, 0)]
    assert tables.execute("select reason from record").fetchall() == [("TRACES_ERASED",)]


def test_an_account_day_stays_at_or_above_nothing_over_all_its_postings(tables: Any) -> None:
    """A version under which buses are worse than the average: 0.050 - 0.052 kg a kilometre is a loss."""
    other = rides((1, 7, "1", 30), posting_id=9)
    run(tables, bus_version("0.050"), rides((1, 7, "10", 520)), others=[other])
    # The ride is now worth -20 g, the other posting holds 30 g: 10 g of the day are left, so this posting has -20 g.
    assert days(tables) == [(1, 7, 520, -20, -54, 1)]
    assert tables.execute("select * from deficit").fetchall() == []


def test_a_day_that_falls_below_nothing_is_floored_and_its_deficit_noted(tables: Any) -> None:
    run(tables, bus_version("0.050"), rides((1, 7, "10", 520), (2, 7, "5", 260)))
    assert days(tables) == [(1, 7, 780, 0, -78, 2)]
    assert tables.execute("select grams, floor_g from record order by number").fetchall() == [
        (-20, 0),
        (-10, 30),
    ]
    assert tables.execute("select account_id, grams from deficit").fetchall() == [(7, -30)]


def test_a_posting_day_without_a_points_rule_stops_everything(tables: Any) -> None:
    with pytest.raises(AssertionError, match="points rule"):
        recalculate(
            tables, bus_version(), groups=[rides((1, 7, "1", 52))], effect=EFFECT.empty_table(), rules=[]
        )


def test_results_come_out_again_to_the_byte_and_a_changed_gram_is_named() -> None:
    inputs = rides((1, 7, "8.4", 436), (2, 7, "8.001", 416)).records
    again = results_again(bus_version(), inputs)
    names = ("row", "variant", "grams", "remainder_g")
    assert columns_sha256(again.select(names)) == columns_sha256(
        results_again(bus_version(), inputs).select(names)
    )
    assert again.column("grams").to_pylist() == [436, 416]
    assert [str(value) for value in again.column("remainder_g").to_pylist()] == ["0.800", "0.052"]
    spoilt = again.set_column(2, "grams", pa.array([436, 417], pa.int64())).select(names)
    assert columns_sha256(spoilt) != columns_sha256(again.select(names))
    (said,) = differences(spoilt, again)
    assert said.startswith("row 2: stored 417 g")
    assert "now 416 g" in said


def test_the_hash_of_columns_sees_a_null_a_type_and_a_boundary_between_texts() -> None:
    def of(values: list[Any], kind: pa.DataType) -> bytes:
        return columns_sha256(pa.table({"x": pa.array(values, kind)}))

    assert of([0], pa.int64()) != of([None], pa.int64())
    assert of([0], pa.int64()) != of([0], pa.int32())
    assert of(["ab", "c"], pa.string()) != of(["a", "bc"], pa.string())
    assert of([Decimal("1.0")], pa.decimal128(4, 1)) != of([Decimal("-1.0")], pa.decimal128(4, 1))
    assert of(["a", "b"], pa.string()) == columns_sha256(
        pa.table({"x": pa.array(["z", "a", "b"], pa.string())}).slice(1)
    )
    assert columns_sha256(
        pa.table({"x": pa.array([Decimal(1), Decimal(2)], pa.decimal128(9, 0))}).slice(1)
    ) == of([Decimal(2)], pa.decimal128(9, 0))


def test_going_back_takes_back_what_going_forward_gave() -> None:
    old, new = np.array([436, 59, 3], np.int64), np.array([487, 60, 9], np.int64)
    there, back = points_change(old, new, RULE), points_change(new, old, RULE)
    assert there.tolist() == [5, 1, 0]
    assert (there + back).tolist() == [0, 0, 0]


def test_steps_see_all_months_of_a_slice_before_the_next_slice() -> None:
    months = ["2026-01", "2026-02", "2026-03"]
    places = [place_of(number, months) for number in range(6)]
    assert [(place.slice, place.month) for place in places] == [(s, m) for s in (0, 1) for m in months]


@pytest.mark.parametrize(
    ("records", "slices"), [(1, 1), (200_000, 1), (200_001, 2), (900_000, 8), (10**9, 256)]
)
def test_slices_are_a_power_of_two_of_bounded_size(records: int, slices: int) -> None:
    assert slice_count(records) == slices


def test_slices_of_a_preview_add_up_and_extremes_are_those_of_all() -> None:
    def slice_of(month: str, records: int, loss: int, reason: str) -> dict[str, Any]:
        return {
            "records": records, "postings": 3, "greatest_loss": loss, "greatest_gain": -loss, "bands": [1, 0],
            "not_counted": {reason: 1}, "months": [{"month": month, "records": records}], "cities": [], "slices": 1,
        }  # fmt: skip

    both = merged(merged({}, slice_of("2026-11", 5, -7, "A")), slice_of("2026-10", 2, -9, "A"))
    assert (both["records"], both["postings"], both["slices"]) == (7, 3, 2)
    assert (both["greatest_loss"], both["greatest_gain"], both["bands"]) == (-9, 9, [2, 0])
    assert both["not_counted"] == {"A": 2}
    assert both["months"] == [{"month": "2026-10", "records": 2}, {"month": "2026-11", "records": 5}]
    again = merged(both, slice_of("2026-11", 1, 0, "B"))
    assert again["months"][1] == {"month": "2026-11", "records": 6}


def test_every_change_lies_in_one_band() -> None:
    changes = np.array([-10_000, -9_999, -999, -99, -1, 0, 1, 99, 100, 9_999, 10_000], np.int64)
    assert count_bands(changes) == [1, 1, 1, 2, 1, 2, 1, 1, 1]
    for (_, high), (low, _) in pairwise(BANDS):
        assert high is not None
        assert low == high + 1
