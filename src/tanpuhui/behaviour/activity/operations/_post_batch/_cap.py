"""Step 8, cap (活动量上限): what is left of an account's allowance, consumed in posting order.

Inside a posting the earlier activity comes first, then the lower row. Once posted nothing is cut again; a late
record gets what is left (house plan, section 3; research/methodologies.md section 2.5).
"""

from __future__ import annotations

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.tables import quoted
from tanpuhui.behaviour.activity.operations._post_batch._allowance import add_use, earlier_use
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.science.engine.model import Cap, MethodologyVersion

PERIOD_START = {
    "day": "k.day",
    "week": "date_trunc('week', k.day)::date",
    "month": "date_trunc('month', k.day)::date",
    "year": "date_trunc('year', k.day)::date",
    "lifetime": "date '1970-01-01'",
}


def apply_caps(desk: Desk) -> None:
    """Set `granted` in the inputs of rows that are clipped and calculate these again; note the use.

    Versions of one scenario share its allowance, so they are taken one after the other.
    """
    for version_id, version in sorted(desk.versions.items()):
        cap = version.cap
        if cap is None or cap.limit is None:
            continue
        if cap.period == "trip":
            _clip_each(desk, version_id, version, cap)
        else:
            _clip_by_account(desk, version_id, version, cap)
        _calculate_again(desk, version_id, version)


def _wanted(version: MethodologyVersion) -> str:
    """Return SQL for the capped quantity of a row in millionths; a record without the field uses none of it."""
    item = calculator.capped_field(version)
    if item is None:
        return f"{calculator.MICRO}::bigint"
    return f"(coalesce(i.{quoted(item.code)}, 0) * {calculator.MICRO})::bigint"


def _limit_micro(cap: Cap) -> int:
    limit = (cap.limit or 0) * calculator.MICRO
    return int(limit)


def _clip_each(desk: Desk, version_id: int, version: MethodologyVersion, cap: Cap) -> None:
    """Clip each record on its own."""
    desk.tables.execute(
        f"update inputs_{version_id} as i set granted = {calculator.from_micro(str(_limit_micro(cap)))} "
        f"where {_wanted(version)} > {_limit_micro(cap)}"
    )


def _clip_by_account(desk: Desk, version_id: int, version: MethodologyVersion, cap: Cap) -> None:
    """Clip by what the account has used since the start of the period, its earlier records of this file included."""
    tables = desk.tables
    tables.execute(
        f"create or replace table wanted as select k.row_number, k.scenario, k.account_id, k.started, "
        f"{PERIOD_START[cap.period]} as period_start, {_wanted(version)} as micro "
        f"from keyed as k join inputs_{version_id} as i on i.row_no = k.row_number"
    )
    tables.execute(
        "create or replace table total as select account_id, period_start, sum(micro)::bigint as micro "
        "from wanted group by all"
    )
    _register_use(desk, version.scenario, cap.quantity)
    limit = _limit_micro(cap)
    tables.execute(
        "create or replace table tight as select t.account_id, t.period_start, "
        f"greatest(0, {limit} - coalesce(u.micro, 0))::bigint as room from total as t left join used as u "
        f"using (account_id, period_start) where t.micro + coalesce(u.micro, 0) > {limit}"
    )
    tables.execute(
        "create or replace table clipped as select row_number, granted_micro from ("
        "select w.row_number, w.micro, least(t.room, s) - least(t.room, s - w.micro) as granted_micro from "
        "(select *, sum(micro) over (partition by account_id, period_start order by started, row_number)::bigint as s "
        "from wanted semi join tight using (account_id, period_start)) as w "
        "join tight as t using (account_id, period_start)) where granted_micro < micro"
    )
    tables.execute(
        f"update inputs_{version_id} as i set granted = {calculator.from_micro('c.granted_micro')} from "
        "(select row_number, granted_micro from clipped) as c where c.row_number = i.row_no"
    )
    use = tables.sql(
        "select w.account_id, w.period_start, sum(coalesce(c.granted_micro, w.micro))::bigint as micro "
        "from wanted as w left join clipped as c using (row_number) group by all"
    ).to_arrow_table()
    add_use(scenario=version.scenario, measure=cap.quantity, use=use)


def _register_use(desk: Desk, scenario: str, measure: str) -> None:
    """Give the tables what the accounts in question have used before, as `used`."""
    periods = [row[0] for row in desk.tables.execute("select distinct period_start from total").fetchall()]
    accounts = desk.tables.sql("select distinct account_id from total").to_arrow_table().column(0).to_numpy()
    found = earlier_use(scenario=scenario, measure=measure, periods=periods, accounts=accounts)
    desk.tables.register("used_before", found)
    desk.tables.execute(
        "create or replace table used as select account_id, period_start, sum(micro)::bigint as micro from used_before group by all"
    )


def _calculate_again(desk: Desk, version_id: int, version: MethodologyVersion) -> None:
    """Calculate the clipped rows with their allowance; all others keep their result."""
    tables = desk.tables
    tables.execute(
        f"create or replace table cut as select * from inputs_{version_id} where granted is not null"
    )
    if desk.counts("cut") == 0:
        return
    tables.execute("drop table if exists cut_result")
    calculator.calculate(tables, version, relation="cut", into="cut_result")
    if tables.execute("select 1 from cut_result where reason is not null limit 1").fetchall():
        message = f"a clipped record of version {version_id} lost its eligibility"
        raise AssertionError(message)
    tables.execute(
        f"update result_{version_id} as r set grams = c.grams, remainder_g = c.remainder_g "
        "from cut_result as c where c.row_no = r.row_no"
    )
