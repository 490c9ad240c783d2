"""Serial numbers, blocks and their states: pure decisions of the registry (登记簿)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.identifiers import check_character
from tanpuhui.foundation.kernel.quantities import Tonnes


class BlockState(StrEnum):
    """Where a unit is. One unit is one tonne and is in one state."""

    HELD = "held"
    IN_TRANSIT = "in_transit"
    RETIRED = "retired"


MOVES: frozenset[tuple[str, str]] = frozenset(
    {
        (BlockState.HELD, BlockState.IN_TRANSIT),
        (BlockState.IN_TRANSIT, BlockState.HELD),
        (BlockState.HELD, BlockState.RETIRED),
    }
)
"""What a block may become; retirement is final. The database refuses every other change."""


class Purpose(StrEnum):
    """What units are used for (消纳用途)."""

    EVENT = "event_neutrality"
    ORGANISATION = "organisation_neutrality"
    PERSON = "personal_neutrality"
    VOLUNTARY = "voluntary_retirement"
    COMPENSATION = "ecological_compensation"


class NotEnoughUnits(Refusal):
    """The holder has fewer free units than asked for."""

    code = "NOT_ENOUGH_UNITS"
    zh = "这一批次可用 {available_t} t，不够 {wanted_t} t。其余可能在途或已消纳。"
    en = "{available_t} t of this issuance are free, {wanted_t} t were asked for. The rest may be in transit or retired."


class SerialMalformed(Refusal):
    """A serial number was mistyped."""

    code = "SERIAL_MALFORMED"
    zh = "序列号 {serial} 不完整或有错字，校验位对不上。请照证书重新输入。"
    en = "The serial {serial} is incomplete or mistyped: its check character does not fit. Copy it from the certificate."


class TransferClosed(Refusal):
    """A transfer is accepted or declined once."""

    code = "TRANSFER_CLOSED"
    zh = "转让 {number} 已经{state_zh}，不能再处理。"
    en = "Transfer {number} is already {state}; nothing is left to do."


class TransferToSelf(Refusal):
    """Units do not move from an account to itself."""

    code = "TRANSFER_TO_SELF"
    zh = "转出和转入是同一个账户。请选择另一个受让方。"
    en = "Source and destination are the same account. Choose another recipient."


class AlreadyIssued(Refusal):
    """A report is issued once."""

    code = "ALREADY_ISSUED"
    zh = "监测报告 {report_id} 已经签发，编号 {serial}。"
    en = "Monitoring report {report_id} has been issued already as {serial}."


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A run of consecutive unit numbers, both ends included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            message = f"a span runs upwards from 1, not {self.first} to {self.last}"
            raise ValueError(message)

    @property
    def quantity(self) -> Tonnes:
        """Return how many units it holds: one unit, one tonne."""
        return Tonnes(self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is taken from one block: its tail, or all of it."""

    block_id: int
    taken: Span
    left: Span | None


def take(blocks: Sequence[tuple[int, Span]], quantity: Tonnes) -> tuple[Piece, ...]:
    """Choose whole blocks in order and split the last: the holder keeps the head, the tail is taken.

    Raises NotEnoughUnits with what is free.
    """
    available = Tonnes.total(span.quantity for _, span in blocks)
    if quantity <= Tonnes(0) or available < quantity:
        raise NotEnoughUnits(available_t=available, wanted_t=quantity)
    pieces: list[Piece] = []
    missing = quantity.value
    for block_id, span in blocks:
        if missing == 0:
            break
        taken = min(missing, span.quantity.value)
        tail = Span(span.last - taken + 1, span.last)
        head = None if taken == span.quantity.value else Span(span.first, span.last - taken)
        pieces.append(Piece(block_id=block_id, taken=tail, left=head))
        missing -= taken
    return tuple(pieces)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same units as the fewest spans, in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and result[-1].last + 1 == span.first:
            result[-1] = Span(result[-1].first, span.last)
        else:
            result.append(span)
    return tuple(result)


_SERIAL = re.compile(r"^([A-Z0-9]{2,8})-([A-Z]{1,3}\d{3,6})-(\d{4})-(\d{8,12})(?:-(\d{8,12}))?-([0-9A-Z*])$")


@dataclass(frozen=True, slots=True)
class Serial:
    """A run of units as people write it: prefix, project, vintage, first, last, check character."""

    prefix: str
    project_code: str
    vintage: int
    span: Span

    def __str__(self) -> str:
        last = "" if self.span.first == self.span.last else f"-{self.span.last:08d}"
        stem = f"{self.prefix}-{self.project_code}-{self.vintage:04d}-{self.span.first:08d}{last}"
        return f"{stem}-{check_character(stem)}"

    @classmethod
    def parse(cls, text: str) -> Serial:
        """Read a serial as printed, in either case; the check character must fit.

        Raises SerialMalformed.
        """
        found = _SERIAL.match(text.strip().upper())
        if found is None or check_character(found[0].rsplit("-", 1)[0]) != found[6]:
            raise SerialMalformed(serial=text)
        first, last = int(found[4]), int(found[5] or found[4])
        if not 1 <= first <= last:
            raise SerialMalformed(serial=text)
        return cls(prefix=found[1], project_code=found[2], vintage=int(found[3]), span=Span(first, last))
