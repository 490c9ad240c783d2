"""What accounts have used of an allowance (已用额度): sorted runs of accounts in blocks, merged as they grow.

A row per account would cost a posting as much as its balances. A posting appends one run per period instead; a run that is not
more than twice as long is merged into the new one first, so that a period has few runs however many postings it had, and
an account is written again about as often as the runs double. The caller holds the lock of posting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.foundation.persistence.bulk import copy_payloads

BLOCK_ACCOUNTS = 4096
MERGED_UP_TO = 2
_KINDS = {
    "scenario": "text", "measure": "text", "period_start": "date", "run": "int4", "first_account": "int8",
    "last_account": "int8", "n_accounts": "int4", "accounts": "bytea", "used_micro": "bytea",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Accounts in ascending order, and what each used, in millionths of the measure's unit."""

    accounts: NDArray[np.int64]
    micro: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.accounts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a block stands: its period, run, and first and last account."""

    period: date
    run: int
    first: int
    last: int
    size: int


def earlier_use(
    *, scenario: str, measure: str, periods: Sequence[date], accounts: NDArray[np.int64] | None = None
) -> pa.Table:
    """Return account_id, period_start and micro of what was used before; of all accounts if none are named.

    An account can stand in several rows; what it used is their sum.
    """
    places = _places(scenario, measure, periods)
    if accounts is not None:
        sought = np.unique(accounts)
        places = [
            one
            for one in places
            if np.searchsorted(sought, one.first) < np.searchsorted(sought, one.last, "right")
        ]
    runs = list(_blocks(scenario, measure, places))
    return pa.table(
        {
            "account_id": np.concatenate([np.empty(0, np.int64), *(run.accounts for _, run in runs)]),
            "period_start": np.concatenate(
                [
                    np.empty(0, "datetime64[D]"),
                    *(np.full(len(run), place.period, "datetime64[D]") for place, run in runs),
                ]
            ),
            "micro": np.concatenate([np.empty(0, np.int64), *(run.micro for _, run in runs)]),
        }
    )


def add_use(*, scenario: str, measure: str, use: pa.Table) -> None:
    """Add to what accounts have used: account_id, period_start, micro; an account once per period."""
    if use.num_rows == 0:
        return
    accounts = use.column("account_id").to_numpy()
    micro = use.column("micro").to_numpy()
    starts = use.column("period_start").to_numpy().astype("datetime64[D]")
    periods: list[date] = [one.item() for one in np.unique(starts)]
    standing: dict[date, list[_Place]] = {period: [] for period in periods}
    for place in _places(scenario, measure, periods):
        standing[place.period].append(place)
    for period in periods:
        own = starts == np.datetime64(period)
        run = merged([Run(accounts=accounts[own], micro=micro[own])])
        _append(scenario, measure, period, run, standing[period])


def merged(runs: Sequence[Run]) -> Run:
    """Return one run of several; an account that stands in more than one gets the sum."""
    accounts = np.concatenate([run.accounts for run in runs])
    micro = np.concatenate([run.micro for run in runs])
    order = np.argsort(accounts, kind="stable")
    accounts, micro = accounts[order], micro[order]
    if not len(accounts):
        return Run(accounts=accounts, micro=micro)
    starts = np.flatnonzero(np.concatenate(([True], accounts[1:] != accounts[:-1])))
    return Run(accounts=accounts[starts], micro=np.add.reduceat(micro, starts))


def _append(scenario: str, measure: str, period: date, run: Run, standing: Sequence[_Place]) -> None:
    """Write a run behind those that stand, after taking in the last ones that are not much longer."""
    last = max((place.run for place in standing), default=0)
    taken: list[int] = []
    while last > 0:
        own = [place for place in standing if place.run == last]
        if sum(place.size for place in own) > MERGED_UP_TO * len(run):
            break
        run = merged([run, *(block for _, block in _blocks(scenario, measure, own))])
        taken.append(last)
        last = max((place.run for place in standing if place.run < last), default=0)
    with connection.cursor() as cursor:
        if taken:
            cursor.execute(
                "delete from activity_allowance_use where scenario = %s and measure = %s and period_start = %s "
                "and run = any(%s)",
                [scenario, measure, period, taken],
            )
        copy_payloads(
            cursor,
            "activity_allowance_use",
            _KINDS,
            (
                (
                    scenario,
                    measure,
                    period,
                    last + 1,
                    int(run.accounts[start]),
                    int(run.accounts[end - 1]),
                    end - start,
                    run.accounts[start:end].astype("<i8").tobytes(),
                    run.micro[start:end].astype("<i8").tobytes(),
                )
                for start, end in _cuts(len(run))
            ),
        )


def _cuts(size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, size, BLOCK_ACCOUNTS):
        yield start, min(start + BLOCK_ACCOUNTS, size)


def _places(scenario: str, measure: str, periods: Sequence[date]) -> list[_Place]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select period_start, run, first_account, last_account, n_accounts from activity_allowance_use "
            "where scenario = %s and measure = %s and period_start = any(%s) order by 1, 2, 3",
            [scenario, measure, list(periods)],
        )
        return [
            _Place(period=row[0], run=row[1], first=row[2], last=row[3], size=row[4])
            for row in cursor.fetchall()
        ]


def _blocks(scenario: str, measure: str, places: Sequence[_Place]) -> Iterator[tuple[_Place, Run]]:
    """Yield the blocks of these places."""
    if not places:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "select u.period_start, u.run, u.first_account, u.last_account, u.n_accounts, u.accounts, u.used_micro "
            "from activity_allowance_use u join unnest(%s::date[], %s::int[], %s::bigint[]) as w(period_start, run, first_account) "
            "using (period_start, run, first_account) where u.scenario = %s and u.measure = %s",
            [
                [place.period for place in places],
                [place.run for place in places],
                [place.first for place in places],
                scenario,
                measure,
            ],
        )
        for period, run, first, last, size, accounts, micro in cursor.fetchall():
            yield (
                _Place(period=period, run=run, first=first, last=last, size=size),
                Run(
                    accounts=np.frombuffer(bytes(accounts), "<i8").astype(np.int64),
                    micro=np.frombuffer(bytes(micro), "<i8").astype(np.int64),
                ),
            )
