"""Whether every erasure (轨迹删除) is what became of its payloads, and none stands outside the log."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from tanpuhui.behaviour.activity.domain.erasures import payloads_sha256
from tanpuhui.foundation.kernel.breaches import Breach

_ERASURES = """
select e.id, e.records, e.payloads_sha256, p.place, p.owner_id, p.bucket, p.old_sha256, p.new_sha256, p.records
from activity_trace_erasure e left join activity_erased_payload p on p.erasure_id = e.id order by e.id
"""
_BROKEN = """
select p.erasure_id, p.place, p.owner_id, p.bucket from activity_erased_payload p
left join activity_record_chunk c on p.place = 'records' and (c.posting_id, c.bucket) = (p.owner_id, p.bucket)
left join activity_set_aside s on p.place = 'set_aside' and (s.waiting_id, s.bucket) = (p.owner_id, p.bucket)
left join lateral (
  select b.new_sha256 from activity_erased_payload b
  where (b.place, b.owner_id, b.bucket) = (p.place, p.owner_id, p.bucket) and b.erasure_id < p.erasure_id
  order by b.erasure_id desc limit 1
) before on true
where p.old_sha256 is distinct from coalesce(before.new_sha256, c.traces_sha256, s.rows_sha256) order by 1, 2, 3, 4
"""


def erasure_breaches() -> Iterator[Breach]:
    """Report erasures that do not name their payloads, and payloads that do not begin where the one before ended."""
    with connection.cursor() as cursor:
        cursor.execute(_ERASURES)
        said: dict[int, tuple[int, bytes]] = {}
        parts: dict[int, list[tuple[str, int, int, bytes, bytes]]] = {}
        counted: dict[int, int] = {}
        for number, records, root, place, owner_id, bucket, old, new, n in cursor.fetchall():
            said[number] = (records, bytes(root))
            if place is not None:
                parts.setdefault(number, []).append((place, owner_id, bucket, bytes(old), bytes(new)))
                counted[number] = counted.get(number, 0) + n
        for number, (records, root) in said.items():
            if payloads_sha256(parts.get(number, [])) != root or counted.get(number, 0) != records:
                yield Breach(
                    invariant="activity.erasure_is_its_payloads",
                    subject=f"erasure:{number}",
                    detail=f"says {records} records, its payloads {counted.get(number, 0)}",
                )
        cursor.execute(_BROKEN)
        for number, place, owner_id, bucket in cursor.fetchall():
            yield Breach(
                invariant="activity.erasures_form_a_chain",
                subject=f"erasure:{number}",
                detail=f"{place} {owner_id} bucket {bucket} does not begin where the payload stood",
            )
