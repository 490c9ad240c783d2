"""Put a project in the library (项目库)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.credits.projects.domain import PROJECT_CODE, ProjectCodeTaken, ScenarioTaken
from tanpuhui.credits.projects.models import Project
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRegistered:
    """The project and its number."""

    project_id: int
    code: str


@operation(roles={Role.MAKER}, subject="project:{project_id}")
def register_project(
    *,
    actor: Actor,
    at: datetime,
    owner_id: int,
    code: str,
    scenario: str,
    name_zh: str,
    name_en: str,
    area: str,
    idempotency_key: str | None = None,
) -> ProjectRegistered:
    """Register a scenario project of an owner, in the maker's area.

    Raises Invalid, NotFound, ProjectCodeTaken, ScenarioTaken.
    """
    lock_names("projects:register")
    owner = organisation(owner_id)
    actor.require(Role.MAKER, operation="projects.register_project", area=area)
    if not PROJECT_CODE.match(code):
        raise Invalid(field="code", why="一到三个大写字母加三到六位数字")
    if owner.kind != "owner":
        raise Invalid(field="owner_id", why=f"{owner.name} 不是项目业主")
    if Project.objects.filter(code=code).exists():
        raise ProjectCodeTaken(project_code=code)
    taken = Project.objects.filter(scenario=scenario).first()
    if taken is not None:
        raise ScenarioTaken(scenario=scenario, project_code=taken.code)
    row = Project.objects.create(
        code=code,
        owner_id=owner_id,
        scenario=scenario,
        name_zh=name_zh,
        name_en=name_en,
        area=area,
        registered_at=at,
    )
    return ProjectRegistered(project_id=row.pk, code=row.code)
