"""Recalculating stored records (复算): stored inputs and allowance, stored version, the same grams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.tables import columns, open_tables, quoted
from tanpuhui.science.engine.model import MethodologyVersion

DIFFERENCES_SHOWN_MAX = 20


def recalculated_differences(
    version: MethodologyVersion, chunks: Sequence[tuple[pa.Table, pa.Table | None]]
) -> Iterator[str]:
    """Yield a sentence for each record whose stored grams, remainder or variant do not come out again.

    `chunks` are (amounts, traces or None). Where a methodology reads traces that were lawfully erased, the records
    cannot be recalculated and nothing is said of them here.
    """
    from_traces = [item.code for item in version.fields if item.privacy == "trace"]
    joined = []
    for amounts, traces in chunks:
        if from_traces and traces is None:
            continue
        table = amounts
        for code in from_traces:
            table = table.append_column(code, traces.column(code))  # type: ignore[union-attr]
        joined.append(table.unify_dictionaries())
    if joined:
        with closing(open_tables()) as tables:
            yield from _differences(tables, version, pa.concat_tables(joined))


def _differences(tables: Any, version: MethodologyVersion, stored: pa.Table) -> Iterator[str]:
    tables.register("stored_records", stored)
    tables.execute("create table stored as select * from stored_records")
    typed = "".join(
        f", {quoted(item.code)}::{'varchar' if item.kind == 'choice' else calculator.decimal_type(item)} as {quoted(item.code)}"
        for item in version.fields
    )
    tables.execute(f"create table inputs as select row as row_no, granted{typed} from stored")
    calculator.calculate(tables, version, relation="inputs", into="result")
    shown = columns(("grams", "remainder_g", "variant"), "s.")
    rows = tables.execute(
        f"select s.row, {shown}, r.grams, r.remainder_g, r.variant, r.reason from stored as s "
        "left join result as r on r.row_no = s.row where r.grams is distinct from s.grams "
        "or r.remainder_g is distinct from s.remainder_g or r.variant is distinct from s.variant::varchar "
        f"order by s.row limit {DIFFERENCES_SHOWN_MAX}"
    ).fetchall()
    for row, grams, remainder, variant, again, remainder_again, variant_again, reason in rows:
        yield (
            f"row {row}: stored {grams} g, remainder {remainder}, {variant}; "
            f"now {again} g, remainder {remainder_again}, {variant_again}{', ' + reason if reason else ''}"
        )
