"""Keep a file under a key of its own, and end its life by destroying the key (文件密钥、销毁)."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import BinaryIO

from django.db import connection, transaction

from tanpuhui.foundation.documents.adapters import data_folder
from tanpuhui.foundation.documents.adapters.sealed_files import new_key
from tanpuhui.foundation.documents.models import Document, DocumentKey
from tanpuhui.foundation.documents.operations._store_document import DocumentStored
from tanpuhui.foundation.documents.queries import KEY_CONTEXT
from tanpuhui.foundation.keys.queries import seal


def store_sealed_document(
    *, content: BinaryIO | bytes, name: str, media_type: str, at: datetime
) -> DocumentStored:
    """Store content encrypted under a key of its own; its name is the hash of the plain bytes. The same content is the same row.

    Content whose key was destroyed gets a new one when it is sent again. Raises StorageFull; RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        message = "a document is stored inside the transaction that speaks of it; open an operation first"
        raise RuntimeError(message)
    key = new_key()
    with data_folder.incoming(content, key=key) as arrived:
        written = arrived.written
        Document.objects.bulk_create(
            [
                Document(
                    sha256=written.sha256, size=written.size, name=name, media_type=media_type, stored_at=at
                )
            ],
            ignore_conflicts=True,
        )
        if _takes(written.sha256, seal(b64encode(key).decode(), context=KEY_CONTEXT), at):
            arrived.keep()
    return DocumentStored(sha256=written.sha256, size=written.size)


def _takes(sha256: str, sealed_key: bytes, at: datetime) -> bool:
    """Write the key down unless the document has one that opens it; say whether it was written.

    The row is written before the bytes are moved: whoever stores the same content at once waits here, and finds a key.
    """
    _, made = DocumentKey.objects.get_or_create(
        document_id=sha256, defaults={"sealed_key": sealed_key, "made_at": at}
    )
    if made:
        return True
    row = DocumentKey.objects.select_for_update().get(document_id=sha256)
    if row.sealed_key is not None and data_folder.has_sealed_bytes(sha256):
        return False
    row.sealed_key, row.made_at, row.destroyed_at = sealed_key, at, None
    row.save(update_fields=["sealed_key", "made_at", "destroyed_at"])
    return True


def destroy_document(*, sha256: str, at: datetime) -> bool:
    """Destroy the key of a document for ever, and remove its bytes once that is committed; False where it was done before.

    A building block: the caller writes down why, in the same transaction. Backups that hold the key ring and the row can
    open the file as long as they are kept (docs/operations.md).
    """
    row = DocumentKey.objects.select_for_update().filter(document_id=sha256).first()
    if row is None or row.sealed_key is None:
        return False
    row.sealed_key, row.destroyed_at = None, at
    row.save(update_fields=["sealed_key", "destroyed_at"])
    transaction.on_commit(lambda: data_folder.remove_sealed_bytes(sha256))
    return True


def remove_left_bytes() -> int:
    """Remove encrypted bytes whose key is destroyed and that a killed process left behind; return how many there were."""
    left = [
        sha256
        for sha256 in DocumentKey.objects.filter(sealed_key__isnull=True).values_list(
            "document_id", flat=True
        )
        if data_folder.has_sealed_bytes(sha256)
    ]
    for sha256 in left:
        data_folder.remove_sealed_bytes(sha256)
    return len(left)
