"""Facts of carbon accounts that others act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthPooled:
    """A month of a scenario was pooled (已归集) and can go into a project's monitoring report."""

    pool_id: int
    scenario: str
    month: str
