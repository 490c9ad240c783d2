"""Single records of data partners: push some, read what became of one."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from ninja import Header, Query, Router, Status

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import push_records
from tanpuhui.foundation.identity.operations import ContentDigestWrong
from tanpuhui.foundation.kernel.errors import Invalid, Refusal
from tanpuhui.interfaces.access.middleware import ActingRequest
from tanpuhui.interfaces.api.problems import problems
from tanpuhui.interfaces.api.schemas import PushedRecord, PushReceipt, RecordsAccepted
from tanpuhui.interfaces.api.views.batches import KEY_LENGTH_MAX, partner_of

router = Router(tags=["records"])
BODY_BYTES_MAX = 2_000_000
NDJSON = "application/x-ndjson"
CALLER: list[dict[str, list[str]]] = [{"signature": []}, {"api_key": []}]
RECORD = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}


class PushTooLarge(Refusal):
    """The body is larger than a push may be."""

    code = "PUSH_TOO_LARGE"
    zh = "推送的内容超过 {limit_bytes} 字节。请分几次推送，或作为文件发送。"
    en = "The push is larger than {limit_bytes} bytes. Push in parts, or send a file."


@router.post(
    "/records",
    url_name="records",
    response={202: RecordsAccepted} | problems(401, 403, 409, 413, 422, 429, 503),
    summary="推送单条或多条记录 / Push one record or some",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": [RECORD, {"type": "array", "items": RECORD}]}},
                NDJSON: {"schema": {"type": "string"}},
            },
        },
        "security": CALLER,
    },
)
def push(
    request: HttpRequest,
    idempotency_key: str = Header(..., alias="Idempotency-Key", min_length=1, max_length=KEY_LENGTH_MAX),
) -> Status[RecordsAccepted]:
    """Keep up to 1,000 records: a JSON object, an array of them, or one object a line. They are posted within the minute.

    The answer says of each whether it was received, known from before, or refused at once. What became of it afterwards is read
    at /records/{record_id}, or in the report of its batch.
    """
    actor, partner_id = partner_of(request)
    received = push_records(
        actor=actor,
        at=timezone.now(),
        idempotency_key=idempotency_key,
        partner_id=partner_id,
        records=_records(request),
    )
    locale = get_language() or "zh"
    receipts = [
        PushReceipt(
            record_id=one.record_id,
            day=one.day,
            state=one.state,
            reason=one.reason,
            field=one.field,
            text=activity.reason_text(one.reason, locale) if one.reason else "",
        )
        for one in received.receipts
    ]
    return Status(202, RecordsAccepted(receipts=receipts))


@router.get(
    "/records/{path:record_id}",
    url_name="record",
    response={200: list[PushedRecord]} | problems(401, 403, 404, 422, 429),
    summary="读一条推送记录的结论 / Read what became of a pushed record",
    openapi_extra={"security": CALLER},
)
def record(
    request: HttpRequest,
    record_id: str,
    day: date = Query(...),  # noqa: B008  ninja reads the parameter from its default
) -> list[PushedRecord]:
    """Return one entry for each content that was pushed under this id, the last one first.

    `day` is the business day in China on which the activity began.
    """
    _, partner_id = partner_of(request)
    locale = get_language() or "zh"
    return [
        PushedRecord(
            record_id=one.record_id,
            day=one.day,
            received_at=one.received_at,
            batch_id=one.batch_id,
            row_number=one.row,
            verdict=one.verdict,
            reason=one.reason,
            field=one.field,
            text=one.text(locale),
            settles_on=one.settles_on,
        )
        for one in activity.pushed_records(partner_id=partner_id, day=day, record_id=record_id)
    ]


def _records(request: HttpRequest) -> list[dict[str, object]]:
    """Return the records of the body, which is the one that was signed. Raises PushTooLarge, ContentDigestWrong, Invalid."""
    if int(request.headers.get("Content-Length") or 0) > BODY_BYTES_MAX:
        raise PushTooLarge(limit_bytes=BODY_BYTES_MAX)
    body = request.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        raise PushTooLarge(limit_bytes=BODY_BYTES_MAX)
    signed = cast(ActingRequest, request).signed_body_sha256
    if signed is not None and hashlib.sha256(body).digest() != signed:
        raise ContentDigestWrong
    try:
        text = body.decode()
        if (request.content_type or "").lower() == NDJSON:
            found = [
                json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines() if line.strip()
            ]
        else:
            whole = json.loads(text, parse_float=str, parse_int=str)  # numbers stay as they were written
            found = whole if isinstance(whole, list) else [whole]
    except ValueError as error:
        raise Invalid(field="body", why=str(error)) from error
    if not all(isinstance(one, dict) for one in found):
        raise Invalid(field="body", why="每条记录应是 JSON 对象 every record is a JSON object")
    return found
