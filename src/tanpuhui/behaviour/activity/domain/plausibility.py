"""What makes a record implausible (合理性), and what the rule says becomes of it.

Values are the operator's to decide; research/methodologies.md section 2.6 names the checks, with confidence ENG.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

DOUBTS = ("IMPLAUSIBLE_PLACE", "IMPLAUSIBLE_SPEED", "IMPLAUSIBLE_DISTANCE", "IMPLAUSIBLE_FREQUENCY")
"""Reasons in the order in which one stands for a record that has several; its place, from 1, is the part of held rows."""
REFUSED_IN_REVIEW = "REFUSED_IN_REVIEW"
HELD = "HELD_FOR_REVIEW"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlausibleLimits:
    """The limits of one scenario; None is not judged. What exceeds one is held for review, or rejected at once."""

    speed_kmh_max: Decimal | None = None
    distance_km_max: Decimal | None = None
    records_per_day_max: int | None = None
    city_change_s_min: int | None = None
    rejects: bool = False

    @property
    def judges(self) -> bool:
        """Say whether any limit is set."""
        limits = (self.speed_kmh_max, self.distance_km_max, self.records_per_day_max, self.city_change_s_min)
        return any(one is not None for one in limits)
