"""Step 10, write (落账): keys, entries, chunks, the posting itself and its leaf, in the one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters import TRACES as TRACES_SENT
from tanpuhui.behaviour.activity.adapters.chunks import AMOUNTS, TRACES, Chunk, encode_chunks
from tanpuhui.behaviour.activity.domain import (
    GENESIS,
    PostingContent,
    payload_root,
    posting_hash,
)
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.operations._post_batch._book import Booked, Sheet, Sheets
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._post_batch._once import write_key_segments
from tanpuhui.books.ledger.operations import JournalPosted, post_account_days
from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.bulk import copy_payloads
from tanpuhui.science.engine import ENGINE_VERSION

ENCODERS = 2
Span = tuple[int, int, int]
VERDICTS = ["counted", "clipped"]
SYSTEM_CODE = "scheme:credited"
LEDGER_KIND = "posting"


def write_posting(desk: Desk, found: Sheets, booked: Booked) -> Posting:
    """Write one posting whole and return it. Its chunks are laid out and encoded while the ledger's SQL runs."""
    posting_id = _next_id()
    with ThreadPoolExecutor(ENCODERS) as pool:
        encoding = [pool.submit(_encoded, desk, found, booked, spans) for spans in _shares(booked.spans)]
        write_key_segments(desk, booked.rows["row"], posting_id=posting_id)
        journal = post_account_days(
            kind=LEDGER_KIND,
            reference=f"posting:{posting_id}",
            at=desk.at,
            system_code=SYSTEM_CODE,
            legs=booked.legs,
        )
        chunks = [chunk for share in encoding for chunk in share.result()]
    _copy_chunks(posting_id, chunks)
    posting = _posting(desk, booked, chunks=chunks, posting_id=posting_id, journal=journal)
    _append_leaf(desk, posting)
    return posting


def _shares(spans: Sequence[Span]) -> list[Sequence[Span]]:
    """Part the buckets among the encoders; a small posting is not worth two."""
    half = len(spans) // 2
    return [spans[:half], spans[half:]] if half else [spans]


def _encoded(desk: Desk, found: Sheets, booked: Booked, spans: Sequence[Span]) -> list[Chunk]:
    """Lay out amounts and traces of some buckets in the order of the posting's rows, and encode them bucket by bucket."""
    first, last = spans[0][1], spans[-1][2]
    amounts, traces = _laid_out(desk, found, booked, first, last)
    return encode_chunks(
        amounts, traces, [(bucket, start - first, end - first) for bucket, start, end in spans]
    )


def _laid_out(desk: Desk, found: Sheets, booked: Booked, first: int, last: int) -> tuple[pa.Table, pa.Table]:
    version = desk.versions[booked.group.version_id]
    inputs, results = found.of_version(version, booked.group.version_id)
    rows = {name: column[first:last] for name, column in booked.rows.items()}
    row = rows["row"]
    raw_at, judged_at, input_at, result_at = (
        pa.array(sheet.places(row)) for sheet in (found.raw, found.judged, inputs, results)
    )
    granted = _taken(inputs, "granted", input_at)
    own = {
        "row": pa.array(row),
        "account_id": pa.array(rows["account_id"]),
        "day": pa.array(rows["day"], pa.date32()),
        "area": _taken(found.judged, "area", judged_at),
        "verdict": pa.DictionaryArray.from_arrays(granted.is_valid().cast(pa.int8()), VERDICTS),
        "variant": _taken(results, "variant", result_at),
        "granted": granted,
        "grams": pa.array(rows["grams"]),
        "floor_g": pa.array(rows["floor_g"]),
        "remainder_g": _taken(results, "remainder_g", result_at),
        "started_at": _taken(found.judged, "started", judged_at),
        "ended_at": _taken(found.judged, "ended", judged_at),
    }
    own |= {name: _taken(found.raw, name, raw_at) for name in ("record_id", *TRACES_SENT)}
    own |= {item.code: _taken(inputs, item.code, input_at) for item in version.fields}
    amount = [item.code for item in version.fields if item.privacy == "amount"]
    trace = [item.code for item in version.fields if item.privacy == "trace"]
    return (
        pa.table({name: own[name] for name in (*AMOUNTS, *amount)}),
        pa.table({name: own[name] for name in (*TRACES, *trace)}),
    )


def _taken(sheet: Sheet, name: str, at: pa.Array) -> pa.Array:
    return sheet.table.column(name).combine_chunks().take(at)


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('activity_posting', 'id'))")
        return int(cursor.fetchone()[0])


def _copy_chunks(posting_id: int, chunks: list[Chunk]) -> None:
    with connection.cursor() as cursor:
        copy_payloads(
            cursor,
            "activity_record_chunk",
            {
                "posting_id": "int8", "bucket": "int2", "n_records": "int4", "amounts": "bytea", "traces": "bytea",
                "amounts_sha256": "bytea", "traces_sha256": "bytea",
            },
            (
                (posting_id, one.bucket, one.n_records, one.amounts, one.traces, one.amounts_sha256, one.traces_sha256)
                for one in chunks
            ),
        )  # fmt: skip


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
        slice_number=desk.slice_number,
        day_settlement_id=desk.day_settlement_id or 0,
    )


def _posting(
    desk: Desk, booked: Booked, *, chunks: list[Chunk], posting_id: int, journal: JournalPosted
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
        slice_number=desk.slice_number,
        day_settlement_id=desk.day_settlement_id,
        records=content.records,
        account_days=content.account_days,
        accounts=content.accounts,
        grams=Grams(content.grams),
        points=Points(content.points),
        points_rules=[dict(rule) for rule in content.points_rules],
        chunks=booked.chunks,
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
