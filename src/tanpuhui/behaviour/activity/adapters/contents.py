"""What an application and a sample's report say, as JSON and back (申请内容、质量报告)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload, encode_payload
from tanpuhui.behaviour.activity.domain.applications import ScenarioContent
from tanpuhui.behaviour.activity.domain.quality import QualityReport
from tanpuhui.foundation.keys.queries import seal, unseal

FILE_CONTEXT = "activity.sample_content"
ROWS_CONTEXT = "activity.sample_rows"
_CONTENT: TypeAdapter[ScenarioContent] = TypeAdapter(ScenarioContent)
_REPORT: TypeAdapter[QualityReport] = TypeAdapter(QualityReport)


def content_json(content: ScenarioContent) -> dict[str, Any]:
    """Return an application's content as it is stored."""
    found: dict[str, Any] = _CONTENT.dump_python(content, mode="json")
    if not content.mapping:
        # Contents that were saved before there were mappings keep their bytes, and so their hash.
        del found["mapping"]
    return found


def content_of(stored: dict[str, Any]) -> ScenarioContent:
    """Return the content of a stored version."""
    return _CONTENT.validate_python(stored)


def content_sha256(content: ScenarioContent) -> str:
    """Return the hash by which equal contents are known."""
    text = json.dumps(content_json(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def report_json(report: QualityReport) -> dict[str, Any]:
    """Return a quality report as it is stored and downloaded."""
    found: dict[str, Any] = _REPORT.dump_python(report, mode="json")
    return found


def report_of(stored: dict[str, Any]) -> QualityReport:
    """Return a stored quality report."""
    return _REPORT.validate_python(stored)


def sealed_bytes(content: bytes, *, context: str) -> bytes:
    """Return bytes that only the platform can read, because a sample may hold what it should not."""
    return seal(base64.b64encode(content).decode("ascii"), context=context)


def opened_bytes(sealed: bytes, *, context: str) -> bytes:
    """Return the bytes of a seal; raises SealBroken, KeyUnknown."""
    return base64.b64decode(unseal(sealed, context=context))


def sealed_rows(rows: pa.Table) -> bytes:
    """Return the rows of a sample, sealed."""
    return sealed_bytes(encode_payload(rows), context=ROWS_CONTEXT)


def opened_rows(sealed: bytes) -> pa.Table:
    """Return the rows of a sample."""
    return decode_payload(opened_bytes(sealed, context=ROWS_CONTEXT))
