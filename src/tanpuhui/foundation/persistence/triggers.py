"""Triggers that several tables share."""

from __future__ import annotations

import pgtrigger


def append_only(*, truncate: bool = True) -> list[pgtrigger.Trigger]:
    """Return the triggers that let a table only grow: no update, no delete, no truncate."""
    triggers: list[pgtrigger.Trigger] = [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
    ]
    if truncate:
        triggers.append(_no_truncate())
    return triggers


def kept_for(months_rule: str, moment: str) -> list[pgtrigger.Trigger]:
    """Return the triggers of a record that is kept for a time: never changed, and deleted only once the time is over.

    `months_rule` is the rule parameter that holds the months; while it is unset nothing can be deleted. `moment` is the
    column of the row's moment. The clock is the database's own, so that no caller's mistake deletes too early.
    """
    months = (
        "select max(value::integer) from rulebook_parameter where scope = '' and valid_from <= current_date"  # noqa: S608  names from our own code
        f" and (valid_to is null or valid_to > current_date) and key = '{months_rule}' and value ~ '^[0-9]+$'"
    )
    return [
        pgtrigger.Trigger(
            name="kept",
            operation=pgtrigger.Update | pgtrigger.Delete,
            when=pgtrigger.Before,
            func=(
                "IF TG_OP = 'DELETE' AND OLD."
                f"{moment} < now() - make_interval(months => ({months})) THEN RETURN OLD; END IF; "
                "RAISE EXCEPTION 'a row of % is kept and never changed', TG_TABLE_NAME;"
            ),
        ),
        _no_truncate(),
    ]


def _no_truncate() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate append-only table %', TG_TABLE_NAME;",
    )
