"""The verifier signs the statement (核查声明): an effect of the case, and a leaf of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.credits.projects.models import VerificationStatement
from tanpuhui.credits.projects.queries import report
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow.queries import case


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSigned:
    """The statement and its place in the log."""

    report_id: int
    verifier_id: int
    tonnes: Tonnes
    leaf_id: int


@operation(roles={Role.VERIFIER}, subject="monitoring_report:{report_id}")
def sign_verification(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VerificationSigned:
    """State that the report's tonnes were verified, for the verifier that the case names.

    The verifier confirms the reported figure or sends the report back: there is no third figure, so that
    tonnes issued × 10⁶ + remainder stays equal to the grams pooled (house plan, invariant 4).
    The case lets one decision through at a time, so rounds are counted without a lock of their own.
    Raises NotPermitted.
    """
    view = report(report_id=int(subject_id))
    verifier_id = case(case_id).parties.get(Role.VERIFIER)
    if verifier_id is None:
        raise NotPermitted(operation="projects.sign_verification")
    actor.require(Role.VERIFIER, operation="projects.sign_verification", organisation_id=verifier_id)
    statement_round = VerificationStatement.objects.filter(report_id=view.report_id).count() + 1
    leaf_id = append_leaf(
        kind="verification",
        subject=f"{view.report_id}:{statement_round}",
        payload={
            "report": view.report_id,
            "project": view.project.code,
            "pool_root": view.pool_root,
            "first_day": view.first_day.isoformat(),
            "last_day": view.last_day.isoformat(),
            "quantity_t": view.tonnes.value,
            "grams": str(view.grams.value),
            "methodologies": list(view.methodologies),
            "verifier": organisation(verifier_id).uscc,
            "signed_at": at.isoformat(),
        },
        at=at,
    )
    VerificationStatement.objects.create(
        report_id=view.report_id,
        round=statement_round,
        case_id=case_id,
        verifier_id=verifier_id,
        signed_by=actor.id,
        tonnes=view.tonnes,
        opinion=opinion,
        signed_at=at,
        leaf_id=leaf_id,
    )
    return VerificationSigned(
        report_id=view.report_id, verifier_id=verifier_id, tonnes=view.tonnes, leaf_id=leaf_id
    )
