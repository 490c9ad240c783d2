"""Which rows whole columns can be calculated for: one odd value sends its own row the slow way, not its neighbours."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
from tests.unit.science.engine.test_back_ends_agree import demonstrated_bike

from tanpuhui.interfaces.commands.methodology.cells import sort_rows


def test_a_decimal_with_too_many_places_or_too_large_keeps_only_its_own_row_from_the_columns() -> None:
    distances = ["1.500000", "1.234500", None, "-3.001000", "9999999999999999.500000"]
    values = [Decimal(text) if text else None for text in distances]
    rows = pa.table(
        {
            "row_number": pa.array(range(5), pa.int64()),
            "distance_km": pa.array(values, pa.decimal128(38, 6)),
            "duration_s": pa.array([60] * 5, pa.int64()),
            "vehicle_type": ["bike"] * 5,
        }
    )
    found = sort_rows(rows, demonstrated_bike())
    assert found.odd == (1, 4)
    assert found.plain["distance_km"].to_pylist() == [Decimal("1.500"), None, Decimal("-3.001")]
