"""Step 8, write (落账): keys, entries, chunks, the posting itself and its leaf, in the one transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

import numpy as np
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import Chunk, encode_chunk
from tanpuhui.behaviour.activity.domain import (
    GENESIS,
    PostingContent,
    chunk_count,
    payload_root,
    posting_hash,
)
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.operations._post_batch._book import Booked, sorted_rows
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._post_batch._once import write_key_segments
from tanpuhui.books.ledger.operations import JournalPosted, post_account_days
from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.science.engine import ENGINE_VERSION

ENCODERS = 2
SYSTEM_CODE = "scheme:credited"
LEDGER_KIND = "posting"


def write_posting(desk: Desk, booked: Booked) -> Posting:
    """Write one posting whole and return it. Chunks are encoded in threads while the ledger's SQL runs."""
    version = desk.versions[booked.group.version_id]
    posting_id = _next_id()
    n_chunks = chunk_count(booked.records)
    amounts, traces, spans = sorted_rows(desk, version, n_chunks)
    with ThreadPoolExecutor(ENCODERS) as pool:
        futures = [
            pool.submit(
                encode_chunk, bucket, amounts.slice(start, end - start), traces.slice(start, end - start)
            )
            for bucket, start, end in spans
        ]
        write_key_segments(desk, posting_id, "booked")
        journal = post_account_days(
            kind=LEDGER_KIND,
            reference=f"posting:{posting_id}",
            at=desk.at,
            system_code=SYSTEM_CODE,
            legs=booked.legs,
        )
        chunks = [future.result() for future in futures]
    _copy_chunks(posting_id, chunks)
    posting = _posting(desk, booked, chunks=chunks, posting_id=posting_id, journal=journal, n_chunks=n_chunks)
    _append_leaf(desk, posting)
    return posting


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('activity_posting', 'id'))")
        return int(cursor.fetchone()[0])


def _copy_chunks(posting_id: int, chunks: list[Chunk]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy activity_record_chunk (posting_id, bucket, n_records, amounts, traces, amounts_sha256, "
            "traces_sha256) from stdin with (format binary)"
        ) as copy,
    ):
        copy.set_types(["int8", "int2", "int4", "bytea", "bytea", "bytea", "bytea"])
        for chunk in chunks:
            copy.write_row(
                (
                    posting_id,
                    chunk.bucket,
                    chunk.n_records,
                    chunk.amounts,
                    chunk.traces,
                    chunk.amounts_sha256,
                    chunk.traces_sha256,
                )
            )


def _content(desk: Desk, booked: Booked, chunks: list[Chunk]) -> PostingContent:
    """Return all that the posting says, and with what its results can be had again (复算)."""
    version = desk.versions[booked.group.version_id]
    legs = booked.legs
    return PostingContent(
        partner_id=desk.partner_id,
        batch_id=desk.batch_id,
        file_sha256=desk.file_sha256,
        scenario=booked.group.scenario,
        methodology_version_id=booked.group.version_id,
        methodology_sha256=version.archive_sha256,
        parameter_set_sha256=version.parameter_set.sha256 if version.parameter_set else "",
        engine_version=ENGINE_VERSION,
        rounding=f"{version.rounding.rule.upper()}_1G",
        evidence_tier=booked.group.evidence_tier,
        month=booked.group.month,
        records=booked.records,
        account_days=len(legs.account_id),
        accounts=len(np.unique(legs.account_id)),
        grams=int(legs.grams.sum()),
        points=int(legs.points.sum()),
        points_rules=booked.points_rules,
        amounts_sha256=payload_root(chunk.amounts_sha256 for chunk in chunks).hex(),
        traces_sha256=payload_root(chunk.traces_sha256 for chunk in chunks).hex(),
        inputs_sha256=payload_root(chunk.inputs_sha256 for chunk in chunks).hex(),
        results_sha256=payload_root(chunk.results_sha256 for chunk in chunks).hex(),
        posted_at=desk.at.astimezone(UTC).isoformat(),
    )


def _posting(
    desk: Desk, booked: Booked, *, chunks: list[Chunk], posting_id: int, journal: JournalPosted, n_chunks: int
) -> Posting:
    """Insert the journal row of intake, chained to the partner's last."""
    last = (
        Posting.objects.filter(partner_id=desk.partner_id)
        .order_by("-id")
        .values_list("hash", flat=True)
        .first()
    )
    prev_hash = bytes(last) if last is not None else GENESIS
    content = _content(desk, booked, chunks)
    return Posting.objects.create(
        id=posting_id,
        partner_id=desk.partner_id,
        batch_id=desk.batch_id,
        scenario=content.scenario,
        methodology_version_id=content.methodology_version_id,
        methodology_sha256=content.methodology_sha256,
        parameter_set_sha256=content.parameter_set_sha256,
        engine_version=content.engine_version,
        rounding=content.rounding,
        evidence_tier=content.evidence_tier,
        month=content.month,
        records=content.records,
        account_days=content.account_days,
        accounts=content.accounts,
        grams=Grams(content.grams),
        points=Points(content.points),
        points_rules=[dict(rule) for rule in content.points_rules],
        chunks=n_chunks,
        amounts_sha256=bytes.fromhex(content.amounts_sha256),
        traces_sha256=bytes.fromhex(content.traces_sha256),
        inputs_sha256=bytes.fromhex(content.inputs_sha256),
        results_sha256=bytes.fromhex(content.results_sha256),
        prev_hash=prev_hash,
        hash=posting_hash(content, prev_hash),
        journal_id=journal.journal_id,
        posted_at=desk.at,
    )


def _append_leaf(desk: Desk, posting: Posting) -> None:
    payload: dict[str, Any] = {
        "posting": posting.pk,
        "partner": desk.partner_id,
        "file_sha256": desk.file_sha256,
        "scenario": posting.scenario,
        "month": posting.month,
        "methodology_sha256": posting.methodology_sha256,
        "records": posting.records,
        "grams": posting.grams.value,
        "points": posting.points.value,
        "hash": bytes(posting.hash).hex(),
    }
    append_leaf(kind="posting", subject=f"posting:{posting.pk}", payload=payload, at=desk.at)
