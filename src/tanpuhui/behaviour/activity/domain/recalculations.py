"""What recalculation decides without a database (重算): states, steps, bands of effect on persons, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.domain.postings import points_for
from tanpuhui.foundation.kernel.errors import Refusal

SUBJECT_TYPE = "recalculation"
PROCESS = "recalculation"
LEDGER_KIND = "recalculation"
"""The kind of the journals in which differences are posted (调整分录)."""

RECORDS_PER_SLICE = 200_000
SLICES_MAX = 256
TRACES_ERASED = "TRACES_ERASED"
"""Why a record keeps its result: what it was calculated from was lawfully erased (轨迹已依法删除)."""


class RecalculationState(StrEnum):
    """How far a recalculation has come; `failed` means that no preview could be had, and `fault` says why."""

    PREPARED = "prepared"
    FAILED = "failed"
    PREVIEWED = "previewed"
    PROPOSED = "proposed"
    ADJUSTING = "adjusting"
    DONE = "done"
    REJECTED = "rejected"


class NotRecalculable(Refusal):
    """Stored records cannot be calculated with this version (不能重算)."""

    code = "NOT_RECALCULABLE"
    zh = "不能用这个版本重算：{why_zh}。"
    en = "Stored records cannot be recalculated with this version: {why_en}."


class NothingToRecalculate(Refusal):
    """No posting of the months stands under the old version (没有可重算的入账)."""

    code = "NOTHING_TO_RECALCULATE"
    zh = "{scenario} 从 {first_month} 到 {last_month} 没有按旧版本入账的记录，不用重算。"
    en = "From {first_month} to {last_month}, no records of {scenario} stand under the old version; there is nothing to recalculate."


class RecalculationOpen(Refusal):
    """A scenario is recalculated once at a time (重算进行中)."""

    code = "RECALCULATION_OPEN"
    zh = "{scenario} 的第 {id} 号重算还没有办结，不能再提出一次。请先办结那一次。"
    en = "Recalculation {id} of {scenario} is still open, so another cannot be proposed. Finish that one first."


class PreviewOutdated(Refusal):
    """Another recalculation was posted since the preview, so it no longer says what would happen (试算过期)."""

    code = "PREVIEW_OUTDATED"
    zh = "试算以后，{scenario} 已经完成第 {id} 号重算，这次试算不再准确。请重新试算。"
    en = "Recalculation {id} of {scenario} was finished after this preview, which no longer holds. Prepare a new one."


class VersionNotFiled(Refusal):
    """Only a filed version changes accounts (未备案)."""

    code = "VERSION_NOT_FILED"
    zh = "方法学 {code} {version} 还没有备案，只能试算，不能提出重算。请先完成备案。"
    en = "Methodology {code} {version} is not filed; it can be previewed, but not proposed. File it first."


class WrongRecalculationState(Refusal):
    """The recalculation is not where this can happen."""

    code = "WRONG_RECALCULATION_STATE"
    zh = "第 {id} 号重算现为“{state}”，不能这样办理。请刷新页面看最新情况。"
    en = "Recalculation {id} is {state}, where this cannot be done. Reload the page."


class RecalculationNotDecided(Refusal):
    """What becomes of a recalculation follows the decision of its case and nothing else."""

    code = "RECALCULATION_NOT_DECIDED"
    zh = "案件 {case_id} 没有对第 {id} 号重算作出“{outcome}”的决定。请在案件中办理。"
    en = "Case {case_id} has not decided {outcome} on recalculation {id}. Decide it in the case."


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a step works: a month, and the slice of the accounts."""

    month: str
    slice: int


def place_of(number: int, months: Sequence[str]) -> Place:
    """Return the place of a step: all months of a slice, then the next slice, so that a person is seen whole."""
    return Place(month=months[number % len(months)], slice=number // len(months))


def slice_count(records_of_largest_month: int) -> int:
    """Return into how many slices the accounts go: a power of two, 1 to 256, so that a slice's month fits in memory.

    Chunks are buckets of account % power of two, so each slice reads whole chunks or a part of one.
    """
    wanted = -(-records_of_largest_month // RECORDS_PER_SLICE)
    return min(SLICES_MAX, 1 << (wanted - 1).bit_length()) if wanted > 1 else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSpan:
    """The points rule that a posting used for the days from first to last (both included)."""

    posting_id: int
    first_day: date
    last_day: date
    per_gram: Fraction


def points_change(
    old_grams: NDArray[np.int64], new_grams: NDArray[np.int64], per_gram: Fraction
) -> NDArray[np.int64]:
    """Return the change in points of account-days of postings: what the new grams give less what the old ones gave.

    Each by the dated rule the posting used (FLOOR_1P), so that going back to the old version takes back exactly what
    going to the new one gave.
    """
    change: NDArray[np.int64] = points_for(new_grams, per_gram) - points_for(old_grams, per_gram)
    return change


BANDS: tuple[tuple[int | None, int | None], ...] = (
    (None, -10_000),
    (-9_999, -1_000),
    (-999, -100),
    (-99, -1),
    (0, 0),
    (1, 99),
    (100, 999),
    (1_000, 9_999),
    (10_000, None),
)
"""Bands of a person's change in grams (both ends included), from the greatest loss to the greatest gain."""


def count_bands(changes: NDArray[np.int64]) -> list[int]:
    """Return how many of the changes lie in each of BANDS; every change lies in exactly one."""
    edges = np.array([low for low, _ in BANDS if low is not None], np.int64)
    counts = np.bincount(np.searchsorted(edges, changes, side="right"), minlength=len(BANDS))
    return [int(count) for count in counts]


_ONCE = {"postings": max, "greatest_loss": min, "greatest_gain": max}
"""What is not a sum over slices: every slice sees every posting, and the extremes are those of all."""


def merged(before: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the effect on some slices of accounts with that on one more; both count whole numbers by name."""
    if not before:
        return dict(one)
    found: dict[str, Any] = {}
    for name, value in one.items():
        if name in _ONCE:
            found[name] = _ONCE[name](before[name], value)
        elif name in {"months", "cities"}:
            found[name] = _by_label(before[name], value, label="month" if name == "months" else "area")
        elif name == "bands":
            found[name] = [a + b for a, b in zip(before[name], value, strict=True)]
        elif name == "not_counted":
            found[name] = {
                key: before[name].get(key, 0) + value.get(key, 0) for key in {*before[name], *value}
            }
        else:
            found[name] = before[name] + value
    return found


def _by_label(
    before: Sequence[Mapping[str, Any]], some: Sequence[Mapping[str, Any]], *, label: str
) -> list[Any]:
    """Add up rows of counts that have the same label, in its order."""
    rows: dict[str, dict[str, Any]] = {row[label]: dict(row) for row in before}
    for row in some:
        known = rows.get(row[label])
        rows[row[label]] = (
            dict(row)
            if known is None
            else {label: row[label]} | {name: known[name] + row[name] for name in row if name != label}
        )
    return [rows[name] for name in sorted(rows)]
