"""Where scenarios stand: now, on a day, and every decision that led there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.domain.standing import Span, Standing, StatusRow, standing_on, stops
from tanpuhui.behaviour.activity.models import ScenarioStatus, StandingChange
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusView:
    """One decision on where a scenario stands."""

    standing: str
    from_day: date
    reason: str
    case_id: int
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingChangeView:
    """A change that was proposed."""

    id: int
    scenario: str
    scenario_zh: str
    scenario_en: str
    standing: str
    from_day: date
    reason: str
    state: str
    case_id: int | None
    proposed_at: datetime


def statuses(scenario: str) -> tuple[StatusView, ...]:
    """Return every decision on a scenario, the latest first; none where it has run since it was opened."""
    rows = ScenarioStatus.objects.filter(scenario__code=scenario).order_by("-id")
    return tuple(
        StatusView(
            standing=row.standing, from_day=row.from_day, reason=row.reason, case_id=row.case_id, at=row.at
        )
        for row in rows
    )


def standing_change(change_id: int) -> StandingChangeView:
    """Return a proposed change. Raises NotFound."""
    row = StandingChange.objects.select_related("scenario").filter(pk=change_id).first()
    if row is None:
        raise NotFound(what="场景状态变更 / standing change", id=change_id)
    return StandingChangeView(
        id=row.pk,
        scenario=row.scenario.code,
        scenario_zh=row.scenario.name_zh,
        scenario_en=row.scenario.name_en,
        standing=row.standing,
        from_day=row.from_day,
        reason=row.reason,
        state=row.state,
        case_id=row.case_id,
        proposed_at=row.proposed_at,
    )


def standing_now(scenario_id: int, day: date) -> Standing:
    """Return how a scenario stands on a day."""
    return standing_on(rows_of([scenario_id]).get(scenario_id, ()), day)


def stops_of(scenario_ids: Sequence[int]) -> dict[int, tuple[Span, ...]]:
    """Return the days on which each of these scenarios does not run."""
    return {scenario_id: stops(rows) for scenario_id, rows in rows_of(scenario_ids).items()}


def rows_of(scenario_ids: Sequence[int]) -> dict[int, tuple[StatusRow, ...]]:
    """Return the decisions on these scenarios in the order in which they were made."""
    found: dict[int, list[StatusRow]] = {}
    for row in ScenarioStatus.objects.filter(scenario_id__in=scenario_ids).order_by("id"):
        found.setdefault(row.scenario_id, []).append(
            StatusRow(standing=Standing(row.standing), from_day=row.from_day)
        )
    return {scenario_id: tuple(rows) for scenario_id, rows in found.items()}
