"""Retire units for a use (消纳): for ever, with a certificate that a stranger can check."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.books.transparency.queries import certificate_payload, commit_person
from tanpuhui.credits.projects.queries import project, report
from tanpuhui.credits.registry.domain import BlockState, Purpose, Serial, Span, merged
from tanpuhui.credits.registry.models import Certificate, HoldingAccount, Issuance
from tanpuhui.credits.registry.operations._movements import as_span, cut, lock_issuance, write_movements
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.kernel.identifiers import check_character
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction

SALT_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Beneficiary:
    """For whom units are retired: an organisation or event by name and code, or a person, who is only committed to."""

    kind: str
    name: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsRetired:
    """The certificate and the units it stands for."""

    certificate_number: str
    quantity: Tonnes
    serials: tuple[str, ...]
    leaf_id: int


@operation(roles={Role.OWNER, Role.BUYER}, subject="certificate:{certificate_number}")
def retire_units(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    issuance_id: int,
    quantity: Tonnes,
    beneficiary: Beneficiary,
    purpose: Purpose,
    purpose_text: str,
    idempotency_key: str,
) -> UnitsRetired:
    """Retire units of one issuance that the actor's organisation holds. This cannot be undone.

    Raises NotPermitted, NotFound, Invalid, NotEnoughUnits.
    """
    lock_issuance(issuance_id)
    actor.require(Role.OWNER, Role.BUYER, operation="registry.retire_units", organisation_id=organisation_id)
    _check(beneficiary=beneficiary, purpose_text=purpose_text)
    issuance = Issuance.objects.filter(pk=issuance_id).first()
    holder = HoldingAccount.objects.filter(organisation_id=organisation_id).first()
    if issuance is None:
        raise NotFound(what="签发批次", id=issuance_id)
    if holder is None:
        raise NotFound(what="持有账户", id=organisation_id)
    blocks = cut(issuance=issuance, holder=holder, quantity=quantity, at=at)
    number = _next_number(year=business_day(at).year)
    spans = merged(as_span(block.span) for block in blocks)
    salt = secrets.token_bytes(SALT_BYTES) if beneficiary.kind == "person" else None
    payload = _payload(
        number=number,
        issuance=issuance,
        spans=spans,
        quantity=quantity,
        beneficiary=beneficiary,
        salt=salt,
        purpose=purpose,
        purpose_text=purpose_text,
        organisation_id=organisation_id,
        at=at,
    )
    leaf_id = append_leaf(kind="retirement", subject=number, payload=payload, at=at)
    for block in blocks:
        block.state = BlockState.RETIRED
        block.certificate_number = number
        block.since = at
        block.save(update_fields=["state", "certificate_number", "since"])
    write_movements(blocks=blocks, kind="retire", reference=number, source=holder, target=holder, at=at)
    Certificate.objects.create(
        number=number,
        holder=holder,
        issuance=issuance,
        quantity=quantity,
        payload=payload,
        beneficiary_salt=salt,
        leaf_id=leaf_id,
        retired_at=at,
    )
    serials = tuple(
        str(Serial(issuance.prefix, issuance.project_code, issuance.vintage, span)) for span in spans
    )
    return UnitsRetired(certificate_number=number, quantity=quantity, serials=serials, leaf_id=leaf_id)


def _check(*, beneficiary: Beneficiary, purpose_text: str) -> None:
    if beneficiary.kind not in {"organisation", "event", "person"}:
        raise Invalid(field="beneficiary.kind", why="只能是 organisation、event 或 person")
    if not beneficiary.name.strip():
        raise Invalid(field="beneficiary.name", why="受益方不能为空")
    if not purpose_text.strip():
        raise Invalid(field="purpose_text", why="请写明用途")


def _payload(
    *,
    number: str,
    issuance: Issuance,
    spans: tuple[Span, ...],
    quantity: Tonnes,
    beneficiary: Beneficiary,
    salt: bytes | None,
    purpose: Purpose,
    purpose_text: str,
    organisation_id: int,
    at: datetime,
) -> dict[str, object]:
    place = jurisdiction()
    source = project(project_id=issuance.project_id)
    methodologies = report(report_id=issuance.report_id).methodologies
    owner = organisation(organisation_id)
    stem = f"{issuance.prefix}-{issuance.project_code}-{issuance.vintage}"
    named = (
        {"kind": "person", "commitment": commit_person(text=beneficiary.name, salt=salt)}
        if salt is not None
        else {"kind": beneficiary.kind, "code": beneficiary.code or "-", "name": beneficiary.name}
    )
    return certificate_payload(
        number=number,
        jurisdiction=place.name_zh,
        unit_code=place.unit_code or place.serial_prefix,
        unit_name=place.unit_name_zh,
        quantity_t=quantity.value,
        serial_ranges=[(stem, span.first, span.last) for span in spans],
        project_code=source.code,
        project_name=source.name_zh,
        methodology_code="+".join(sorted({name.partition(" ")[0] for name in methodologies})),
        methodology_version="+".join(sorted({name.partition(" ")[2] for name in methodologies})),
        vintage=f"{issuance.vintage:04d}",
        beneficiary=named,
        purpose_code=purpose.value,
        purpose_text=purpose_text,
        retired_on=business_day(at),
        holder_code=owner.uscc,
        holder_name=owner.name,
    )


def _next_number(*, year: int) -> str:
    """Number certificates of a year one after the other; the lock keeps two from getting the same."""
    lock_names(f"registry:certificates:{year}")
    prefix = f"{jurisdiction().serial_prefix}-RET-{year}-"
    used = Certificate.objects.filter(number__startswith=prefix).count()
    stem = f"{prefix}{used + 1:06d}"
    return f"{stem}-{check_character(stem)}"
