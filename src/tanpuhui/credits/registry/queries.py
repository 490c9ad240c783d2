"""Reads of the registry: holdings, serials, certificates, and what must always hold (不变量 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from tanpuhui.books.transparency.queries import certificate_bundle as bundle_of_leaf
from tanpuhui.credits.projects.queries import reports
from tanpuhui.credits.registry.domain import BlockState, Purpose, Serial, Span
from tanpuhui.credits.registry.models import Block, Certificate, HoldingAccount, Issuance, Movement, Transfer
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Tonnes

__all__ = [
    "BlockView",
    "CertificateView",
    "HolderView",
    "HoldingView",
    "IssuanceView",
    "Purpose",
    "Serial",
    "Span",
    "TransferView",
    "breaches",
    "certificate",
    "certificate_bundle",
    "certificates",
    "holders",
    "holding",
    "issuance",
    "issuances",
    "movements",
    "serial",
    "transfers",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    """A run of units as it stands now."""

    issuance_id: int
    serial: str
    span: Span
    quantity: Tonnes
    state: str
    holder_id: int
    certificate_number: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingView:
    """A holding account with its units by state, as `held + in transit + retired`."""

    holding_id: int
    number: str
    organisation_id: int
    by_state: Mapping[str, Tonnes]
    blocks: tuple[BlockView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderView:
    """Who holds units: an account by its number."""

    holding_id: int
    number: str
    organisation_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceView:
    """An issuance and what has become of it."""

    issuance_id: int
    serial: str
    project_id: int
    report_id: int
    project_code: str
    vintage: int
    span: Span
    quantity: Tonnes
    issued_at: datetime
    by_state: Mapping[str, Tonnes]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """An offer of units and its answer."""

    transfer_id: int
    number: str
    issuance_id: int
    serials: tuple[str, ...]
    source_id: int
    target_id: int
    quantity: Tonnes
    state: str
    offered_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """A certificate: its public payload and its place in the log."""

    number: str
    quantity: Tonnes
    payload: Mapping[str, object]
    leaf_id: int
    issuance: IssuanceView
    retired_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementView:
    """One line of a unit's history."""

    serial: str
    kind: str
    reference: str
    state: str
    at: datetime


def holding(*, organisation_id: int) -> HoldingView:
    """Return an organisation's holding account and its blocks, newest first; raises NotFound."""
    account = HoldingAccount.objects.filter(organisation_id=organisation_id).first()
    if account is None:
        raise NotFound(what="持有账户", id=organisation_id)
    rows = (
        Block.objects.filter(holder=account).select_related("issuance", "holder").order_by("-since", "span")
    )
    blocks = tuple(_block_view(row) for row in rows)
    return HoldingView(
        holding_id=account.pk,
        number=account.number,
        organisation_id=organisation_id,
        by_state=_by_state(blocks),
        blocks=blocks,
    )


def holders() -> tuple[HolderView, ...]:
    """Return every holding account, without its units, in the order of opening."""
    return tuple(
        HolderView(holding_id=row.pk, number=row.number, organisation_id=row.organisation_id)
        for row in HoldingAccount.objects.order_by("id")
    )


def issuance(*, issuance_id: int) -> IssuanceView:
    """Return one issuance; raises NotFound."""
    row = Issuance.objects.filter(pk=issuance_id).first()
    if row is None:
        raise NotFound(what="签发批次", id=issuance_id)
    return _issuance_view(row, _blocks_of([row]))


def issuances() -> tuple[IssuanceView, ...]:
    """Return every issuance, newest first."""
    rows = list(Issuance.objects.order_by("-id"))
    blocks = _blocks_of(rows)
    return tuple(_issuance_view(row, blocks) for row in rows)


def transfers(*, organisation_id: int) -> tuple[TransferView, ...]:
    """Return the transfers from and to an organisation, newest first."""
    own = Q(source__organisation_id=organisation_id) | Q(target__organisation_id=organisation_id)
    rows = Transfer.objects.select_related("source", "target", "issuance").filter(own).order_by("-id")
    return tuple(_transfer_view(row) for row in rows)


