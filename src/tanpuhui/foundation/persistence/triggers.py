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


class Erasable(pgtrigger.Trigger):
    """The trigger `append_only` of a table in which one column may be replaced where a log says from what to what.

    The app role is granted that column only (`tanpuhui migrate`), and the database itself compares the hashes.
    """

    def __init__(self, *, column: str, unless: str, kept: tuple[str, ...]) -> None:
        self.erasable_column = column
        same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in kept)
        super().__init__(
            name="append_only",
            operation=pgtrigger.Update | pgtrigger.Delete,
            when=pgtrigger.Before,
            func=(
                f"IF TG_OP = 'UPDATE' AND {same} AND EXISTS ({unless}) THEN RETURN NEW; END IF; "
                "RAISE EXCEPTION 'a row of % only changes by a logged erasure', TG_TABLE_NAME;"
            ),
        )


def erasable(
    *, column: str, log: str, place: str, owner: str, kept: tuple[str, ...]
) -> list[pgtrigger.Trigger]:
    """Return the triggers of a table that only grows, except that `column` may become what the table `log` says.

    `log` has place, owner_id, bucket, old_sha256 and new_sha256; `owner` is this table's own column beside bucket, and
    `kept` are all its other columns.
    """
    logged = (
        f"SELECT 1 FROM {log} e WHERE e.place = '{place}' AND e.owner_id = NEW.{owner} AND e.bucket = NEW.bucket "  # noqa: S608  names from our own code
        f"AND e.old_sha256 = sha256(OLD.{column}) AND e.new_sha256 = sha256(NEW.{column})"
    )
    return [Erasable(column=column, unless=logged, kept=(owner, "bucket", *kept)), _no_truncate()]


def nameless(*, column: str, becomes: str, person: str, kept: tuple[str, ...]) -> list[pgtrigger.Trigger]:
    """Return the triggers of a table that only grows, except that the name of who closed their account is taken off.

    `column` holds the name and becomes `becomes`; `person` is the column of the person, `kept` are all the others.
    """
    closed = (
        f"SELECT 1 FROM identity_user u WHERE u.id = OLD.{person} AND u.closed_at IS NOT NULL "  # noqa: S608  names from our own code
        f"AND NEW.{column} = '{becomes}'"
    )
    return [Erasable(column=column, unless=closed, kept=(person, *kept)), _no_truncate()]


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
