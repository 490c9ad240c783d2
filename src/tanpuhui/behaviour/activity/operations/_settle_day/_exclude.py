"""Step 4, exclude (互斥组): of an exclusion group only one side counts for a person and day, whoever reported it.

The same rule as science/engine/exclusion.py, for many persons at once. What an earlier settlement of the day posted stands,
so its side has won already. Grams are those before any cap, because a cap is used in the order of settling.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters.tables import open_tables, text
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.science.engine.model import Exclusion, MethodologyVersion
from tanpuhui.science.methodology import queries as methodology

EXCLUDED = "EXCLUDED"

_LOSERS = """
with side as (
  select account_id, "group", side, min(keep) as keep, bool_or(posted) as posted, sum(grams) as grams,
    min(tier) as tier, min(place) as first from claim group by all
), ranked as (
  select account_id, "group", side, row_number() over (partition by account_id, "group" order by posted desc,
    case keep when 'evidence' then tier else 0 end, case keep when 'first' then 0 else -grams end, first) as n from side
)
select c.batch_id, c.row_number, c."group" from claim as c join ranked as r using (account_id, "group", side)
where r.n > 1 and not c.posted
"""


def exclusion_of(version: MethodologyVersion) -> Exclusion | None:
    """Return the version's exclusion of a person's day; other scopes and periods are not settled by day."""
    return next((one for one in version.exclusions if (one.scope, one.period) == ("account", "day")), None)


def exclude(desks: Sequence[Desk], posted: pa.Table) -> None:
    """Settle the rows of `eligible` on any desk whose side of an exclusion group lost; `posted` are RIDES that stand."""
    claims = [_claims(place, desk) for place, desk in enumerate(desks)]
    claims = [table for table in claims if table is not None]
    if not claims:
        return
    with closing(open_tables()) as tables:
        tables.register("claims", pa.concat_tables([*claims, *_posted(posted)]))
        tables.execute("create table claim as select * from claims")
        losers = tables.sql(_LOSERS).to_arrow_table()
    for desk in desks:
        desk.tables.register("lost_claim", losers)
        desk.settle_from(
            f"select row_number, '{EXCLUDED}' as reason, '' as field, \"group\" as value from lost_claim "
            f"where batch_id = {desk.batch_id}"
        )
        desk.tables.unregister("lost_claim")


def _claims(place: int, desk: Desk) -> pa.Table | None:
    """Return what the rows of a desk claim; `place` orders the batches as they came."""
    selects = []
    for version_id, version in sorted(desk.versions.items()):
        rule = exclusion_of(version)
        if rule is not None:
            side = text(f"side {rule.side}") if rule.side else f"'own {desk.batch_id}:' || e.row_number"
            selects.append(
                f'select e.account_id, {text(rule.group)} as "group", {side} as side, {text(rule.keep)} as keep, '
                f"{desk.batch_id}::bigint as batch_id, e.row_number, r.grams::bigint as grams, "
                f"e.evidence_tier::smallint as tier, ({place}::bigint << 40) + e.row_number as place, {str(desk.stands).lower()} as posted "
                f"from eligible as e join result_{version_id} as r on r.row_no = e.row_number "
                f"where e.version_id = {version_id}"
            )
    return desk.tables.sql(" union all ".join(selects)).to_arrow_table() if selects else None


def _posted(rides: pa.Table) -> list[pa.Table]:
    """Return the claims of what is posted already; they have won, so their grams do not matter."""
    found = []
    with closing(open_tables()) as tables:
        tables.register("ride", rides)
        for version_id in rides.column("version_id").unique().to_pylist():
            rule = exclusion_of(methodology.loaded(version_id))
            if rule is not None:
                side = text(f"side {rule.side}") if rule.side else "'own ' || batch_id || ':' || row_number"
                found.append(
                    tables.sql(
                        f'select account_id, {text(rule.group)} as "group", {side} as side, {text(rule.keep)} as keep, '
                        "batch_id, row_number, 0::bigint as grams, tier::smallint as tier, -1::bigint as place, true as posted "
                        f"from ride where version_id = {version_id}"
                    ).to_arrow_table()
                )
    return found
