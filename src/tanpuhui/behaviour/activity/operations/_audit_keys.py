"""The nightly search for one record id on several days (跨日重复核查): what came later is taken back with entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection

from tanpuhui.behaviour.activity.adapters.exceptions import excluded_rows, rows_of_keys
from tanpuhui.behaviour.activity.domain.exceptions import SAME_RECORD_OTHER_DAY, RecordRef
from tanpuhui.behaviour.activity.domain.record_keys import KEY_BYTES, halves, held_keys
from tanpuhui.behaviour.activity.models import KeyAudit, Posting
from tanpuhui.behaviour.activity.operations._except_records import exclude_records
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook


@dataclass(frozen=True, kw_only=True, slots=True)
class KeysAudited:
    """What a search found: record ids of a partner that stood on several days, how many records were taken back and by which runs."""

    partner_id: int
    through_posting_id: int
    found: int
    taken_back: int
    run_ids: tuple[int, ...]


@operation(roles={Role.SYSTEM}, subject="organisation:{partner_id}")
def audit_record_ids(*, actor: Actor, at: datetime, partner_id: int) -> KeysAudited:
    """Take back every record of a partner whose id was counted on another day before, since the last search.

    Only postings since then are looked at, against all that lies within `intake.audit_days` of their days; of two records the one
    that was posted later loses. An id whose traces are erased cannot be found any more and is left.
    Raises ParameterUnset, RecalculationRuns (retryable), Busy (retryable).
    """
    lock_names(f"activity:audit:{partner_id}")
    days = int(str(rulebook.require_parameter(key="intake.audit_days", at=at).value))
    last = KeyAudit.objects.filter(partner_id=partner_id).values_list("through_posting_id", flat=True).first()
    newest = (
        Posting.objects.filter(partner_id=partner_id).order_by("-id").values_list("id", flat=True).first()
    )
    through = newest or 0
    losers = list(_repeats(partner_id, after=last or 0, through=through, days=days))
    run_ids, taken = [], 0
    for records in _by_scenario(losers):
        found = exclude_records(actor=actor, at=at, records=records, reason=SAME_RECORD_OTHER_DAY)
        run_ids.append(found.run_id)
        taken += found.records
    KeyAudit.objects.update_or_create(
        partner_id=partner_id,
        defaults={"through_posting_id": through, "audited_at": at, "found": len(losers)},
    )
    return KeysAudited(
        partner_id=partner_id,
        through_posting_id=through,
        found=len(losers),
        taken_back=taken,
        run_ids=tuple(run_ids),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loser:
    posting_id: int
    day: date
    key: bytes
    winner: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Segment:
    day: date
    posting_id: int
    keys: bytes


def _repeats(partner_id: int, *, after: int, through: int, days: int) -> Iterator[_Loser]:
    """Yield each record that loses, with the posting of the one that was there before."""
    new = list(_segments(partner_id, "s.posting_id > %s and s.posting_id <= %s", [after, through]))
    if not new:
        return
    first = min(one.day for one in new) - timedelta(days=days)
    final = max(one.day for one in new) + timedelta(days=days)
    held = list(
        _segments(partner_id, "s.posting_id <= %s and s.day between %s and %s", [through, first, final])
    )
    lost: set[tuple[int, date, bytes]] = set()
    for one in new:
        for other in held:
            apart = abs((one.day - other.day).days)
            if not 0 < apart <= days or other.posting_id > one.posting_id:
                continue
            if other.posting_id == one.posting_id and other.day > one.day:
                continue  # in one posting the later day loses, so that one of the two stays
            for place in np.flatnonzero(held_keys(*halves(one.keys), other.keys)).tolist():
                key = one.keys[place * KEY_BYTES : (place + 1) * KEY_BYTES]
                mine = (one.posting_id, one.day, key)
                if mine not in lost and (other.posting_id, other.day, key) not in lost:
                    lost.add(mine)
                    yield _Loser(posting_id=one.posting_id, day=one.day, key=key, winner=other.posting_id)


def _segments(partner_id: int, condition: str, values: list[Any]) -> Iterator[_Segment]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select s.day, s.posting_id, s.keys from activity_key_segment s where s.partner_id = %s "
            f"and s.posting_id is not null and {condition} order by s.posting_id, s.day",
            [partner_id, *values],
        )
        for day, posting_id, keys in cursor.fetchall():
            yield _Segment(day=day, posting_id=posting_id, keys=bytes(keys))


def _by_scenario(losers: list[_Loser]) -> Iterator[tuple[RecordRef, ...]]:
    """Yield the records to take back, scenario by scenario; what does not count already is left out."""
    postings = Posting.objects.in_bulk({one.posting_id for one in losers})
    gone = excluded_rows(list(postings))
    found: dict[str, list[RecordRef]] = {}
    for posting_id in sorted(postings):
        keys = {(one.key, one.day): one.winner for one in losers if one.posting_id == posting_id}
        rows = rows_of_keys(posting_id, keys.keys())
        out = set(gone[posting_id].tolist()) if posting_id in gone else set()
        for key, row in sorted(rows.items(), key=lambda item: item[1]):
            if row not in out:
                ref = RecordRef(posting_id=posting_id, row=row, because=f"posting:{keys[key]}")
                found.setdefault(postings[posting_id].scenario, []).append(ref)
    for scenario in sorted(found):
        yield tuple(found[scenario])
