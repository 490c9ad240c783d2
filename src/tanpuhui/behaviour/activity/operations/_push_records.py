"""Single records from a partner's system: kept at once, gathered into a batch within the minute (单条推送)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.domain.pushes import (
    RECORDS_MAX,
    Envelope,
    NoRecords,
    TooManyRecords,
    envelope,
)
from tanpuhui.behaviour.activity.events import RecordsPushed
from tanpuhui.behaviour.activity.models import PushedRecord
from tanpuhui.behaviour.activity.operations._quotas import check_records
from tanpuhui.behaviour.activity.operations._receive_batch import SENDERS, check_feed, register_batch
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import store_sealed_document
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names

ADAPTER = "standard"
MEDIA_TYPE = "application/x-ndjson"
GATHERED_MAX = 100_000
RECEIVED, KNOWN, REFUSED = "received", "known", "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class PushReceipt:
    """What became of a pushed record at once: received, known (pushed before, nothing happens again) or refused with a reason."""

    record_id: str
    day: str
    state: str
    reason: str
    field: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsReceived:
    """The receipts of pushed records, in the order in which they came."""

    partner_id: int
    receipts: tuple[PushReceipt, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PushOutcome:
    """What became of one record, without its number: the audit keeps this for ever, and the number can be erased."""

    state: str
    reason: str
    field: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsKept:
    """What became of pushed records, in the order in which they came."""

    partner_id: int
    outcomes: tuple[PushOutcome, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsGathered:
    """How many pushed records became rows of a batch; no batch where none waited."""

    partner_id: int
    batch_id: int | None
    records: int


def push_records(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    partner_id: int,
    records: Sequence[Mapping[str, object]],
) -> RecordsReceived:
    """Keep single records, each whole or not at all; when this returns, none that was received can be lost.

    Raises NotPermitted, FeedClosed, NoRecords, TooManyRecords, QuotaExceeded, IdempotencyConflict (same key, other records).
    """
    if not records:
        raise NoRecords
    if len(records) > RECORDS_MAX:
        raise TooManyRecords(limit=RECORDS_MAX, count=len(records))
    lines = [json.dumps(record, ensure_ascii=False, sort_keys=True) for record in records]
    kept = keep_records(
        actor=actor, at=at, idempotency_key=idempotency_key, partner_id=partner_id, lines=tuple(lines)
    )
    envelopes = [envelope(json.loads(line)) for line in lines]
    receipts = tuple(
        PushReceipt(
            record_id=one.record_id,
            day=one.day.isoformat() if one.day else "",
            state=found.state,
            reason=found.reason,
            field=found.field,
        )
        for one, found in zip(envelopes, kept.outcomes, strict=True)
    )
    return RecordsReceived(partner_id=partner_id, receipts=receipts)


@operation(roles=SENDERS, subject="organisation:{partner_id}")
def keep_records(
    *, actor: Actor, at: datetime, idempotency_key: str, partner_id: int, lines: tuple[str, ...]
) -> RecordsKept:
    """Keep records that are given as lines of JSON. See push_records."""
    actor.require(*SENDERS, operation="activity.push_records", organisation_id=partner_id)
    check_feed(partner_id, ADAPTER)
    envelopes = [envelope(json.loads(line)) for line in lines]
    good = [(one.day, one) for one in envelopes if one.day is not None]
    lock_names(f"activity:pushes:{partner_id}")
    known = _known(partner_id, [one for _, one in good])
    fresh = {_key(one): (day, one) for day, one in good if _key(one) not in known}
    if fresh:
        check_records(partner_id, at=at, more=len(fresh))
    PushedRecord.objects.bulk_create(
        PushedRecord(
            partner_id=partner_id,
            day=day,
            record_id=one.record_id,
            content_sha256=_sha256(one),
            content=one.line,
            received_at=at,
        )
        for day, one in fresh.values()
    )
    if fresh:
        publish(RecordsPushed(partner_id=partner_id))
    return RecordsKept(partner_id=partner_id, outcomes=_outcomes(envelopes, known))


@operation(roles={Role.SYSTEM}, subject="organisation:{partner_id}")
def gather_pushed(*, actor: Actor, at: datetime, partner_id: int) -> RecordsGathered:
    """Make one batch of what a partner pushed since the last one: its file is the pushed lines, its way that of every file."""
    lock_names(f"activity:pushes:{partner_id}")
    rows = list(
        PushedRecord.objects.filter(partner_id=partner_id, batch__isnull=True).order_by("id")[:GATHERED_MAX]
    )
    if not rows:
        return RecordsGathered(partner_id=partner_id, batch_id=None, records=0)
    content = "".join(f"{row.content}\n" for row in rows).encode()
    name = f"push-{at.astimezone(CHINA):%Y%m%d-%H%M%S}-{rows[0].pk}.ndjson"
    stored = store_sealed_document(content=content, name=name, media_type=MEDIA_TYPE, at=at)
    batch = register_batch(
        at=at,
        partner_id=partner_id,
        adapter=ADAPTER,
        file_name=name,
        media_type=MEDIA_TYPE,
        file_sha256=stored.sha256,
        size_bytes=stored.size,
    )
    for number, row in enumerate(rows, start=1):
        row.batch_id, row.row_number, row.content = batch.pk, number, None
    PushedRecord.objects.bulk_update(rows, ["batch", "row_number", "content"], batch_size=5_000)
    if len(rows) == GATHERED_MAX:
        publish(RecordsPushed(partner_id=partner_id))
    return RecordsGathered(partner_id=partner_id, batch_id=batch.pk, records=len(rows))


def _sha256(one: Envelope) -> bytes:
    return hashlib.sha256(one.line.encode()).digest()


def _key(one: Envelope) -> tuple[object, str, bytes]:
    return (one.day, one.record_id, _sha256(one))


def _known(partner_id: int, several: Sequence[Envelope]) -> set[tuple[object, str, bytes]]:
    """Return which of these records were pushed before, word for word."""
    rows = PushedRecord.objects.filter(
        partner_id=partner_id,
        day__in={one.day for one in several},
        record_id__in=[one.record_id for one in several],
    )
    return {
        (day, record_id, bytes(digest))
        for day, record_id, digest in rows.values_list("day", "record_id", "content_sha256")
    }


def _outcomes(
    envelopes: Sequence[Envelope], known: set[tuple[object, str, bytes]]
) -> tuple[PushOutcome, ...]:
    seen = set(known)
    outcomes = []
    for one in envelopes:
        state = REFUSED if one.reason else KNOWN if _key(one) in seen else RECEIVED
        seen.add(_key(one))
        outcomes.append(PushOutcome(state=state, reason=one.reason, field=one.field))
    return tuple(outcomes)
