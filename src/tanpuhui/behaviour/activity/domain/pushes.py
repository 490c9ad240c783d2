"""What a single pushed record has to say at once (单条推送): enough to keep it apart from all others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.errors import Refusal

RECORDS_MAX = 1_000
"""Records of one request; more belong in a file."""
NEEDED = ("record_id", "subject", "scenario", "started_at")


class TooManyRecords(Refusal):
    """More records in one request than may be."""

    code = "TOO_MANY_RECORDS"
    zh = "一次最多推送 {limit} 条记录，这次有 {count} 条。请分几次推送，或作为文件发送。"
    en = "At most {limit} records can be pushed at once; these are {count}. Push them in parts, or send a file."


class NoRecords(Refusal):
    """The body holds no record."""

    code = "NO_RECORDS"
    zh = "请求里没有记录。请发送一个 JSON 对象、JSON 数组或逐行 JSON。"
    en = "The request holds no record. Send a JSON object, a JSON array, or one JSON object a line."


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What a record is known by, and its content as one line of JSON. `reason` says why it is not taken, empty where it is."""

    record_id: str
    day: date | None
    line: str
    reason: str = ""
    field: str = ""


def envelope(record: Mapping[str, object]) -> Envelope:
    """Return what a record is known by. Everything else is judged when its batch is posted."""
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    said = {name: str(record.get(name) or "").strip() for name in NEEDED}
    missing = next((name for name in NEEDED if not said[name]), "")
    if missing:
        return Envelope(
            record_id=said["record_id"], day=None, line=line, reason="MISSING_FIELD", field=missing
        )
    try:
        started = datetime.fromisoformat(said["started_at"])
    except ValueError:
        return Envelope(
            record_id=said["record_id"], day=None, line=line, reason="BAD_TIME", field="started_at"
        )
    if started.tzinfo is None:
        started = started.replace(tzinfo=CHINA)
    return Envelope(record_id=said["record_id"], day=business_day(started), line=line)
