"""Erase the traces of a person's records in a scenario (轨迹删除), once the consent for it is withdrawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters.chunks import (
    decode_payload,
    encode_payload,
    erased_rows,
    without_traces,
)
from tanpuhui.behaviour.activity.adapters.waiting import rows_of_account
from tanpuhui.behaviour.activity.domain.erasures import (
    CONSENT_WITHDRAWN,
    KEPT,
    ConsentNotWithdrawn,
    ErasedPlace,
    RecordsStillWait,
    payloads_sha256,
)
from tanpuhui.behaviour.activity.models import ErasedPayload, TraceErasure, WaitingRows
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.transparency.operations import LeafKind, append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import person_lock
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.persistence.locks import lock_names

ERASURE_LOCK = "activity:erasure"
_RECORDS = """
select p.id, c.bucket, c.amounts, c.traces from activity_posting p
join activity_record_chunk c on c.posting_id = p.id and c.bucket = %s %% p.chunks
where p.scenario = %s order by p.id
"""
_SET_ASIDE = """
select w.id, a.bucket, a.rows from activity_waiting w join activity_set_aside a on a.waiting_id = w.id
where w.scenario = %s order by w.id, a.bucket
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class TracesErased:
    """How many records lost their traces; none where the person had none in this scenario, or they were gone already."""

    user_id: int
    scenario: str
    records: int
    erasure_id: int | None


@dataclass(frozen=True, slots=True)
class _Replaced:
    """A payload without the traces of the account."""

    place: ErasedPlace
    owner_id: int
    bucket: int
    records: int
    old: bytes
    new: bytes
    payload: bytes


@operation(roles={Role.CITIZEN}, subject="user:{user_id}")
def erase_traces(
    *, actor: Actor, at: datetime, user_id: int, scenario: str, idempotency_key: str
) -> TracesErased:
    """Erase times, places, devices and record ids of a person's records in a scenario; day, city, amounts and entries stay.

    The person's own wish, once their consent is withdrawn. Each payload is written again without them and its hash
    before and after is kept; the public log commits to these. What is calculated from traces stays as it was posted
    from then on. Records that wait for a settlement or a review need their traces, so the person asks again later.
    The partner's original file ends by its own retention. Raises ConsentNotWithdrawn, RecordsStillWait, NotPermitted.
    """
    if not (actor.kind == "user" and actor.id == str(user_id)):
        raise NotPermitted(operation="activity.erase_traces")
    lock_names(ERASURE_LOCK)  # before the person, as a closure takes them
    lock_names(person_lock(user_id))
    spans = identity.consents_of(user_ids=[user_id], scenario=scenario).get(user_id, ())
    if any(withdrawn is None for _, withdrawn in spans):
        raise ConsentNotWithdrawn
    account_id = ledger.accounts_of(owner_type="user", owner_ids=[user_id]).get(user_id)
    if account_id is None:
        return TracesErased(user_id=user_id, scenario=scenario, records=0, erasure_id=None)
    _check_nothing_waits(account_id, scenario)
    erasure = erase_payloads(account_id, scenario, reason=CONSENT_WITHDRAWN, at=at)
    if erasure is None:
        return TracesErased(user_id=user_id, scenario=scenario, records=0, erasure_id=None)
    return TracesErased(user_id=user_id, scenario=scenario, records=erasure.records, erasure_id=erasure.pk)


def erase_payloads(account_id: int, scenario: str, *, reason: str, at: datetime) -> TraceErasure | None:
    """Erase the traces of an account in a scenario, and return the erasure; None where there were none. Wants ERASURE_LOCK."""
    replaced = [*_records(account_id, scenario), *_set_aside(account_id, scenario)]
    return _write(replaced, scenario=scenario, reason=reason, at=at) if replaced else None


def _check_nothing_waits(account_id: int, scenario: str) -> None:
    waiting: dict[int, date] = dict(
        WaitingRows.objects.filter(scenario=scenario, day_settlement__isnull=True).values_list("id", "day")
    )
    held = rows_of_account("activity_waiting_chunk", list(waiting), account_id)
    if held:
        raise RecordsStillWait(
            records=sum(rows.num_rows for _, rows in held),
            day=min(waiting[waiting_id] for waiting_id, _ in held).isoformat(),
        )


def _records(account_id: int, scenario: str) -> Iterator[_Replaced]:
    """Yield the chunks with records of the account; accounts stand in the amounts, row for row beside the traces."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, [account_id, scenario])
        for posting_id, bucket, amounts, traces in cursor.fetchall():
            if traces:
                yield from _without(
                    ErasedPlace.RECORDS,
                    posting_id,
                    bucket,
                    payload=bytes(traces),
                    owned=_of(decode_payload(bytes(amounts)), account_id),
                )


def _set_aside(account_id: int, scenario: str) -> Iterator[_Replaced]:
    with connection.cursor() as cursor:
        cursor.execute(_SET_ASIDE, [scenario])
        for waiting_id, bucket, rows in cursor.fetchall():
            yield from _without(
                ErasedPlace.SET_ASIDE,
                waiting_id,
                bucket,
                payload=bytes(rows),
                owned=_of(decode_payload(bytes(rows)), account_id),
            )


def _of(table: pa.Table, account_id: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = table.column("account_id").to_numpy() == account_id
    return found


def _without(
    place: ErasedPlace, owner_id: int, bucket: int, *, payload: bytes, owned: NDArray[np.bool_]
) -> Iterator[_Replaced]:
    """Yield the payload again without the traces of its owned records, if there are any that still have them."""
    if not owned.any():
        return
    table = decode_payload(payload)
    records = owned & ~erased_rows(table)
    if not records.any():
        return
    again = encode_payload(without_traces(table, records, keep=KEPT[place]))
    old, new = (hashlib.sha256(one).digest() for one in (payload, again))
    yield _Replaced(place, owner_id, bucket, int(records.sum()), old, new, again)


_REPLACE = {
    ErasedPlace.RECORDS: "update activity_record_chunk set traces = %s where posting_id = %s and bucket = %s",
    ErasedPlace.SET_ASIDE: "update activity_set_aside set rows = %s where waiting_id = %s and bucket = %s",
}


def _write(replaced: list[_Replaced], *, scenario: str, reason: str, at: datetime) -> TraceErasure:
    """Keep what became what, then replace the payloads: the database lets a payload change only as it is written there."""
    root = payloads_sha256(
        [(one.place.value, one.owner_id, one.bucket, one.old, one.new) for one in replaced]
    )
    records = sum(one.records for one in replaced)
    erasure = TraceErasure.objects.create(
        scenario=scenario, reason=reason, records=records, payloads_sha256=root, erased_at=at
    )
    ErasedPayload.objects.bulk_create(
        ErasedPayload(
            erasure_id=erasure.pk,
            place=one.place.value,
            owner_id=one.owner_id,
            bucket=one.bucket,
            records=one.records,
            old_sha256=one.old,
            new_sha256=one.new,
        )
        for one in replaced
    )
    with connection.cursor() as cursor:
        for one in replaced:
            cursor.execute(_REPLACE[one.place], [one.payload, one.owner_id, one.bucket])
    append_leaf(
        kind=LeafKind.ERASURE,
        subject=f"traces:{erasure.pk}",
        payload={
            "scenario": scenario,
            "reason": reason,
            "records": records,
            "payloads_sha256": root.hex(),
        },
        at=at,
    )
    return erasure
