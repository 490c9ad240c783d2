"""Files of data partners: send one, read its report, download the rows that were not counted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, cast
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from ninja import Header, Query, Router, Status

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import count_call, receive_batch
from tanpuhui.behaviour.activity.queries import BatchView
from tanpuhui.foundation.identity.operations import ContentDigestWrong
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, Refusal
from tanpuhui.interfaces.access.domain import NotSignedIn
from tanpuhui.interfaces.access.middleware import ActingRequest
from tanpuhui.interfaces.api.problems import problems
from tanpuhui.interfaces.api.schemas import BatchAccepted, BatchReport, RowOutcome

router = Router(tags=["batches"])
KEY_LENGTH_MAX = 200
NAME_LENGTH_MAX = 200
MEDIA_TYPES = frozenset(
    {
        "text/csv",
        "application/x-ndjson",
        "application/gzip",
        "application/zstd",
        "application/zip",
        "application/vnd.apache.parquet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/octet-stream",
    }
)


class FileTooLarge(Refusal):
    """The body is larger than one file may be."""

    code = "FILE_TOO_LARGE"
    zh = "文件超过 {limit_bytes} 字节的上限，没有接收。请分成几个文件。"
    en = "The file is larger than {limit_bytes} bytes and was not taken. Split it."


class LimitedBody:
    """A request's body as a stream that refuses to grow past a limit, whatever its headers say, or to be another than was signed."""

    def __init__(
        self, source: BinaryIO | HttpRequest, *, limit: int, signed_sha256: bytes | None = None
    ) -> None:
        self._source = source
        self._left = limit
        self._limit = limit
        self._signed = signed_sha256
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raises FileTooLarge, and at the end ContentDigestWrong."""
        piece: bytes = self._source.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise FileTooLarge(limit_bytes=self._limit)
        self._digest.update(piece)
        if not piece and self._signed is not None and self._digest.digest() != self._signed:
            raise ContentDigestWrong
        return piece


@router.post(
    "/batches",
    url_name="batches",
    response={202: BatchAccepted} | problems(401, 403, 409, 413, 422, 429, 503),
    summary="发送一个数据文件 / Send a file of records",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(MEDIA_TYPES)
            },
        },
        "security": [{"signature": []}, {"api_key": []}],
    },
)
def send(
    request: HttpRequest,
    idempotency_key: str = Header(..., alias="Idempotency-Key", min_length=1, max_length=KEY_LENGTH_MAX),
    file_name: str = Header(..., alias="X-File-Name", min_length=1, max_length=3 * NAME_LENGTH_MAX),
    adapter: str = Query("standard", description="the format of the file"),
    corrects: int | None = Query(
        None, ge=1, description="the batch whose rejected rows this file sends again"
    ),
) -> Status[BatchAccepted]:
    """Store a CSV, NDJSON (either as gzip, zstd or zip), Parquet or Excel file as the request's body; it is posted within the minute.

    The same key with the same file gives the same answer; with another file, 409 IDEMPOTENCY_CONFLICT.
    X-File-Name is percent-encoded UTF-8. A file that corrects a batch names the row of each of its rows in the column
    corrects_row.
    """
    limit = settings.TANPUHUI_BATCH_BYTES_MAX
    if int(request.headers.get("Content-Length") or 0) > limit:
        raise FileTooLarge(limit_bytes=limit)
    actor, partner_id = partner_of(request)
    body = cast(
        BinaryIO,
        LimitedBody(request, limit=limit, signed_sha256=cast(ActingRequest, request).signed_body_sha256),
    )
    received = receive_batch(
        actor=actor,
        at=timezone.now(),
        idempotency_key=idempotency_key,
        partner_id=partner_id,
        adapter=adapter,
        file_name=_plain_name(file_name),
        media_type=(request.content_type or "application/octet-stream").lower(),
        content=body,
        corrects=corrects,
    )
    accepted = BatchAccepted(
        batch_id=received.batch_id,
        sha256=received.sha256,
        state=received.state,
        report_url=request.build_absolute_uri(reverse("api:batch", args=[received.batch_id])),
    )
    return Status(202, accepted)


@router.get(
    "/batches/{int:batch_id}",
    url_name="batch",
    response={200: BatchReport} | problems(401, 403, 404, 422, 429),
    summary="读一个文件的处理结果 / Read the report of a file",
    openapi_extra={"security": [{"signature": []}, {"api_key": []}]},
)
def report(
    request: HttpRequest,
    batch_id: int,
    after_row: int = Query(0, ge=0),
    limit: int = Query(100, ge=1, le=1000),
) -> BatchReport:
    """Return counts by verdict and reason, and the rows after `after_row` that were not counted in full."""
    _own(request, batch_id)
    found = activity.batch_report(batch_id, after_row=after_row, limit=limit)
    view = found.batch
    locale = get_language() or "zh"
    return BatchReport(
        batch_id=view.id,
        state=view.state,
        file_name=view.file_name,
        file_sha256=view.file_sha256,
        size_bytes=view.size_bytes,
        received_at=view.received_at,
        settled_at=view.settled_at,
        rows=view.rows,
        verdicts=dict(view.verdicts),
        reasons=dict(found.reasons),
        settles_on=dict(found.settles_on),
        grams=view.grams.value,
        points=view.points.value,
        fault=found.fault,
        fault_at=found.fault_at,
        outcomes_total=found.outcomes_total,
        outcomes=[
            RowOutcome(
                row_number=one.row_number,
                verdict=one.verdict,
                reason=one.reason,
                field=one.field,
                value=one.value,
                text=one.text(locale),
            )
            for one in found.outcomes
        ],
        corrects=view.corrects,
        rows_open=activity.rows_open(batch_id),
        corrected_by=list(activity.corrections_of(batch_id)),
        rejected_csv_url=request.build_absolute_uri(reverse("api:batch-rejected", args=[batch_id])),
    )


@router.get(
    "/batches/{int:batch_id}/rejected.csv",
    url_name="batch-rejected",
    response={200: None} | problems(401, 403, 404),
    summary="下载没有全部计入的行 / Download the rows that were not counted in full",
    openapi_extra={
        "responses": {
            200: {
                "description": "CSV in UTF-8, or as the feed's field mapping says",
                "content": {"text/csv": {"schema": {"type": "string"}}},
            }
        },
        "security": [{"signature": []}, {"api_key": []}],
    },
)
def rejected(request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
    """Send every row that was not counted in full as CSV; no cell of it is a formula."""
    view = _own(request, batch_id)
    lines: Iterator[str] = activity.batch_report_csv(view.id, locale=get_language() or "zh")
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="batch-{view.id}-rejected.csv"'
    return response


@router.get(
    "/batches/{int:batch_id}/to-correct.csv",
    url_name="batch-to-correct",
    response={200: None} | problems(401, 403, 404, 409),
    summary="下载待更正的行 / Download the rows that are still to be corrected",
    openapi_extra={
        "responses": {
            200: {"description": "CSV in UTF-8", "content": {"text/csv": {"schema": {"type": "string"}}}}
        },
        "security": [{"signature": []}, {"api_key": []}],
    },
)
def to_correct(request: HttpRequest, batch_id: int) -> StreamingHttpResponse:
    """Send the rows that the partner can correct and has not, as they were sent, to correct and send again."""
    view = _own(request, batch_id)
    lines = activity.rows_to_correct_csv(view.id, locale=get_language() or "zh")
    encoding = activity.encoding_to_correct(view.id)
    response = StreamingHttpResponse(
        (line.encode(encoding) for line in lines), content_type=f"text/csv; charset={encoding}"
    )
    response["Content-Disposition"] = f'attachment; filename="batch-{view.id}-to-correct.csv"'
    return response


def partner_of(request: HttpRequest) -> tuple[Actor, int]:
    """Return who calls and for which partner, and count the call. Raises NotSignedIn, QuotaExceeded."""
    actor = cast(ActingRequest, request).actor
    if actor is None:
        raise NotSignedIn
    partner_id = actor.organisation_ids(Role.PARTNER)[0]
    count_call(partner_id, at=timezone.now())
    return actor, partner_id


def _own(request: HttpRequest, batch_id: int) -> BatchView:
    """Return a batch of the calling partner; another partner's is not there for it."""
    _, partner_id = partner_of(request)
    view = activity.batch(batch_id)
    if view.partner_id != partner_id:
        raise NotFound(what="批次 batch", id=batch_id)
    return view


def _plain_name(header: str) -> str:
    """Return the file's name without any folder; raises Invalid."""
    name = unquote(header).replace("\\", "/").rpartition("/")[2].strip()
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise Invalid(field="X-File-Name", why="应为 1 至 200 个可见字符 / 1 to 200 printable characters")
    return name
