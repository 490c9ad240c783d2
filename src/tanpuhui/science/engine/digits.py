"""Digits (位数): the interval and the decimal places of every intermediate, derived from declared bounds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, Inexact, localcontext

MAX_DIGITS = 38
MAX_PLACES = 18
# Wide enough for a product of two 38-digit numbers; a result that would not be exact raises.
EXACT = Context(prec=100, traps=[Inexact])


class TooManyDigits(Exception):
    """An intermediate would need more digits than every back end can hold exactly."""

    def __init__(self, needed: int) -> None:
        self.needed = needed
        super().__init__(needed)


def places_of(value: Decimal) -> int:
    """Return the decimal places a number needs, trailing zeros left out."""
    exponent = value.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def whole_digits(value: Decimal) -> int:
    """Return the digits before the point of a number's magnitude; 0 for a magnitude below 1."""
    magnitude = value.copy_abs()  # abs() would round to the caller's context
    return magnitude.adjusted() + 1 if magnitude >= 1 else 0


@dataclass(frozen=True, slots=True)
class Digits:
    """A quantity's least and greatest possible value and its decimal places."""

    low: Decimal
    high: Decimal
    places: int

    def __post_init__(self) -> None:
        if self.total > MAX_DIGITS:
            raise TooManyDigits(self.total)

    @property
    def whole(self) -> int:
        """Digits before the point, at least one, so that DECIMAL(total, places) always can be written."""
        return max(1, whole_digits(self.low), whole_digits(self.high))

    @property
    def total(self) -> int:
        """The width of the DECIMAL that holds every possible value."""
        return self.whole + self.places

    @classmethod
    def of(cls, value: Decimal) -> Digits:
        """Return the digits of a constant."""
        return cls(value, value, places_of(value))

    def negated(self) -> Digits:
        """Return the digits of the negative."""
        return Digits(self.high.copy_negate(), self.low.copy_negate(), self.places)

    def plus(self, other: Digits) -> Digits:
        """Return the digits of a sum."""
        aligned(self, other)
        with localcontext(EXACT):
            return Digits(self.low + other.low, self.high + other.high, max(self.places, other.places))

    def times(self, other: Digits) -> Digits:
        """Return the digits of a product; places add up, nothing is rounded."""
        with localcontext(EXACT):
            corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Digits(min(corners), max(corners), self.places + other.places)

    def union(self, other: Digits) -> Digits:
        """Return the digits of a value that is one of the two."""
        aligned(self, other)
        return Digits(min(self.low, other.low), max(self.high, other.high), max(self.places, other.places))

    def lesser(self, other: Digits) -> Digits:
        """Return the digits of the smaller of the two."""
        aligned(self, other)
        return Digits(min(self.low, other.low), min(self.high, other.high), max(self.places, other.places))

    def greater(self, other: Digits) -> Digits:
        """Return the digits of the greater of the two."""
        aligned(self, other)
        return Digits(max(self.low, other.low), max(self.high, other.high), max(self.places, other.places))

    def rounded(self, places: int) -> Digits:
        """Return the digits after any rounding rule to a number of places (outward)."""
        low, high = _outward(self.low, places, ROUND_FLOOR), _outward(self.high, places, ROUND_CEILING)
        return Digits(low, high, places)

    def divided(self, divisor: Digits, places: int) -> Digits:
        """Return the digits of round(self / divisor, places); the divisor cannot be 0 within its bounds."""
        with localcontext(Context(prec=100)):
            corners = [a / b for a in (self.low, self.high) for b in (divisor.low, divisor.high)]
        return Digits(
            _outward(min(corners), places, ROUND_FLOOR), _outward(max(corners), places, ROUND_CEILING), places
        )

    @property
    def has_zero(self) -> bool:
        """Whether 0 is a possible value."""
        return self.low <= 0 <= self.high


def _outward(value: Decimal, places: int, rounding: str) -> Decimal:
    with localcontext(Context(prec=120)):
        return value.quantize(Decimal(1).scaleb(-places), rounding=rounding)


def aligned(*several: Digits) -> tuple[int, int]:
    """Return (width, places) of the one DECIMAL type that holds all of them, or raise TooManyDigits."""
    places = max(digits.places for digits in several)
    total = max(digits.whole for digits in several) + places
    if total > MAX_DIGITS:
        raise TooManyDigits(total)
    return total, places
