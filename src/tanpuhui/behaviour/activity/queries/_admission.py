"""What an admission demands before it goes on (准入守卫): each raises the refusal that says what is missing."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.behaviour.activity.domain.admission import (
    MethodologyNotFiled,
    SubCentreFirst,
)
from tanpuhui.behaviour.activity.domain.quality import SampleMissing, SampleOfOtherVersion
from tanpuhui.behaviour.activity.queries._applications import (
    application,
    in_force_or_to_come,
    methodology_of,
)
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
    """Pass where a sample of the present definition passed or was accepted in writing, by today's methodology version.

    Raises SampleMissing, SampleNotPassed, SampleOfOtherVersion.
    """
    found = sample_in_force(int(subject_id))
    view = methodology_of(application(int(subject_id)).content, day=business_day(at))
    if view is not None and view.id not in {one.version_id for one in found.report.versions}:
        raise SampleOfOtherVersion(version=f"{view.code} {view.version}", file_name=found.file_name)


def methodology_filed(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  as above
    """Pass where a methodology is filed for the scenario, for today or a day to come. Raises MethodologyNotFiled."""
    content = application(int(subject_id)).content
    day = business_day(at)
    if not any(
        view.scenario == content.code and in_force_or_to_come(view, day=day) for view in methodology.library()
    ):
        raise MethodologyNotFiled(scenario=content.code, methodology=content.methodology_code)
