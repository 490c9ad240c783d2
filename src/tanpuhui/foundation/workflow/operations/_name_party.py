from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow.domain import PartyAlreadyNamed
from tanpuhui.foundation.workflow.models import Case, CaseParty
from tanpuhui.foundation.workflow.operations._index import index_cases
from tanpuhui.foundation.workflow.operations._open_case import insert_party


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyNamed:
    """An organisation acts in this role on this case from now on."""

    case_id: int
    role: str
    organisation_id: int


@operation(roles={Role.OWNER, Role.PARTNER, Role.MAKER}, subject="case:{case_id}")
def name_party(*, actor: Actor, at: datetime, case_id: int, role: str, organisation_id: int) -> PartyNamed:
    """Name the organisation that acts in a role on a running case, once, for example the verifier an owner engaged.

    Applicants name parties of their own cases, the centre of those in its area. Naming the same again changes
    nothing. Raises NotFound, NotPermitted, PartyAlreadyNamed, PartyUnsuitable.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id, closed_at__isnull=True).first()
    if case is None:
        raise NotFound(what="在办案件 / running case", id=case_id)
    if not actor.has(Role.MAKER, area=case.area):
        actor.require(
            Role.OWNER,
            Role.PARTNER,
            operation="name_party",
            organisation_id=case.organisation_id or 0,
            area=case.area,
        )
    named = CaseParty.objects.filter(case=case, role=role).first()
    if named is None:
        insert_party(case=case, role=role, organisation_id=organisation_id, at=at)
        index_cases([case.pk])
    elif named.organisation_id != organisation_id:
        raise PartyAlreadyNamed(number=case.number, role=role)
    return PartyNamed(case_id=case.pk, role=role, organisation_id=organisation_id)
