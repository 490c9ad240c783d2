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
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.actors import area_covers
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology import queries as methodology


def no_subcentre(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  every guard is called alike
    """Pass where no sub-centre looks after the case's area. Raises SubCentreFirst."""
    area = workflow.case(case_id).area
    first = next((one for one in organisations(kind="subcentre") if area_covers(one.area, area)), None)
    if first is not None:
        raise SubCentreFirst(name=first.name, name_en=first.name_en or first.name)


def sample_tried(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a sample was tried under the present definition. Raises SampleMissing."""
    if not any(one.current for one in samples(int(subject_id))):
        raise SampleMissing


def sample_passed(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a sample of the present definition passed, or was accepted in writing. Raises SampleMissing, SampleNotPassed."""
    sample_in_force(int(subject_id))


def methodology_filed(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a methodology is filed for the scenario today. Raises MethodologyNotFiled."""
    content = application(int(subject_id)).content
    try:
        methodology.filed_version(scenario=content.code, day=business_day(at))
    except methodology.NoFiledMethodology as error:
        raise MethodologyNotFiled(scenario=content.code, methodology=content.methodology_code) from error
