"""What others may act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaysChanged:
    """The holiday table says something else than before: what was reckoned in working days is reckoned again."""
