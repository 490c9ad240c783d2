"""Which files a case takes as attachments, by the end of their name (附件的格式和大小)."""

from __future__ import annotations

from collections.abc import Mapping

from tanpuhui.foundation.workflow.domain.refusals import AttachmentUnsuitable

ATTACHMENT_BYTES_MAX = 100_000_000
"""The platform's own limit; larger files go through the data intake."""

ATTACHMENT_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "ofd": "application/ofd",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "wps": "application/vnd.ms-works",
    "et": "application/vnd.ms-excel",
    "csv": "text/csv",
    "txt": "text/plain",
    "json": "application/json",
    "xml": "application/xml",
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "zip": "application/zip",
    "p7s": "application/pkcs7-signature",
}
"""What may be attached and as what it is sent back; a program or a page of the web is not among them."""


def attachment_type(name: str) -> str:
    """Return the media type of an attachment by its name. Raises AttachmentUnsuitable."""
    _, dot, end = name.rpartition(".")
    found = ATTACHMENT_TYPES.get(end.lower()) if dot else None
    if found is None:
        raise AttachmentUnsuitable(
            name=name,
            why_zh="只收这些格式：" + "、".join(ATTACHMENT_TYPES),
            why_en="these formats are taken: " + ", ".join(ATTACHMENT_TYPES),
        )
    return found


def check_attachment_size(name: str, size: int) -> None:
    """Refuse an empty file and one above the limit. Raises AttachmentUnsuitable."""
    if 0 < size <= ATTACHMENT_BYTES_MAX:
        return
    most = ATTACHMENT_BYTES_MAX // 1_000_000
    why_zh, why_en = (
        ("文件是空的", "the file is empty")
        if size <= 0
        else (f"一个附件最多 {most} MB", f"an attachment has at most {most} MB")
    )
    raise AttachmentUnsuitable(name=name, why_zh=why_zh, why_en=why_en)
