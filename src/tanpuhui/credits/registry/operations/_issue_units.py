"""Issue units (签发): the effect of the checker's decision on a verified report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.db.models.functions import Upper

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.credits.projects.operations import NotVerified
from tanpuhui.credits.projects.queries import report
from tanpuhui.credits.registry.domain import AlreadyIssued, BlockState, Serial, Span
from tanpuhui.credits.registry.models import Block, HoldingAccount, Issuance
from tanpuhui.credits.registry.operations._movements import as_range, as_span, write_movements
from tanpuhui.credits.registry.operations._open_holding import open_holding
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsIssued:
    """The serial block that was created."""

    issuance_id: int
    serial: str
    quantity: Tonnes
    holding_id: int
    leaf_id: int


@operation(roles={Role.CHECKER}, subject="issuance:{issuance_id}")
def issue_units(*, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str) -> UnitsIssued:
    """Create the serial block of a verified report and put it in its owner's holding account.

    Numbers run on per project and vintage. That maker and checker are two people is the case's rule.
    Raises NotVerified, AlreadyIssued, NotPermitted.
    """
    view = report(report_id=int(subject_id))
    actor.require(Role.CHECKER, operation="registry.issue_units", area=view.project.area)
    if view.verified_tonnes is None:
        raise NotVerified(report_id=view.report_id)
    lock_names(f"registry:numbers:{view.project.code}:{view.vintage}")
    prefix = jurisdiction().serial_prefix
    earlier = Issuance.objects.filter(report_id=view.report_id).first()
    if earlier is not None:
        serial = Serial(earlier.prefix, earlier.project_code, earlier.vintage, as_span(earlier.span))
        raise AlreadyIssued(report_id=view.report_id, serial=serial)
    used = Issuance.objects.filter(project_code=view.project.code, vintage=view.vintage).aggregate(
        upper=Max(Upper("span"))
    )["upper"]
    first = used or 1
    span = Span(first, first + view.verified_tonnes.value - 1)
    serial = Serial(prefix, view.project.code, view.vintage, span)
    holding = open_holding(actor=SYSTEM, at=at, organisation_id=view.project.owner_id)
    leaf_id = append_leaf(
        kind="issuance",
        subject=str(serial),
        payload={
            "serial": str(serial),
            "project": view.project.code,
            "vintage": view.vintage,
            "first": span.first,
            "last": span.last,
            "quantity_t": span.quantity.value,
            "report": view.report_id,
            "pool_root": view.pool_root,
            "holder": holding.number,
            "issued_at": at.isoformat(),
        },
        at=at,
    )
    issuance = Issuance.objects.create(
        report_id=view.report_id,
        case_id=case_id,
        project_id=view.project.project_id,
        project_code=view.project.code,
        prefix=prefix,
        vintage=view.vintage,
        span=as_range(span),
        quantity=span.quantity,
        issued_at=at,
        leaf_id=leaf_id,
    )
    holder = HoldingAccount.objects.get(pk=holding.holding_id)
    block = Block.objects.create(
        issuance=issuance, holder=holder, span=as_range(span), state=BlockState.HELD, since=at
    )
    write_movements(
        blocks=[block], kind="issue", reference=f"case:{case_id}", source=None, target=holder, at=at
    )
    return UnitsIssued(
        issuance_id=issuance.pk,
        serial=str(serial),
        quantity=span.quantity,
        holding_id=holder.pk,
        leaf_id=leaf_id,
    )
