"""Note which rejected rows of an earlier batch a corrected file has made good (更正对应)."""

from __future__ import annotations

import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters.tables import text
from tanpuhui.behaviour.activity.domain.verdicts import CORRECTS_ROW, MENDABLE
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk


def note_mended(desk: Desk, rows: pa.Table, *, corrects: int) -> None:
    """Write down the rows of the corrected batch that came again without a fault their sender could mend.

    The column `corrects_row` names them. A row that is pending or a repeat is made good too: what is left of it does not
    wait for its sender. Rows that were not rejected, and those made good before, are passed over.
    """
    if CORRECTS_ROW not in rows.column_names:
        return
    desk.tables.register("sent_again", rows.select(["row_number", CORRECTS_ROW]))
    faults = ", ".join(text(code) for code in sorted(MENDABLE))
    found = desk.tables.execute(
        f"select try_cast(trim({CORRECTS_ROW}) as bigint) as row, min(row_number) from sent_again as s "
        f"anti join (select row_number from outcome where reason in ({faults})) as o using (row_number) "
        "where row is not null group by 1 order by 1"
    ).fetchall()
    desk.tables.unregister("sent_again")
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into activity_mended_row (batch_id, row_number, by_batch_id, by_row_number) "
            "select o.batch_id, o.row_number, %s, a.by_row from unnest(%s::bigint[], %s::bigint[]) as a(row, by_row) "
            "join activity_row_outcome as o on o.batch_id = %s and o.row_number = a.row and o.reason = any(%s) "
            "on conflict do nothing",
            [
                desk.batch_id,
                [row for row, _ in found],
                [by_row for _, by_row in found],
                corrects,
                sorted(MENDABLE),
            ],
        )
