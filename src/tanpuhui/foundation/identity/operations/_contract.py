"""Contracts with outside organisations (合同): a further one, and the warning before one ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import SCHEME_BODIES, check_name
from tanpuhui.foundation.identity.domain.onboarding import ContractTaken
from tanpuhui.foundation.identity.events import ContractEnding
from tanpuhui.foundation.identity.models import OrganisationContract
from tanpuhui.foundation.identity.operations._add_member import organisation_of
from tanpuhui.foundation.identity.operations._authority import require_keeper
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook.queries import parameter

WARNING_PARAMETER = "identity.contract_warning_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecorded:
    """The new contract."""

    contract_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractsWarned:
    """How many endings were told of."""

    count: int


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="organisation:{organisation_id}")
def record_contract(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    number: str,
    valid_from: date,
    valid_to: date,
    idempotency_key: str | None = None,
) -> ContractRecorded:
    """Record a further contract of an outside organisation, first and last day included.

    Its people's roles hold while one of its contracts does. Raises Invalid, ContractTaken, NotFound, NotPermitted.
    """
    organisation = organisation_of(organisation_id)
    require_keeper(actor, area=organisation.area, operation="identity.record_contract")
    if organisation.kind in SCHEME_BODIES:
        raise Invalid(
            field="organisation_id", why="运营和主管机构没有合同 / the scheme's own bodies have no contract"
        )
    check_name(number, field="number")
    if valid_to < valid_from or valid_to < business_day(at):
        raise Invalid(
            field="valid_to", why="止日不能早于起日或今天 / the end lies before the beginning or today"
        )
    row, created = OrganisationContract.objects.get_or_create(
        organisation=organisation,
        number=number.strip(),
        defaults={"valid_from": valid_from, "valid_to": valid_to, "agreed_at": at},
    )
    if not created:
        raise ContractTaken(number=row.number)
    return ContractRecorded(contract_id=row.pk, organisation_id=organisation_id)


@operation(roles={Role.SYSTEM}, subject="contracts:{count}")
def warn_of_contracts(*, actor: Actor, at: datetime) -> ContractsWarned:
    """Tell once of each contract that ends within the days that the rules set, unless another follows it.

    While the rules set no days, nobody is warned by the clock; the list of organisations shows every end.
    """
    days = parameter(key=WARNING_PARAMETER, at=at).value
    if days is None:
        return ContractsWarned(count=0)
    today = business_day(at)
    ending = OrganisationContract.objects.select_for_update().filter(
        warned_at__isnull=True, valid_to__gte=today, valid_to__lte=today + timedelta(days=int(days))
    )
    warned = 0
    for row in ending.order_by("valid_to", "id"):
        row.warned_at = at
        row.save(update_fields=["warned_at"])
        followed = OrganisationContract.objects.filter(
            organisation_id=row.organisation_id,
            valid_from__lte=row.valid_to + timedelta(days=1),
            valid_to__gt=row.valid_to,
        )
        if followed.exists():
            continue
        publish(
            ContractEnding(organisation_id=row.organisation_id, contract_id=row.pk, valid_to=row.valid_to)
        )
        warned += 1
    return ContractsWarned(count=warned)
