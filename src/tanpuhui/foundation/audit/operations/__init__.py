"""The one write path: every change of the platform is a function decorated with `operation`.

Errors: IdempotencyConflict (the same key came with another body), NotPermitted (no role that may call it).
"""

from tanpuhui.foundation.audit.operations._note_export import ExportNoted, note_export
from tanpuhui.foundation.audit.operations._operation import (
    IdempotencyConflict,
    OperationSpec,
    operation,
    registered_operations,
)
from tanpuhui.foundation.audit.operations._record_disclosure import (
    DisclosureRecorded,
    hand_over_own_data,
    hand_over_set,
)

__all__ = [
    "DisclosureRecorded",
    "ExportNoted",
    "IdempotencyConflict",
    "OperationSpec",
    "hand_over_own_data",
    "hand_over_set",
    "note_export",
    "operation",
    "registered_operations",
]
