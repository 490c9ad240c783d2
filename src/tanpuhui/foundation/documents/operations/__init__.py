"""Verbs of the document store. They are building blocks: they join the caller's transaction.

Errors: StorageFull; RuntimeError outside a transaction.
"""

from tanpuhui.foundation.documents.operations._store_document import DocumentStored, store_document
from tanpuhui.foundation.documents.operations._store_sealed import (
    destroy_document,
    remove_left_bytes,
    store_sealed_document,
)

__all__ = [
    "DocumentStored",
    "destroy_document",
    "remove_left_bytes",
    "store_document",
    "store_sealed_document",
]
