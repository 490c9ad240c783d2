"""Triggers that several tables share."""

from __future__ import annotations

import pgtrigger


def append_only(*, truncate: bool = True) -> list[pgtrigger.Trigger]:
    """Return the triggers that let a table only grow: no update, no delete, no truncate."""
    triggers: list[pgtrigger.Trigger] = [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
    ]
    if truncate:
        triggers.append(
            pgtrigger.Trigger(
                name="no_truncate",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: Cannot truncate append-only table %', TG_TABLE_NAME;",
            )
        )
    return triggers
