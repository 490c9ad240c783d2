"""Impact assessments as the desk shows them, and that each that stands was decided (个人信息保护影响评估)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tanpuhui.behaviour.activity.domain.assessments import AssessmentState, kept_until
from tanpuhui.behaviour.activity.models import ImpactAssessment
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class AssessmentView:
    """An assessment of a scenario, and the day up to which it is kept at least."""

    id: int
    scenario: str
    necessity: str
    impact: str
    measures: str
    assessed_on: date
    kept_until: date
    state: AssessmentState
    case_id: int


def assessments(scenario: str) -> tuple[AssessmentView, ...]:
    """Return the assessments of a scenario, the latest first."""
    rows = ImpactAssessment.objects.filter(scenario__code=scenario).select_related("scenario").order_by("-id")
    return tuple(_view(row) for row in rows)


def assessment(assessment_id: int) -> AssessmentView:
    """Return one assessment. Raises NotFound."""
    row = ImpactAssessment.objects.filter(pk=assessment_id).select_related("scenario").first()
    if row is None:
        raise NotFound(what="影响评估 / impact assessment", id=assessment_id)
    return _view(row)


def assessment_breaches() -> Iterator[Breach]:
    """Report assessments that stand without a case that decided so."""
    for row in ImpactAssessment.objects.filter(state=AssessmentState.APPROVED).order_by("id").iterator():
        if row.case_id is None or workflow.latest_outcome(row.case_id) != "approve":
            yield Breach(
                "activity.assessments_are_decided", f"impact_assessment:{row.pk}", "stands without its case"
            )


def _view(row: ImpactAssessment) -> AssessmentView:
    return AssessmentView(
        id=row.pk,
        scenario=row.scenario.code,
        necessity=row.necessity,
        impact=row.impact,
        measures=row.measures,
        assessed_on=row.assessed_on,
        kept_until=kept_until(row.assessed_on),
        state=AssessmentState(row.state),
        case_id=row.case_id or 0,
    )
