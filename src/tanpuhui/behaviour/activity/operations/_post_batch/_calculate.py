"""Step 4, calculate (核算): fields to exact decimals, the version's own rules, grams of each row before any cap."""

from __future__ import annotations

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.tables import case, columns, quoted, text
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.science.engine.model import MethodologyVersion

CARRIED = ("row_number", "scenario", "version_id", "evidence_tier", "account_id", "day", "started")
"""What goes on with a row; everything else is fetched from `raw` and `judged` by row number when it is booked."""


def calculate_versions(desk: Desk) -> None:
    """Work out each version's rows of `ruled` into `own_<id>`, `inputs_<id>` and `result_<id>`; nothing is settled yet.

    Only the tables are used, so that the database can look for accounts and consents meanwhile.
    """
    for version_id, version in sorted(desk.versions.items()):
        _calculate_version(desk, version_id, version)


def settle_results(desk: Desk) -> None:
    """Turn `owned` into `eligible`: rows that a version counts; the others are settled with its reason."""
    tables = desk.tables
    tables.execute(f"create table eligible as select {columns(CARRIED)} from owned limit 0")
    for version_id, version in sorted(desk.versions.items()):
        own = f"own_{version_id}"
        shown = case(
            [(f"split_part(fault, ':', 2) = '{i.code}'", quoted(i.code)) for i in version.fields], "''"
        )
        desk.settle_from(
            "select row_number, split_part(fault, ':', 1) as reason, split_part(fault, ':', 2) as field, "
            f"{shown} as value from (select * from {own} where fault is not null) semi join owned using (row_number)"
        )
        _settle_reasons(desk, version_id, version)
        tables.execute(
            f"insert into eligible select {columns(CARRIED, 'o.')} from owned as o "
            f"semi join (select row_no from result_{version_id} where reason is null) as r on r.row_no = o.row_number"
        )
        tables.execute(f"drop table {own}")
    tables.execute("drop table owned")


def _calculate_version(desk: Desk, version_id: int, version: MethodologyVersion) -> None:
    tables = desk.tables
    own = f"own_{version_id}"
    faults = case(
        [
            (f"({calculator.fault_of(item)}) is not null", f"{calculator.fault_of(item)} || ':{item.code}'")
            for item in version.fields
        ],
        "null",
    )
    fields = columns(("row_number", *(item.code for item in version.fields)), "x.")
    tables.execute(
        f"create table {own} as select *, {faults} as fault from (select {fields} from raw as x "
        f"semi join (select row_number from ruled where version_id = {version_id}) as o using (row_number))"
    )
    typed = "".join(f", {calculator.typed(item)} as {quoted(item.code)}" for item in version.fields)
    tables.execute(
        f"create table inputs_{version_id} as select row_number as row_no, "
        f"null::{calculator.GRANTED_TYPE} as granted{typed} from {own} where fault is null"
    )
    calculator.calculate(tables, version, relation=f"inputs_{version_id}", into=f"result_{version_id}")


def _settle_reasons(desk: Desk, version_id: int, version: MethodologyVersion) -> None:
    """Note why the engine does not count a row, in intake's words; a methodology's own codes stay as they are."""
    named = case(
        [(f"code = '{engine}'", f"'{own}'") for engine, own in calculator.REASON_OF_ENGINE.items()], "code"
    )
    choices = [item.code for item in version.fields if item.kind == "choice"]
    if choices:
        listed = ", ".join(text(code) for code in choices)
        named = (
            f"case when code = 'OUT_OF_BOUNDS' and field in ({listed}) then 'UNKNOWN_OPTION' else {named} end"
        )
    value = case(
        [(f"field = '{item.code}'", f"{quoted(item.code)}::varchar") for item in version.fields]
        + [("code = 'PARAMETER_UNSET'", "field")],
        "''",
    )
    desk.settle_from(
        f"select row_number, {named} as reason, field, {value} as value from (select i.*, i.row_no as row_number, "
        "split_part(r.reason, ':', 1) as code, split_part(r.reason, ':', 2) as field "
        f"from (select * from result_{version_id} where reason is not null) as r "
        f"join inputs_{version_id} as i using (row_no)) semi join owned using (row_number)"
    )
