"""What the ledger decides without a database: its refusals, the shape of a bulk posting, lots first in first out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Points


class InsufficientBalance(Refusal):
    """The account has less than the transfer takes (余额不足)."""

    code = "INSUFFICIENT_BALANCE"
    zh = "余额不足：现有 {grams} 克、{points} 积分、{fen} 分，不够这一笔。请减少数量，或等新的减排入账。"
    en = "Not enough: the account holds {grams} g, {points} points, {fen} fen. Take less, or wait for new credits."


class ReferenceReused(Refusal):
    """The same kind and reference came with other amounts or accounts (凭证号已用)."""

    code = "LEDGER_REFERENCE_REUSED"
    zh = "凭证 {kind}/{reference} 已经用于另一笔分录。请核对后换一个凭证号。"
    en = "The reference {kind}/{reference} already stands for another booking. Check it and use a new reference."


class UnknownAccount(Refusal):
    """A posting names an account that was never opened, or a system account as an owner's (账户不存在)."""

    code = "LEDGER_ACCOUNT_UNKNOWN"
    zh = "有账户尚未开立（{accounts}）。请先开户，再重新提交整笔。"
    en = "Some accounts were never opened ({accounts}). Open them first, then post the whole journal again."


class NotABooking(Refusal):
    """The amounts or accounts do not make a booking (不成一笔分录)."""

    code = "LEDGER_NOT_A_BOOKING"
    zh = "这不成一笔分录：{why}。请改正后再提交。"
    en = "This does not make a booking: {why}. Correct it and submit again."


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDayLegs:
    """The legs of a bulk posting, one per account and business day, as columns sorted by account, then day.

    `grams`, `points` and `n_records` are whole numbers (g, points, records); `day` is datetime64[D].
    """

    account_id: NDArray[np.int64]
    day: NDArray[np.datetime64]
    grams: NDArray[np.int64]
    points: NDArray[np.int64]
    n_records: NDArray[np.int64]

    def __post_init__(self) -> None:
        columns = (self.account_id, self.grams, self.points, self.n_records)
        if any(column.dtype != np.int64 for column in columns) or self.day.dtype != np.dtype("datetime64[D]"):
            raise NotABooking(why="columns are int64, days are datetime64[D]")
        if (
            any(column.shape != self.account_id.shape for column in (*columns, self.day))
            or self.account_id.ndim != 1
        ):
            raise NotABooking(why="columns differ in length")
        if self.account_id.size == 0:
            raise NotABooking(why="there are no legs")
        later = (self.account_id[1:] > self.account_id[:-1]) | (
            (self.account_id[1:] == self.account_id[:-1]) & (self.day[1:] > self.day[:-1])
        )
        if not later.all():
            raise NotABooking(why="legs are not sorted by account and day, or one stands twice")

    @property
    def takes(self) -> bool:
        """Say whether a leg takes something away."""
        return bool((self.grams < 0).any() or (self.points < 0).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsLot:
    """Points credited for one business day and not yet used (积分批次); they lapse at the end of `expires_on`."""

    day: date
    points: Points
    expires_on: date | None


def open_lots(
    credited: Iterable[tuple[date, Points]], used: Points, expires_on: Callable[[date], date | None]
) -> tuple[PointsLot, ...]:
    """Return what is left of each day's credit after `used` points were taken, the oldest first.

    `used` is everything ever taken less everything ever given back, so that a refund restores the very lots it
    came from, with their first expiry. Clause: policy notes section 5 (first in, first out; a reversal restores
    the original lots).
    """
    left = used.value
    if left < 0:
        message = "more points were given back than were ever taken"
        raise ValueError(message)
    per_day: dict[date, int] = {}
    for day, points in credited:
        per_day[day] = per_day.get(day, 0) + points.value
    lots = []
    for day in sorted(per_day):
        taken = min(left, per_day[day])
        left -= taken
        if per_day[day] > taken:
            rest = Points(per_day[day] - taken)
            lots.append(PointsLot(day=day, points=rest, expires_on=expires_on(day)))
    if left:
        message = "more points were taken than were ever credited"
        raise ValueError(message)
    return tuple(lots)
