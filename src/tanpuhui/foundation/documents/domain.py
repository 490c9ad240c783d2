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


class DocumentSealBroken(Refusal):
    """The encrypted bytes are not as they were written, or the key is another's."""

    code = "DOCUMENT_SEAL_BROKEN"
    zh = "文件 {sha256} 的加密内容被改动过，不能打开。请管理员从备份恢复后再试。"
    en = "The encrypted bytes of document {sha256} were changed and cannot be opened. Ask an administrator to restore them from a backup."
    retryable = True


class DocumentDestroyed(Refusal):
    """The key was destroyed at the end of the retention time; the hash is what is left."""

    code = "DOCUMENT_DESTROYED"
    zh = "文件 {sha256} 保存期满，密钥已于 {destroyed_at} 销毁，内容不能再读；哈希仍在公开日志中。"
    en = "The retention of document {sha256} is over: its key was destroyed at {destroyed_at} and nobody can read it. Its hash stays in the public log."


def is_sha256(text: str) -> bool:
    """Say whether the text is 64 lower-case hexadecimal digits, and so can be a document's name."""
    return _SHA256.fullmatch(text) is not None


def relative_path(sha256: str) -> PurePosixPath:
    """Return where a document lies below the document folder: ab/cd/<sha256>."""
    return PurePosixPath(sha256[:2], sha256[2:4], sha256)
