"""What is written into the public log.

`append_leaf` and `append_leaves` join the transaction of the act they record. `sequence_leaves` opens its own: a head must
never be signed over a leaf that can still roll back. None of them is an audited operation of its own: a leaf belongs to
the operation that appends it, and a head is its own signed record.

Errors: LeafExists (the act is in the log already), domain NotCanonical (the payload has no exact form).
"""

from tanpuhui.books.transparency.domain.leaves import LeafKind
from tanpuhui.books.transparency.operations._append_leaf import (
    LeafExists,
    NewLeaf,
    append_leaf,
    append_leaves,
)
from tanpuhui.books.transparency.operations._sequence_leaves import LeavesSequenced, sequence_leaves

__all__ = [
    "LeafExists",
    "LeafKind",
    "LeavesSequenced",
    "NewLeaf",
    "append_leaf",
    "append_leaves",
    "sequence_leaves",
]
