"""How good a partner's data of a day are (数据质量), and what is out of line with its days before. Shares are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from statistics import median_low

DAYS_COMPARED_MIN = 5
"""With fewer days before, a day is compared with nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFigures:
    """What a partner sent on a day: rows, those accepted (they count, are part of a trip, or wait), repeats, rejected ones.

    `delay_days` is the sum over the accepted records of the days from activity to receipt, of `dated` records. `grams` are
    those of the `counted` records.
    """

    day: date
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    counted: int
    grams: int
    delay_days: int
    dated: int

    @property
    def score(self) -> Fraction | None:
        """Return the share of the rows that were accepted, None where none came."""
        return _share(self.accepted, self.rows)

    @property
    def duplicate_share(self) -> Fraction | None:
        """Return the share of repeats."""
        return _share(self.duplicates, self.rows)

    @property
    def rejected_share(self) -> Fraction | None:
        """Return the share of rejected rows."""
        return _share(self.rejected, self.rows)

    @property
    def delay(self) -> Fraction | None:
        """Return the mean number of days from activity to receipt."""
        return _share(self.delay_days, self.dated)

    @property
    def grams_each(self) -> Fraction | None:
        """Return the mean grams of a record that counts."""
        return _share(self.grams, self.counted)


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityLimits:
    """The limits of the rules; None is not judged."""

    volume_share_min: Fraction | None = None
    volume_share_max: Fraction | None = None
    duplicate_share_max: Fraction | None = None
    rejected_share_max: Fraction | None = None
    delay_days_max: Fraction | None = None
    drift_share_max: Fraction | None = None


VOLUME_LOW, VOLUME_HIGH, DUPLICATES, REJECTED, DELAY, DRIFT = (
    "VOLUME_LOW", "VOLUME_HIGH", "DUPLICATES", "REJECTED", "DELAY", "DRIFT",
)  # fmt: skip


def alerts(found: DayFigures, before: Sequence[DayFigures], limits: QualityLimits) -> tuple[str, ...]:
    """Return what of a day is beyond its limit. Volume and drift are compared with the median of the days before."""
    seen = []
    sent = [one for one in before if one.rows]
    if len(sent) >= DAYS_COMPARED_MIN:
        usual = median_low(one.rows for one in sent)
        if limits.volume_share_min is not None and found.rows < limits.volume_share_min * usual:
            seen.append(VOLUME_LOW)
        if limits.volume_share_max is not None and found.rows > limits.volume_share_max * usual:
            seen.append(VOLUME_HIGH)
        means = [one.grams_each for one in sent if one.grams_each is not None]
        mean = found.grams_each
        if limits.drift_share_max is not None and means and mean is not None:
            middle = median_low(means)
            if abs(mean - middle) > limits.drift_share_max * abs(middle):
                seen.append(DRIFT)
    for code, value, limit in (
        (DUPLICATES, found.duplicate_share, limits.duplicate_share_max),
        (REJECTED, found.rejected_share, limits.rejected_share_max),
        (DELAY, found.delay, limits.delay_days_max),
    ):
        if value is not None and limit is not None and value > limit:
            seen.append(code)
    return tuple(seen)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
