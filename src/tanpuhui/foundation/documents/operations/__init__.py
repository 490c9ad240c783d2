"""Verbs of the document store. `store_document` is a building block: it joins the caller's transaction.

Errors: RuntimeError outside a transaction.
"""

from tanpuhui.foundation.documents.operations._store_document import DocumentStored, store_document

__all__ = ["DocumentStored", "store_document"]