def offers_to(*, organisation_ids: Sequence[int]) -> tuple[TransferView, ...]:
    """Return the transfers that wait for the answer of one of the organisations, oldest first."""
    rows = Transfer.objects.select_related("source", "target", "issuance").filter(
        target__organisation_id__in=organisation_ids, state="offered"
    )
    return tuple(_transfer_view(row) for row in rows.order_by("id"))


def certificate(*, number: str) -> CertificateView:
    """Return a certificate by its number, in either case; raises NotFound."""
    row = Certificate.objects.select_related("issuance").filter(number=number.strip().upper()).first()
    if row is None:
        raise NotFound(what="证书", id=number)
    return _certificate_view(row)


def certificates(*, organisation_id: int | None = None, limit: int = 100) -> tuple[CertificateView, ...]:
    """Return certificates, newest first, of one holder where given."""
    rows = Certificate.objects.select_related("issuance").order_by("-retired_at", "-id")
    if organisation_id is not None:
        rows = rows.filter(holder__organisation_id=organisation_id)
    return tuple(_certificate_view(row) for row in rows[:limit])


def certificate_bundle(*, number: str) -> bytes:
    """Return `certificate.json`: the leaf, and its proof once a head covers it; raises NotFound."""
    return bundle_of_leaf(leaf_id=certificate(number=number).leaf_id)


def serial(*, text: str) -> tuple[BlockView, ...]:
    """Return the blocks that hold any unit of a serial; raises SerialMalformed, NotFound."""
    wanted = Serial.parse(text)
    rows = (
        Block.objects.select_related("issuance", "holder")
        .filter(
            issuance__prefix=wanted.prefix,
            issuance__project_code=wanted.project_code,
            issuance__vintage=wanted.vintage,
            span__overlap=(wanted.span.first, wanted.span.last + 1),
        )
        .order_by("span")
    )
    found = tuple(_block_view(row) for row in rows)
    if not found:
        raise NotFound(what="序列号", id=text)
    return found


def movements(*, issuance_id: int) -> tuple[MovementView, ...]:
    """Return the history of an issuance's units, oldest first."""
    rows = Movement.objects.select_related("issuance").filter(issuance_id=issuance_id).order_by("id")
    return tuple(
        MovementView(
            serial=_serial_text(row.issuance, _span(row.span)),
            kind=row.kind,
            reference=row.reference,
            state=row.state,
            at=row.at,
        )
        for row in rows
    )


_SUMS = """
select i.id, i.quantity, upper(i.span) - lower(i.span),
       coalesce(sum(upper(b.span) - lower(b.span)), 0),
       coalesce(bool_and(i.span @> b.span), false),
       coalesce(range_agg(b.span) = int8multirange(i.span), false)
from registry_issuance i left join registry_block b on b.issuance_id = i.id
group by i.id having i.quantity <> upper(i.span) - lower(i.span)
   or coalesce(sum(upper(b.span) - lower(b.span)), 0) <> i.quantity
   or not coalesce(range_agg(b.span) = int8multirange(i.span), false)
"""

_REPLAY = """
with unit_last as (
  select m.issuance_id, n, (array_agg(row(m.target_id, m.state)::text order by m.id desc))[1] as now
  from registry_movement m, lateral generate_series(lower(m.span), upper(m.span) - 1) n
  group by m.issuance_id, n),
unit_block as (
  select b.issuance_id, n, row(b.holder_id, b.state)::text as now
  from registry_block b, lateral generate_series(lower(b.span), upper(b.span) - 1) n)
select coalesce(l.issuance_id, b.issuance_id), min(coalesce(l.n, b.n)), count(*)
from unit_last l full join unit_block b on l.issuance_id = b.issuance_id and l.n = b.n
where l.now is distinct from b.now group by 1
"""

_CERTIFIED = """
select c.number, c.quantity, coalesce(sum(upper(b.span) - lower(b.span)), 0)
from registry_certificate c left join registry_block b on b.certificate_number = c.number and b.state = 'retired'
group by c.id having coalesce(sum(upper(b.span) - lower(b.span)), 0) <> c.quantity
    or (c.payload->>'quantity_t')::bigint <> c.quantity
"""


