"""Preview a recalculation (试算): work out slice after slice what it would change, by month, city and person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters.steps import Work, net_days, worked
from tanpuhui.behaviour.activity.domain.recalculations import (
    TRACES_ERASED,
    RecalculationState,
    count_bands,
    merged,
)
from tanpuhui.behaviour.activity.models import Recalculation
from tanpuhui.behaviour.activity.operations._recalculate._propose import locked
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal

COUNTED = ("records", "changed", "old_grams", "grams")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationPreviewed:
    """The preview is there, or why there can be none."""

    recalculation_id: int
    state: str


@operation(roles={Role.SYSTEM}, subject="recalculation:{recalculation_id}")
def preview_recalculation(*, actor: Actor, at: datetime, recalculation_id: int) -> RecalculationPreviewed:
    """Work out the effect on the next slice of accounts, and keep it; with the last slice the preview is there.

    Nothing is posted, and one that has its preview is left as it is. A version that cannot be used any more ends it as
    failed, with the reason. Raises NotFound.
    """
    run = locked(recalculation_id)
    if run.state == RecalculationState.PREPARED:
        try:
            run.preview = merged(run.preview, _slice_effect(run, run.preview.get("slices", 0)))
        except Refusal as refusal:
            run.fault = f"{refusal.message('zh')} / {refusal.message('en')}"
            run.state = RecalculationState.FAILED
        else:
            if run.preview["slices"] == run.slices:
                run.state = RecalculationState.PREVIEWED
        run.save(update_fields=["preview", "state", "fault"])
    return RecalculationPreviewed(recalculation_id=run.pk, state=run.state)


def _counts() -> dict[str, int]:
    return dict.fromkeys((*COUNTED, "points"), 0)


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What was seen so far; persons are counted when all months of their slice have been seen."""

    postings: set[int] = field(default_factory=set)
    months: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(_counts))
    cities: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(_counts))
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    account_days: int = 0
    accounts: int = 0
    bands: NDArray[np.int64] = field(default_factory=lambda: np.array(count_bands(np.zeros(0, np.int64))))
    greatest_loss: int = 0
    greatest_gain: int = 0
    short_accounts: int = 0
    short_points: int = 0

    def see(self, work: Work) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Count a step and return the changes of persons in it: account, grams, points."""
        tables = work.tables
        self.postings.update(member.posting_id for member in work.postings)
        for area, *values in tables.execute(
            "select area[:4] || '00', count(*), count(*) filter (where grams != old_grams), "
            "sum(old_grams + old_floor)::bigint, sum(grams + floor_g)::bigint from record group by 1 order by 1"
        ).fetchall():
            for name, value in zip(COUNTED, values, strict=True):
                self.cities[area][name] += value
                self.months[work.place.month][name] += value
        for reason, n in tables.execute(
            "select reason, count(*) from record where reason is not null group by 1 order by 1"
        ).fetchall():
            self.reasons[reason] += n
        self.account_days += net_days(tables).num_rows
        persons = tables.sql(
            "select account_id, sum(grams - old_grams)::bigint as grams, sum(points)::bigint as points from day "
            "group by account_id order by account_id"
        ).to_arrow_table()
        account, grams, points = (persons.column(name).to_numpy() for name in persons.column_names)
        self.months[work.place.month]["points"] += int(points.sum())
        return account, grams, points

    def count_persons(self, seen: Sequence[tuple[NDArray[np.int64], ...]]) -> None:
        """Add up the months of a slice's persons and count them by how much they gain or lose."""
        account, grams, points = (np.concatenate(columns) for columns in zip(*seen, strict=True))
        persons, place = np.unique(account, return_inverse=True)
        grams_of, points_of = np.zeros(len(persons), np.int64), np.zeros(len(persons), np.int64)
        np.add.at(grams_of, place, grams)
        np.add.at(points_of, place, points)
        self.accounts += len(persons)
        self.bands += np.array(count_bands(grams_of), np.int64)
        self.greatest_loss = min(self.greatest_loss, int(grams_of.min(initial=0)))
        self.greatest_gain = max(self.greatest_gain, int(grams_of.max(initial=0)))
        losing = points_of < 0
        accounts, short = ledger.points_shortage(persons[losing].tolist(), (-points_of[losing]).tolist())
        self.short_accounts += accounts
        self.short_points += short.value

    def as_json(self) -> dict[str, Any]:
        totals = {name: sum(month[name] for month in self.months.values()) for name in _counts()}
        kept = self.reasons.pop(TRACES_ERASED, 0)
        return {
            **totals,
            "slices": 1,
            "postings": len(self.postings),
            "kept": kept,
            "not_counted": dict(self.reasons),
            "account_days": self.account_days,
            "accounts": self.accounts,
            "bands": self.bands.tolist(),
            "greatest_loss": self.greatest_loss,
            "greatest_gain": self.greatest_gain,
            "short_accounts": self.short_accounts,
            "short_points": self.short_points,
            "months": [{"month": month, **counts} for month, counts in sorted(self.months.items())],
            "cities": [{"area": area, **counts} for area, counts in sorted(self.cities.items())],
        }


def _slice_effect(run: Recalculation, index: int) -> dict[str, Any]:
    """Work out all months of a slice, so that its persons are seen whole."""
    tally, seen = _Tally(), []
    months = len(run.months)
    for number in range(index * months, (index + 1) * months):
        with worked(run, number) as work:
            seen.append(tally.see(work))
    tally.count_persons(seen)
    return tally.as_json()
