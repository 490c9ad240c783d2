"""What an admission demands before it goes on (准入守卫): each raises the refusal that says what is missing."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.behaviour.activity.domain.admission import (
    MethodologyNotFiled,
    SubCentreFirst,
)
from tanpuhui.behaviour.activity.domain.quality import SampleMissing
from tanpuhui.behaviour.activity.queries._applications import application
from tanpuhui.behaviour.activity.queries._samples import sample_in_force, samples
from tanpuhui.foundation.identity.queries import area_assignments, organisation
from tanpuhui.foundation.kernel.actors import area_covers
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology import queries as methodology


def no_subcentre(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  every guard is called alike
    """Pass where no sub-centre is assigned the case's area at that moment. Raises SubCentreFirst."""
    area = workflow.case(case_id).area
    first = next((one for one in area_assignments(at=at) if area_covers(one.area, area)), None)
    if first is not None:
        centre = organisation(first.organisation_id)
        raise SubCentreFirst(name=centre.name, name_en=centre.name_en or centre.name)


def sample_tried(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a sample was tried under the present definition. Raises SampleMissing."""
    if not any(one.current for one in samples(int(subject_id))):
        raise SampleMissing


def sample_passed(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a sample of the present definition passed, or was accepted in writing. Raises SampleMissing, SampleNotPassed."""
    sample_in_force(int(subject_id))


def methodology_filed(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a methodology is filed for the scenario, for today or a day to come. Raises MethodologyNotFiled."""
    content = application(int(subject_id)).content
    today = business_day(at)
    try:
        methodology.filed_version(scenario=content.code, day=today)
    except methodology.NoFiledMethodology as error:
        to_come = any(
            view.scenario == content.code and view.valid_from is not None and view.valid_from > today
            for view in methodology.library()
            if view.filed_at is not None
        )
        if not to_come:
            raise MethodologyNotFiled(scenario=content.code, methodology=content.methodology_code) from error