def breaches() -> Iterator[Breach]:
    """Yield what is wrong with units: sums, gaps, overlaps, history against present, certificates against blocks."""
    name = "2 units of an issuance"
    with connection.cursor() as cursor:
        cursor.execute(_SUMS)
        for issuance_id, quantity, width, total, *_ in cursor.fetchall():
            yield Breach(
                invariant=name,
                subject=f"issuance:{issuance_id}",
                detail=f"issued {quantity}, numbered {width}, in blocks {total}, or the ranges leave gaps",
            )
        cursor.execute(_REPLAY)
        for issuance_id, first, count in cursor.fetchall():
            yield Breach(
                invariant=name,
                subject=f"issuance:{issuance_id}",
                detail=f"{count} units from number {first} stand otherwise than their movements say",
            )
        cursor.execute(_CERTIFIED)
        for number, quantity, total in cursor.fetchall():
            yield Breach(
                invariant=name,
                subject=f"certificate:{number}",
                detail=f"certificate says {quantity}, retired blocks hold {total}",
            )
    verified = {view.report_id: view.verified_tonnes for view in reports()}
    for row in Issuance.objects.all():
        if verified.get(row.report_id) != row.quantity:
            yield Breach(
                invariant=name,
                subject=f"issuance:{row.pk}",
                detail=f"issued {row.quantity} t, verified {verified.get(row.report_id)} t",
            )


def _span(value: object) -> Span:
    return Span(int(value.lower), int(value.upper) - 1)  # type: ignore[attr-defined]


def _serial_text(row: Issuance, span: Span) -> str:
    return str(Serial(row.prefix, row.project_code, row.vintage, span))


def _block_view(row: Block) -> BlockView:
    span = _span(row.span)
    return BlockView(
        issuance_id=row.issuance_id,
        serial=_serial_text(row.issuance, span),
        span=span,
        quantity=span.quantity,
        state=row.state,
        holder_id=row.holder.organisation_id,
        certificate_number=row.certificate_number,
        since=row.since,
    )


def _by_state(blocks: tuple[BlockView, ...]) -> Mapping[str, Tonnes]:
    return {
        state.value: Tonnes.total(block.quantity for block in blocks if block.state == state)
        for state in BlockState
    }


def _blocks_of(rows: list[Issuance]) -> QuerySet[Block]:
    return Block.objects.filter(issuance__in=rows).select_related("issuance", "holder")


def _issuance_view(row: Issuance, blocks: QuerySet[Block]) -> IssuanceView:
    own = tuple(_block_view(block) for block in blocks if block.issuance_id == row.pk)
    span = _span(row.span)
    return IssuanceView(
        issuance_id=row.pk,
        serial=_serial_text(row, span),
        project_id=row.project_id,
        report_id=row.report_id,
        project_code=row.project_code,
        vintage=row.vintage,
        span=span,
        quantity=row.quantity,
        issued_at=row.issued_at,
        by_state=_by_state(own),
    )


def _transfer_view(row: Transfer) -> TransferView:
    spans = (
        Movement.objects.filter(reference=row.number, kind="offer")
        .order_by("span")
        .values_list("span", flat=True)
    )
    return TransferView(
        transfer_id=row.pk,
        number=row.number,
        issuance_id=row.issuance_id,
        serials=tuple(_serial_text(row.issuance, _span(span)) for span in spans),
        source_id=row.source.organisation_id,
        target_id=row.target.organisation_id,
        quantity=row.quantity,
        state=row.state,
        offered_at=row.offered_at,
        closed_at=row.closed_at,
    )


def _certificate_view(row: Certificate) -> CertificateView:
    return CertificateView(
        number=row.number,
        quantity=row.quantity,
        payload=row.payload,
        leaf_id=row.leaf_id,
        issuance=_issuance_view(row.issuance, _blocks_of([row.issuance])),
        retired_at=row.retired_at,
    )
