"""Receive a file: durable, with its hash, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import transaction

from tanpuhui.behaviour.activity.adapters import check_adapter
from tanpuhui.behaviour.activity.domain import BatchState, FeedClosed, NothingToCorrect
from tanpuhui.behaviour.activity.domain.mappings import MappingMissing, is_mapped
from tanpuhui.behaviour.activity.events import BatchReceived as BatchReceivedEvent
from tanpuhui.behaviour.activity.models import Batch, Feed, FieldMappingVersion
from tanpuhui.behaviour.activity.operations._quotas import check_records
from tanpuhui.behaviour.activity.queries._corrections import rows_open
from tanpuhui.behaviour.activity.queries._mappings import mapping_in_force
from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import store_sealed_document
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names

SENDERS = frozenset({Role.PARTNER})


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReceived:
    """A received file: its batch, its SHA-256 (hexadecimal) and the batch's state now."""

    batch_id: int
    sha256: str
    state: str


def receive_batch(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    partner_id: int,
    adapter: str,
    file_name: str,
    media_type: str,
    content: bytes | BinaryIO,
    corrects: int | None = None,
) -> BatchReceived:
    """Store a partner's file and have it posted; when this returns, nothing of it can be lost.

    The same bytes from the same partner are one batch, however often they come and under whatever key. The bytes
    are stored first, in a transaction of their own, so that a file of any size is streamed and hashed once.
    `corrects` names the batch whose rejected rows it sends again; the column `corrects_row` names the row of each.
    Raises NotPermitted, AdapterUnknown, FeedClosed, MappingMissing, NothingToCorrect, QuotaExceeded, IdempotencyConflict (same key, another file).
    """
    actor.require(*SENDERS, operation="activity.receive_batch", organisation_id=partner_id)
    check_feed(partner_id, adapter)
    check_corrected(partner_id, corrects)
    check_records(partner_id, at=at, more=1)
    with transaction.atomic():
        stored = store_sealed_document(content=content, name=file_name, media_type=media_type, at=at)
    return file_batch(
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
        partner_id=partner_id,
        adapter=adapter,
        file_name=file_name,
        media_type=media_type,
        file_sha256=stored.sha256,
        size_bytes=stored.size,
        corrects=corrects,
    )


@operation(roles=SENDERS, subject="batch:{batch_id}")
def file_batch(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    partner_id: int,
    adapter: str,
    file_name: str,
    media_type: str,
    file_sha256: str,
    size_bytes: int,
    corrects: int | None = None,
) -> BatchReceived:
    """Register a stored file as a batch and defer its posting in the same transaction. See receive_batch."""
    actor.require(*SENDERS, operation="activity.receive_batch", organisation_id=partner_id)
    check_feed(partner_id, adapter)
    check_corrected(partner_id, corrects)
    batch = register_batch(
        at=at,
        partner_id=partner_id,
        adapter=adapter,
        file_name=file_name,
        media_type=media_type,
        file_sha256=file_sha256,
        size_bytes=size_bytes,
        corrects=corrects,
    )
    return BatchReceived(batch_id=batch.pk, sha256=file_sha256, state=batch.state)


def register_batch(
    *,
    at: datetime,
    partner_id: int,
    adapter: str,
    file_name: str,
    media_type: str,
    file_sha256: str,
    size_bytes: int,
    corrects: int | None = None,
) -> Batch:
    """Return the batch of a stored file, made now with its leaf and its posting deferred, or earlier.

    The field mapping that is in force now is the one it will be read with, whenever that is. Raises MappingMissing.
    """
    lock_names(f"activity:file:{partner_id}:{file_sha256}")
    batch = Batch.objects.filter(partner_id=partner_id, file_sha256=file_sha256).first()
    if batch is not None:
        return batch
    batch = Batch.objects.create(
        partner_id=partner_id,
        adapter=adapter,
        file_sha256=file_sha256,
        file_name=file_name,
        media_type=media_type,
        size_bytes=size_bytes,
        received_at=at,
        state=BatchState.RECEIVED,
        corrects_id=corrects,
        mapping=_mapping(partner_id, adapter),
    )
    append_leaf(
        kind="file",
        subject=f"batch:{batch.pk}",
        payload={"batch": batch.pk, "partner": partner_id, "sha256": file_sha256, "size_bytes": size_bytes},
        at=at,
    )
    publish(BatchReceivedEvent(batch_id=batch.pk))
    return batch


def _mapping(partner_id: int, adapter: str) -> FieldMappingVersion | None:
    if not is_mapped(adapter):
        return None
    found = mapping_in_force(partner_id=partner_id, adapter=adapter)
    if found is None:
        raise MappingMissing(adapter=adapter)
    return found


def check_corrected(partner_id: int, corrects: int | None) -> None:
    """Refuse to correct a batch of somebody else, one without outcome, and one whose rows are all made good."""
    if corrects is None:
        return
    own = Batch.objects.filter(pk=corrects, partner_id=partner_id).exclude(state=BatchState.RECEIVED).exists()
    if not own or not rows_open(corrects):
        raise NothingToCorrect(batch_id=corrects)


def check_feed(partner_id: int, adapter: str) -> None:
    """Refuse a partner that has no open feed of this format. Raises AdapterUnknown, FeedClosed."""
    check_adapter(adapter)
    if not Feed.objects.filter(partner_id=partner_id, adapter=adapter).exists():
        raise FeedClosed(partner_id=partner_id, adapter=adapter)
