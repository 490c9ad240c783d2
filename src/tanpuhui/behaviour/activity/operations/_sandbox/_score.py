"""The rules that a sample is judged by (评分规则): weights, thresholds, and what the scheme itself still lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tanpuhui.behaviour.activity.domain.applications import ScenarioContent
from tanpuhui.behaviour.activity.domain.quality import (
    Check,
    ColumnFound,
    Component,
    Measure,
    Precondition,
    SampleVerdict,
    Share,
    VersionUsed,
    checks_of,
    verdict_of,
)
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.queries._applications import in_force_or_to_come, methodology_of
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology

WEIGHT = "quality.weight"
TIMELY_HOURS = "quality.timely_hours"
THRESHOLDS = {
    "rows_min": "quality.rows_min",
    "valid_share_min": "quality.valid_share_min",
    "score_min": "quality.score_min",
}
RULES_NEEDED = ("intake.lateness_days_max", "points.per_gram")
"""The rules of a scenario without which posting refuses its records."""
MINUTES_PER_HOUR = 60


def timely_minutes(at: datetime) -> int | None:
    """Return within how many minutes a record counts as timely, None while the rule is unset."""
    hours = rulebook.parameter(key=TIMELY_HOURS, at=at).value
    return int(hours) * MINUTES_PER_HOUR if hours is not None else None


def components(shares: Mapping[str, Share], *, at: datetime, numbers: bool) -> tuple[Component, ...]:
    """Return the measures with their weights; plausibility applies only where the methodology has numbers."""
    found = []
    for measure in Measure:
        weight = rulebook.parameter(key=WEIGHT, at=at, scope=measure.value).value
        if measure is Measure.TIMELY and timely_minutes(at) is None:
            weight = None
        found.append(
            Component(
                measure=measure.value,
                share=shares[measure.value],
                weight=int(weight) if weight is not None else None,
                applies=numbers or measure is not Measure.PLAUSIBLE,
            )
        )
    return tuple(found)


def checks(
    *,
    rows: int,
    counted: int,
    valid: Share,
    weighed: Sequence[Component],
    columns: Sequence[ColumnFound],
    fault: str,
    at: datetime,
) -> tuple[tuple[Check, ...], SampleVerdict]:
    """Return the conditions of passing, and what they come to."""
    found = checks_of(
        rows=rows,
        counted=counted,
        valid=valid,
        components=weighed,
        undeclared=[column.name for column in columns if not column.declared],
        fault=fault,
        thresholds={code: rulebook.parameter(key=key, at=at).value for code, key in THRESHOLDS.items()},
    )
    return found, verdict_of(found)


def versions_used(desk: Desk, *, at: datetime) -> tuple[VersionUsed, ...]:
    """Return the versions that calculated, with how many of the rows that count."""
    found = []
    for version_id in sorted(desk.versions):
        view = methodology.version(version_id)
        (rows,) = desk.tables.execute(
            "select count(*) from fresh where version_id = ?", [version_id]
        ).fetchone()
        found.append(
            VersionUsed(
                version_id=version_id,
                code=view.code,
                version=view.version,
                filed=in_force_or_to_come(view, day=business_day(at)),
                rows=rows,
            )
        )
    return tuple(found)


def preconditions(desk: Desk, said: ScenarioContent, *, at: datetime) -> tuple[Precondition, ...]:
    """Return what must still be there before records of the scenario can be posted; the sample is not at fault."""
    found = []
    view = methodology_of(said, day=business_day(at))
    if view is None:
        found.append(Precondition(code="METHODOLOGY_MISSING", detail=said.methodology_code))
    elif not in_force_or_to_come(view, day=business_day(at)):
        found.append(Precondition(code="METHODOLOGY_NOT_FILED", detail=f"{view.code} {view.version}"))
    found.extend(
        Precondition(
            code="METHODOLOGY_BLOCKED",
            detail=f"{version.code} {version.version}: {', '.join(version.blocked_by)}",
        )
        for version in desk.versions.values()
        if version.blocked_by
    )
    found.extend(
        Precondition(code="RULE_UNSET", detail=f"{key} [{said.code}]")
        for key in RULES_NEEDED
        if rulebook.parameter(key=key, at=at, scope=said.code).value is None
    )
    return tuple(found)
