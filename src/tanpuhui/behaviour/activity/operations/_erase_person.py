"""Erase every trace of a person (注销时删除轨迹), of all scenarios at once: a step of closing their account."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.domain.erasures import ACCOUNT_CLOSED, RecordsStillWait
from tanpuhui.behaviour.activity.models import Posting, PushedRecord, WaitingRows
from tanpuhui.behaviour.activity.operations._erase_traces import ERASURE_LOCK, erase_payloads
from tanpuhui.behaviour.activity.operations._post_batch._post import POSTING_LOCK
from tanpuhui.behaviour.activity.queries import waiting_of_account
from tanpuhui.foundation.persistence.locks import lock_names

_PUSHED_ROWS = """
select p.batch_id, 'row', c.amounts from activity_posting p
join activity_record_chunk c on c.posting_id = p.id and c.bucket = %(account)s %% p.chunks
where exists (select 1 from activity_pushed_record r where r.batch_id = p.batch_id)
union all
select w.batch_id, 'row_number', a.rows from activity_waiting w join activity_set_aside a on a.waiting_id = w.id
where exists (select 1 from activity_pushed_record r where r.batch_id = w.batch_id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonErased:
    """What became of a person's records: how many lost their traces, and in which erasures of the public log."""

    records: int
    erasure_ids: tuple[int, ...]


def stop_posting() -> None:
    """Let nothing be posted or erased until the transaction ends. A building block, taken before the person's own locks.

    A file whose people were looked up before finds, once it has this lock, that somebody left, and begins again.
    """
    lock_names(POSTING_LOCK, ERASURE_LOCK)


def erase_person(*, account_id: int, at: datetime) -> PersonErased:
    """Erase times, places, devices and record ids of every record of an account; day, city, amounts and entries stay.

    Also the numbers under which single records of theirs were pushed. A building block; wants `stop_posting`.
    Raises RecordsStillWait: a settlement or a review needs the traces, and comes first.
    """
    waiting = waiting_of_account(account_id)
    if waiting:
        raise RecordsStillWait(records=len(waiting), day=min(one.day for one in waiting).isoformat())
    scenarios = {*_scenarios(Posting), *_scenarios(WaitingRows)}
    found = (
        erase_payloads(account_id, scenario, reason=ACCOUNT_CLOSED, at=at) for scenario in sorted(scenarios)
    )
    done = [erasure for erasure in found if erasure is not None]
    for batch_id, numbers in _pushed_rows(account_id):
        _forget_pushed(batch_id, numbers)
    return PersonErased(records=sum(one.records for one in done), erasure_ids=tuple(one.pk for one in done))


def _scenarios(model: type[Posting | WaitingRows]) -> list[str]:
    return list(model.objects.order_by().values_list("scenario", flat=True).distinct())


def _pushed_rows(account_id: int) -> Iterator[tuple[int, list[int]]]:
    """Yield the rows of the account in batches that were gathered from pushes."""
    with connection.cursor() as cursor:
        cursor.execute(_PUSHED_ROWS, {"account": account_id})
        for batch_id, name, payload in cursor.fetchall():
            rows = decode_payload(bytes(payload))
            own = rows.filter(pa.compute.equal(rows.column("account_id"), account_id))
            if own.num_rows:
                yield batch_id, own.column(name).to_pylist()


def _forget_pushed(batch_id: int, numbers: list[int]) -> None:
    """Take the partner's number off pushed records, and the hash of their content, which could be tried."""
    rows = list(PushedRecord.objects.filter(batch_id=batch_id, row_number__in=numbers).exclude(record_id=""))
    for row in rows:
        row.record_id, row.content_sha256 = "", secrets.token_bytes(32)
    PushedRecord.objects.bulk_update(rows, ["record_id", "content_sha256"], batch_size=5_000)
