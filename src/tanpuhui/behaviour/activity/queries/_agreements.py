"""Data-sharing agreements as the desk shows them, and the days of a feed that none covers (数据共享协议)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.domain.agreements import (
    END_PROCESS,
    PROCESS,
    REQUIRED,
    AgreementState,
    Days,
    uncovered,
)
from tanpuhui.behaviour.activity.domain.standing import Span
from tanpuhui.behaviour.activity.models import AgreementEnd, DataAgreement
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementView:
    """An agreement; `last_day` is its last day, early or not."""

    id: int
    number: str
    partner_id: int
    scenarios: tuple[str, ...]
    fields: tuple[str, ...]
    purpose: str
    legal_basis: str
    valid_from: date
    valid_to: date
    last_day: date
    state: AgreementState
    case_id: int

    def holds_on(self, day: date) -> bool:
        """Say whether it is agreed and covers a day."""
        return self.state is AgreementState.AGREED and self.valid_from <= day <= self.last_day


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementEndView:
    """A proposal to end an agreement early."""

    id: int
    agreement: AgreementView
    last_day: date
    reason: str


def agreements(*, partner_ids: Sequence[int]) -> tuple[AgreementView, ...]:
    """Return the agreements of some partners, the latest first."""
    rows = DataAgreement.objects.filter(partner_id__in=partner_ids).order_by("-valid_from", "-id")
    return tuple(_view(row) for row in rows)


def agreement(agreement_id: int) -> AgreementView:
    """Return an agreement. Raises NotFound."""
    row = DataAgreement.objects.filter(pk=agreement_id).first()
    if row is None:
        raise NotFound(what="数据共享协议 / data agreement", id=agreement_id)
    return _view(row)


def agreement_end(end_id: int) -> AgreementEndView:
    """Return a proposal to end an agreement early. Raises NotFound."""
    row = AgreementEnd.objects.select_related("agreement").filter(pk=end_id).first()
    if row is None:
        raise NotFound(what="协议提前终止 / early end of an agreement", id=end_id)
    return AgreementEndView(
        id=row.pk, agreement=_view(row.agreement), last_day=row.last_day, reason=row.reason
    )


def days_without_agreement(
    *, partner_id: int, scenario: str, at: datetime, stops: Sequence[Span] = ()
) -> tuple[Days, ...]:
    """Return the days whose records of a partner are refused for want of an agreement; none where the rule asks for none.

    Days on which the scenario does not run (`stops`) are left out: they are refused for that.
    """
    if rulebook.parameter(key=REQUIRED, at=at, scope=scenario).value != "yes":
        return ()
    held = DataAgreement.objects.filter(partner_id=partner_id, state=AgreementState.AGREED)
    return uncovered(
        [
            Days(first=row.valid_from, last=row.ended_on or row.valid_to)
            for row in held
            if scenario in row.scenarios
        ]
        + [Days(first=stop.first_day, last=stop.last_day or date.max) for stop in stops]
    )


def agreement_breaches() -> Iterator[Breach]:
    """Report agreements that hold, or ended early, without a case that decided so."""
    for row in DataAgreement.objects.filter(state=AgreementState.AGREED).order_by("id").iterator():
        if not _decided(row.case_id, PROCESS):
            yield Breach(
                "activity.agreements_are_decided", f"data_agreement:{row.pk}", "agreed without its case"
            )
        ended = [
            one for one in row.ends.filter(state=AgreementState.AGREED) if _decided(one.case_id, END_PROCESS)
        ]
        if row.ended_on is not None and not ended:
            yield Breach(
                "activity.agreements_are_decided", f"data_agreement:{row.pk}", "ended early without its case"
            )


def _decided(case_id: int | None, process: str) -> bool:
    if case_id is None or workflow.latest_outcome(case_id) != "approve":
        return False
    return workflow.case(case_id).process == process


def _view(row: DataAgreement) -> AgreementView:
    return AgreementView(
        id=row.pk,
        number=row.number,
        partner_id=row.partner_id,
        scenarios=tuple(row.scenarios),
        fields=tuple(row.fields),
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        last_day=row.ended_on or row.valid_to,
        state=AgreementState(row.state),
        case_id=row.case_id or 0,
    )
