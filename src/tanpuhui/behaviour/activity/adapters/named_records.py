"""Finding posted records by the business day and id under which their partner knows them (按编号查记录)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
from django.db import connection

from tanpuhui.behaviour.activity.adapters.exceptions import rows_of_keys
from tanpuhui.behaviour.activity.domain.record_keys import KEY_BYTES, halves, held_keys


def find_posted(
    partner_id: int, wanted: Iterable[tuple[date, str]]
) -> Mapping[tuple[date, str], tuple[int, int]]:
    """Return posting and row of each record of a partner that was posted; one whose traces are erased is not found any more.

    The sorted keys of each business day say which postings hold a record, so that only their chunks are opened.
    """
    by_day: dict[date, dict[bytes, str]] = {}
    for day, record_id in wanted:
        key = hashlib.sha256(record_id.encode()).digest()[:KEY_BYTES]
        by_day.setdefault(day, {})[key] = record_id
    sought: dict[int, set[tuple[bytes, date]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select day, posting_id, keys from activity_key_segment where partner_id = %s and posting_id is not null "
            "and day = any(%s) order by posting_id, day",
            [partner_id, sorted(by_day)],
        )
        for day, posting_id, held in cursor.fetchall():
            keys = sorted(by_day[day])
            for place in np.flatnonzero(held_keys(*halves(b"".join(keys)), bytes(held))).tolist():
                sought.setdefault(posting_id, set()).add((keys[place], day))
    found: dict[tuple[date, str], tuple[int, int]] = {}
    for posting_id, several in sorted(sought.items()):
        for (key, day), row in rows_of_keys(posting_id, several).items():
            found[day, by_day[day][key]] = (posting_id, row)
    return found
