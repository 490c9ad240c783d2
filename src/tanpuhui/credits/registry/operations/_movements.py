"""Cutting blocks and writing movements: what every verb of the registry does to units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from psycopg.types.range import Int8Range

from tanpuhui.credits.registry.domain import BlockState, Span, take
from tanpuhui.credits.registry.models import Block, HoldingAccount, Issuance, Movement
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.persistence.locks import lock_names


def lock_issuance(issuance_id: int) -> None:
    """Let one transaction at a time change the blocks of an issuance."""
    lock_names(f"registry:issuance:{issuance_id}")


def as_range(span: Span) -> Int8Range:
    """Return the database's half-open range of a span."""
    return Int8Range(span.first, span.last + 1, "[)")


def as_span(value: Int8Range) -> Span:
    """Return the span of a database range."""
    if value.lower is None or value.upper is None:
        message = "a block has two ends"
        raise ValueError(message)
    return Span(int(value.lower), int(value.upper) - 1)


def cut(*, issuance: Issuance, holder: HoldingAccount, quantity: Tonnes, at: datetime) -> list[Block]:
    """Return held blocks of exactly the quantity, split off the tail where needed; the caller changes their state.

    Demands the issuance's lock. Raises NotEnoughUnits.
    """
    if not connection.in_atomic_block:
        message = "blocks are cut inside an operation"
        raise RuntimeError(message)
    held = list(
        Block.objects.filter(issuance=issuance, holder=holder, state=BlockState.HELD).order_by("span")
    )
    by_id = {block.pk: block for block in held}
    chosen: list[Block] = []
    for piece in take([(block.pk, as_span(block.span)) for block in held], quantity):
        block = by_id[piece.block_id]
        if piece.left is None:
            chosen.append(block)
            continue
        block.span = as_range(piece.left)
        block.save(update_fields=["span"])
        chosen.append(
            Block.objects.create(
                issuance=issuance, holder=holder, span=as_range(piece.taken), state=BlockState.HELD, since=at
            )
        )
    return chosen


def write_movements(
    *,
    blocks: Iterable[Block],
    kind: str,
    reference: str,
    source: HoldingAccount | None,
    target: HoldingAccount,
    at: datetime,
) -> None:
    """Record the change of each block; the current view in `blocks` can be rebuilt from these rows alone."""
    Movement.objects.bulk_create(
        Movement(
            issuance_id=block.issuance_id,
            span=block.span,
            kind=kind,
            reference=reference,
            source=source,
            target=target,
            state=block.state,
            at=at,
        )
        for block in blocks
    )
