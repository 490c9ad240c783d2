"""The four quantities (四种量). They are four types, so that no screen or sum can mix them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

GRAMS_PER_TONNE = 1_000_000


@dataclass(frozen=True, slots=True)
class Quantity:
    """A whole number of one unit. Arithmetic with another kind of quantity, or with a float, is an error."""

    value: int

    def __post_init__(self) -> None:
        if type(self.value) is not int:
            message = f"{type(self).__name__} takes an int, not {type(self.value).__name__}"
            raise TypeError(message)

    def _same(self, other: object) -> int:
        if type(other) is not type(self):
            message = f"{type(self).__name__} and {type(other).__name__} do not mix"
            raise TypeError(message)
        return other.value

    def __add__(self, other: Self) -> Self:
        return type(self)(self.value + self._same(other))

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.value - self._same(other))

    def __neg__(self) -> Self:
        return type(self)(-self.value)

    def __lt__(self, other: Self) -> bool:
        return self.value < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.value <= self._same(other)

    def __gt__(self, other: Self) -> bool:
        return self.value > self._same(other)

    def __ge__(self, other: Self) -> bool:
        return self.value >= self._same(other)

    def __bool__(self) -> bool:
        return self.value != 0

    def __int__(self) -> int:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:,}"

    @classmethod
    def total(cls, quantities: Iterable[Self]) -> Self:
        """Sum quantities of this one kind; the sum of none is zero."""
        result = cls(0)
        for quantity in quantities:
            result = result + quantity
        return result


class Grams(Quantity):
    """Grams of CO2 equivalent (克, 减排量): what the science says was saved."""

    __slots__ = ()


class Points(Quantity):
    """Points (积分): an incentive. They have no monetary attribute and are no claim to a reduction."""

    __slots__ = ()


class Tonnes(Quantity):
    """Whole tonnes of certified units (吨, 核证减排量): what the registry issues and retires."""

    __slots__ = ()


class Fen(Quantity):
    """Money in fen (分), a hundredth of a yuan."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class WholeTonnes:
    """Grams split by the named rule FLOOR_1T: whole tonnes and the remainder that is carried (结转)."""

    tonnes: Tonnes
    remainder: Grams


def floor_to_tonnes(grams: Grams) -> WholeTonnes:
    """Floor grams (not negative) to whole tonnes; the remainder is kept, never rounded away.

    Rule FLOOR_1T: research/methodologies.md section 2.4, projects are booked in whole tonnes, rounded down.
    """
    if grams.value < 0:
        message = "a negative sum is carried forward, not floored to tonnes"
        raise ValueError(message)
    tonnes, remainder = divmod(grams.value, GRAMS_PER_TONNE)
    return WholeTonnes(tonnes=Tonnes(tonnes), remainder=Grams(remainder))
