"""What a stored document is named by: the SHA-256 of its bytes (内容寻址)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from tanpuhui.foundation.kernel.errors import Refusal

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class DocumentBytesMissing(Refusal):
    """The row is there and the file is not: a restore is needed, nobody may go on as if it had been read."""

    code = "DOCUMENT_BYTES_MISSING"
    zh = "文件 {sha256} 的登记在，内容不在。请管理员从备份恢复后再试。"
    en = "Document {sha256} is registered but its bytes are gone. Ask an administrator to restore them from a backup."
    retryable = True


def is_sha256(text: str) -> bool:
    """Say whether the text is 64 lower-case hexadecimal digits, and so can be a document's name."""
    return _SHA256.fullmatch(text) is not None


def relative_path(sha256: str) -> PurePosixPath:
    """Return where a document lies below the document folder: ab/cd/<sha256>."""
    return PurePosixPath(sha256[:2], sha256[2:4], sha256)
